"""Reading a container's log the way kubectl does."""

from __future__ import annotations

import asyncio

import pytest

from rollout_lab.clusters.embedded.kubelet.logs import KEEP, LogOptions, LogReader, LogRing
from rollout_lab.clusters.embedded.resources import PODS
from rollout_lab.errors import ApiError, NotFound
from tests.clusters.embedded.kubelet.bench import bench


async def read(ring: LogRing, now: float = 100.0, **options: object) -> str:
    reader = LogReader(ring, LogOptions(**options), now)  # type: ignore[arg-type]
    return b"".join([line async for line in reader]).decode()


def test_tail_since_limit_and_timestamps() -> None:
    """Protects the options of `kubectl logs`."""

    async def scene() -> None:
        ring = LogRing(asyncio.get_running_loop())
        for at, text in ((10.0, "one"), (20.0, "two\nthree"), (90.0, "four")):
            ring.write(at, text)
        assert await read(ring) == "one\ntwo\nthree\nfour\n"
        assert await read(ring, tail_lines=2) == "three\nfour\n"
        assert await read(ring, tail_lines=0) == ""
        assert await read(ring, since_seconds=15.0) == "four\n"
        assert await read(ring, since_time=20.0) == "two\nthree\nfour\n"
        assert await read(ring, limit_bytes=6) == "one\ntw"
        assert await read(ring, tail_lines=1, timestamps=True) == "1970-01-01T00:01:30.000000Z four\n"

    asyncio.run(scene())


def test_the_ring_forgets_the_oldest() -> None:
    """Protects memory: a chatty program keeps only its last lines."""

    async def scene() -> None:
        ring = LogRing(asyncio.get_running_loop())
        for number in range(KEEP + 10):
            ring.write(0.0, str(number))
        text = await read(ring)
        assert text.startswith("10\n")
        assert text.count("\n") == KEEP

    asyncio.run(scene())


def test_following_gives_each_line_once_from_another_thread() -> None:
    """Protects `logs -f`: old lines, then new ones as they come, until the container ends."""

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        ring = LogRing(loop)
        ring.write(0.0, "old")
        reading = asyncio.create_task(read(ring, follow=True))
        await asyncio.sleep(0.01)

        def chatter() -> None:
            for number in range(50):
                ring.write(0.0, f"new {number}")
            ring.end()

        await loop.run_in_executor(None, chatter)
        assert await reading == "old\n" + "".join(f"new {n}\n" for n in range(50))

    asyncio.run(scene())


def test_requests_are_logged_and_probes_are_not() -> None:
    """Protects a readable log: what a person asked is in it, the kubelet's questions are not."""

    async def scene() -> None:
        probe = {"httpGet": {"path": "/readiness", "port": 8080}, "periodSeconds": 1}
        async with bench(speed=20) as b:
            b.pod("web", readinessProbe=probe)
            await b.ready("web")
            following = asyncio.create_task(b.log("web", follow=True))
            await b.get(b.pod_address("web"), "/version")
            text = await b.log("web")
            assert '"GET /version" 200' in text
            assert "/readiness" not in text
            b.api.delete(PODS, "default", "web")
            assert '"GET /version" 200' in await following

    asyncio.run(scene())


def test_what_cannot_be_read_says_why() -> None:
    """Protects the errors of `kubectl logs`: before the first line, in Kubernetes' words."""

    async def scene() -> None:
        async with bench() as b:
            b.pod("web")
            b.pod("bad", image="nope:1")
            await b.ready("web")
            await b.until(lambda: b.waiting("bad") == "ErrImagePull")
            with pytest.raises(NotFound):
                b.node.logs("default", "gone")
            for pod, container, previous, words in (
                ("web", "other", False, "container other is not valid for pod web"),
                ("web", None, True, 'previous terminated container "app" in pod "web" not found'),
                (
                    "bad",
                    None,
                    False,
                    'container "app" in pod "bad" is waiting to start: image can\'t be pulled',
                ),
            ):
                with pytest.raises(ApiError, match="^" + words.replace("(", r"\(")) as refused:
                    b.node.logs("default", pod, container, previous=previous)
                assert refused.value.code == 400

    asyncio.run(scene())
