"""A Pod on the node, from creation to the last byte: states, Events, probes, end."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from rollout_lab.clusters.embedded.kubelet import KubeletOptions, Node
from rollout_lab.clusters.embedded.network.portmap import PortMap
from rollout_lab.clusters.embedded.resources import NODES, PODS
from tests.clusters.embedded.kubelet.bench import PROBES, QUICK, bench, read_answer

BOTH = pytest.mark.parametrize("single", [False, True], ids=["any-loopback", "one-loopback"])


def options(single: bool) -> KubeletOptions:
    return KubeletOptions(pod_start_delay=0.0, pod_start_stagger=0.0, single_loopback=single)


@BOTH
def test_a_pod_comes_up_and_answers(single: bool) -> None:
    """Protects the main thing: a Pod is a program that answers HTTP at its own address."""

    async def scene() -> None:
        async with bench(options=options(single)) as b:
            b.pod("web", env=[{"name": "COLOUR", "value": "blue"}], **PROBES)
            await b.ready("web")
            address = b.pod_address("web")
            assert address.startswith("127.0.0.1:" if single else "127.10.")
            assert await b.get(address) == (200, "[App Version] : Api Tester v1.0.0\n")
            assert await b.get(address, "/hostname") == (200, "web\n")
            assert '"COLOUR": "blue"' in (await b.get(address, "/info"))[1]
            pod = b.find("web")
            assert pod is not None
            assert pod["spec"]["nodeName"] == "rollout-lab"
            assert pod["status"]["phase"] == "Running"
            assert pod["status"]["podIP"].startswith("127.10.")
            conditions = {c["type"]: c["status"] for c in pod["status"]["conditions"]}
            wanted = "PodScheduled Initialized ContainersReady Ready PodReadyToStartContainers"
            assert conditions == dict.fromkeys(wanted.split(), "True")
            assert b.reasons("web") == ["Scheduled", "Pulling", "Pulled", "Created", "Started"]
            status = b.status("web")
            assert set(status) >= {"name", "image", "imageID", "ready", "restartCount", "started", "state"}

    asyncio.run(scene())


def test_the_phases_are_seen_one_after_another() -> None:
    """Protects the teaching: a Pod is seen Pending, then creating, then running, then ready."""

    async def scene() -> None:
        quick = KubeletOptions(pod_start_delay=1.0, pod_start_stagger=0.0)
        async with bench(speed=20, options=quick) as b:
            watch = b.api.watch(PODS, "default")
            b.pod("web", **PROBES)
            await b.ready("web")
            seen = []
            for _, pod, _ in watch.pending():
                state = (pod["status"].get("containerStatuses") or [{}])[0]
                step = (pod["status"]["phase"], *state.get("state", {}), state.get("ready", False))
                if not seen or seen[-1] != step:
                    seen.append(step)
            assert seen == [
                ("Pending", False),
                ("Pending", "waiting", False),
                ("Running", "running", False),
                ("Running", "running", True),
            ]

    asyncio.run(scene())


def test_starts_are_staggered() -> None:
    """Protects the trace tests, which need Pods to become ready one after another."""

    async def scene() -> None:
        async with bench(speed=20, options=KubeletOptions(pod_start_delay=2.5, pod_start_stagger=1.0)) as b:
            began = b.clock.now()
            for name in ("a", "b", "c"):
                b.pod(name)
            times = []
            for name in ("a", "b", "c"):
                await b.ready(name)
                times.append(b.clock.now() - began)
            assert times[0] >= 2.5
            assert times[1] >= 3.5
            assert times[2] >= 4.5

    asyncio.run(scene())


def test_readiness_follows_the_program() -> None:
    """Protects readiness: switched off it leaves Ready, switched on it comes back, without a restart."""

    async def scene() -> None:
        async with bench(speed=20) as b:
            b.pod("web", **PROBES)
            await b.ready("web")
            await b.get(b.pod_address("web"), "/readiness/off", "POST")
            await b.until(lambda: not b.is_ready("web"), "not ready")
            assert "Readiness probe failed: HTTP probe failed with statuscode: 503" in [
                e["message"] for e in b.events("web")
            ]
            await b.get(b.pod_address("web"), "/readiness/on", "POST")
            await b.ready("web")
            assert b.status("web")["restartCount"] == 0

    asyncio.run(scene())


def test_initial_delay_is_waited_for() -> None:
    """Protects initialDelaySeconds, which an instant fake kubelet ignores."""

    async def scene() -> None:
        async with bench(speed=20) as b:
            began = b.clock.now()
            probe = {"tcpSocket": {"port": "http"}, "initialDelaySeconds": 6, "periodSeconds": 1}
            b.pod("web", readinessProbe=probe)
            await b.ready("web")
            assert b.clock.now() - began >= 6

    asyncio.run(scene())


def test_a_readiness_gate_is_waited_for() -> None:
    """Protects readinessGates: containers ready, Pod not, until somebody sets the condition."""

    async def scene() -> None:
        async with bench() as b:
            b.pod("web", spec={"readinessGates": [{"conditionType": "lab/go"}]})
            await b.until(lambda: b.condition("web", "ContainersReady") == "True")
            assert not b.is_ready("web")
            pod = b.find("web")
            assert pod is not None
            gate = {"type": "lab/go", "status": "True"}
            body = {"status": {"conditions": [*pod["status"]["conditions"], gate]}}
            b.api.patch(PODS, "default", "web", body, "merge", subresource="status")
            await b.ready("web")
            assert b.condition("web", "lab/go") == "True"

    asyncio.run(scene())


def test_init_containers_come_first() -> None:
    """Protects Initialized: containers start after every init container has ended well."""

    async def scene() -> None:
        inits = [{"name": "first", "image": "1pro/api-tester:1.0.0", "command": ["migrate"]}]
        async with bench(speed=5) as b:
            b.pod("web", spec={"initContainers": inits})
            await b.until(lambda: b.condition("web", "Initialized") == "False")
            assert b.waiting("web") == "PodInitializing"
            await b.ready("web")
            assert "runs no command" in await b.log("web", container="first")

    asyncio.run(scene())


def test_a_command_is_never_run() -> None:
    """Protects the machine: command and args do nothing but an Event and a line in the log."""

    async def scene() -> None:
        async with bench() as b:
            b.pod("web", command=["sh", "-c", "exit 3"], args=["x"])
            await b.ready("web")
            assert "CommandIgnored" in b.reasons("web")
            assert "never run" in await b.log("web")

    asyncio.run(scene())


def test_deletion_lets_requests_end() -> None:
    """Protects the end of a Pod: a request that runs is answered, then the object goes."""

    async def scene() -> None:
        async with bench() as b:
            b.pod("web", env=[{"name": "API_TESTER_LATENCY_MS", "value": "300"}])
            await b.ready("web")
            host, _, port = b.pod_address("web").rpartition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n")
            await asyncio.sleep(0.05)
            marked = b.api.delete(PODS, "default", "web")
            assert marked["metadata"]["deletionTimestamp"]
            assert (await read_answer(reader))[0] == 200
            await b.until(lambda: b.find("web") is None, "the Pod is gone")
            assert "Killing" in b.reasons("web")
            with pytest.raises(OSError):
                await b.get(f"{host}:{port}")
            assert b.node.addresses()["pods"] == {}
            writer.close()

    asyncio.run(scene())


def test_a_stop_delay_keeps_it_serving() -> None:
    """Protects preStop and API_TESTER_STOP_DELAY: the Pod answers while it is terminating."""

    async def scene() -> None:
        hook = {"preStop": {"exec": {"command": ["sh", "-c", "sleep 5"]}}}
        async with bench(speed=10) as b:
            b.pod("web", env=[{"name": "API_TESTER_STOP_DELAY", "value": "5"}], lifecycle=hook)
            await b.ready("web")
            began = b.clock.now()
            b.api.delete(PODS, "default", "web")
            await asyncio.sleep(0.1)
            assert (await b.get(b.pod_address("web")))[0] == 200
            await b.until(lambda: b.find("web") is None)
            assert b.clock.now() - began >= 10

    asyncio.run(scene())


def test_a_forced_deletion_ends_at_once() -> None:
    """Protects --force: the object goes in the call, the program right after."""

    async def scene() -> None:
        async with bench() as b:
            b.pod("web", env=[{"name": "API_TESTER_STOP_DELAY", "value": "3600"}])
            await b.ready("web")
            address = b.pod_address("web")
            b.api.delete(PODS, "default", "web", grace=0)
            assert b.find("web") is None
            await b.until(lambda: not b.node.addresses()["pods"])
            with pytest.raises(OSError):
                await b.get(address)

    asyncio.run(scene())


def test_another_image_restarts_in_place() -> None:
    """Protects `kubectl set image pod`: same Pod, new program, one restart."""

    async def scene() -> None:
        async with bench() as b:
            b.pod("web")
            await b.ready("web")
            patch = {"spec": {"containers": [{"name": "app", "image": "1pro/api-tester:2.0.0"}]}}
            b.api.patch(PODS, "default", "web", patch, "strategic")
            await b.until(lambda: b.status("web")["restartCount"] == 1 and b.is_ready("web"))
            assert "v2.0.0" in (await b.get(b.pod_address("web")))[1]

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"nodeSelector": {"disk": "ssd"}}, "didn't match Pod's node affinity/selector"),
        ({"containers": [{"name": "app", "image": "nginx"}]}, "untolerated taint {lab: full}"),
    ],
    ids=["selector", "taint"],
)
def test_a_pod_that_fits_nowhere_waits_and_says_why(spec: dict[str, object], words: str) -> None:
    """Protects FailedScheduling: Pending with the scheduler's words, and placed when the node changes."""

    async def scene() -> None:
        async with bench() as b:
            if "taint" in words:
                taint = {"spec": {"taints": [{"key": "lab", "value": "full", "effect": "NoSchedule"}]}}
                b.api.patch(NODES, None, "rollout-lab", taint, "merge")
                await asyncio.sleep(0.05)
            b.pod("web", spec=spec)
            await b.until(lambda: "FailedScheduling" in b.reasons("web"))
            assert words in b.events("web")[0]["message"]
            assert b.condition("web", "PodScheduled") == "False"
            change = {"spec": {"taints": None}, "metadata": {"labels": {"disk": "ssd"}}}
            b.api.patch(NODES, None, "rollout-lab", change, "merge")
            await b.ready("web")

    asyncio.run(scene())


def test_the_node_is_there() -> None:
    """Protects `kubectl get nodes` and `describe node`: Ready, with every nodeInfo field."""

    async def scene() -> None:
        async with bench() as b:
            node = b.api.get(NODES, None, "rollout-lab")
            assert {c["type"]: c["status"] for c in node["status"]["conditions"]}["Ready"] == "True"
            assert len(node["status"]["nodeInfo"]) == 10

    asyncio.run(scene())


def test_stop_closes_everything() -> None:
    """Protects the machine: after the end no listener, no task and no thread is left."""

    async def scene() -> None:
        before = asyncio.all_tasks()
        async with bench() as b:
            b.pod("web")
            b.service("web", {"app": "web"})
            await b.ready("web")
            await b.until(lambda: b.address("web"))
            addresses = [b.pod_address("web"), b.address("web")]
        for address in addresses:
            with pytest.raises(OSError):
                await b.get(address)
        assert asyncio.all_tasks() == before

    asyncio.run(scene())
    assert not [t for t in threading.enumerate() if t.name == "data-plane"]


def test_force_ends_a_pod_that_takes_its_time() -> None:
    """Protects `delete --force` after a plain delete: a long stop delay does not hold the port."""

    async def scene() -> None:
        async with bench() as b:
            b.pod("web", env=[{"name": "API_TESTER_STOP_DELAY", "value": "3600"}])
            await b.ready("web")
            address = b.pod_address("web")
            b.api.delete(PODS, "default", "web")
            await asyncio.sleep(0.05)
            assert (await b.get(address))[0] == 200
            b.api.delete(PODS, "default", "web", grace=0)
            await b.until(lambda: not b.node.addresses()["pods"])
            with pytest.raises(OSError):
                await b.get(address)

    asyncio.run(scene())


@pytest.mark.parametrize("image", ["1pro/api-tester:1.0.0", "nope:1", "1pro/api-tester:1.0.0-crashing"])
def test_deletion_at_any_moment_leaves_nothing(image: str) -> None:
    """Protects the end at odd times: while creating, pulling, crashing; object and listener both go."""

    async def scene() -> None:
        slow = KubeletOptions(pod_start_delay=1.0, pod_start_stagger=0.0)
        async with bench(speed=50, options=slow) as b:
            for step in range(12):
                name = f"web-{step}"
                b.pod(name, image=image)
                await asyncio.sleep(step * 0.01)
                b.api.delete(PODS, "default", name)
                await b.until(lambda n=name: b.find(n) is None, name)
            await b.until(lambda: not b.node.addresses()["pods"])

    asyncio.run(scene())


def test_a_cluster_that_starts_again_restarts_its_pods() -> None:
    """Protects --data-dir: Pods of an earlier process run again, counted as a restart."""

    async def scene() -> None:
        async with bench() as b:
            b.pod("web")
            b.pod("leaving")
            await b.ready("web", "leaving")
            await b.node.stop()
            b.api.delete(PODS, "default", "leaving")
            b.node = await Node.start(b.api, b.clock, QUICK)
            await b.until(lambda: b.pod_address("web") and b.status("web")["restartCount"] == 1)
            await b.until(lambda: b.is_ready("web") and "running" in b.status("web")["state"])
            assert (await b.get(b.pod_address("web")))[0] == 200
            await b.until(lambda: b.find("leaving") is None)
            await b.node.stop()

    asyncio.run(scene())


def test_addresses_are_used_again() -> None:
    """Protects a long lesson: the addresses of Pods that went are given to new ones."""

    async def scene() -> None:
        few = KubeletOptions(pod_start_delay=0.0, pod_start_stagger=0.0, pod_cidr="127.12.0.0/29")
        async with bench(options=few) as b:
            for number in range(8):
                b.pod(f"web-{number}")
                await b.ready(f"web-{number}")
                b.api.delete(PODS, "default", f"web-{number}")
                await b.until(lambda n=number: b.find(f"web-{n}") is None)

    asyncio.run(scene())


def test_a_pod_deleted_while_its_port_opens_leaves_no_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the moment between start and listening: nothing is left open behind a Pod that is gone."""
    opening, listen = threading.Event(), PortMap.listen

    async def slowly(self: PortMap, *args: Any) -> Any:
        opening.set()
        await asyncio.sleep(0.1)
        return await listen(self, *args)

    async def scene() -> None:
        async with bench() as b:
            monkeypatch.setattr(PortMap, "listen", slowly)
            b.pod("web")
            await b.until(opening.is_set)
            b.api.delete(PODS, "default", "web", grace=0)
            await asyncio.sleep(0.3)
            assert not [a for a in b.node.network.listening() if a.startswith("127.10.")]

    asyncio.run(scene())
