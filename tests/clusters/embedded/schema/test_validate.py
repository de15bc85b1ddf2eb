"""Validation: every recorded refusal of a built-in kind, and nothing refused that was accepted."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from rollout_lab.clusters.embedded.patching import apply_json, apply_merge, apply_strategic
from rollout_lab.clusters.embedded.schema.builtin import schema_of
from rollout_lab.clusters.embedded.schema.causes import Cause
from rollout_lab.clusters.embedded.schema.decode import DecodeError, Dialect, prune
from rollout_lab.clusters.embedded.schema.defaults import default
from rollout_lab.clusters.embedded.schema.validate import validate_create, validate_update
from rollout_lab.errors import ApiError
from tests.clusters.embedded.schema.recordings import CLUSTER_WIDE, NAMESPACE, Step, steps

# Refusals that need more than the object: free addresses, options, Go's print of a whole template.
ELSEWHERE = (
    "failed to allocate",
    "provided port is",
    "dual-stack",
    "not configured on",
    "selectors-immutable#6",
)


def tuples(found: list[Cause]) -> list[tuple[str, str, str]]:
    return [(cause.field, cause.message, cause.reason) for cause in found]


def creates() -> list[Any]:
    found = []
    for s in steps():
        if s.method != "POST" or s.status not in (201, 422) or not isinstance(s.body, dict):
            continue
        if (
            schema_of(s.body) is None
            or "review" in s.path
            or s.query
            or s.path.endswith(("/eviction", "/binding"))
        ):
            continue
        text = f"{s.name} {s.causes}"
        if any(word in text for word in ELSEWHERE) or not (s.body.get("metadata") or {}).get("name"):
            continue
        found.append(pytest.param(s, id=s.name))
    return found


@pytest.mark.parametrize("step", creates())
def test_new_objects_are_judged_as_recorded(step: Step) -> None:
    """Protects reason, message, field and order of what is wrong with a new object."""
    schema = schema_of(step.body)
    assert schema is not None
    made = default(prune(step.body, schema)[0])
    if made["kind"] not in CLUSTER_WIDE:
        made["metadata"]["namespace"] = NAMESPACE
    if made["kind"] == "Job" and not made["spec"].get("manualSelector"):
        made["spec"]["selector"] = {"matchLabels": {"a": "b"}}  # what the server would generate
        made["spec"]["template"]["metadata"]["labels"] = {"a": "b"}
    before = copy.deepcopy(made)
    assert tuples(validate_create(made)) == step.causes
    assert made == before


APPLY = {
    "application/merge-patch+json": lambda old, patch, schema: apply_merge(old, patch),
    "application/json-patch+json": lambda old, patch, schema: apply_json(old, patch),
    "application/strategic-merge-patch+json": apply_strategic,
}


def updates() -> list[Any]:
    found = []
    for s in steps():
        if s.method != "PATCH" or s.status not in (200, 422) or s.old is None or s.content_type not in APPLY:
            continue
        if s.name.startswith("apply/"):  # server-side apply needs managed fields
            continue
        if schema_of(s.old) is None or not isinstance(s.body, (dict, list)) or "kind" in s.body:
            continue
        text = f"{s.name} {s.causes}"
        terminating = "deletionTimestamp" in s.old["metadata"]
        if (
            any(word in text for word in ELSEWHERE)
            or s.path.endswith(("/finalize", "/resize"))
            or terminating
        ):
            continue
        if s.query.get("fieldValidation") == "Strict" or s.query.get("force") or "apiVersion" in s.body:
            continue
        found.append(pytest.param(s, id=s.name))
    return found


@pytest.mark.parametrize("step", updates())
def test_changes_are_judged_as_recorded(step: Step) -> None:
    """Protects immutable fields, repeated metadata causes and the errors of patches that give no object."""
    old = step.old
    assert old is not None
    schema = schema_of(old)
    assert schema is not None
    strategic = "strategic" in step.content_type
    try:
        changed = APPLY[step.content_type](old, step.body, schema)
        made = default(prune(changed, schema, Dialect.MAP if strategic else Dialect.JSON)[0])
    except DecodeError as error:
        assert step.status == 422
        assert step.answer["message"].endswith(f": {error}")
        return
    except ApiError as error:
        assert (error.code, error.message) == (step.status, step.answer["message"])
        return
    subresource = "status" if step.path.endswith("/status") else ""
    if subresource:
        made = {**old, "metadata": made["metadata"], "status": made.get("status")}
    elif "status" in old:
        made = {**made, "status": old["status"]}
    if not (made.get("spec") or {}).get("clusterIP") and "clusterIP" in (old.get("spec") or {}):
        made["spec"].update({key: old["spec"][key] for key in ("clusterIP", "clusterIPs")})  # the allocator's
    made["metadata"].setdefault("resourceVersion", old["metadata"]["resourceVersion"])
    found = tuples(validate_update(made, old, subresource))
    assert found == step.causes


def test_enough_was_recorded() -> None:
    """Protects the two comparisons above from shrinking unseen."""
    refused = [p for p in (*creates(), *updates()) if p.values[0].status == 422]
    assert len(creates()) > 150
    assert len(updates()) > 60
    assert len(refused) > 45


def deployment(**spec: Any) -> dict[str, Any]:
    pod = {"containers": [{"name": "c", "image": "i:1"}]}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "n"},
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {**pod, **spec}},
        },
    }
    schema = schema_of(body)
    assert schema is not None
    return default(prune(body, schema)[0])


CONTAINER = "spec.template.spec.containers[0]"


@pytest.mark.parametrize(
    ("container", "field", "message"),
    [
        ({"name": "Bad_"}, f"{CONTAINER}.name", 'Invalid value: "Bad_": a lowercase RFC 1123 label'),
        ({"image": " i"}, f"{CONTAINER}.image", "must not have leading or trailing whitespace"),
        ({"ports": [{"containerPort": 70000}]}, f"{CONTAINER}.ports[0].containerPort", "between 1 and 65535"),
        (
            {"ports": [{"containerPort": 1, "protocol": "tcp"}]},
            f"{CONTAINER}.ports[0].protocol",
            '"SCTP", "TCP", "UDP"',
        ),
        ({"env": [{"value": "1"}]}, f"{CONTAINER}.env[0].name", "Required value"),
        (
            {"volumeMounts": [{"name": "v", "mountPath": "/v"}]},
            f"{CONTAINER}.volumeMounts[0].name",
            'Not found: "v"',
        ),
        (
            {"readinessProbe": {"periodSeconds": 1}},
            f"{CONTAINER}.readinessProbe",
            "must specify a handler type",
        ),
        (
            {"livenessProbe": {"successThreshold": 2, "exec": {"command": ["x"]}}},
            f"{CONTAINER}.livenessProbe.successThreshold",
            "must be 1",
        ),
        (
            {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}},
            f"{CONTAINER}.resources.requests",
            "less than or equal to cpu limit of 1",
        ),
    ],
)
def test_containers_are_checked_inside_a_template(
    container: dict[str, Any], field: str, message: str
) -> None:
    """Protects the mistakes a learner makes in a Pod template, which no recording holds."""
    found = validate_create(deployment(containers=[{"name": "c", "image": "i:1", **container}]))
    assert [c.field for c in found] == [field]
    assert message in found[0].message


def test_pod_templates_of_deployments_always_restart() -> None:
    """Protects the server's list of what a Deployment allows."""
    found = validate_create(deployment(restartPolicy="Never"))
    assert tuples(found) == [
        (
            "spec.template.spec.restartPolicy",
            'Unsupported value: "Never": supported values: "Always"',
            "FieldValueNotSupported",
        )
    ]


def pod(**spec: Any) -> dict[str, Any]:
    meta = {"name": "p", "namespace": "n", "resourceVersion": "1"}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [], **spec}}
    schema = schema_of(body)
    assert schema is not None
    return default(prune(body, schema)[0])


def test_of_a_running_pod_only_image_deadline_and_new_tolerations_change() -> None:
    """Protects Pods from being edited into something that was never scheduled."""
    old = pod(containers=[{"name": "c", "image": "i:1"}])
    assert validate_update(pod(containers=[{"name": "c", "image": "i:2"}]), old) == []
    other = validate_update(pod(containers=[{"name": "c", "image": "i:1", "command": ["x"]}]), old)
    assert [(c.field, c.reason) for c in other] == [("spec", "FieldValueForbidden")]
    assert other[0].message.startswith("Forbidden: pod updates may not change fields other than `spec.cont")
    more = validate_update(pod(containers=[{"name": "c", "image": "i"}, {"name": "d", "image": "i"}]), old)
    assert "pod updates may not add or remove containers" in more[0].message
