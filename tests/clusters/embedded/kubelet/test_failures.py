"""What goes wrong in class on purpose: images, configuration, crashes, probes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rollout_lab.api.times import parse_time
from rollout_lab.clusters.embedded.kubelet import KubeletOptions
from rollout_lab.clusters.embedded.resources import CONFIGMAPS, PODS, SECRETS
from tests.clusters.embedded.kubelet.bench import PROBES, bench


def test_an_unknown_image_backs_off_and_recovers() -> None:
    """Protects ErrImagePull, then ImagePullBackOff, then a start when the image is corrected."""

    async def scene() -> None:
        async with bench(speed=20) as b:
            b.pod("web", image="nobody/nothing:9")
            await b.until(lambda: b.waiting("web") == "ErrImagePull")
            message = b.status("web")["state"]["waiting"]["message"]
            assert 'failed to resolve reference "docker.io/nobody/nothing:9"' in message
            assert "its images are 1pro/api-tester" in message
            await b.until(lambda: b.waiting("web") == "ImagePullBackOff")
            assert (
                'Back-off pulling image "nobody/nothing:9"' in b.status("web")["state"]["waiting"]["message"]
            )
            began = b.clock.now()
            await b.until(lambda: b.waiting("web") == "ErrImagePull")
            assert b.clock.now() - began >= 7.5
            reasons = b.reasons("web")
            assert {"Pulling", "Failed", "BackOff"} <= set(reasons)
            assert b.find("web")["status"]["phase"] == "Pending"  # type: ignore[index]
            patch = {"spec": {"containers": [{"name": "app", "image": "1pro/api-tester:1.0.0"}]}}
            b.api.patch(PODS, "default", "web", patch, "strategic")
            await b.ready("web")

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("container", "reason", "words"),
    [
        ({"image": "1pro/API:1"}, "InvalidImageName", "invalid reference format"),
        ({"image": "nope:1", "imagePullPolicy": "Never"}, "ErrImageNeverPull", "pull policy of Never"),
        ({"image": "alpine:3.8", "command": ["sleep", "1"]}, "ErrImagePull", "not found"),
        (
            {"envFrom": [{"configMapRef": {"name": "gone"}}]},
            "CreateContainerConfigError",
            'configmap "gone" not found',
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "gone", "key": "k"}}}]},
            "CreateContainerConfigError",
            'secret "gone" not found',
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_container_that_cannot_start_says_why(container: dict[str, Any], reason: str, words: str) -> None:
    """Protects the words a student reads in `kubectl get` and `describe`."""

    async def scene() -> None:
        async with bench(speed=10) as b:
            b.pod("web", **container)
            await b.until(lambda: b.waiting("web") == reason)
            assert words in b.status("web")["state"]["waiting"]["message"]
            assert "Failed" in b.reasons("web")

    asyncio.run(scene())


def test_configuration_that_arrives_late_is_used() -> None:
    """Protects ConfigMap and Secret: the Pod waits for them, then knows their values, shows no secret."""

    async def scene() -> None:
        sources = [{"configMapRef": {"name": "props"}}, {"secretRef": {"name": "login"}}]
        async with bench(speed=20) as b:
            b.pod("web", envFrom=sources)
            await b.until(lambda: b.waiting("web") == "CreateContainerConfigError")
            b.api.create(CONFIGMAPS, "default", {"metadata": {"name": "props"}, "data": {"PROFILE": "dev"}})
            b.api.create(SECRETS, "default", {"metadata": {"name": "login"}, "stringData": {"PIN": "4711"}})
            await b.ready("web")
            _, info = await b.get(b.pod_address("web"), "/info")
            assert '"PROFILE": "dev"' in info
            assert "4711" not in info
            assert "4711" not in await b.log("web")

    asyncio.run(scene())


def test_a_missing_volume_keeps_it_creating() -> None:
    """Protects FailedMount: a Secret that a volume names must be there before the containers."""

    async def scene() -> None:
        volumes = [{"name": "data", "secret": {"secretName": "datasource"}}]
        async with bench(speed=20) as b:
            b.pod("web", spec={"volumes": volumes})
            await b.until(lambda: "FailedMount" in b.reasons("web"))
            assert 'secret "datasource" not found' in b.events("web")[-1]["message"]
            assert b.waiting("web") == "ContainerCreating"
            b.api.create(SECRETS, "default", {"metadata": {"name": "datasource"}, "stringData": {"a": "b"}})
            await b.ready("web")

    asyncio.run(scene())


def test_a_crashing_program_is_restarted_with_growing_waits() -> None:
    """Protects CrashLoopBackOff: at once, then after 10 s, then after 20 s of lab time."""

    async def scene() -> None:
        async with bench(speed=40) as b:
            watch = b.api.watch(PODS, "default")
            b.pod("web", image="1pro/api-tester:2.0.0-crashing")
            await b.until(lambda: b.status("web").get("restartCount") == 3)
            starts, ends, waits = [], [], []
            for _, pod, _ in watch.pending():
                state = (pod["status"].get("containerStatuses") or [{}])[0].get("state", {})
                if "running" in state and state["running"]["startedAt"] not in starts:
                    starts.append(state["running"]["startedAt"])
                if "terminated" in state and state["terminated"]["finishedAt"] not in ends:
                    ends.append(state["terminated"]["finishedAt"])
                    assert state["terminated"]["exitCode"] == 1
                    assert state["terminated"]["reason"] == "Error"
                if (state.get("waiting") or {}).get("reason") == "CrashLoopBackOff":
                    waits.append(state["waiting"]["message"].split()[1])
            assert list(dict.fromkeys(waits)) == ["10s", "20s"]
            gaps = [parse_time(s) - parse_time(e) for s, e in zip(starts[1:], ends, strict=False)]
            assert gaps[1] >= 9
            assert gaps[2] >= 19
            assert b.status("web")["lastState"]["terminated"]["exitCode"] == 1
            assert "crashes on purpose" in await b.log("web", previous=True)
            assert "BackOff" in b.reasons("web")
            assert b.find("web")["status"]["phase"] == "Running"  # type: ignore[index]

    asyncio.run(scene())


def test_restart_policy_never_ends_in_failed() -> None:
    """Protects restartPolicy: Never leaves a crashed Pod Failed, without a restart."""

    async def scene() -> None:
        async with bench(speed=20) as b:
            b.pod("web", image="1pro/api-tester:1.0.0-crashing", spec={"restartPolicy": "Never"})
            await b.until(lambda: b.find("web")["status"]["phase"] == "Failed")  # type: ignore[index]
            assert b.status("web")["restartCount"] == 0

    asyncio.run(scene())


def test_out_of_memory_is_shown_as_such() -> None:
    """Protects the memory-leak lesson: 137, OOMKilled, restart."""

    async def scene() -> None:
        async with bench() as b:
            b.pod("web")
            await b.ready("web")
            await b.get(b.pod_address("web"), "/memory-leak", "POST")
            await b.until(lambda: b.status("web")["restartCount"] == 1)
            assert b.status("web")["lastState"]["terminated"]["reason"] == "OOMKilled"

    asyncio.run(scene())


def test_never_ready_stays_out_of_ready() -> None:
    """Protects the -never-ready fault: running, never ready, not restarted."""

    async def scene() -> None:
        async with bench(speed=20) as b:
            b.pod("web", image="1pro/api-tester:2.0.0-never-ready", **PROBES)
            await b.until(lambda: "Unhealthy" in b.reasons("web"))
            await b.until(lambda: any(e.get("count", 1) > 3 for e in b.events("web")), "Event counted up")
            assert not b.is_ready("web")
            assert b.status("web")["started"] is True
            assert b.status("web")["restartCount"] == 0

    asyncio.run(scene())


def test_liveness_failures_kill_and_restart() -> None:
    """Protects liveness: three failures, Killing, a fresh program that is alive again."""

    async def scene() -> None:
        liveness = {
            "httpGet": {"path": "/liveness", "port": "http"},
            "periodSeconds": 2,
            "failureThreshold": 3,
        }
        async with bench(speed=20) as b:
            b.pod("web", livenessProbe=liveness)
            await b.ready("web")
            began = b.clock.now()
            await b.get(b.pod_address("web"), "/liveness/off", "POST")
            await b.until(lambda: b.status("web")["restartCount"] == 1)
            assert b.clock.now() - began >= 4
            await b.ready("web")
            messages = [e["message"] for e in b.events("web")]
            assert "Container app failed liveness probe, will be restarted" in messages

    asyncio.run(scene())


def test_a_startup_that_takes_too_long_is_killed() -> None:
    """Protects startup: no readiness before it, and a restart when its failures are used up."""

    async def scene() -> None:
        startup = {"httpGet": {"path": "/startup", "port": 8080}, "periodSeconds": 2, "failureThreshold": 3}
        async with bench(speed=20) as b:
            b.pod("web", image="1pro/api-tester:2.0.0-slow-start", startupProbe=startup)
            await b.until(lambda: b.status("web").get("restartCount") == 1)
            messages = [e["message"] for e in b.events("web")]
            assert "Container app failed startup probe, will be restarted" in messages
            assert b.status("web")["started"] is False

    asyncio.run(scene())


def test_a_slow_start_within_its_probe_is_waited_for() -> None:
    """Protects the course's startupProbe (5 s x 24): a slow start is no failure."""

    async def scene() -> None:
        startup = {"httpGet": {"path": "/startup", "port": 8080}, "periodSeconds": 5, "failureThreshold": 24}
        async with bench(speed=40) as b:
            began = b.clock.now()
            b.pod("web", image="1pro/api-tester:2.0.0-slow-start", startupProbe=startup)
            await b.ready("web")
            assert b.clock.now() - began >= 15
            assert b.status("web")["restartCount"] == 0

    asyncio.run(scene())


def test_a_probe_that_times_out_fails() -> None:
    """Protects timeoutSeconds, which is wall time at every speed."""

    async def scene() -> None:
        slow = [{"name": "API_TESTER_PROBE_LATENCY_MS", "value": "5000"}]
        readiness = {"httpGet": {"path": "/readiness", "port": 8080}, "periodSeconds": 1}
        async with bench(speed=10) as b:
            b.pod("web", env=slow, readinessProbe=readiness)
            await b.until(lambda: "Unhealthy" in b.reasons("web"))
            assert "context deadline exceeded" in b.events("web")[-1]["message"]

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        ({"exec": {"command": ["cat", "/tmp/ready"]}}, "runs no exec probes"),
        ({"httpGet": {"path": "/", "port": "nowhere"}}, "couldn't find port"),
        ({"httpGet": {"path": "/", "port": 9999}}, "connect: connection refused"),
        ({"tcpSocket": {"port": 22, "host": "127.0.0.1"}}, "connect: connection refused"),
    ],
    ids=["exec", "port name", "wrong port", "another program of the machine"],
)
def test_a_probe_that_cannot_work_says_so(handler: dict[str, Any], words: str) -> None:
    """Protects against silence: such a Pod never becomes ready, and an Event names the reason."""

    async def scene() -> None:
        async with bench(speed=10) as b:
            b.pod("web", readinessProbe={**handler, "periodSeconds": 1})
            await b.until(lambda: "Unhealthy" in b.reasons("web"))
            assert words in b.events("web")[-1]["message"]
            assert not b.is_ready("web")

    asyncio.run(scene())


def test_failing_answers_are_a_share() -> None:
    """Protects the -failing fault and its variable: about so many of 100 answers, probes never."""

    async def scene() -> None:
        async with bench() as b:
            b.pod("some", image="1pro/api-tester:2.0.0-failing", **PROBES)
            b.pod("all", env=[{"name": "API_TESTER_FAIL_PERCENT", "value": "100"}], **PROBES)
            await b.ready("some", "all")
            answers = [(await b.get(b.pod_address("some")))[0] for _ in range(200)]
            assert 25 < answers.count(500) < 100
            assert (await b.get(b.pod_address("all")))[0] == 500
            assert (await b.get(b.pod_address("all"), "/readiness"))[0] == 200

    asyncio.run(scene())


def test_two_containers_that_want_one_port_do_not_both_run() -> None:
    """Protects the Pod's one address: the second to bind ends with an error in its log."""

    async def scene() -> None:
        twin = {"name": "twin", "image": "nginx:1.27", "ports": [{"containerPort": 8080}]}
        async with bench(speed=10, options=KubeletOptions(pod_start_delay=0, single_loopback=True)) as b:
            body = b.pod("web")["spec"]["containers"]
            b.api.create(
                PODS, "default", {"metadata": {"name": "two"}, "spec": {"containers": [*body, twin]}}
            )
            await b.until(lambda: "BackOff" in b.reasons("two"))
            logs = await b.log("two", container="app") + await b.log("two", container="twin")
            assert "bind: address already in use" in logs

    asyncio.run(scene())
