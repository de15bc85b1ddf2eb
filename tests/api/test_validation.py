"""Validation beyond the recorded rows: the rules of Pods, words that help, and never a crash."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollout_lab.api import gofields, hashing, validation
from rollout_lab.api.lint import lint
from rollout_lab.api.problems import Type
from rollout_lab.api.rollout import Rollout

GOOD: dict[str, Any] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Rollout",
    "metadata": {"name": "demo"},
    "spec": {
        "selector": {"matchLabels": {"app": "demo"}},
        "template": {
            "metadata": {"labels": {"app": "demo"}},
            "spec": {"containers": [{"name": "c", "image": "demo:1"}]},
        },
        "strategy": {"canary": {}},
    },
}
AT = "spec.template.spec.containers[0]"


def pod(**container: Any) -> dict[str, Any]:
    """The good Rollout with its container changed."""
    rollout = copy.deepcopy(GOOD)
    rollout["spec"]["template"]["spec"]["containers"][0].update(container)
    return rollout


def said(rollout: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (str(error.type).removeprefix("FieldValue"), error.field) for error in validation.validate(rollout)
    ]


def test_a_good_rollout_has_nothing_to_say() -> None:
    assert said(GOOD) == []


@pytest.mark.parametrize(
    ("container", "wanted"),
    [
        ({"ports": [{"containerPort": 80, "name": "HTTP"}]}, [("Invalid", f"{AT}.ports[0].name")]),
        ({"ports": [{"containerPort": 80, "name": "8080"}]}, [("Invalid", f"{AT}.ports[0].name")]),
        ({"ports": [{"containerPort": 80, "protocol": "tcp"}]},
         [("NotSupported", f"{AT}.ports[0].protocol")]),
        ({"ports": [{"containerPort": 80, "name": "a"}, {"containerPort": 81, "name": "a"}]},
         [("Duplicate", f"{AT}.ports[1].name")]),
        ({"imagePullPolicy": "Sometimes"}, [("NotSupported", f"{AT}.imagePullPolicy")]),
        ({"env": [{"value": "x"}]}, [("Required", f"{AT}.env[0].name")]),
        ({"env": [{"name": "A=B"}]}, [("Invalid", f"{AT}.env[0].name")]),
        ({"env": [{"name": "A", "valueFrom": {}}]}, [("Invalid", f"{AT}.env[0].valueFrom")]),
        ({"envFrom": [{}]}, [("Invalid", f"{AT}.envFrom[0]")]),
        ({"envFrom": [{"secretRef": {}}]}, [("Required", f"{AT}.envFrom[0].secretRef.name")]),
        ({"volumeMounts": [{"name": "v"}]},
         [("NotFound", f"{AT}.volumeMounts[0].name"), ("Required", f"{AT}.volumeMounts[0].mountPath")]),
        ({"readinessProbe": {}}, [("Required", f"{AT}.readinessProbe")]),
        ({"readinessProbe": {"httpGet": {"path": "/"}}}, [("Invalid", f"{AT}.readinessProbe.httpGet.port")]),
        ({"readinessProbe": {"tcpSocket": {"port": 1}, "exec": {"command": ["x"]}}},
         [("Forbidden", f"{AT}.readinessProbe.tcpSocket")]),
        ({"livenessProbe": {"tcpSocket": {"port": 1}, "successThreshold": 2}},
         [("Invalid", f"{AT}.livenessProbe.successThreshold")]),
        ({"startupProbe": {"exec": {}, "periodSeconds": -1}},
         [("Required", f"{AT}.startupProbe.exec.command"), ("Invalid", f"{AT}.startupProbe.periodSeconds")]),
        ({"lifecycle": {"preStop": {}}}, [("Required", f"{AT}.lifecycle.preStop")]),
        ({"resources": {"limits": {"mem": "1Gi"}}}, [("Invalid", f"{AT}.resources.limits[mem]")]),
        ({"resources": {"requests": {"cpu": "-1"}}}, [("Invalid", f"{AT}.resources.requests[cpu]")]),
        ({"resources": {"requests": {"memory": "lots"}}},
         [("TypeInvalid", f"{AT}.resources.requests.memory")]),
        ({"env": [{"name": "A", "value": 5}]}, [("TypeInvalid", f"{AT}.env[0].value")]),
        ({"resources": {"limits": {"nvidia.com/gpu": 1}}}, []),
    ],
)  # fmt: skip
def test_the_rules_of_a_container(container: dict[str, Any], wanted: list[tuple[str, str]]) -> None:
    assert said(pod(**container)) == wanted


def test_the_rules_of_init_containers_and_volumes() -> None:
    rollout = copy.deepcopy(GOOD)
    rollout["spec"]["template"]["spec"] |= {
        "initContainers": [{"name": "c", "image": "x", "readinessProbe": {"exec": {"command": ["x"]}}}],
        "volumes": [{"name": "V"}, {"name": "a", "emptyDir": {}, "secret": {}}, {"name": "a"}],
        "dnsPolicy": "default",
    }
    at = "spec.template.spec"
    assert said(rollout) == [
        ("Invalid", f"{at}.volumes[0].name"),
        ("Forbidden", f"{at}.volumes[1].secret"),
        ("Required", f"{at}.volumes[1].secret.secretName"),
        ("Duplicate", f"{at}.volumes[2].name"),
        ("Duplicate", f"{at}.initContainers[0].name"),
        ("Forbidden", f"{at}.initContainers[0].readinessProbe"),
        ("NotSupported", f"{at}.dnsPolicy"),
    ]


@pytest.mark.parametrize(
    ("expression", "field"),
    [
        ({"key": "a", "operator": "In"}, "values"),
        ({"key": "a", "operator": "Exists", "values": ["x"]}, "values"),
        ({"key": "a", "operator": "Near"}, "operator"),
        ({"key": "a b", "operator": "Exists"}, "key"),
        ({"key": "a", "operator": "In", "values": ["x y"]}, "values[0]"),
    ],
)
def test_a_selector_that_cannot_be_used_is_said_twice_as_by_the_peer(
    expression: dict[str, Any], field: str
) -> None:
    rollout = copy.deepcopy(GOOD)
    rollout["spec"]["selector"] = {"matchExpressions": [expression]}
    fields = [where for _, where in said(rollout)]
    assert fields == [f"spec.selector.matchExpressions[0].{field}", "spec.selector"]


@pytest.mark.parametrize(
    ("canary", "words"),
    [
        ({"steps": [{"setWeight": 101}]}, ["101", "0 to 100"]),
        ({"steps": [{"pause": {"duration": "5x"}}]}, ["5x", "30s", "2m"]),
        ({"steps": [{"setWeight": 10, "pause": {}}]}, ["setWeight and pause", "list entry for each"]),
        ({"maxSurge": 0, "maxUnavailable": 0}, ["both 0", "raise one"]),
        ({"steps": [{"setWeight": "10"}]}, ["whole number", "without quotes"]),
    ],
)
def test_a_message_says_what_is_wrong_and_what_would_be_right(
    canary: dict[str, Any], words: list[str]
) -> None:
    rollout = copy.deepcopy(GOOD)
    rollout["spec"]["strategy"]["canary"] = canary
    (error,) = validation.validate(rollout)
    for word in words:
        assert word in str(error)
    assert str(error).startswith(f"{error.field}: ")


def test_null_and_false_ask_for_nothing_that_is_missing() -> None:
    """Tools write such values; refusing them would refuse manifests that work."""
    rollout = copy.deepcopy(GOOD)
    rollout["spec"]["workloadRef"] = None
    rollout["spec"]["strategy"]["canary"] = {"dynamicStableScale": False, "trafficRouting": None}
    assert validation.unsupported(rollout) == []


# --- whatever is thrown at it ------------------------------------------------------------------

KNOWN = sorted({field.name for fields in gofields.structs().values() for field in fields})
scalars = st.none() | st.booleans() | st.integers(-5, 2**33) | st.floats() | st.text(max_size=6)
junk = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KNOWN), inner, max_size=4),
    max_leaves=12,
)


def typed(type_: str, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that mostly have the type, so that the rules behind the types are reached too."""
    element = gofields.element(type_)
    if depth > 6 or type_ in gofields.SCALARS:
        return st.sampled_from(
            [0, -1, 7, True, False, "", "a", "10%", "100m", "2m", "2026-01-01T00:00:00Z", None]
        )
    if element is not None and type_.startswith("[]"):
        return st.lists(typed(element, depth + 1), max_size=2)
    if element is not None:
        return st.dictionaries(st.sampled_from(["a", "cpu", "memory"]), typed(element, depth + 1), max_size=2)
    options = {f.name: st.deferred(lambda f=f: typed(f.type, depth + 1)) for f in gofields.structs()[type_]}
    return st.fixed_dictionaries({}, optional=options)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["spec", "strategy", "template", "selector", "canary"]), junk)
def test_no_manifest_however_broken_raises(where: str, value: Any) -> None:
    rollout = copy.deepcopy(GOOD)
    target = {"spec": rollout, "canary": rollout["spec"]["strategy"]}.get(where, rollout["spec"])
    target[where] = value
    everything(rollout)


@settings(max_examples=150, deadline=None)
@given(typed("RolloutSpec"))
def test_no_manifest_of_the_right_shape_raises(spec: Any) -> None:
    everything({**GOOD, "spec": spec})


def everything(rollout: dict[str, Any]) -> None:
    """All that reads a manifest; the manifest stays as it was."""
    before = repr(rollout)
    view = Rollout(rollout)
    errors = validation.validate(rollout) + validation.unsupported(rollout)
    assert all(isinstance(error.type, Type) and error.field and str(error) for error in errors)
    assert (validation.decode_error(rollout) is None) == (not validation.decode_errors(rollout))
    assert view.replicas is not None and view.services is not None and view.steps is not None
    assert hashing.pod_template_hash(view.template)
    if view.canary is not None:
        assert hashing.step_hash(view.canary.raw_steps)
        assert view.canary.room(10)
    assert lint([rollout]) is not None
    assert repr(rollout) == before
