"""Replacing a method, and staying on top of others who do the same."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import itertools
import pickle
import weakref
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any
from unittest import mock

import pytest
import wrapt
from patched_library import Owner

from pytest_optum_auth.patching import Interception, Lookout, OverOthers
from pytest_optum_auth.patching.originals import genuine_class

GENUINE = Owner.method


@pytest.fixture(autouse=True)
def genuine() -> Iterator[None]:
    """The class is for every test as it was written."""
    before = dict(vars(Owner))
    yield
    Owner.method, Owner.coroutine = before["method"], before["coroutine"]


def around(name: str) -> Callable[[Callable[..., str]], Callable[..., str]]:
    return lambda beneath: lambda self, *args: f"{name} over {beneath(self, *args)}"


def intercept(owner: Any = Owner, **options: bool) -> Interception:
    """An interception that is there."""
    interception = Interception(owner, "method", around("ours"), **options)
    interception.install()
    return interception


def replace(replacement: Any) -> None:
    Owner.method = replacement


def test_it_answers_between_install_and_remove() -> None:
    interception = intercept()
    inside = Owner().method(1)
    interception.remove()

    assert inside == "ours over genuine 1"
    assert Owner.method is GENUINE


def test_it_answers_a_call_by_the_class() -> None:
    intercept()

    assert Owner.method(Owner(), 2) == "ours over genuine 2"


def test_installing_twice_lays_one_layer() -> None:
    intercept().install()

    assert Owner().method(1) == "ours over genuine 1"


def test_it_rises_over_what_covered_it() -> None:
    interception = intercept()
    replace(around("theirs")(Owner.method))
    covered = Owner().method(1)
    interception.rise()

    assert covered == "theirs over ours over genuine 1"
    assert Owner().method(1) == "ours over theirs over ours over genuine 1"


def test_it_rises_when_it_was_taken_off() -> None:
    interception = intercept()
    replace(GENUINE)
    interception.rise()

    assert Owner().method(1) == "ours over genuine 1"


def test_it_does_not_rise_after_its_end() -> None:
    interception = intercept()
    interception.remove()
    interception.rise()

    assert Owner.method is GENUINE


@pytest.mark.parametrize("by", [Owner, Owner()], ids=["class", "instance"])
def test_a_layer_that_is_put_back_after_its_end_is_gone_once_it_is_looked_at(by: Any) -> None:
    interception = intercept()
    layer = vars(Owner)["method"]
    replace(around("theirs")(layer))
    interception.remove()
    replace(layer)

    assert getattr(by.method, "__func__", by.method) is GENUINE
    assert vars(Owner)["method"] is GENUINE


def test_a_layer_that_somebody_kept_calls_what_lay_beneath() -> None:
    interception = intercept()
    kept = Owner.method
    interception.remove()

    assert kept(Owner(), 1) == "genuine 1"


def test_what_a_class_has_of_its_bases_is_left_to_inheritance() -> None:
    class Inheriting(Owner):
        pass

    interception = intercept(Inheriting)
    inside = Inheriting().method(1), Owner().method(1), interception.is_genuine
    interception.remove()

    assert inside == ("ours over genuine 1", "genuine 1", True)
    assert "method" not in vars(Inheriting)


def test_a_function_of_a_module_is_replaced_too() -> None:
    module = ModuleType("library")
    module.method = around("genuine")(str)

    interception = intercept(module)
    inside = module.method(1)
    interception.remove()

    assert (inside, module.method(1)) == ("ours over genuine over 1", "genuine over 1")


# Those who replace the same method: a call of it works as they meant it.


class Traced:
    """As proxies of tracing libraries do, it equals what it wraps."""

    is_the_tracer = True

    def __init__(self, wrapped: Any) -> None:
        self.__wrapped__ = wrapped

    def __eq__(self, other: object) -> bool:
        return bool(self.__wrapped__ == other)

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        bound = self.__wrapped__.__get__(instance, owner)
        return lambda *args: f"traced {bound(*args)}"


class Plain:
    """Has no ``__get__``: it is not handed the instance."""

    def __call__(self, number: int) -> str:
        return f"theirs {number}"


# What the tools that use wrapt ask for; its name is another one in wrapt 2.
PROXY = wrapt.FunctionWrapper.__mro__[-2]


def with_wrapt(beneath: Any) -> Any:
    return wrapt.FunctionWrapper(
        beneath, lambda call, _, args, kwargs: f"traced {call(*args, **kwargs)}"
    )


def marked(beneath: Any) -> Any:
    @functools.wraps(beneath)
    def tracer(*args: Any) -> str:
        return f"traced {beneath(*args)}"

    tracer.is_the_tracer = True
    return tracer


TRACERS: dict[str, Callable[[Any], Any]] = {
    "function": marked,
    "wrapt": with_wrapt,
    "equal": Traced,
}
MOCKS: dict[str, Callable[[Any], Any]] = {
    "mock": lambda _: mock.Mock(side_effect="theirs {}".format),
    "spec": lambda beneath: mock.MagicMock(spec=beneath, side_effect="theirs {}".format),
    "autospec": lambda beneath: mock.create_autospec(
        beneath, side_effect=lambda _, number: f"theirs {number}"
    ),
    "static method": lambda _: staticmethod("theirs {}".format),
    "class method": lambda _: classmethod(lambda _, number: f"theirs {number}"),
    "plain": lambda _: Plain(),
    "lambda": lambda _: lambda _, number: f"theirs {number}",
}
REPLACED = pytest.mark.parametrize("kind", [*TRACERS, *MOCKS])
SAYS = dict.fromkeys(TRACERS, "traced genuine 3") | dict.fromkeys(MOCKS, "theirs 3")


def replacement(kind: str) -> Any:
    return {**TRACERS, **MOCKS}[kind](vars(Owner)["method"])


@REPLACED
def test_what_was_there_before_is_called_and_put_back_as_it_was(kind: str) -> None:
    theirs = replacement(kind)
    replace(theirs)

    interception = intercept()
    inside = Owner().method(3), interception.beneath is theirs, interception.is_genuine
    interception.remove()

    assert inside == (f"ours over {SAYS[kind]}", True, False)
    assert vars(Owner)["method"] is theirs


@REPLACED
def test_what_comes_while_we_are_there_is_called_and_stays(kind: str) -> None:
    interception = intercept()
    theirs = replacement(kind)
    replace(theirs)
    interception.rise()
    inside = Owner().method(3), interception.beneath is theirs, interception.is_genuine
    interception.remove()

    assert inside[0].removeprefix("ours over ").replace("ours over ", "") == SAYS[kind]
    assert inside[1:] == (True, False)
    assert vars(Owner)["method"] is theirs
    assert Owner().method(3) == SAYS[kind]


@pytest.mark.parametrize("kind", ["mock", "spec", "autospec"])
def test_a_mock_beneath_keeps_its_records(kind: str) -> None:
    replace(replacement(kind))
    intercept()
    Owner().method(3)

    assert len(Owner.method.mock_calls) == 1
    Owner().method.assert_called_once()
    with pytest.raises(AssertionError):
        Owner().method.assert_not_called()


@pytest.mark.parametrize("by", [Owner, Owner()], ids=["class", "instance"])
def test_a_mock_beneath_can_be_told_what_to_do(by: Any) -> None:
    replace(mock.Mock())
    intercept()
    by.method.return_value = "told"

    assert Owner().method(3) == "ours over told"


@pytest.mark.parametrize("kind", TRACERS)
@pytest.mark.parametrize("first", ["theirs", "ours"])
def test_a_tracer_that_ends_while_we_are_there_is_gone(first: str, kind: str) -> None:
    if first == "theirs":
        replace(replacement(kind))
    interception = intercept()
    if first == "ours":
        replace(TRACERS[kind](Owner.method))
        interception.rise()
    # As tracers do: they look whether it is theirs.
    seen: Any = Owner.method
    assert isinstance(seen, PROXY) or seen.is_the_tracer
    replace(seen.__wrapped__)
    interception.rise()
    inside = Owner().method(3)
    interception.remove()

    assert inside == "ours over genuine 3"
    assert Owner().method(3) == "genuine 3"
    assert vars(Owner)["method"] is GENUINE


ORDERS = [
    order
    for order in itertools.permutations(["ours on", "ours off", "theirs on", "theirs off"])
    if order.index("ours on") < order.index("ours off")
    and order.index("theirs on") < order.index("theirs off")
]


@pytest.mark.parametrize("order", ORDERS, ids=", ".join)
def test_in_every_order_of_start_and_stop_nothing_is_left(order: tuple[str, ...]) -> None:
    interception = Interception(Owner, "method", around("ours"))
    theirs = mock.patch.object(Owner, "method", return_value="theirs")
    do = {
        "ours on": interception.install,
        "ours off": interception.remove,
        "theirs on": theirs.start,
        "theirs off": theirs.stop,
    }
    for number in range(2):
        said = []
        for step in order:
            do[step]()
            interception.rise()
            said.append(Owner().method(number))

        ours_on = said[order.index("ours on") : order.index("ours off")]
        assert all(answer.startswith("ours over ") for answer in ours_on)
        assert not said[order.index("ours off")].startswith("ours")
        assert said[-1] == f"genuine {number}"
        assert Owner.method is GENUINE


def test_a_proxy_that_equals_our_layer_is_not_taken_for_it() -> None:
    interception = intercept()
    layer = vars(Owner)["method"]
    theirs = Traced(layer)
    replace(theirs)
    interception.remove()

    assert (theirs, hash(theirs)) == (layer, hash(layer))
    assert vars(Owner)["method"] is theirs


def test_a_proxy_in_a_derived_class_that_binds_our_layer_calls_us() -> None:
    interception = intercept()

    class Derived(Owner):
        method = Traced(vars(Owner)["method"])

    answer = Derived().method(1)
    interception.remove()

    assert answer == "traced ours over genuine 1"
    assert Derived().method(1) == "traced genuine 1"


# Nobody is to notice us who does not call.


def test_the_class_shows_a_method_that_looks_like_its_own() -> None:
    interception = Interception(Owner, "coroutine", around("ours"))
    spec, signature = inspect.getfullargspec(Owner.method), inspect.signature(Owner.method)
    interception.install()
    intercept()

    for found in (Owner.method, vars(Owner)["method"]):
        assert isinstance(found, FunctionType)
        assert (found.__name__, found.__doc__) == ("method", "What the library does.")
        assert (inspect.getfullargspec(found), inspect.signature(found)) == (spec, signature)
    assert inspect.getfullargspec(Owner().method) == spec
    for coroutine in (Owner.coroutine, Owner().coroutine, vars(Owner)["coroutine"]):
        assert inspect.iscoroutinefunction(coroutine)
    interception.remove()


def test_a_coroutine_function_gives_what_it_gives() -> None:
    interception = Interception(Owner, "coroutine", lambda beneath: beneath)
    interception.install()
    inside = asyncio.run(Owner().coroutine())
    interception.remove()

    assert inside == asyncio.run(Owner().coroutine()) == "genuine"


def test_a_lookout_that_somebody_puts_back_after_its_end_is_gone_once_it_is_asked_for() -> None:
    told: list[str] = []
    lookout = Lookout(Owner, "method", lambda: told.append("asked"))
    lookout.install()
    layer = vars(Owner)["method"]
    replace(around("theirs")(Owner.method))
    lookout.remove()
    type.__setattr__(Owner, "method", layer)

    assert Owner().method(1) == "genuine 1"
    assert vars(Owner)["method"] is GENUINE
    assert told == []


def test_mock_makes_an_async_mock_of_a_coroutine_function() -> None:
    interception = Interception(Owner, "coroutine", around("ours"))
    interception.install()

    with mock.patch.object(Owner, "coroutine") as plain:
        assert isinstance(plain, mock.AsyncMock)
    with mock.patch.object(Owner, "coroutine", autospec=True) as specified:
        asyncio.run(Owner().coroutine())
        specified.assert_awaited_once()
    assert isinstance(mock.create_autospec(Owner).coroutine, mock.AsyncMock)
    interception.remove()


def test_a_method_of_an_object_compares_and_pickles_as_ever() -> None:
    owner = Owner()
    intercept()

    assert owner.method == owner.method
    assert pickle.loads(pickle.dumps(owner.method))(1) == "ours over genuine 1"


def test_a_reference_pickles_by_its_name() -> None:
    intercept()

    assert pickle.loads(pickle.dumps(Owner.method)) is Owner.method


def test_a_weak_reference_to_a_method_lives_as_long_as_its_object() -> None:
    owner = Owner()
    interception = intercept()

    weak = weakref.WeakMethod(owner.method)
    during = weak()
    interception.remove()
    after = weak()

    assert during is not None
    assert after is not None
    assert (during(1), after(1)) == ("genuine 1", "genuine 1")
    del owner, during, after
    assert weak() is None


def test_a_genuine_method_that_comes_back_to_us_is_shown_itself() -> None:
    interception = intercept(comes_back=True)
    inside = Owner.method, Owner().method(1)
    pickled = pickle.dumps(GENUINE)
    interception.remove()

    assert inside == (GENUINE, "ours over genuine 1")
    assert pickle.loads(pickled) is GENUINE


# What is genuine.


def searched_for() -> Any:
    return Interception(Owner, "method", around("ours")).genuine


def test_the_genuine_method_is_what_the_library_wrote() -> None:
    assert searched_for() is GENUINE


def test_the_genuine_method_is_found_under_a_mock_that_started_before() -> None:
    with mock.patch.object(Owner, "method"):
        assert searched_for() is GENUINE


def test_the_genuine_method_is_found_under_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Owner, "method", staticmethod(str))
    with mock.patch.object(Owner, "method"):
        assert searched_for() is GENUINE


def test_what_another_of_ours_has_found_is_looked_for_no_more() -> None:
    intercept()

    with mock.patch.object(gc, "get_objects", side_effect=AssertionError):
        second = Interception(Owner, "method", around("others"))

    assert second.genuine is GENUINE


def test_a_class_is_genuine_where_its_library_wrote_it() -> None:
    class Derived(Owner):
        """Of the user."""

    assert genuine_class(Derived, "patched_library") is Owner
    assert genuine_class(Owner, "patched_library") is Owner
    assert genuine_class(Derived, "another") is Derived


def test_where_there_is_no_other_what_stands_there_is_genuine() -> None:
    theirs = mock.Mock()
    nothing = type("Nothing", (), {"method": theirs})

    assert Interception(nothing, "method", around("ours")).genuine is theirs


def test_a_method_written_in_c_is_genuine() -> None:
    assert Interception(list, "append", around("ours")).genuine is list.__dict__["append"]


# An interception that stands only over others.


def test_it_stands_only_over_others() -> None:
    interception = OverOthers(Owner, "method", around("ours"))
    interception.install()
    alone = vars(Owner)["method"]
    with mock.patch.object(Owner, "method", return_value="theirs"):
        covered = Owner().method(1)
        interception.rise()
        over = Owner().method(1)
    interception.remove()

    assert (alone, covered, over) == (GENUINE, "theirs", "ours over theirs")
    assert vars(Owner)["method"] is GENUINE


# One that only wants to know when it is called.


def test_a_lookout_is_told_and_changes_nothing() -> None:
    told: list[str] = []
    lookout = Lookout(Owner, "method", lambda: told.append("asked"))
    lookout.install()

    assert Owner.method is GENUINE
    assert Owner().method.__func__ is GENUINE
    assert Owner().method(1) == "genuine 1"
    assert told == ["asked", "asked"]
    lookout.remove()
    assert vars(Owner)["method"] is GENUINE
