"""The store: one resourceVersion for everything, a log nobody is skipped in, the past as it was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout_lab.clusters.embedded.store import Change, Compacted, Store

Op = tuple[str, str, int]

BUCKETS, NAMES = ("pods", "services"), ("a", "b", "c")
programs = st.lists(
    st.tuples(st.sampled_from(BUCKETS), st.sampled_from(NAMES), st.integers(-1, 3)), min_size=1, max_size=40
)


def run(store: Store, program: list[Op]) -> list[dict[str, dict[str, Any]]]:
    """Carry out (bucket, name, value) writes, -1 meaning delete; the contents after every write."""
    states = []
    for bucket, name, value in program:
        key = ("ns", name)
        if value >= 0:
            store.put(bucket, key, {"metadata": {"name": name}, "value": value})
        elif store.get(bucket, key):
            store.remove(bucket, key)
        states.append({b: {o["metadata"]["name"]: o for o in store.items(b)} for b in BUCKETS})
    return states


@given(programs)
def test_every_write_has_a_later_version_and_the_log_says_all(program: list[Op]) -> None:
    """RVs strictly increase over all buckets, and replaying the log gives the contents."""
    store = Store()
    seen: list[Change] = []
    store.on_change.append(lambda _, change: seen.append(change))
    final = run(store, program)[-1]
    versions = [c.rv for c in seen]
    assert versions == sorted(set(versions))
    for bucket in BUCKETS:
        state: dict[str, Any] = {}
        for change in store.read(bucket, 0):
            assert change.previous == state.get(change.key[1])
            if change.type == "DELETED":
                del state[change.key[1]]
            else:
                assert (change.type == "ADDED") == (change.key[1] not in state)
                state[change.key[1]] = change.object
            assert change.object["metadata"]["resourceVersion"] == str(change.rv)
        assert state == final[bucket]


@given(programs)
def test_a_list_of_the_past_is_what_was_there(program: list[Op]) -> None:
    """Pages of a list come from one moment, however much changes between them."""
    store = Store()
    moments = []
    for op in program:
        state = run(store, [op])[-1]
        moments.append((store.rv, state))
    for rv, state in moments:
        for bucket in BUCKETS:
            then = {key[1]: obj for key, obj in store.items_at(bucket, rv)}
            assert then == state[bucket]


@given(programs, st.integers(1, 5), st.data())
def test_a_slow_reader_sees_everything_or_is_told(program: list[Op], keep: int, data: st.DataObject) -> None:
    """A cursor in a short log reads on without a gap or gets Compacted: nothing is dropped silently."""
    store = Store(keep=keep)
    everything: list[int] = []
    store.on_change.append(lambda b, change: everything.append(change.rv) if b == "pods" else None)
    position, read, lost = 0, [], False
    for op in program:
        run(store, [op])
        if data.draw(st.booleans()):
            try:
                changes = store.read("pods", position)
            except Compacted:
                lost = True
                break
            position += len(changes)
            read += [c.rv for c in changes]
    if not lost:
        try:
            read += [c.rv for c in store.read("pods", position)]
        except Compacted:
            return
        assert read == everything


def test_compaction_ends_every_earlier_version() -> None:
    """After `compact` a watch or a list from before must be refused, in buckets never touched too."""
    store = Store()
    store.put("pods", ("ns", "a"), {"metadata": {"name": "a"}})
    before = store.rv
    store.put("pods", ("ns", "a"), {"metadata": {"name": "a"}, "x": 1})
    store.compact()
    for bucket in ("pods", "never-seen"):
        with pytest.raises(Compacted):
            store.start_of(bucket, before)
        with pytest.raises(Compacted):
            store.items_at(bucket, before)
        assert store.start_of(bucket, store.rv) == store.end_of(bucket)


def test_objects_are_never_changed_in_place() -> None:
    """Watchers and callers share stored objects: writing must not touch what was given or handed out."""
    store = Store()
    mine = {"metadata": {"name": "a"}}
    first = store.put("pods", ("", "a"), mine)
    store.put("pods", ("", "a"), {**first, "x": 1})
    assert mine == {"metadata": {"name": "a"}}
    assert first == {"metadata": {"name": "a", "resourceVersion": "2"}}
