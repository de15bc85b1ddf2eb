"""The work queue: every change is worked on, no key twice at a time, delays in lab time."""

from __future__ import annotations

import asyncio

from rollout_lab.clock import FakeClock
from rollout_lab.clusters.embedded.controllers.queue import FIRST_RETRY, WorkQueue


def test_a_key_waits_only_once() -> None:
    """A burst of changes of one object is one piece of work."""

    async def run() -> list[str]:
        queue: WorkQueue[str] = WorkQueue(FakeClock())
        for key in ("a", "b", "a", "a"):
            queue.add(key)
        out = [await queue.get(), await queue.get()]
        for key in out:
            queue.done(key)
        assert queue.idle
        return out

    assert asyncio.run(run()) == ["a", "b"]


def test_a_change_during_the_work_is_worked_on_afterwards() -> None:
    """Nothing that happens while a key is reconciled is lost, and it is not reconciled by two workers."""

    async def run() -> None:
        queue: WorkQueue[str] = WorkQueue(FakeClock())
        queue.add("a")
        assert await queue.get() == "a"
        queue.add("a")
        second = asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not second.done()
        queue.done("a")
        assert await asyncio.wait_for(second, 5) == "a"

    asyncio.run(run())


def test_a_delay_ends_when_the_lab_clock_says_so() -> None:
    """Timers follow the clock of the lab, however fast or slow the wall is; the earliest of two counts."""

    async def run() -> None:
        clock = FakeClock()
        queue: WorkQueue[str] = WorkQueue(clock)
        queue.add_after("a", 60)
        queue.add_after("a", 30)
        queue.add_after("a", 90)
        waiting = asyncio.create_task(queue.get())
        clock.advance(29)
        await asyncio.sleep(0.02)
        assert not waiting.done()
        clock.advance(1)
        assert await asyncio.wait_for(waiting, 5) == "a"
        queue.close()

    asyncio.run(run())


def test_failures_back_off_until_success() -> None:
    """A key that keeps failing comes back ever later, and from the start after it worked."""

    async def run() -> list[float]:
        queue: WorkQueue[str] = WorkQueue(FakeClock())
        loop = asyncio.get_running_loop()
        waits = []
        for attempt in range(5):
            if attempt == 4:
                queue.forget("a")
            begin = loop.time()
            queue.add_limited("a")
            queue.add_limited("a")
            assert await asyncio.wait_for(queue.get(), 5) == "a"
            queue.done("a")
            waits.append(loop.time() - begin)
        assert queue.idle
        return waits

    waits = asyncio.run(run())
    for attempt, wait in enumerate(waits[:4]):
        assert wait >= FIRST_RETRY * 2**attempt * 0.9
    assert waits[4] < waits[3]


def test_a_closed_queue_is_silent() -> None:
    """After stop no timer brings a key back."""

    async def run() -> None:
        clock = FakeClock()
        queue: WorkQueue[str] = WorkQueue(clock)
        queue.add_after("a", 1)
        queue.add_limited("b")
        queue.close()
        clock.advance(10)
        queue.add("c")
        waiting = asyncio.create_task(queue.get())
        await asyncio.sleep(0.03)
        assert not waiting.done()
        waiting.cancel()

    asyncio.run(run())
