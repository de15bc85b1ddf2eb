"""The embedded gateway among the objects of its cluster: classes, statuses, Events, its address."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from rollout_lab.clusters.embedded.kubelet import KubeletOptions
from rollout_lab.clusters.embedded.resources import INGRESSCLASSES, INGRESSES
from tests.clusters.embedded.gateway.scenes import (
    GATEWAY,
    OPTIONS,
    ask,
    create,
    custom,
    http_route,
    ingress,
    route,
    routed,
    two_versions,
    with_kinds,
)
from tests.clusters.embedded.kubelet.bench import bench


def test_objects_say_what_the_gateway_makes_of_them() -> None:
    """Protects what kubectl shows: an address, the conditions of a route, an Event for a lost field."""

    async def scene() -> None:
        async with two_versions(1) as b:
            port = int(b.node.gateway.address.rpartition(":")[2])
            strange = ingress("web", "stable", {"rewrite-target": "/"})
            del strange["spec"]["ingressClassName"]
            made = b.api.create(INGRESSES, "default", strange)
            assert made["spec"]["ingressClassName"] == "nginx", "the default class is filled in"
            where = {"ip": "127.0.0.1", "ports": [{"port": port, "protocol": "TCP"}]}

            def status(obj: dict[str, Any]) -> dict[str, Any]:
                found: dict[str, Any] = b.api.get(custom(b, obj), "default", obj["metadata"]["name"])
                return dict(found.get("status") or {})

            def ingress_status() -> Any:
                return b.api.get(INGRESSES, "default", "web")["status"]["loadBalancer"].get("ingress")

            assert await b.until(ingress_status) == [where]
            await b.until(lambda: b.reasons("web") == ["NotObeyed"], "the Event")
            (event,) = b.events("web")
            assert event["message"].startswith(
                "metadata.annotations[nginx.ingress.kubernetes.io/rewrite-target]"
            )
            with_kinds(b)
            create(b, GATEWAY)
            made = create(b, http_route(5))
            parents = await b.until(lambda: status(made).get("parents"))
            found = {c["type"]: c["status"] for c in parents[0]["conditions"]}
            assert found == {"Accepted": "True", "ResolvedRefs": "True"}
            assert await b.until(lambda: status(GATEWAY).get("listeners", [{}])[0].get("attachedRoutes") == 1)
            b.api.delete(custom(b, made), "default", "web")
            await b.until(lambda: route(b, "web").get("kind") == "Ingress", "the route is gone")

    asyncio.run(scene())


def test_a_class_that_is_there_stays_the_only_one() -> None:
    """Protects a cluster's own classes: another controller's Ingress is not obeyed, and no class is added."""

    async def scene() -> None:
        async with bench(options=OPTIONS) as b:
            b.api.delete(INGRESSCLASSES, None, "nginx")
            theirs = {"metadata": {"name": "other"}, "spec": {"controller": "example.com/other"}}
            b.api.create(INGRESSCLASSES, None, theirs)
            other = ingress("theirs", "stable")
            other["spec"]["ingressClassName"] = "other"
            b.api.create(INGRESSES, "default", other)
            b.api.create(INGRESSES, "default", ingress("lost", "stable"))
            await b.until(lambda: len(b.node.gateway.report()["problems"]) == 1)
            (problem,) = b.node.gateway.report()["problems"]
            assert (problem["name"], problem["field"]) == ("lost", "spec.ingressClassName")
            assert b.node.gateway.report()["routes"] == []

    asyncio.run(scene())


def test_a_taken_port_is_no_trouble() -> None:
    """Protects several labs on one machine: the gateway takes another port and publishes that one."""

    async def scene() -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            taken = other.getsockname()[1]
            options = KubeletOptions(pod_start_delay=0.0, pod_start_stagger=0.0, gateway_port=taken)
            async with two_versions(1, options) as b:
                assert b.node.addresses()["gateway"] not in ("", f"127.0.0.1:{taken}")
                b.api.create(INGRESSES, "default", ingress("web", "stable"))
                await routed(b, "web", [100])
                assert (await ask(b, 20)).failures == []

    asyncio.run(scene())
