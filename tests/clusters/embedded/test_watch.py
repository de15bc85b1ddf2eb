"""Watches inside the process: waking, slow readers, closing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rollout_lab.clock import FakeClock
from rollout_lab.clusters.embedded.api import Api
from rollout_lab.clusters.embedded.resources import CONFIGMAPS, NAMESPACES
from rollout_lab.clusters.embedded.store import Store
from rollout_lab.clusters.embedded.watching import Compacted, Watch


def cluster(keep: int = 1024) -> Api:
    api = Api(FakeClock(), store=Store(keep=keep))
    api.create(NAMESPACES, None, {"metadata": {"name": "ns"}})
    return api


def write(api: Api, count: int) -> None:
    for index in range(count):
        api.create(CONFIGMAPS, "ns", {"metadata": {"name": f"c{api.store.rv}-{index}"}})


async def take(watch: Watch, count: int) -> list[Any]:
    out: list[Any] = []
    async with asyncio.timeout(5):
        async for event in watch:
            out.append(event)
            if len(out) == count:
                break
    return out


def test_a_waiting_reader_is_woken() -> None:
    """A reader that waits gets each write, in order, without polling."""

    async def main() -> None:
        api = cluster()
        watch = api.watch(CONFIGMAPS, "ns", api.store.rv)
        reading = asyncio.create_task(take(watch, 3))
        await asyncio.sleep(0)
        write(api, 3)
        events = await reading
        versions = [int(obj["metadata"]["resourceVersion"]) for _, obj, _ in events]
        assert versions == sorted(versions) and len(set(versions)) == 3

    asyncio.run(main())


def test_a_reader_beyond_the_log_is_told_to_list_again() -> None:
    """Falling behind is an error the reader sees, never a gap."""

    async def main() -> None:
        api = cluster(keep=5)
        watch = api.watch(CONFIGMAPS, "ns", api.store.rv)
        write(api, 20)
        with pytest.raises(Compacted):
            await watch.batch(1)
        with pytest.raises(Compacted):
            api.watch(CONFIGMAPS, "ns", 1)

    asyncio.run(main())


def test_a_closed_watch_leaves_nothing_behind() -> None:
    """Thousands of `kubectl get -w` over a day must not slow every write down."""

    async def main() -> None:
        api = cluster()
        listeners = api.store.bucket(CONFIGMAPS.bucket).listeners
        before = len(listeners)
        watches = [api.watch(CONFIGMAPS) for _ in range(10)]
        waiting = asyncio.create_task(take(watches[0], 1))
        await asyncio.sleep(0)
        for watch in watches:
            watch.close()
            watch.close()
        assert await waiting == []
        assert len(listeners) == before

    asyncio.run(main())
