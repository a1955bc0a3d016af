"""A library whose method is replaced, by us and by others."""

from __future__ import annotations


class Owner:
    """A class of the library."""

    def method(self, number: int = 0) -> str:
        """What the library does."""
        return f"genuine {number}"

    async def coroutine(self) -> str:
        return "genuine"
