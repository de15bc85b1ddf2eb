"""Defaulting: a decoded and defaulted manifest is what the recorded server answered."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from rollout_lab.clusters.embedded.schema.builtin import schema_of
from rollout_lab.clusters.embedded.schema.decode import prune
from rollout_lab.clusters.embedded.schema.defaults import default
from rollout_lab.clusters.embedded.schema.pod_defaults import pull_policy
from tests.clusters.embedded.schema.recordings import Step, steps, without

# What strategies, admission and the allocator add; the API server's tests look at these.
ADDED_SPEC = {
    "Pod": ("tolerations", "priority", "preemptionPolicy"),
    "Service": ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"),
    "Namespace": ("finalizers",),
    "Job": ("selector", "template"),
    "Node": ("taints",),
}


def created() -> list[Any]:
    return [
        pytest.param(s, id=s.name)
        for s in steps()
        if s.method == "POST"
        and s.status == 201
        and isinstance(s.body, dict)
        and schema_of(s.body) is not None
        and isinstance(s.answer, dict)
        and s.answer.get("kind") == s.body.get("kind")
        and "review" not in s.path
    ]


def test_many_kinds_were_recorded() -> None:
    """Protects the comparison below from comparing nothing."""
    assert len({p.values[0].body["kind"] for p in created()}) >= 15  # type: ignore[attr-defined]


@pytest.mark.parametrize("step", created())
def test_defaults_are_what_the_server_answered(step: Step) -> None:
    """Protects every default a learner sees in ``kubectl get -o yaml``."""
    schema = schema_of(step.body)
    assert schema is not None
    decoded, _ = prune(step.body, schema)
    before = copy.deepcopy(decoded)
    made = default(decoded)
    assert decoded == before
    assert default(made) == made
    assert prune(made, schema) == (made, [])
    assert comparable(made) == comparable(step.answer)


def comparable(obj: dict[str, Any]) -> dict[str, Any]:
    kind = obj["kind"]
    skip = ("metadata",) if kind == "CustomResourceDefinition" else ("metadata", "status")
    out = without(obj, *skip)
    if "spec" in out:
        spec = without(out["spec"], *ADDED_SPEC.get(kind, ()))
        if "ports" in spec:
            spec["ports"] = [without(port, "nodePort") for port in spec["ports"]]
        out["spec"] = spec
    return out


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("reg:5000/nginx", "Always"),
        ("reg:5000/nginx:1", "IfNotPresent"),
        ("nginx@sha256:aa", "IfNotPresent"),
    ],
)
def test_images_without_a_fixed_tag_are_always_pulled(image: str, policy: str) -> None:
    """Protects the rule that a port in the registry's name is no tag."""
    assert pull_policy(image) == policy


def test_the_single_pod_ip_decides() -> None:
    """Protects the recorded case of a status patch that changes only podIPs."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": []},
        "status": {"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.2"}, {"ip": "10.0.0.1"}]},
    }
    assert default(pod)["status"]["podIPs"] == [{"ip": "10.0.0.1"}]


def test_host_network_pods_get_their_ports_on_the_host() -> None:
    """Protects a default that depends on another field."""
    container = {"name": "c", "image": "i:1", "ports": [{"containerPort": 80}]}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"hostNetwork": True, "containers": [container]},
    }
    port = default(pod)["spec"]["containers"][0]["ports"][0]
    assert port == {"containerPort": 80, "protocol": "TCP", "hostPort": 80}
    assert container["ports"] == [{"containerPort": 80}]
