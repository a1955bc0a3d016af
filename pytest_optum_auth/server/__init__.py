"""The fake over real HTTPS on loopback, for clients that no mock reaches.

Needs the extra ``server``. A :class:`~pytest_optum_auth.server.listener.Listener` listens for a
whole session and serves one fake at a time; every connection has a thread of its own, so that any
number of requests can wait at once, and every fault is an event on its socket.
"""
