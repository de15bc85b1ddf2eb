"""The pure rules of the kubelet: back-off, thresholds, environment, scheduling, phase and conditions."""

from __future__ import annotations

from typing import Any

import pytest

from rollout_lab.clusters.embedded.kubelet.backoff import Backoff, PullBackoff, go_duration
from rollout_lab.clusters.embedded.kubelet.environment import ConfigError, build
from rollout_lab.clusters.embedded.kubelet.probes import ProbeKind, Thresholds, port_number, probe_of
from rollout_lab.clusters.embedded.kubelet.scheduling import amount, why_not
from rollout_lab.clusters.embedded.kubelet.status import ContainerState, PodFacts, pod_status


def test_restart_waits_double_to_five_minutes_and_are_forgotten() -> None:
    """Protects the crash loop's rhythm: 0, 10, 20 … 300 s; a run of more than 10 minutes starts over."""
    backoff, now, waits = Backoff(), 0.0, []
    for _ in range(8):
        wait = backoff.next(now)
        waits.append(wait)
        now += wait + 1
    assert waits == [0, 10, 20, 40, 80, 160, 300, 300]
    assert backoff.next(now + 601) == 0
    assert [go_duration(s) for s in (10, 80, 300)] == ["10s", "1m20s", "5m0s"]


def test_pull_waits_double_to_five_minutes() -> None:
    """Protects ImagePullBackOff's rhythm."""
    backoff = PullBackoff()
    assert [backoff.next() for _ in range(7)] == [10, 20, 40, 80, 160, 300, 300]


def test_thresholds_need_answers_in_a_row() -> None:
    """Protects successThreshold and failureThreshold: one other answer starts the row again."""
    found = Thresholds(success=2, failure=3)
    answers = [True, True, False, False, True, False, False, False, False]
    assert [found.feed(a) for a in answers] == [None, True, None, None, None, None, None, False, False]


def test_probe_defaults_and_named_ports() -> None:
    """Protects what a short probe means: every 10 s, 1 s to answer, 3 failures."""
    container = {
        "readinessProbe": {"httpGet": {"port": "http"}},
        "ports": [{"name": "http", "containerPort": 8080}],
    }
    probe = probe_of(container, ProbeKind.READINESS)
    assert probe is not None
    assert (probe.path, probe.period, probe.timeout, probe.failure_threshold) == ("/", 10, 1, 3)
    assert port_number(container, probe.port) == 8080
    assert port_number(container, "81") == 81
    assert port_number(container, "other") is None
    assert probe_of(container, ProbeKind.LIVENESS) is None


POD: dict[str, Any] = {
    "metadata": {"name": "p", "namespace": "n", "uid": "u", "labels": {"v": "1"}},
    "spec": {"nodeName": "node", "containers": [{"name": "c", "image": "x"}]},
}


def environment(*entries: dict[str, Any], **more: Any) -> Any:
    maps = {"props": {"kind": "ConfigMap", "data": {"A": "1", "B": "2"}}}
    secrets = {"login": {"kind": "Secret", "data": {"PIN": "NDcxMQ=="}}}
    container = {"name": "c", "env": list(entries), **more}
    return build(container, POD, "127.10.0.4", maps.get, secrets.get)


def test_every_source_of_a_variable() -> None:
    """Protects env and envFrom: order, prefix, references, the downward API, $(NAME)."""
    found = environment(
        {"name": "B", "value": "own"},
        {"name": "PIN2", "valueFrom": {"secretKeyRef": {"name": "login", "key": "PIN"}}},
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "LABEL", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['v']"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
        {"name": "URL", "value": "http://$(POD)/$$(A)/$(NONE)"},
        {"name": "DSN", "value": "pin=$(PIN2)"},
        {"name": "NO", "valueFrom": {"configMapKeyRef": {"name": "gone", "key": "x", "optional": True}}},
        envFrom=[
            {"configMapRef": {"name": "props"}},
            {"secretRef": {"name": "login"}, "prefix": "S_"},
            {"secretRef": {"name": "gone", "optional": True}},
        ],
    )
    assert found.values == {
        "A": "1",
        "B": "own",
        "S_PIN": "4711",
        "PIN2": "4711",
        "POD": "p",
        "LABEL": "1",
        "IP": "127.10.0.4",
        "CPU": "0",
        "URL": "http://p/$(A)/$(NONE)",
        "DSN": "pin=4711",
    }
    assert found.secret == {"S_PIN", "PIN2", "DSN"}
    assert not {"S_PIN", "PIN2", "DSN"} & set(found.shown)


def test_what_is_missing_is_named() -> None:
    """Protects CreateContainerConfigError's words."""
    with pytest.raises(ConfigError, match='configmap "gone" not found'):
        environment(envFrom=[{"configMapRef": {"name": "gone"}}])
    with pytest.raises(ConfigError, match="couldn't find key Z in ConfigMap n/props"):
        environment({"name": "X", "valueFrom": {"configMapKeyRef": {"name": "props", "key": "Z"}}})


NODE: dict[str, Any] = {
    "metadata": {"name": "node", "labels": {"disk": "ssd", "size": "4"}},
    "spec": {},
    "status": {"allocatable": {"cpu": "64", "memory": "256Gi"}},
}


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({}, None),
        ({"nodeSelector": {"disk": "ssd"}}, None),
        ({"nodeSelector": {"disk": "hdd"}}, "node affinity/selector"),
        ({"containers": [{"resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}}]}, None),
        ({"containers": [{"resources": {"requests": {"cpu": "900"}}}]}, "Insufficient cpu"),
        ({"containers": [{"resources": {"limits": {"memory": "1Ti"}}}]}, "Insufficient memory"),
    ],
)
def test_what_fits_the_node(spec: dict[str, Any], words: str | None) -> None:
    """Protects scheduling: ordinary wishes fit, impossible ones say which."""
    complaint = why_not({"spec": spec}, NODE)
    assert complaint is None if words is None else words in str(complaint)


@pytest.mark.parametrize(
    ("operator", "values", "fits"),
    [
        ("In", ["2", "4"], True),
        ("NotIn", ["4"], False),
        ("Exists", [], True),
        ("DoesNotExist", [], False),
        ("Gt", ["3"], True),
        ("Lt", ["3"], False),
    ],
)
def test_node_affinity_operators(operator: str, values: list[str], fits: bool) -> None:
    """Protects required node affinity in all its operators."""
    wish = {"matchExpressions": [{"key": "size", "operator": operator, "values": values}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [wish]}}
    assert (why_not({"spec": {"affinity": {"nodeAffinity": required}}}, NODE) is None) is fits


@pytest.mark.parametrize(
    ("toleration", "fits"),
    [
        ({"key": "k", "value": "v", "effect": "NoSchedule"}, True),
        ({"key": "k", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"key": "k", "value": "other"}, False),
        ({"key": "k", "value": "v", "effect": "NoExecute"}, False),
    ],
)
def test_tolerations(toleration: dict[str, str], fits: bool) -> None:
    """Protects taints: a toleration matches by key, value and effect."""
    node = {**NODE, "spec": {"taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}]}}
    assert (why_not({"spec": {"tolerations": [toleration]}}, node) is None) is fits
    cordoned = {**NODE, "spec": {"unschedulable": True}}
    assert "unschedulable" in str(why_not({"spec": {}}, cordoned))


def test_quantities() -> None:
    """Protects the numbers behind "Insufficient cpu"."""
    wanted = {"250m": 0.25, "2": 2, "1Gi": 2**30, "3M": 3e6, "1e3": 1000, "junk": 0}
    assert {text: amount(text) for text in wanted} == wanted


def state(kind: str, *, ready: bool = False, code: int = 0, last: bool = False) -> ContainerState:
    found = ContainerState(kind, "image", ready=ready)
    found.state = {kind: {"exitCode": code} if kind == "terminated" else {}}
    found.last = {"terminated": {"exitCode": 1}} if last else {}
    return found


@pytest.mark.parametrize(
    ("containers", "policy", "phase"),
    [
        ([state("waiting")], "Always", "Pending"),
        ([state("waiting"), state("running")], "Always", "Pending"),
        ([state("waiting", last=True)], "Always", "Running"),
        ([state("running")], "Never", "Running"),
        ([state("terminated")], "Always", "Running"),
        ([state("terminated")], "OnFailure", "Succeeded"),
        ([state("terminated", code=1)], "OnFailure", "Running"),
        ([state("terminated", code=1), state("terminated")], "Never", "Failed"),
        ([state("terminated", code=1), state("running")], "Never", "Running"),
    ],
)
def test_phases(containers: list[ContainerState], policy: str, phase: str) -> None:
    """Protects the phase: what `kubectl get pods` and the ReplicaSet count by."""
    pod = {**POD, "spec": {**POD["spec"], "restartPolicy": policy}}
    facts = PodFacts("127.10.0.4", 0.0, [], containers, initialized=True)
    assert pod_status(pod, facts, 1.0)["phase"] == phase


def test_conditions_keep_their_time_and_those_of_others() -> None:
    """Protects lastTransitionTime (minReadySeconds counts from it) and foreign conditions."""
    foreign = {"type": "lab/go", "status": "True"}
    first = pod_status(
        {**POD, "status": {"conditions": [foreign]}},
        PodFacts("127.10.0.4", 0.0, [], [state("running", ready=True)], True),
        100.0,
    )
    again = pod_status(
        {**POD, "status": first},
        PodFacts("127.10.0.4", 0.0, [], [state("running", ready=True)], True),
        200.0,
    )
    assert again == first
    assert foreign in again["conditions"]
    later = pod_status(
        {**POD, "status": first},
        PodFacts("127.10.0.4", 0.0, [], [state("running", ready=False)], True),
        200.0,
    )
    times = {c["type"]: c["lastTransitionTime"] for c in later["conditions"] if c["type"] != "lab/go"}
    assert times["Ready"] == "1970-01-01T00:03:20Z"
    assert times["PodScheduled"] == "1970-01-01T00:01:40Z"
    ready = next(c for c in later["conditions"] if c["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "ContainersNotReady")
