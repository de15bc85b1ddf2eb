"""The controllers running on an Api without HTTP: what they promise while objects come, change and go."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rollout_lab.clusters.embedded import controllers as built_in
from rollout_lab.clusters.embedded.api import Api
from rollout_lab.clusters.embedded.controllers.events import LIFETIME
from rollout_lab.clusters.embedded.controllers.objects import condition_of, is_terminating
from rollout_lab.clusters.embedded.resources import (
    CONFIGMAPS,
    CRDS,
    DEPLOYMENTS,
    ENDPOINTSLICES,
    EVENTS,
    NAMESPACES,
    PODS,
    REPLICASETS,
    SERVICEACCOUNTS,
    SERVICES,
)
from rollout_lab.errors import ApiError
from tests.clusters.embedded.controllers.builders import (
    NS,
    Object,
    bare,
    cluster,
    make_ready,
    settle,
    template,
)


def names(api: Api, res: Any, **kw: Any) -> list[str]:
    return [o["metadata"]["name"] for o in api.list(res, NS, **kw)[0]]


def web_service(**spec: Any) -> Object:
    full = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}], **spec}
    return {"metadata": {"name": "s"}, "spec": full}


def ready_addresses(api: Api) -> list[str]:
    out = []
    for slice_ in api.list(ENDPOINTSLICES, NS)[0]:
        for endpoint in slice_.get("endpoints") or []:
            out += endpoint["addresses"] if endpoint["conditions"]["ready"] else []
    return sorted(out)


def test_each_readiness_is_a_status_of_its_own_and_reaches_the_slice_at_once() -> None:
    """A rollout engine watches the counts one by one; traffic follows readiness within a few loop turns."""

    async def run() -> None:
        async with cluster() as (api, controllers, _):
            api.create(SERVICES, NS, web_service())
            api.create(REPLICASETS, NS, bare("ReplicaSet", "web", replicas=4))
            await settle(api, controllers)
            watch = api.watch(REPLICASETS, NS, since=api.list(REPLICASETS)[1])
            for n, name in enumerate(names(api, PODS)):
                make_ready(api, name, f"10.1.0.{n + 1}")  # all four without giving way to a controller
            turns = 0
            while len(ready_addresses(api)) < 4:
                await asyncio.sleep(0)
                turns += 1
                assert turns < 100
            await settle(api, controllers)
            assert [o["status"]["readyReplicas"] for _, o, _ in watch.pending()] == [1, 2, 3, 4]
            watch.close()

    asyncio.run(run())


def test_a_selector_switch_is_seen_whole() -> None:
    """At every moment of a blue/green switch the Service has the old Pods or the new ones, never none."""

    async def run() -> None:
        async with cluster() as (api, controllers, _):
            for color in ("blue", "green"):
                labels = {"app": "web", "color": color}
                api.create(
                    REPLICASETS,
                    NS,
                    bare(
                        "ReplicaSet", color, selector={"matchLabels": labels}, template=template(color=color)
                    ),
                )
            api.create(SERVICES, NS, web_service(selector={"color": "blue"}))
            await settle(api, controllers)
            for n, name in enumerate(names(api, PODS)):
                make_ready(api, name, f"10.1.0.{n + 1}")
            await settle(api, controllers)
            watch = api.watch(ENDPOINTSLICES, NS, since=api.list(REPLICASETS)[1])
            api.patch(SERVICES, NS, "s", {"spec": {"selector": {"color": "green"}}}, "merge")
            await settle(api, controllers)
            seen = [[e["addresses"] for e in o["endpoints"] or []] for _, o, _ in watch.pending()]
            assert seen == [[["10.1.0.2"]]]
            watch.close()

    asyncio.run(run())


def test_own_writes_are_known_before_the_watch_tells() -> None:
    """A ReplicaSet that is touched all the time makes each Pod once: no double creation, no over-deletion."""

    async def run() -> None:
        async with cluster() as (api, controllers, _):
            watch = api.watch(PODS, NS)
            api.create(REPLICASETS, NS, bare("ReplicaSet", "web", replicas=7))
            for n in range(40):
                api.patch(REPLICASETS, NS, "web", {"metadata": {"annotations": {"n": str(n)}}}, "merge")
                await asyncio.sleep(0)
            await settle(api, controllers)
            assert [kind for kind, _, _ in watch.pending()].count("ADDED") == 7
            api.patch(REPLICASETS, NS, "web", {"spec": {"replicas": 3}}, "merge")
            for n in range(40):
                api.patch(REPLICASETS, NS, "web", {"metadata": {"annotations": {"n": str(n)}}}, "merge")
                await asyncio.sleep(0)
            await settle(api, controllers)
            kinds = [kind for kind, _, _ in watch.pending()]
            assert (kinds.count("ADDED"), kinds.count("DELETED")) == (0, 4)
            watch.close()

    asyncio.run(run())


def test_a_failing_key_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug that one object triggers is logged and tried again; the controller lives on."""
    attempts = 0

    def refuse(rs: Object, *args: Any) -> Any:
        nonlocal attempts
        if rs["metadata"]["name"] == "broken" and attempts < 3:
            attempts += 1
            raise ZeroDivisionError("a bug")
        return real(rs, *args)

    from rollout_lab.clusters.embedded.controllers.replicaset import run as module

    real = module.pod_change
    monkeypatch.setattr(module, "pod_change", refuse)

    async def run() -> None:
        async with cluster() as (api, controllers, _):
            for name in ("broken", "fine"):
                labels = {"app": name}
                spec = {"selector": {"matchLabels": labels}, "template": template(app=name)}
                api.create(REPLICASETS, NS, bare("ReplicaSet", name, **spec))
            await settle(api, controllers)
            assert [n.rsplit("-", 1)[0] for n in names(api, PODS)] == ["broken", "fine"]

    asyncio.run(run())
    assert attempts == 3


def test_lost_history_is_listed_again() -> None:
    """A controller that fell behind the log misses nothing, deletions included."""

    async def run() -> None:
        async with cluster() as (api, controllers, _):
            api.create(REPLICASETS, NS, bare("ReplicaSet", "web", replicas=2))
            await settle(api, controllers)
            for name in names(api, PODS):
                api.delete(PODS, NS, name)
            api.store.compact()
            await settle(api, controllers)
            assert len(names(api, PODS)) == 2
            assert api.get(REPLICASETS, NS, "web")["status"]["replicas"] == 2

    asyncio.run(run())


def test_stopped_controllers_leave_no_task_behind() -> None:
    """Stopping the cluster stops everything; nothing writes afterwards."""

    async def run() -> None:
        async with cluster() as (api, controllers, _):
            api.create(DEPLOYMENTS, NS, bare("Deployment", "web", replicas=2))
            await settle(api, controllers)
        (task,) = built_in.start(api)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        rv = api.store.rv
        api.delete(DEPLOYMENTS, NS, "web")
        await asyncio.sleep(0.02)
        assert api.store.rv == rv + 1

    asyncio.run(run())


def test_a_namespace_is_furnished_and_emptied() -> None:
    """`kubectl delete ns` ends, and takes custom objects along; furniture that is deleted comes back."""
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "toys.lab.example"},
        "spec": {
            "group": "lab.example",
            "scope": "Namespaced",
            "names": {"plural": "toys", "kind": "Toy", "singular": "toy", "listKind": "ToyList"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object"}},
                }
            ],
        },
    }

    async def run() -> None:
        async with cluster() as (api, controllers, _):
            api.create(CRDS, None, crd)
            toys = api.registry.find("lab.example", "v1", "toys")
            assert toys is not None
            api.create(NAMESPACES, None, {"metadata": {"name": "play"}})
            await settle(api, controllers)
            assert [o["metadata"]["name"] for o in api.list(SERVICEACCOUNTS, "play")[0]] == ["default"]
            api.delete(CONFIGMAPS, "play", "kube-root-ca.crt")
            owner = {"metadata": {"name": "ball"}, "apiVersion": "lab.example/v1", "kind": "Toy"}
            ball = api.create(toys, "play", owner)
            owned = {
                "apiVersion": "lab.example/v1",
                "kind": "Toy",
                "name": "ball",
                "uid": ball["metadata"]["uid"],
            }
            api.create(CONFIGMAPS, "play", {"metadata": {"name": "owned", "ownerReferences": [owned]}})
            api.create(REPLICASETS, "play", bare("ReplicaSet", "web", replicas=2))
            await settle(api, controllers)
            assert len(api.list(CONFIGMAPS, "play")[0]) == 2
            api.delete(toys, "play", "ball")
            await settle(api, controllers)
            assert [o["metadata"]["name"] for o in api.list(CONFIGMAPS, "play")[0]] == ["kube-root-ca.crt"]
            api.create(toys, "play", owner)
            api.delete(NAMESPACES, None, "play")
            await settle(api, controllers)
            assert api.find(NAMESPACES, None, "play") is None
            assert not api.list(PODS, "play")[0] and not api.list(toys, "play")[0]

    asyncio.run(run())


def test_old_events_go() -> None:
    """Events are gone an hour of lab time after they were last seen."""

    async def run() -> None:
        async with cluster() as (api, controllers, clock):
            api.create(REPLICASETS, NS, bare("ReplicaSet", "web", replicas=1))
            await settle(api, controllers)
            assert len(names(api, EVENTS)) == 1
            clock.advance(LIFETIME + 1)
            async with asyncio.timeout(10):
                while names(api, EVENTS):
                    await asyncio.sleep(0.001)

    asyncio.run(run())


def test_a_refused_pod_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pods the server refuses show as condition and Event instead of silence, and come once allowed."""

    async def run() -> None:
        async with cluster() as (api, controllers, _):
            create, refused = api.create, asyncio.Event()

            def refuse(res: Any, *args: Any, **kw: Any) -> Object:
                if res is PODS and not refused.is_set():
                    raise ApiError(403, "Forbidden", "quota exceeded")
                return create(res, *args, **kw)

            monkeypatch.setattr(api, "create", refuse)
            api.create(DEPLOYMENTS, NS, bare("Deployment", "web", replicas=2))
            async with asyncio.timeout(10):
                while not _failure(api) or "FailedCreate" not in _reasons(api):
                    await asyncio.sleep(0.001)
            assert _failure(api) == "quota exceeded"
            refused.set()
            await settle(api, controllers)
            assert len(names(api, PODS)) == 2
            assert _failure(api) == ""

    asyncio.run(run())


def _reasons(api: Api) -> set[str]:
    return {e["reason"] for e in api.list(EVENTS, NS)[0]}


def _failure(api: Api) -> str:
    """What the Deployment says about Pods that cannot be made."""
    found = condition_of(api.get(DEPLOYMENTS, NS, "web"), "ReplicaFailure")
    return str(found["message"]) if found else ""


def test_readiness_flips_and_terminating_pods_are_followed() -> None:
    """A Pod that stops being ready loses its traffic, gets it back when it recovers, and one that begins to
    terminate loses it for good and is replaced before it is gone."""

    async def run() -> None:
        async with cluster() as (api, controllers, _):
            api.create(SERVICES, NS, web_service())
            api.create(REPLICASETS, NS, bare("ReplicaSet", "web", replicas=1))
            await settle(api, controllers)
            (name,) = names(api, PODS)
            seen = []
            for ready in (True, False, True):
                make_ready(api, name, "10.1.0.1", ready)
                await settle(api, controllers)
                counts = api.get(REPLICASETS, NS, "web")["status"]
                seen.append((ready_addresses(api), counts.get("readyReplicas", 0)))
            assert seen == [(["10.1.0.1"], 1), ([], 0), (["10.1.0.1"], 1)]
            api.delete(PODS, NS, name)
            await settle(api, controllers)
            assert is_terminating(api.get(PODS, NS, name))
            assert ready_addresses(api) == []
            assert len(names(api, PODS)) == 2
            assert api.get(REPLICASETS, NS, "web")["status"]["replicas"] == 1
            (other,) = {*names(api, PODS)} - {name}
            make_ready(api, other, "10.1.0.2")
            await settle(api, controllers)
            assert ready_addresses(api) == ["10.1.0.2"]
            api.patch(REPLICASETS, NS, "web", {"spec": {"replicas": 0}}, "merge")
            await settle(api, controllers)
            assert ready_addresses(api) == []

    asyncio.run(run())
