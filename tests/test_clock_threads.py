"""Under a clock every thread and pool sees its time, and waits with a timeout still end."""

from __future__ import annotations

import concurrent.futures
import datetime as dt
import functools
import multiprocessing
import multiprocessing.pool
import queue
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from token_requests import get_token
from transports_under_test import send_with_requests as send

from pytest_optum_auth import Clock, FakeOptum

UTC = dt.timezone.utc
START = 1767225600
pytestmark = pytest.mark.optum_clock("2026-01-01T00:00:00Z")

READINGS: dict[str, Callable[[], Any]] = {
    "time": lambda: time.time(),
    "monotonic": lambda: time.monotonic(),
    "datetime": lambda: dt.datetime.now(UTC).timestamp(),
    "time_ns": lambda: time.time_ns() // 10**9,
    "gmtime": lambda: time.gmtime()[:6],
}


def in_a_thread(read: Callable[[], Any]) -> Any:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(read()))
    thread.start()
    thread.join()
    return found[0]


def in_a_subclass(read: Callable[[], Any]) -> Any:
    class Reader(threading.Thread):
        def run(self) -> None:
            self.found = read()

    thread = Reader()
    thread.start()
    thread.join()
    return thread.found


def in_a_timer(read: Callable[[], Any]) -> Any:
    found: list[Any] = []
    timer = threading.Timer(0.01, lambda: found.append(read()))
    timer.start()
    timer.join()
    return found[0]


def in_an_executor(read: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(read).result()


def in_map(read: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(2) as pool:
        return next(pool.map(lambda _: read(), range(2)))


def in_a_thread_pool(read: Callable[[], Any]) -> Any:
    with multiprocessing.pool.ThreadPool(1) as pool:
        return pool.apply(read)


def in_a_callback(read: Callable[[], Any]) -> Any:
    found: list[Any] = []
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: None).add_done_callback(lambda _: found.append(read()))
    return found[0]


PLACES = [
    in_a_thread,
    in_a_subclass,
    in_a_timer,
    in_an_executor,
    in_map,
    in_a_thread_pool,
    in_a_callback,
]


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_every_thread_and_pool_sees_the_time_of_the_test(
    place: Callable[[Callable[[], Any]], Any], reading: str, optum_clock: Clock
) -> None:
    optum_clock.tick(100)

    assert place(READINGS[reading]) == READINGS[reading]()


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_a_clock_function_that_is_itself_handed_to_a_pool_is_frozen(
    place: Callable[[Callable[[], Any]], Any], optum_clock: Clock
) -> None:
    optum_clock.tick(5)

    assert place(time.time) == START + 5
    assert place(time.monotonic) == time.monotonic()


def test_threads_that_run_already_see_the_moves(optum_clock: Clock) -> None:
    asked: queue.Queue[str | None] = queue.Queue()
    told: queue.Queue[float] = queue.Queue()

    def answer() -> None:
        while asked.get(timeout=5) is None and told.qsize() < 3:
            told.put(time.time())

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    seen = []
    for _ in range(3):
        asked.put(None)
        seen.append(told.get(timeout=5))
        optum_clock.tick(10)
    asked.put("stop")
    thread.join()

    assert seen == [START, START + 10, START + 20]


@pytest.fixture(scope="module")
def old_pool() -> Iterator[ThreadPoolExecutor]:
    """A pool with a thread that is older than the clock."""
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(time.time).result() != START
        yield pool


def test_a_pool_from_before_the_clock_sees_its_time(old_pool: ThreadPoolExecutor) -> None:
    assert old_pool.submit(time.time).result() == START


@pytest.mark.usefixtures("optum_auth")
def test_the_fake_sees_the_same_time_in_every_thread(
    optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    optum_clock.tick(60)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: get_token(send, optum_auth), range(8)))

    assert {token.issued_at.timestamp() for token in optum_auth.tokens} == {START + 60}
    assert {exchange.at.timestamp() for exchange in optum_auth.exchanges} == {START + 60}


# Waits with a timeout elapse in real time, and end.


def wait_for_event() -> None:
    assert threading.Event().wait(0.02) is False


def wait_for_condition() -> None:
    condition = threading.Condition()
    with condition:
        assert condition.wait_for(lambda: False, timeout=0.02) is False


def wait_for_lock() -> None:
    lock = threading.Lock()
    with lock:
        assert lock.acquire(timeout=0.02) is False


def wait_for_rlock_and_semaphore() -> None:
    assert threading.Semaphore(0).acquire(timeout=0.02) is False
    with pytest.raises(threading.BrokenBarrierError):
        threading.Barrier(2).wait(0.02)


def join_a_thread() -> None:
    release = threading.Event()
    thread = threading.Thread(target=release.wait, daemon=True)
    thread.start()
    thread.join(0.02)
    assert thread.is_alive()
    release.set()
    thread.join()


def get_from_a_queue() -> None:
    with pytest.raises(queue.Empty):
        queue.Queue[int]().get(timeout=0.02)
    with pytest.raises(queue.Empty):
        queue.SimpleQueue[int]().get(timeout=0.02)


def put_into_a_full_queue() -> None:
    full: queue.Queue[int] = queue.Queue(1)
    full.put(1)
    with pytest.raises(queue.Full):
        full.put(2, timeout=0.02)


def wait_for_a_future() -> None:
    future: concurrent.futures.Future[int] = concurrent.futures.Future()
    with pytest.raises(concurrent.futures.TimeoutError):
        future.result(timeout=0.02)
    assert concurrent.futures.wait([future], timeout=0.02).not_done == {future}
    with pytest.raises(concurrent.futures.TimeoutError):
        list(concurrent.futures.as_completed([future], timeout=0.02))


def map_with_a_timeout() -> None:
    release = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        results = pool.map(lambda _: release.wait(5), [1], timeout=0.02)
        with pytest.raises(concurrent.futures.TimeoutError):
            next(results)
        release.set()


def wait_for_a_thread_pool() -> None:
    release = threading.Event()
    with multiprocessing.pool.ThreadPool(1) as pool:
        result = pool.apply_async(release.wait, (5,))
        with pytest.raises(multiprocessing.TimeoutError):
            result.get(timeout=0.02)
        release.set()
        assert result.get(timeout=5) is True


def poll_a_pipe() -> None:
    reader, writer = multiprocessing.Pipe()
    assert reader.poll(0.02) is False
    writer.send(1)
    assert reader.poll(0.02) is True
    reader.close()
    writer.close()


def wait_for_a_process_queue() -> None:
    waiting = multiprocessing.get_context("spawn").Queue()
    with pytest.raises(queue.Empty):
        waiting.get(timeout=0.02)
    waiting.close()
    waiting.join_thread()


def select_on_a_socket() -> None:
    reader, writer = socket.socketpair()
    with reader, writer, selectors.DefaultSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        assert selector.select(0.02) == []
        reader.settimeout(0.02)
        with pytest.raises(TimeoutError):
            reader.recv(1)


def sleep() -> None:
    time.sleep(0.02)


def wait_for_a_subprocess() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.02)
        process.communicate(b"\n", timeout=20)
    assert process.returncode == 0


WAITS = [
    wait_for_event,
    wait_for_condition,
    wait_for_lock,
    wait_for_rlock_and_semaphore,
    join_a_thread,
    get_from_a_queue,
    put_into_a_full_queue,
    wait_for_a_future,
    map_with_a_timeout,
    wait_for_a_thread_pool,
    poll_a_pipe,
    wait_for_a_process_queue,
    select_on_a_socket,
    sleep,
    wait_for_a_subprocess,
]


class RealTime:
    """The real clock, kept where freezegun does not look."""

    read = staticmethod(functools.partial(time.perf_counter))


@pytest.mark.parametrize("wait", WAITS, ids=lambda wait: wait.__name__)
def test_a_wait_with_a_timeout_elapses_in_real_time_and_ends(
    wait: Callable[[], None], optum_clock: Clock
) -> None:
    before = optum_clock.now
    started = RealTime.read()

    wait()

    assert RealTime.read() - started >= 0.015
    assert optum_clock.now == before


@pytest.mark.parametrize("move", [3600, -3600])
def test_a_move_wakes_nobody_who_waits(move: int, optum_clock: Clock) -> None:
    waiting = threading.Event()
    woken: list[bool] = []

    def wait() -> None:
        waiting.set()
        woken.append(threading.Event().wait(0.05))

    started = RealTime.read()
    thread = threading.Thread(target=wait)
    thread.start()
    waiting.wait(5)
    optum_clock.tick(move)
    thread.join(5)

    assert woken == [False]
    assert RealTime.read() - started >= 0.045
