"""The in-process API: what every write must keep true, whoever writes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollout_lab.clock import FakeClock
from rollout_lab.clusters.embedded import resources as r
from rollout_lab.clusters.embedded.api import Api, Preconditions
from rollout_lab.clusters.embedded.decoding import Options
from rollout_lab.errors import AlreadyExists, ApiError, Conflict, Invalid, NotFound

Object = dict[str, Any]


def cluster(cidr: str = "127.96.0.0/16") -> Api:
    api = Api(FakeClock(), service_cidr=cidr)
    api.create(r.NAMESPACES, None, {"metadata": {"name": "ns"}})
    return api


def config(name: str, labels: dict[str, str] | None = None, **data: str) -> Object:
    return {"metadata": {"name": name, **({"labels": labels} if labels else {})}, "data": data}


def pod(name: str = "p", **spec: Any) -> Object:
    base = {"containers": [{"name": "c", "image": "i:1"}], "nodeName": "n1"}
    return {"metadata": {"name": name}, "spec": {**base, **spec}}


# -- programs of writes --------------------------------------------------------------------------

Step = Callable[[Api], object]


def _create(name: str, value: str, label: str) -> Step:
    return lambda api: api.create(r.CONFIGMAPS, "ns", config(name, {"l": label}, k=value))


def _patch(name: str, value: str, label: str) -> Step:
    body = {"metadata": {"labels": {"l": label}}, "data": {"k": value}}
    return lambda api: api.patch(r.CONFIGMAPS, "ns", name, body, "merge")


def _put(name: str, value: str, label: str) -> Step:
    return lambda api: api.update(r.CONFIGMAPS, "ns", name, config(name, {"l": label}, k=value))


def _hold(name: str, value: str, label: str) -> Step:
    body = {"metadata": {"finalizers": ["a.b/c"] if value == "1" else None}}
    return lambda api: api.patch(r.CONFIGMAPS, "ns", name, body, "merge")


def _delete(name: str, value: str, label: str) -> Step:
    return lambda api: api.delete(r.CONFIGMAPS, "ns", name)


def _dry(name: str, value: str, label: str) -> Step:
    options = Options(dry_run=True)
    return lambda api: api.create(r.CONFIGMAPS, "ns", config(name, k=value), options=options)


steps = st.builds(
    lambda make, *args: make(*args),
    st.sampled_from([_create, _patch, _put, _hold, _delete, _dry]),
    st.sampled_from("abc"),
    st.sampled_from("01"),
    st.sampled_from("xy"),
)


def replay(events: list[Any]) -> dict[str, Object]:
    """What a client that only watches believes is there."""
    state: dict[str, Object] = {}
    for kind, obj, _ in events:
        name = obj["metadata"]["name"]
        if kind == "DELETED":
            assert state.pop(name, None) is not None, "DELETED for an object never added"
        else:
            assert (kind == "ADDED") == (name not in state), f"{kind} for {name}"
            state[name] = obj
    return state


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=25), st.sampled_from(["", "l=x", "l!=x"]), st.integers(0, 25))
def test_watching_equals_listing(program: list[Step], selector: str, split: int) -> None:
    """Any watch, from the start or resumed in the middle, with or without a selector, ends at the LIST."""

    async def main() -> None:
        api = cluster()
        watch = api.watch(r.CONFIGMAPS, "ns", api.store.rv, selector)
        first: list[Any] = []
        second = None
        versions = []
        for index, step in enumerate(program):
            if index == split:
                first = watch.pending()
                second = api.watch(r.CONFIGMAPS, "ns", watch.rv, selector)
            before = api.store.rv
            try:
                step(api)
            except (NotFound, AlreadyExists, Invalid):
                assert api.store.rv == before, "a refused write changed something"
            versions.append(api.store.rv)
        listed = {o["metadata"]["name"]: o for o in api.list(r.CONFIGMAPS, "ns", selector)[0]}
        whole = first + watch.pending()
        assert replay(whole) == listed
        if second is not None:
            assert replay(first + second.pending()) == listed
        assert versions == sorted(versions)
        seen = [int(o["metadata"]["resourceVersion"]) for _, o, _ in whole]
        assert seen == sorted(set(seen)), "versions of one watch strictly increase"

    asyncio.run(main())


@settings(max_examples=60, deadline=None)
@given(st.lists(steps, max_size=15))
def test_writing_what_is_there_changes_nothing(program: list[Step]) -> None:
    """A no-op PUT or PATCH keeps the resourceVersion and wakes nobody."""

    async def main() -> None:
        api = cluster()
        for step in program:
            try:
                step(api)
            except ApiError:
                continue
        watch = api.watch(r.CONFIGMAPS, "ns", api.store.rv)
        before = api.store.rv
        for obj in api.list(r.CONFIGMAPS, "ns")[0]:
            name = obj["metadata"]["name"]
            assert api.update(r.CONFIGMAPS, "ns", name, obj) == obj
            assert api.patch(r.CONFIGMAPS, "ns", name, {"data": obj.get("data") or {}}, "merge") == obj
            assert api.patch(r.CONFIGMAPS, "ns", name, [], "json") == obj
        assert api.store.rv == before and watch.pending() == []

    asyncio.run(main())


# -- single rules --------------------------------------------------------------------------------


def test_a_stale_write_is_refused() -> None:
    """Optimistic concurrency: whoever read an older version must read again."""
    api = cluster()
    old = api.create(r.CONFIGMAPS, "ns", config("a", k="1"))
    api.patch(r.CONFIGMAPS, "ns", "a", {"data": {"k": "2"}}, "merge")
    with pytest.raises(Conflict):
        api.update(r.CONFIGMAPS, "ns", "a", {**old, "data": {"k": "3"}})
    assert api.get(r.CONFIGMAPS, "ns", "a")["data"] == {"k": "2"}


def test_a_given_object_is_never_changed() -> None:
    """Callers keep what they passed in, and what they got stays what it was."""
    api = cluster()
    body = {"metadata": {"name": "d"}, "spec": _deployment_spec()}
    copy = {"metadata": {"name": "d"}, "spec": _deployment_spec()}
    made = api.create(r.DEPLOYMENTS, "ns", body)
    snapshot = repr(made)
    api.patch(r.DEPLOYMENTS, "ns", "d", {"spec": {"replicas": 5}}, "strategic")
    assert body == copy and repr(made) == snapshot


def _deployment_spec() -> Object:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}
    return {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}


def test_status_and_spec_have_their_own_addresses() -> None:
    """Status through the main address is dropped, spec through /status too; only spec makes a generation."""
    api = cluster()
    api.create(r.DEPLOYMENTS, "ns", {"metadata": {"name": "d"}, "spec": _deployment_spec()})
    main = api.patch(r.DEPLOYMENTS, "ns", "d", {"status": {"replicas": 9}}, "merge")
    assert main["status"] == {} and main["metadata"]["generation"] == 1
    body = {"spec": {"replicas": 9}, "status": {"replicas": 1}}
    status = api.patch(r.DEPLOYMENTS, "ns", "d", body, "merge", subresource="status")
    assert status["spec"]["replicas"] == 1 and status["status"]["replicas"] == 1
    assert status["metadata"]["generation"] == 1
    assert (
        api.patch(r.DEPLOYMENTS, "ns", "d", {"spec": {"replicas": 2}}, "merge")["metadata"]["generation"] == 2
    )


def test_finalizers_hold_an_object_until_the_last_is_gone() -> None:
    """DELETE only marks; removing the last finalizer deletes in the same call."""
    api = cluster()
    api.create(r.CONFIGMAPS, "ns", {"metadata": {"name": "a", "finalizers": ["a.b/c", "a.b/d"]}})
    marked = api.delete(r.CONFIGMAPS, "ns", "a")
    assert marked["metadata"]["deletionTimestamp"] == "2023-11-14T22:13:20Z"
    version = marked["metadata"]["resourceVersion"]
    assert api.delete(r.CONFIGMAPS, "ns", "a")["metadata"]["resourceVersion"] == version
    api.patch(r.CONFIGMAPS, "ns", "a", {"metadata": {"finalizers": ["a.b/d"]}}, "merge")
    assert api.find(r.CONFIGMAPS, "ns", "a")
    api.patch(r.CONFIGMAPS, "ns", "a", {"metadata": {"finalizers": None}}, "merge")
    assert api.find(r.CONFIGMAPS, "ns", "a") is None


def test_a_pod_on_a_node_gets_its_grace() -> None:
    """The kubelet sees deletionTimestamp first and ends the Pod with a second DELETE of grace 0."""
    api = cluster()
    api.create(r.PODS, "ns", pod(terminationGracePeriodSeconds=7))
    marked = api.delete(r.PODS, "ns", "p")
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 7
    assert api.delete(r.PODS, "ns", "p", grace=3)["metadata"]["deletionGracePeriodSeconds"] == 3
    assert api.delete(r.PODS, "ns", "p", grace=60)["metadata"]["deletionGracePeriodSeconds"] == 3
    api.delete(r.PODS, "ns", "p", grace=0)
    assert api.find(r.PODS, "ns", "p") is None


def test_preconditions_protect_a_later_namesake() -> None:
    """A DELETE meant for an object of an earlier life must not take the new one."""
    api = cluster()
    api.create(r.CONFIGMAPS, "ns", config("a"))
    with pytest.raises(Conflict):
        api.delete(r.CONFIGMAPS, "ns", "a", preconditions=Preconditions(uid="another"))
    assert api.find(r.CONFIGMAPS, "ns", "a")


def test_a_refused_or_dry_service_takes_no_address() -> None:
    """ClusterIPs and node ports of writes that did not happen are free again."""
    api = cluster("127.96.0.0/28")
    wish = {"ports": [{"port": 80, "nodePort": 30500}], "type": "NodePort"}
    dry = Options(dry_run=True)
    for _ in range(40):
        api.create(r.SERVICES, "ns", {"metadata": {"name": "s"}, "spec": wish}, options=dry)
    api.create(r.SERVICES, "ns", {"metadata": {"name": "s"}, "spec": wish})
    for _ in range(40):
        with pytest.raises(Invalid):
            api.create(r.SERVICES, "ns", {"metadata": {"name": "t"}, "spec": wish})
    api.delete(r.SERVICES, "ns", "s")
    again = api.create(r.SERVICES, "ns", {"metadata": {"name": "t"}, "spec": wish})
    assert again["spec"]["ports"][0]["nodePort"] == 30500


def test_a_service_keeps_its_addresses_and_gives_them_back() -> None:
    """A selector switch must not move a Service; a type change returns the node port."""
    api = cluster()
    spec = {"ports": [{"port": 80}], "type": "NodePort", "selector": {"v": "1"}}
    made = api.create(r.SERVICES, "ns", {"metadata": {"name": "s"}, "spec": spec})
    switched = api.patch(r.SERVICES, "ns", "s", {"spec": {"selector": {"v": "2"}}}, "merge")
    assert switched["spec"]["ports"] == made["spec"]["ports"]
    assert switched["spec"]["clusterIP"] == made["spec"]["clusterIP"]
    plain = api.update(r.SERVICES, "ns", "s", {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}})
    assert "nodePort" not in plain["spec"]["ports"][0]
    assert plain["spec"]["clusterIP"] == made["spec"]["clusterIP"]
    assert not api.addresses.ports


def test_a_terminating_namespace_takes_no_new_objects() -> None:
    """Otherwise it could never become empty."""
    api = cluster()
    api.delete(r.NAMESPACES, None, "ns")
    with pytest.raises(ApiError) as refused:
        api.create(r.CONFIGMAPS, "ns", config("a"))
    assert refused.value.code == 403


def _crd(**version: Any) -> Object:
    schema = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "size": {"type": "integer", "maximum": 9},
                    "color": {"type": "string", "default": "red"},
                },
            },
            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
    }
    one = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}, **version}
    names = {"plural": "foos", "kind": "Foo"}
    spec = {"group": "x.io", "scope": "Namespaced", "names": names, "versions": [one]}
    return {"metadata": {"name": "foos.x.io"}, "spec": spec}


def test_a_crd_serves_at_once_and_takes_its_objects_along() -> None:
    """Apply a CRD and an object of it in one go; delete the CRD and nothing is left behind."""
    api = cluster()
    api.create(r.CRDS, None, _crd(subresources={"status": {}}))
    foos = api.registry.find("x.io", "v1", "foos")
    assert foos is not None
    made = api.create(
        foos, "ns", {"metadata": {"name": "f"}, "spec": {"size": 1, "bogus": 2}, "status": {"a": 1}}
    )
    assert made["spec"] == {"size": 1, "color": "red"} and "status" not in made
    with pytest.raises(Invalid):
        api.patch(foos, "ns", "f", {"spec": {"size": 10}}, "merge")
    conditions = api.get(r.CRDS, None, "foos.x.io")["status"]["conditions"]
    assert {c["type"]: c["status"] for c in conditions} == {"NamesAccepted": "True", "Established": "True"}
    api.delete(r.CRDS, None, "foos.x.io")
    assert api.find(r.CRDS, None, "foos.x.io") is None
    assert api.registry.find("x.io", "v1", "foos") is None
    assert api.store.items(foos.bucket) == []
