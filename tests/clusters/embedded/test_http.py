"""The HTTP side beyond the recordings: who may ask, what a mistake looks like, streams that end."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest

from rollout_lab.clusters.embedded.resources import CONFIGMAPS
from tests.clusters.embedded.serving import Client, served

CONFIGS = "/api/v1/namespaces/default/configmaps"


def config(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


@pytest.mark.parametrize("path", ["/version", "/healthz", "/livez", "/readyz", "/livez/ping"])
def test_liveness_and_version_need_no_token(path: str) -> None:
    """A probe and `kubectl version` ask before anybody has a token."""

    async def test(client: Client) -> None:
        status, _, _ = await client.send("GET", path, Authorization=None)
        assert status == 200

    served(test)


@pytest.mark.parametrize(
    "path", ["/api", "/apis", CONFIGS, "/openapi/v3", "/lab/v1/addresses", "/lab/v1/clock"]
)
@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic d3Jvbmc6d3Jvbmc=", "Bearer"])
def test_everything_else_needs_the_token(path: str, header: str | None) -> None:
    """Another program of this machine, or a page in the browser, must not read or change the cluster."""

    async def test(client: Client) -> None:
        status, body, _ = await client.send("GET", path, Authorization=header)
        assert status == 401 and body["reason"] == "Unauthorized"
        assert client.cluster.token not in json.dumps(body)

    served(test)


def test_the_kubeconfig_address_carries_the_right_to_ask() -> None:
    """kubectl sends no token without TLS: the secret path of its server address stands in."""

    async def test(client: Client) -> None:
        async with client.http.get(client.cluster.url + CONFIGS) as answer:
            assert answer.status == 200
        async with client.http.get(client.cluster.address + "/" + "x" * 24 + CONFIGS) as answer:
            assert answer.status == 401

    served(test)


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("localhost:1", True),
        ("127.0.0.1", True),
        ("[::1]:80", True),
        ("evil.example", False),
        ("10.0.0.1", False),
    ],
)
def test_only_loopback_names_are_answered(host: str, allowed: bool) -> None:
    """A web page whose name resolves to 127.0.0.1 (DNS rebinding) is turned away."""

    async def test(client: Client) -> None:
        status, _, _ = await client.send("GET", "/version", Host=host)
        assert (status == 200) is allowed

    served(test)


def test_a_mistake_of_ours_is_an_answer_not_a_crash(caplog: pytest.LogCaptureFixture) -> None:
    """The client reads a Status, the log has the cause, neither has the secrets, the server goes on."""

    async def test(client: Client) -> None:
        def fail(*_: object, **__: object) -> None:
            raise RuntimeError("boom")

        key = client.cluster.server.key
        client.cluster.api.list = fail  # type: ignore[method-assign, assignment]
        client.cluster.api.matcher = fail  # type: ignore[method-assign, assignment]
        with caplog.at_level(logging.ERROR):
            async with client.http.get(client.cluster.url + CONFIGS) as answer:
                status, body = answer.status, await answer.json()
        assert status == 500 and body["reason"] == "InternalError"
        assert "GET" in caplog.text and key not in caplog.text and client.cluster.token not in caplog.text
        assert (await client.send("GET", "/version"))[0] == 200

    served(test)


def test_bodies_have_a_limit() -> None:
    """3 MiB, as in Kubernetes; the refusal is a Status."""

    async def test(client: Client) -> None:
        big = json.dumps({**config("a"), "data": {"k": "x" * (4 << 20)}}).encode()
        status, body, _ = await client.send("POST", CONFIGS, raw=big, Content_Type="application/json")
        assert status == 413 and body["reason"] == "RequestEntityTooLarge"

    served(test)


def test_answers_can_be_yaml() -> None:
    """`Accept: application/yaml` is honoured for objects and errors."""

    async def test(client: Client) -> None:
        _, text, answer = await client.send("GET", CONFIGS + "/nope", Accept="application/yaml")
        assert answer.headers["Content-Type"] == "application/yaml" and "reason: NotFound" in text

    served(test)


def test_a_watch_ends_when_the_client_goes_away() -> None:
    """A closed terminal must leave no listener behind that slows every write down."""

    async def test(client: Client) -> None:
        listeners = client.cluster.api.store.bucket(CONFIGMAPS.bucket).listeners
        headers = {"Authorization": f"Bearer {client.cluster.token}"}
        answer = await client.http.get(client.cluster.address + CONFIGS + "?watch=1", headers=headers)
        assert len(listeners) == 1
        answer.close()
        async with asyncio.timeout(5):
            while listeners:
                await asyncio.sleep(0.01)

    served(test)


def test_a_watch_ends_when_the_server_stops() -> None:
    """Clients see a clean end of the stream, and stopping does not wait for them."""

    async def test(client: Client) -> None:
        headers = {"Authorization": f"Bearer {client.cluster.token}"}
        async with client.http.get(client.cluster.address + CONFIGS + "?watch=1", headers=headers) as answer:
            await client.send("POST", CONFIGS, config("a"))
            assert json.loads(await answer.content.readline())["type"] == "ADDED"
            client.cluster.server.closing.set()
            assert await answer.content.read() == b""

    served(test)


def test_a_slow_watcher_gets_everything_in_order() -> None:
    """Nothing is dropped for a reader that lets thousands of events pile up."""

    async def test(client: Client) -> None:
        headers = {"Authorization": f"Bearer {client.cluster.token}"}
        address = client.cluster.address + CONFIGS + "?watch=1"
        async with client.http.get(address, headers=headers) as answer:
            for index in range(1500):
                body = {"metadata": {"name": f"c{index}"}, "data": {"k": "x" * 200}}
                client.cluster.api.create(CONFIGMAPS, "default", body)
                if index % 100 == 0:
                    await asyncio.sleep(0)
            names = [
                json.loads(await answer.content.readline())["object"]["metadata"]["name"] for _ in range(1500)
            ]
        assert names == [f"c{i}" for i in range(1500)]

    served(test)


def test_discovery_has_a_tag_that_follows_crds() -> None:
    """kubectl keeps discovery for hours: an unchanged answer is 304, a new CRD changes the tag."""

    async def test(client: Client) -> None:
        accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        _, _, first = await client.send("GET", "/apis", Accept=accept)
        tag = first.headers["ETag"]
        status, _, _ = await client.send("GET", "/apis", Accept=accept, If_None_Match=tag)
        assert status == 304
        schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
        version = {"name": "v1", "served": True, "storage": True, "schema": schema}
        names = {"plural": "foos", "kind": "Foo"}
        spec = {"group": "x.io", "scope": "Namespaced", "names": names, "versions": [version]}
        crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        status, _, _ = await client.send("POST", crds, {"metadata": {"name": "foos.x.io"}, "spec": spec})
        assert status == 201
        status, body, answer = await client.send("GET", "/apis", Accept=accept, If_None_Match=tag)
        assert status == 200 and answer.headers["ETag"] != tag
        assert "x.io" in [g["metadata"]["name"] for g in body["items"]]
        status, document, _ = await client.send("GET", "/openapi/v3/apis/x.io/v1")
        assert status == 200 and "io.x.v1.Foo" in document["components"]["schemas"]

    served(test)


def test_openapi_documents_of_all_groups_are_served() -> None:
    """`kubectl apply` and `explain` read them; a broken package would only show there."""

    async def test(client: Client) -> None:
        _, index, _ = await client.send("GET", "/openapi/v3", Accept="application/json")
        paths = json.loads(index)["paths"]
        for path in ("api/v1", "apis/apps/v1", "apis/discovery.k8s.io/v1", "apis/apiextensions.k8s.io/v1"):
            assert path in paths
            status, document, _ = await client.send("GET", paths[path]["serverRelativeURL"])
            assert status == 200 and document["openapi"].startswith("3.")

    served(test)


def test_the_lab_tells_its_clock() -> None:
    """Page and engine join the cluster's lab time by its spec."""

    async def test(client: Client) -> None:
        _, body, _ = await client.send("GET", "/lab/v1/clock")
        assert body["now"] > 1e9 and "@" in body["spec"]

    served(test)
