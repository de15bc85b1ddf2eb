"""Requests nobody should send: whatever comes, the answer is a refusal, never a mistake of ours."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any
from urllib.parse import quote

import pytest

from tests.clusters.embedded.serving import Client, served

NS = "/api/v1/namespaces/default"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
PODS, SERVICES = f"{NS}/pods", f"{NS}/services"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
FOOS = "/apis/x.io/v1/namespaces/default/foos"
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
GOOD: dict[str, Any] = {
    PODS: {"metadata": {"name": "p"}, "spec": TEMPLATE["spec"]},
    SERVICES: {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}], "selector": {"a": "b"}}},
    DEPLOYMENTS: {
        "metadata": {"name": "d"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE},
    },
    f"{NS}/configmaps": {"metadata": {"name": "c"}, "data": {"a": "b"}},
    f"{NS}/events": {"metadata": {"name": "e"}, "involvedObject": {"namespace": "default"}},
    CRDS: {
        "metadata": {"name": "foos.x.io"},
        "spec": {
            "group": "x.io",
            "scope": "Namespaced",
            "names": {"plural": "foos", "kind": "Foo"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {
                        "status": {},
                        "scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"},
                    },
                    "schema": {
                        "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                    },
                }
            ],
        },
    },
    FOOS: {"kind": "Foo", "apiVersion": "x.io/v1", "metadata": {"name": "f"}, "spec": {"n": 1}},
    REVIEW: {"spec": {"resourceAttributes": {"verb": "get"}}},
    f"{PODS}/p/binding": {"target": {"name": "n"}},
    f"{PODS}/p/eviction": {"metadata": {"name": "p"}, "deleteOptions": {"gracePeriodSeconds": 3}},
    f"{DEPLOYMENTS}/d/scale": {"spec": {"replicas": 1}},
    f"{FOOS}/f/scale": {"spec": {"replicas": 1}},
    f"{FOOS}/f/status": {"kind": "Foo", "apiVersion": "x.io/v1", "metadata": {"name": "f"}, "status": {}},
}
JUNK = [None, True, 0, -1, 1.5, 1 << 70, "", "x", "é" * 300, [], ["x"], [None], {}, {"x": 1}, [[]], {"": {}}]
QUERIES = [
    "limit=x",
    "limit=-1",
    "continue=%00",
    "continue=eyJ2IjoxfQ",
    "resourceVersion=abc",
    "labelSelector=" + quote("a in ("),
    "labelSelector=" + quote("!!"),
    "fieldSelector=" + quote("spec.x=1"),
    "fieldSelector=x",
    "watch=1&timeoutSeconds=x",
    "watch=1&resourceVersion=x",
    "tailLines=x",
    "sinceTime=x",
    "fieldValidation=x",
    "dryRun=x",
    "gracePeriodSeconds=x",
    "includeObject=x",
    "pretty=%ff",
]


def spoil(value: Any, dice: random.Random) -> Any:
    """A copy of `value` with one place of it replaced by junk."""
    if isinstance(value, (dict, list)) and value and dice.random() < 0.75:
        if isinstance(value, dict):
            key = dice.choice(sorted(value))
            return {**value, key: spoil(value[key], dice)}
        at = dice.randrange(len(value))
        return [*value[:at], spoil(value[at], dice), *value[at + 1 :]]
    return dice.choice(JUNK)


async def prepared(client: Client) -> None:
    for path in (CRDS, PODS, SERVICES, DEPLOYMENTS, FOOS):
        status, body, _ = await client.send("POST", path, GOOD[path])
        assert status == 201, body


def no_mistake(what: str, status: int, body: Any) -> None:
    text = json.dumps(body) if not isinstance(body, str) else body
    assert "Internal error occurred" not in text and "got itself in trouble" not in text, f"{what}: {text}"
    assert status < 500 or status in (500, 501, 504), what


@pytest.mark.parametrize("seed", range(4))
def test_spoilt_bodies_are_refused(seed: int) -> None:
    """Wrong types anywhere in a body, by any verb, give a Status a person can read."""

    async def test(client: Client) -> None:
        dice = random.Random(seed)
        await prepared(client)
        kinds = ["application/merge-patch+json", "application/strategic-merge-patch+json"]
        for _ in range(250):
            path = dice.choice(sorted(GOOD))
            body = spoil(GOOD[path], dice)
            method = dice.choice(["POST", "PUT", "PATCH", "DELETE"])
            target = path
            if method != "POST" and path.count("/") in (5, 6) and path not in (CRDS, REVIEW):
                name = GOOD[path].get("metadata", {}).get("name", "x") if path in GOOD else "x"
                target = f"{path}/{name}"
            kind = dice.choice(kinds) if method == "PATCH" else "application/json"
            raw = json.dumps(body).encode()
            status, answer, _ = await client.send(method, target + "?dryRun=All", raw=raw, Content_Type=kind)
            no_mistake(f"{method} {target} {raw!r}", status, answer)

    served(test)


@pytest.mark.parametrize(
    "patch",
    JUNK
    + [
        [{"op": o, "path": p, "value": 1}]
        for o in ("add", "test", "x")
        for p in ("", "/", "/spec/-", "x", None)
    ],
)
def test_spoilt_json_patches_are_refused(patch: Any) -> None:
    """A JSON patch of any shape is applied or refused."""

    async def test(client: Client) -> None:
        await prepared(client)
        raw = json.dumps(patch).encode()
        for path in (f"{DEPLOYMENTS}/d", f"{FOOS}/f", f"{DEPLOYMENTS}/d/scale", f"{FOOS}/f/status"):
            kind = "application/json-patch+json"
            status, answer, _ = await client.send("PATCH", path, raw=raw, Content_Type=kind)
            no_mistake(f"{path} {raw!r}", status, answer)

    served(test)


def test_odd_queries_are_refused() -> None:
    """Options that make no sense are 400 or 422, on lists, watches, objects and logs."""

    async def test(client: Client) -> None:
        await prepared(client)
        for query in QUERIES:
            for method, path in (
                ("GET", PODS),
                ("GET", f"{PODS}/p"),
                ("GET", f"{PODS}/p/log"),
                ("DELETE", f"{NS}/configmaps"),
                ("DELETE", f"{NS}/configmaps/nope"),
            ):
                if "watch=1" in query and method == "DELETE":
                    continue
                try:
                    async with asyncio.timeout(8):
                        status, answer, _ = await client.send(method, f"{path}?{query}")
                except TimeoutError:
                    pytest.fail(f"{method} {path}?{query} hangs")
                no_mistake(f"{method} {path}?{query}", status, answer)

    served(test)


@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "//api//v1",
        "/apis/apps",
        "/apis/apps/v1/",
        "/apis/none/v1/x",
        "/api/v1/namespaces//pods",
        "/api/v1/namespaces/default/pods/p/none",
        "/api/v1/pods/p",
        "/%00",
        "/api/v1/%2e%2e",
        "/lab/v1/nope",
        "/openapi/v3/../x",
        "/openapi/v3/apis/none/v1",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_odd_paths_are_refused(path: str, method: str) -> None:
    """No path and method finds a hole."""

    async def test(client: Client) -> None:
        status, answer, _ = await client.send(method, path)
        no_mistake(f"{method} {path}", status, answer)

    served(test)
