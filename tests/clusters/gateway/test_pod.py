"""The gateway as it runs in a Pod: by list and watch it does what the embedded one does, and ends gently."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import (
    CRDS,
    ENDPOINTSLICES,
    EVENTS,
    HTTPROUTES,
    INGRESSES,
    PODS,
    Resource,
    of_object,
)
from rollout_lab.clusters.base import write_kubeconfig
from rollout_lab.clusters.embedded.process import running
from rollout_lab.clusters.gateway.process import Options, Running, main, settings, where
from rollout_lab.errors import ApiError
from rollout_lab.gateway.kinds import gateway_class, ingress_class
from rollout_lab.gateway.objects import CONTROLLER, NGINX_CONTROLLER, World
from rollout_lab.lab.scenario import router_crds
from tests.clusters.embedded.gateway.scenes import GATEWAY, SUBSETS, http_route, ingress, virtual_service
from tests.gateway.bounds import bounds

Json = dict[str, Any]
REQUESTS = 400


class Scene:
    """A cluster without Pods, two programs behind its Services ``stable`` and ``canary``, and a gateway."""

    def __init__(self, client: KubeClient, gateway: Running, http: aiohttp.ClientSession) -> None:
        self.client, self.gateway, self.http = client, gateway, http

    async def do(self, call: Callable[..., Any], *words: Any) -> Any:
        """A call of the client: it waits for a server on this very loop."""
        return await asyncio.to_thread(call, *words)

    async def create(self, *objects: Json) -> None:
        for obj in objects:
            space = "default" if of_object(obj).namespaced else None
            await self.do(self.client.create, of_object(obj), space, obj)

    async def until(self, look: Callable[[], Any], seconds: float = 30.0) -> Any:
        end = asyncio.get_running_loop().time() + seconds
        while not (found := look()):
            assert asyncio.get_running_loop().time() < end, self.gateway.report()
            await asyncio.sleep(0.02)
        return found

    def weights(self, kind: str) -> list[float]:
        """Of the first route of a kind, once all its backends have endpoints."""
        rows = [r for r in self.gateway.report()["routes"] if r["kind"] == kind]
        backends = rows[0]["backends"] if rows else []
        return [b["weight"] for b in backends] if all(b["ready"] for b in backends) else []

    async def ask(self, host: str, n: int = REQUESTS) -> int:
        """How many of `n` requests the canary answered; all are answered."""
        count = 0
        for _ in range(n):
            async with self.http.get(
                f"http://{self.gateway.listens[0]}/version", headers={"Host": host}
            ) as answer:
                assert answer.status == 200, await answer.text()
                count += await answer.text() == "canary"
        return count

    async def status(self, path: str) -> tuple[int, Any]:
        async with self.http.get(f"http://{self.gateway.listens[1]}{path}") as answer:
            return answer.status, await (answer.json() if "json" in answer.content_type else answer.text())


@contextlib.asynccontextmanager
async def scene(folder: Path, said: list[str]) -> AsyncIterator[Scene]:
    async with contextlib.AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(running(controllers=False, kubelet=False))
        config = folder / "kubeconfig"
        write_kubeconfig(config, cluster.address, cluster.token)
        client = KubeClient.from_kubeconfig(str(config))
        stack.callback(client.close)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        gateway = Running(client, Options(seed=2234, drain=0.0), said.append)
        task = asyncio.create_task(gateway.run())
        s = Scene(client, gateway, http)
        try:
            await s.until(lambda: gateway.ready or task.done())
            for name in ("stable", "canary"):
                port = await program(stack, name)
                await s.create(*service(name, [(name, port)]))
            yield s
        finally:
            gateway.end()
            await task


async def program(stack: contextlib.AsyncExitStack, name: str) -> int:
    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(text=name)

    server = await asyncio.get_running_loop().create_server(web.Server(answer), "127.0.0.1", 0)
    stack.callback(server.close)
    return int(server.sockets[0].getsockname()[1])


def service(name: str, pods: list[tuple[str, int]]) -> tuple[Json, ...]:
    """A Service and a slice for each of its Pods (they have ports of their own)."""
    spec = {"selector": {"app": name}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}
    slices = [
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": f"{name}-{pod}", "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "ports": [{"name": "http", "port": port}],
            "endpoints": [
                {
                    "addresses": ["127.0.0.1"],
                    "conditions": {"ready": True},
                    "targetRef": {"kind": "Pod", "name": pod, "namespace": "default"},
                }
            ],
        }
        for pod, port in pods
    ]
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}, *slices


def test_it_follows_all_three_kinds_and_tells_what_it_does(tmp_path: Path) -> None:
    """Protects the one gateway in two shells: shares by weight, statuses, Events, report, all over HTTP."""

    async def body() -> None:
        said: list[str] = []
        async with scene(tmp_path, said) as s:
            assert await s.status("/healthz") == (200, "ok\n") and await s.status("/readyz") == (200, "ok\n")
            assert (await s.status("/elsewhere"))[0] == 404
            # an Ingress of its own class; another controller's class is left alone
            other = {**ingress_class("example.com/other"), "metadata": {"name": "other"}}
            await s.create(ingress_class(CONTROLLER), other)
            theirs = ingress("theirs", "canary", host="theirs.test")
            theirs["spec"]["ingressClassName"] = "other"
            odd = {"configuration-snippet": "deny all;"}
            for obj in (
                ingress("web", "stable", odd, host="ingress.test"),
                ingress(
                    "web-canary", "canary", {"canary": "true", "canary-weight": "25"}, host="ingress.test"
                ),
                theirs,
            ):
                await s.create({"apiVersion": INGRESSES.api_version, "kind": "Ingress", **obj})
            await s.until(lambda: s.weights("Ingress") == [75, 25])
            low, high = bounds(REQUESTS, 0.25)
            assert low <= await s.ask("ingress.test") <= high
            async with s.http.get(
                f"http://{s.gateway.listens[0]}/", headers={"Host": "theirs.test"}
            ) as refused:
                assert refused.status == 404
            # kinds that come to be served later are found
            for crd in router_crds():
                await s.do(s.client.create, CRDS, None, crd)
            await s.create(gateway_class(), GATEWAY, http_route(50, hosts=["route.test"]))
            await s.until(lambda: s.weights("HTTPRoute") == [50, 50])
            low, high = bounds(REQUESTS, 0.5)
            assert low <= await s.ask("route.test") <= high
            # subsets need Pods' labels: those are followed once there is a DestinationRule
            await s.create(SUBSETS, virtual_service(100, host="mesh.test"))
            pods = {"stable": "1.0.0", "canary": "2.0.0"}
            ports = {
                n: slice_port(await s.do(s.client.get, ENDPOINTSLICES, "default", f"{n}-{n}")) for n in pods
            }
            await s.create(*service("both", list(ports.items())))
            for name, version in pods.items():
                labels = {"app": "both", "version": version}
                spec = {"containers": [{"name": "app", "image": "app:1"}]}
                about = {"name": name, "labels": labels}
                await s.create({"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": spec})
            await s.until(lambda: s.weights("VirtualService") == [0, 100])
            assert await s.ask("mesh.test", 50) == 50
            # a label that changes takes a Pod out of its subset
            patch = {"metadata": {"labels": {"version": "3.0.0"}}}
            await s.do(s.client.patch, PODS, "default", "canary", patch)
            await s.until(lambda: ready(s, "VirtualService") == [1, 0])

            code, report = await s.status("/lab/v1/gateway")
            assert code == 200 and set(report) == {"address", "routes", "unrouted", "retried", "problems"}
            counted = {r["kind"]: sum(b["requests"] for b in r["backends"]) for r in report["routes"]}
            assert counted == {"Ingress": REQUESTS, "HTTPRoute": REQUESTS, "VirtualService": 50}
            assert report["unrouted"] == 1
            assert any("configuration-snippet" in p["field"] for p in report["problems"])

            route = await s.do(s.client.get, HTTPROUTES, "default", "web")
            accepted = route["status"]["parents"][0]["conditions"][0]
            assert (accepted["type"], accepted["status"]) == ("Accepted", "True")
            theirs = await s.do(s.client.get, INGRESSES, "default", "theirs")
            assert not (theirs.get("status") or {}).get("loadBalancer")

            def events() -> list[Json]:
                found: list[Json] = s.client.list(EVENTS, "default")["items"]
                return [e for e in found if "configuration-snippet" in e["message"]]

            end = asyncio.get_running_loop().time() + 30
            while not (found := await s.do(events)) and asyncio.get_running_loop().time() < end:
                await asyncio.sleep(0.1)
            assert [e["reason"] for e in found] == ["NotObeyed"]
            assert found[0]["involvedObject"]["kind"] == "Ingress"
        assert not [line for line in said if "keeps its last table" in line or "not written" in line], said

    asyncio.run(body())


def slice_port(obj: Json) -> int:
    return int(obj["ports"][0]["port"])


def ready(s: Scene, kind: str) -> list[int]:
    rows = [r for r in s.gateway.report()["routes"] if r["kind"] == kind]
    return [b["ready"] for b in rows[0]["backends"]]


def test_a_kind_it_may_not_look_at_does_not_stop_the_others(tmp_path: Path) -> None:
    """Protects clusters that give it fewer rights: VirtualServices are refused, HTTPRoutes are obeyed."""

    async def body() -> None:
        said: list[str] = []
        async with scene(tmp_path, said) as s:
            given = s.client.list

            def refusing(res: Resource, *words: Any, **settings: Any) -> Json:
                if res.plural == "virtualservices":
                    raise ApiError(403, "Forbidden", "virtualservices is forbidden")
                return given(res, *words, **settings)

            s.client.list = refusing  # type: ignore[method-assign]
            for crd in router_crds():
                await s.do(s.client.create, CRDS, None, crd)
            await s.create(gateway_class(), GATEWAY, http_route(50, hosts=["route.test"]))
            await s.until(lambda: s.weights("HTTPRoute") == [50, 50])
            assert any("virtualservices is forbidden" in line for line in said)

    asyncio.run(body())


def test_it_publishes_the_address_of_its_service_and_obeys_its_own_classes_only() -> None:
    """Protects a real ingress-nginx beside it: two controllers must never obey one Ingress."""
    own = {
        "metadata": {"namespace": "rollout-lab", "name": "gw"},
        "spec": {"clusterIP": "10.96.0.9", "ports": [{"port": 80}]},
    }
    found = settings(World.of({"Service": [own]}), "rollout-lab/gw")
    assert (found.host, found.port) == ("10.96.0.9", 80)
    assert found.ingress_controllers == {CONTROLLER} and NGINX_CONTROLLER not in found.ingress_controllers
    assert settings(World.of({}), "rollout-lab/gw").port == 0
    assert where({"spec": {"clusterIP": "None", "ports": [{"port": 80}]}}) == ""


def test_it_is_not_ready_before_it_has_seen_the_cluster_and_says_why(tmp_path: Path) -> None:
    """Protects a start: a Pod that routes by nothing must get no requests."""

    async def body() -> None:
        said: list[str] = []
        config = tmp_path / "kubeconfig"
        write_kubeconfig(config, "http://127.0.0.1:9", "token")
        client = KubeClient.from_kubeconfig(str(config))
        gateway = Running(client, Options(drain=0.0), said.append)
        task = asyncio.create_task(gateway.run())
        async with aiohttp.ClientSession() as http:
            s = Scene(client, gateway, http)
            await s.until(lambda: len(said) > 1)
            assert await s.status("/readyz") == (503, "not ready\n")
            assert (await s.status("/healthz"))[0] == 200
        gateway.end()
        await task
        client.close()
        assert any("no API server answers" in line for line in said) and "token" not in "".join(said)

    asyncio.run(body())


def test_its_options_are_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Protects whoever runs it by hand: help, and a port that is taken, in plain words."""
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "--status-port" in capsys.readouterr().out
    config = tmp_path / "kubeconfig"
    write_kubeconfig(config, "http://127.0.0.1:9", "token")
    assert main(["--kubeconfig", str(config), "--address", "203.0.113.1", "--port", "1"]) == 2
    assert "203.0.113.1:1 cannot be opened" in capsys.readouterr().err
