"""The hashes name ReplicaSets: one wrong byte re-rolls everything. Also what Go's JSON does at its edges."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from rollout_lab.api import gojson, hashing

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = {
    "metadata": {"labels": {"app": "demo"}},
    "spec": {"containers": [{"name": "c", "image": "demo:1"}]},
}


def pod(spec: dict) -> str:
    return gojson.encode({"spec": spec}, "core/v1.PodTemplateSpec")


def test_fields_stand_in_gos_order_and_structs_are_never_left_out() -> None:
    written = gojson.encode(
        {"spec": TEMPLATE["spec"], "metadata": TEMPLATE["metadata"]}, "core/v1.PodTemplateSpec"
    )
    assert written == (
        '{"metadata":{"labels":{"app":"demo"}},'
        '"spec":{"containers":[{"name":"c","image":"demo:1","resources":{}}]}}'
    )


@pytest.mark.parametrize(
    ("container", "inside"),
    [
        ({"command": ["echo", "a<b>&c"]}, r'"command":["echo","a\u003cb\u003e\u0026c"]'),
        ({"env": [{"name": "A", "value": "\u2028"}]}, r'"value":"\u2028"'),
        ({"env": [{"name": "A", "value": "한글"}]}, '"value":"한글"'),
        ({"resources": {"requests": {"cpu": 0.001, "memory": "1024Ki"}}}, '"cpu":"1m","memory":"1Mi"'),
        ({"ports": [{"containerPort": 80, "hostPort": 0}]}, '"ports":[{"containerPort":80}]'),
        ({"readinessProbe": {"httpGet": {"port": "http"}}}, '"readinessProbe":{"httpGet":{"port":"http"}}'),
        ({"readinessProbe": {"tcpSocket": {}}}, '"readinessProbe":{"tcpSocket":{"port":0}}'),
        ({"securityContext": {"privileged": False}}, '"securityContext":{"privileged":false}'),
        ({"securityContext": {}}, '"securityContext":{}'),
    ],
)
def test_values_are_written_as_go_writes_them(container: dict, inside: str) -> None:
    assert inside in pod({"containers": [{"name": "c", **container}]})


@pytest.mark.parametrize(
    "container",
    [
        {"colour": "red"},
        {"command": []},
        {"args": None},
        {"stdin": False},
        {"image": ""},
        {"imagePullPolicy": 5},
        {"resources": {"requests": {"memory": "invalid"}}},
    ],
)
def test_unknown_empty_and_unreadable_fields_leave_no_trace(container: dict) -> None:
    """A field the peer drops must not change the hash, or both engines would name the set differently."""
    assert pod({"containers": [{"name": "c", **container}]}) == pod({"containers": [{"name": "c"}]})


def test_an_empty_template_still_has_its_structs() -> None:
    assert gojson.encode(None, "core/v1.PodTemplateSpec") == '{"metadata":{},"spec":{"containers":null}}'


def test_a_collision_count_of_zero_differs_from_none() -> None:
    found = {hashing.pod_template_hash(TEMPLATE, count) for count in (None, 0, 1)}
    assert len(found) == 3


def test_key_order_of_the_manifest_does_not_matter() -> None:
    turned = {"spec": TEMPLATE["spec"], "metadata": TEMPLATE["metadata"]}
    assert hashing.pod_template_hash(turned) == hashing.pod_template_hash(TEMPLATE)


def test_the_shipped_field_order_is_the_recorded_one() -> None:
    """Nobody may edit the derived file by hand: it must equal what the script makes."""
    spec = importlib.util.spec_from_file_location("derive", ROOT / "scripts/derive_pod_fields.py")
    assert spec is not None and spec.loader is not None
    derive = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(derive)
    assert derive.TARGET.read_text(encoding="utf-8") == derive.derived()
