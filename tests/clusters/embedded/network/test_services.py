"""Services of the cluster: real listeners that follow selectors and readiness, and drop nothing."""

from __future__ import annotations

import asyncio
import socket

import pytest

from rollout_lab.clusters.embedded.kubelet import KubeletOptions
from rollout_lab.clusters.embedded.resources import ENDPOINTSLICES, PODS, REPLICASETS, SERVICES
from tests.clusters.embedded.kubelet.bench import PROBES, Bench, bench, load

BOTH = pytest.mark.parametrize("single", [False, True], ids=["any-loopback", "one-loopback"])


def options(single: bool) -> KubeletOptions:
    return KubeletOptions(pod_start_delay=0.0, pod_start_stagger=0.0, single_loopback=single, seed=1)


def replica_set(version: str, replicas: int) -> dict[str, object]:
    labels = {"app": "web", "version": version}
    app = {
        "name": "app",
        "image": f"1pro/api-tester:{version}",
        "ports": [{"containerPort": 8080, "name": "http"}],
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{**app, **PROBES}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"metadata": {"name": f"web-{version}"}, "spec": spec}


def settled(b: Bench) -> bool:
    """Whether every ReplicaSet has as many ready Pods as it wants, and no more."""
    sets, _ = b.api.list(REPLICASETS, "default")
    pods, _ = b.api.list(PODS, "default")
    wanted = sum(s["spec"]["replicas"] for s in sets)
    return len(pods) == wanted == sum(s["status"].get("readyReplicas", 0) for s in sets)


async def serving(b: Bench, service: str) -> str:
    """The Service's address once it answers."""
    address = await b.until(lambda: b.address(service), f"{service} listens")
    end = asyncio.get_running_loop().time() + 10
    while True:
        try:
            assert (await b.get(address))[0] == 200
            return str(address)
        except (OSError, EOFError):
            assert asyncio.get_running_loop().time() < end, f"{service} never answers"
            await asyncio.sleep(0.01)


@BOTH
def test_switching_a_service_fails_no_request(single: bool) -> None:
    """Protects the promise: 2,000 requests over repeated switches, none fails, both versions serve."""

    async def scene() -> None:
        async with bench(options=options(single)) as b:
            for version in ("1.0.0", "2.0.0"):
                b.api.create(REPLICASETS, "default", replica_set(version, 2))
            b.service("web", {"app": "web", "version": "1.0.0"}, type="NodePort")
            address = await serving(b, "web")
            async with load(address) as found:
                version = "1.0.0"
                while found.count < 2000:
                    version = "2.0.0" if version == "1.0.0" else "1.0.0"
                    patch = {"spec": {"selector": {"version": version}}}
                    b.api.patch(SERVICES, "default", "web", patch, "merge")
                    so_far = found.count
                    await b.until(lambda n=so_far: found.count > n + 100, seconds=30)
            assert found.failures == []
            assert min(found.answers["v1.0.0"], found.answers["v2.0.0"]) > 500

    asyncio.run(scene())


@BOTH
def test_replacing_every_pod_fails_no_request(single: bool) -> None:
    """Protects the end of Pods: they serve until the proxies know, so scaling down under load is silent."""

    async def scene() -> None:
        async with bench(options=options(single)) as b:
            b.api.create(REPLICASETS, "default", replica_set("1.0.0", 3))
            b.api.create(REPLICASETS, "default", replica_set("2.0.0", 1))
            b.service("web", {"app": "web"}, type="NodePort")
            address = await serving(b, "web")
            async with load(address) as found:
                for version, replicas in (("2.0.0", 3), ("1.0.0", 1), ("1.0.0", 3), ("2.0.0", 0)):
                    before = found.count
                    body = {"spec": {"replicas": replicas}}
                    b.api.patch(REPLICASETS, "default", f"web-{version}", body, "merge")
                    await b.until(lambda n=before: found.count > n + 200, seconds=30)
                    await b.until(lambda: settled(b))
                for pod in b.api.list(PODS, "default", label_selector="version=1.0.0")[0]:
                    b.api.delete(PODS, "default", pod["metadata"]["name"])
                    await b.until(lambda p=pod: b.find(p["metadata"]["name"]) is None)
                    await b.until(lambda: settled(b))
            assert found.failures == []
            assert found.answers["v1.0.0"] > 0
            assert found.answers["v2.0.0"] > 0

    asyncio.run(scene())


def test_a_service_follows_readiness() -> None:
    """Protects readiness as the gate of traffic: the Pod that says 503 gets nothing, then comes back."""

    async def scene() -> None:
        async with bench(speed=10) as b:
            for name in ("a", "b"):
                b.pod(name, labels={"app": "web"}, **PROBES)
            b.service("web", {"app": "web"})
            await b.ready("a", "b")
            address = await serving(b, "web")
            await b.get(b.pod_address("a"), "/readiness/off", "POST")
            await b.until(lambda: not b.is_ready("a"))
            await asyncio.sleep(0.1)
            assert {(await b.get(address, "/hostname"))[1] for _ in range(30)} == {"b\n"}
            await b.get(b.pod_address("a"), "/readiness/on", "POST")
            await b.ready("a")
            await asyncio.sleep(0.1)
            assert {(await b.get(address, "/hostname"))[1] for _ in range(60)} == {"a\n", "b\n"}

    asyncio.run(scene())


@BOTH
def test_addresses_tell_where_to_connect(single: bool) -> None:
    """Protects `get services`: the address that answers, for NodePort and ClusterIP, taken or not."""

    async def scene() -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 32299))
            other.listen()
            async with bench(options=options(single)) as b:
                b.pod("web")
                b.service("plain", {"app": "web"}, ports=[{"name": "x", "port": 8080, "targetPort": "http"}])
                taken = [{"port": 8080, "targetPort": "http", "nodePort": 32299}]
                b.service("node", {"app": "web"}, type="NodePort", ports=taken)
                b.service("headless", {"app": "web"}, clusterIP="None")
                for name in ("plain", "node"):
                    await serving(b, name)
                rows = b.node.addresses()["services"]
                assert "default/headless" not in rows
                (plain,), (node,) = rows["default/plain"], rows["default/node"]
                assert (plain["name"], plain["port"], plain["nodePort"]) == ("x", 8080, None)
                assert plain["address"].startswith("127.0.0.1:" if single else "127.96.")
                assert node["nodePort"] == 32299
                assert node["address"] != "127.0.0.1:32299"
                assert node["address"].startswith("127.0.0.1:")
                assert (await b.get(node["clusterAddress"]))[0] == 200

    asyncio.run(scene())


def test_a_changed_and_a_deleted_service() -> None:
    """Protects listeners that follow the object: a new NodePort opens, the old and a deleted one close."""

    async def scene() -> None:
        async with bench() as b:
            b.pod("web")
            b.service("web", {"app": "web"}, type="NodePort")
            first = await serving(b, "web")
            service = b.api.get(SERVICES, "default", "web")
            ports = [{"port": 80, "targetPort": "http", "nodePort": 32298}]
            changed = {**service, "spec": {**service["spec"], "ports": ports}}
            b.api.update(SERVICES, "default", "web", changed)
            await b.until(lambda: b.address("web") == "127.0.0.1:32298")
            assert (await b.get("127.0.0.1:32298"))[0] == 200
            with pytest.raises(OSError):
                await b.get(first)
            b.api.delete(SERVICES, "default", "web")
            await b.until(lambda: "default/web" not in b.node.addresses()["services"])
            with pytest.raises(OSError):
                await b.get("127.0.0.1:32298")

    asyncio.run(scene())


def test_a_service_never_leads_out_of_the_cluster() -> None:
    """Protects the machine: a slice that names another program's port is answered with a reset."""

    async def scene() -> None:
        async def hello(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            writer.close()

        other = await asyncio.start_server(hello, "127.0.0.1", 0)
        port = other.sockets[0].getsockname()[1]
        async with bench() as b:
            b.api.create(
                SERVICES, "default", {"metadata": {"name": "out"}, "spec": {"ports": [{"port": 80}]}}
            )
            labels = {"kubernetes.io/service-name": "out"}
            piece = {
                "metadata": {"name": "out-1", "labels": labels},
                "addressType": "IPv4",
                "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}],
                "ports": [{"name": "", "port": port, "protocol": "TCP"}],
            }
            b.api.create(ENDPOINTSLICES, "default", piece)
            address = await b.until(lambda: b.address("out"))
            await asyncio.sleep(0.05)
            with pytest.raises((OSError, EOFError)):
                await b.get(address)
        other.close()

    asyncio.run(scene())


def test_a_node_port_passes_from_one_service_to_another() -> None:
    """Protects delete-and-apply: the new Service gets the very port the old one had."""

    async def scene() -> None:
        async with bench() as b:
            b.pod("web")
            ports = [{"port": 80, "targetPort": "http", "nodePort": 32297}]
            for number in range(5):
                b.service(f"web-{number}", {"app": "web"}, type="NodePort", ports=ports)
                assert await serving(b, f"web-{number}") == "127.0.0.1:32297"
                b.api.delete(SERVICES, "default", f"web-{number}")

    asyncio.run(scene())


def test_clients_that_keep_their_connection_lose_nothing_either() -> None:
    """Protects keep-alive: a Pod that ends asks its clients to connect anew, and answers until they do."""

    async def scene() -> None:
        async with bench() as b:
            b.api.create(REPLICASETS, "default", replica_set("1.0.0", 3))
            b.service("web", {"app": "web"}, type="NodePort")
            address = await serving(b, "web")
            await b.until(lambda: settled(b))
            async with load(address, keep_alive=True) as found:
                for pod in b.api.list(PODS, "default")[0]:
                    b.api.delete(PODS, "default", pod["metadata"]["name"])
                    await b.until(lambda p=pod: b.find(p["metadata"]["name"]) is None)
                    await b.until(lambda: settled(b))
            assert found.failures == []
            assert found.reconnects > 4

    asyncio.run(scene())
