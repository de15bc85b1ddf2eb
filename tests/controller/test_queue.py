"""The queue: each key once, never with two workers, later when asked, ever later when it fails."""

from __future__ import annotations

import threading

from rollout_lab.clock import FakeClock, ScaledClock
from rollout_lab.controller.queue import LONGEST_BACKOFF, WorkQueue, backoff


def taken(queue: WorkQueue[str], clock: FakeClock) -> str | None:
    """What a worker would get right now; None if nothing is due."""
    due = [at for at in queue._waiting.values() if at <= clock.now()]
    return queue.get() if due else None


def test_a_key_waits_once_however_often_it_is_added() -> None:
    """Protects against a pass for each of a burst of changes."""
    clock = FakeClock()
    queue: WorkQueue[str] = WorkQueue(clock)
    for _ in range(5):
        queue.add("a")
    assert queue.get() == "a"
    queue.done("a")
    assert taken(queue, clock) is None


def test_a_change_during_a_pass_brings_the_key_back_after_it() -> None:
    """Protects against a change that is lost because its key was being worked on."""
    clock = FakeClock()
    queue: WorkQueue[str] = WorkQueue(clock)
    queue.add("a")
    assert queue.get() == "a"
    queue.add("a")
    assert taken(queue, clock) is None
    queue.done("a")
    assert taken(queue, clock) == "a"


def test_the_earliest_time_asked_for_counts() -> None:
    """Protects timers: a later one never pushes an earlier one back."""
    clock = FakeClock()
    queue: WorkQueue[str] = WorkQueue(clock)
    queue.add("a", 30)
    queue.add("a", 10)
    queue.add("a", 20)
    clock.advance(9.9)
    assert taken(queue, clock) is None
    clock.advance(0.2)
    assert taken(queue, clock) == "a"


def test_a_gap_after_a_pass_holds_the_next_one_back() -> None:
    """Protects a pass after a write from judging before the write has shown its effect."""
    clock = FakeClock()
    queue: WorkQueue[str] = WorkQueue(clock)
    queue.add("a")
    queue.get()
    queue.done("a", gap=2.0)
    queue.add("a")
    assert taken(queue, clock) is None
    clock.advance(2.1)
    assert taken(queue, clock) == "a"


def test_failures_back_off_and_a_success_forgets_them() -> None:
    """Protects the API server from a key that always fails."""
    assert [backoff(n) for n in (1, 2, 3)] == [0.005, 0.01, 0.02]
    assert backoff(99) == LONGEST_BACKOFF
    clock = FakeClock()
    queue: WorkQueue[str] = WorkQueue(clock)
    queue.add("a")
    for n in (1, 2, 3):
        assert taken(queue, clock) == "a"
        queue.done("a", failed=True)
        clock.advance(backoff(n) * 0.9)
        assert taken(queue, clock) is None
        clock.advance(backoff(n) * 0.2)
    assert taken(queue, clock) == "a"
    queue.done("a")
    assert not queue._failures


def test_closing_wakes_every_worker() -> None:
    """Protects a prompt stop."""
    queue: WorkQueue[str] = WorkQueue(ScaledClock.start())
    got: list[str | None] = []
    threads = [threading.Thread(target=lambda: got.append(queue.get())) for _ in range(3)]
    for thread in threads:
        thread.start()
    queue.close()
    for thread in threads:
        thread.join(5)
    assert got == [None, None, None]


def test_many_workers_never_hold_one_key_twice() -> None:
    """Protects the plan: two passes of one Rollout at once would undo each other."""
    queue: WorkQueue[int] = WorkQueue(ScaledClock.start())
    held: set[int] = set()
    lock, done, problems = threading.Lock(), threading.Event(), []
    count = 0

    def work() -> None:
        nonlocal count
        while (key := queue.get()) is not None:
            with lock:
                if key in held:
                    problems.append(key)
                held.add(key)
                count += 1
                if count >= 400:
                    done.set()
            queue.add(key)
            with lock:
                held.discard(key)
            queue.done(key)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for key in range(3):
        queue.add(key)
    assert done.wait(10)
    queue.close()
    for thread in threads:
        thread.join(5)
    assert not problems
