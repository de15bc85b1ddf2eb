"""Small worlds with a router, and what its objects mean for a request: the reading side, written apart."""

from __future__ import annotations

from typing import Any

from rollout_lab.api.fields import Json
from rollout_lab.plan.actions import Plan
from rollout_lab.simulate.pods import Timing
from rollout_lab.simulate.world import Hooks, World
from tests.plan.rollouts import canary, service

HASH = "rollouts-pod-template-hash"
HEADER = {"name": "testers", "match": [{"headerName": "X-Test", "headerValue": {"exact": "yes"}}]}
MIRROR = {"name": "copy", "match": [{"method": {"exact": "GET"}}], "percentage": 35}
TWO = {"stableService": "stable", "canaryService": "canary"}
PLUGIN = "argoproj-labs/gatewayAPI"
ROUTING = ("Service", "Ingress", "VirtualService", "DestinationRule", "HTTPRoute")
MANAGED = [{"name": "testers"}, {"name": "copy"}]

ROUTERS: dict[str, Json] = {
    "nginx": {**TWO, "trafficRouting": {"nginx": {"stableIngress": "web"}}},
    "istio": {
        **TWO,
        "trafficRouting": {"istio": {"virtualService": {"name": "web"}}, "managedRoutes": MANAGED},
    },
    "subsets": {
        "trafficRouting": {
            "istio": {
                "virtualService": {"name": "sub"},
                "destinationRule": {
                    "name": "web",
                    "canarySubsetName": "canary",
                    "stableSubsetName": "stable",
                },
            },
            "managedRoutes": MANAGED,
        },
    },
    "pingpong": {
        "pingPong": {"pingService": "ping", "pongService": "pong"},
        "trafficRouting": {"istio": {"virtualService": {"name": "pp"}}, "managedRoutes": MANAGED},
    },
    "gateway": {
        **TWO,
        "trafficRouting": {"plugins": {PLUGIN: {"httpRoute": "web"}}, "managedRoutes": MANAGED},
    },
}


def _split(*hosts: str, **subsets: str) -> Json:
    destinations = [{"host": host} for host in hosts] or [
        {"host": "web", "subset": subset} for subset in subsets.values()
    ]
    return {"route": [{"destination": d, "weight": w} for d, w in zip(destinations, (100, 0), strict=True)]}


def _object(kind: str, name: str, spec: Json) -> Json:
    versions = {"Ingress": "networking.k8s.io/v1", "HTTPRoute": "gateway.networking.k8s.io/v1"}
    version = versions.get(kind, "networking.istio.io/v1")
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}


def objects() -> list[Json]:
    """Everything any of the routers above needs."""
    backend = {"service": {"name": "stable", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    refs = [{"name": "stable", "port": 80}, {"name": "canary", "port": 80}]
    return [
        *(service(name) for name in ("stable", "canary", "ping", "pong")),
        _object("Ingress", "web", {"rules": [{"host": "web.local", "http": {"paths": [path]}}]}),
        _object("VirtualService", "web", {"hosts": ["web.local"], "http": [_split("stable", "canary")]}),
        _object("VirtualService", "pp", {"hosts": ["web.local"], "http": [_split("ping", "pong")]}),
        _object("VirtualService", "sub", {"hosts": ["web"], "http": [_split(a="stable", b="canary")]}),
        _object(
            "DestinationRule",
            "web",
            {
                "host": "web",
                "subsets": [{"name": n, "labels": {"app": "demo"}} for n in ("stable", "canary")],
            },
        ),
        _object("HTTPRoute", "web", {"rules": [{"backendRefs": refs}]}),
    ]


def routed(
    router: str, steps: list[Json], replicas: int = 10, spec: Json | None = None, **strategy: Any
) -> Json:
    own = {**ROUTERS[router], **strategy}
    if "routing" in own:
        own["trafficRouting"] = {**own["trafficRouting"], **own.pop("routing")}
    return canary(steps, replicas, spec, **own)


class Seen:
    """A world that is looked at after every single change, as a gateway would look at it."""

    def __init__(self, obj: Json, **timing: Any) -> None:
        self.wrong: list[str] = []
        self.router = ""
        self.served = False
        self.shares: dict[str, float] = {}
        self.answered = 0.0  # the share of requests that reaches a ready Pod
        self.history: list[dict[str, float]] = []
        self.world = World(Timing(**timing), hooks=Hooks(self._changed, self._planned))
        for each in objects():
            self.world.apply(each)
        self.maximum = obj["spec"]["strategy"]["canary"]["trafficRouting"].get("maxTrafficWeight", 100)
        self.router = next(iter(obj["spec"]["strategy"]["canary"]["trafficRouting"]))
        self.world.apply(obj)

    def _planned(self, plan: Plan) -> None:
        weights = (self.world.rollout.status.raw.get("canary") or {}).get("weights")
        if weights:
            self._whole([weights["canary"]["weight"], weights["stable"]["weight"]], "status")

    def _whole(self, weights: list[int], where: str) -> None:
        if sum(weights) != self.maximum or min(weights) < 0:
            self.wrong.append(f"{where} at {self.world.now}: {weights} is not {self.maximum} in all")

    def _changed(self, type_: str, obj: Json) -> None:
        if not hasattr(self, "world") or not self.world.store.of_kind("Rollout"):
            return
        if obj["kind"] in ("Event", "EndpointSlice"):
            return
        before = self.answered
        self.look()
        if obj["kind"] in ROUTING and self.answered < before - 1e-9:
            name = f"{obj['kind']} {obj['metadata']['name']}"
            self.wrong.append(f"{name} at {self.world.now:.2f}: {before} of the requests had Pods, now less")

    def look(self) -> None:
        """Where requests go now; notes a weight that leads to a version without a ready Pod."""
        ready = self.ready()
        self.served = self.served or any(ready.values())
        self.shares = {}
        for weight, hash_, where in self.destinations():
            if weight <= 0 or not hash_:  # a Service without a hash takes every Pod
                continue
            self.shares[hash_] = self.shares.get(hash_, 0.0) + weight / self.maximum
            if self.served and not ready.get(hash_) and self._could(hash_, ready):
                self.wrong.append(
                    f"{where} at {self.world.now:.2f}: weight {weight} to {hash_}, ready: {ready}"
                )
        for hash_ in self.by_header():
            if not ready.get(hash_) and self._could(hash_, ready):
                self.wrong.append(f"header route at {self.world.now:.2f}: to {hash_}, ready: {ready}")
        fine = {hash_ for hash_ in self.shares if ready.get(hash_) or (not hash_ and ready)}
        self.answered = sum(self.shares[hash_] for hash_ in fine)
        self.history.append(dict(self.shares))

    def _could(self, hash_: str, ready: dict[str, int]) -> bool:
        """Whether the other side had a ready Pod to send it to."""
        status = self.world.rollout.status
        return any(ready.get(other) for other in {status.stable_rs, status.current_pod_hash} - {hash_})

    def ready(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for pod in self.world.store.of_kind("Pod"):
            conditions = {c["type"]: c["status"] for c in pod["status"].get("conditions", ())}
            if conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]:
                hash_ = pod["metadata"]["labels"][HASH]
                found[hash_] = found.get(hash_, 0) + 1
        return found

    def _service(self, name: str) -> str:
        found = self.world.store.get("Service", name)
        return (found["spec"].get("selector") or {}).get(HASH, "") if found else ""

    def by_header(self) -> list[str]:
        """Hashes that the route of the testers leads to."""
        routing = self.world.rollout.raw["spec"]["strategy"]["canary"]["trafficRouting"]
        if "istio" in routing:
            route = self.world.store.get("VirtualService", routing["istio"]["virtualService"]["name"])
            rules = [r for r in route["spec"]["http"] if r.get("name") == "testers"] if route else []
            return [self._leads_to(rule["route"][0]["destination"]) for rule in rules]
        route = self.world.store.get("HTTPRoute", "web") if PLUGIN in routing.get("plugins", {}) else None
        rules = [r for r in route["spec"]["rules"] if r.get("name") == "testers"] if route else []
        return [self._service(rule["backendRefs"][0]["name"]) for rule in rules]

    def _leads_to(self, destination: Json) -> str:
        if "subset" not in destination:
            return self._service(destination["host"])
        rule = self.world.store.get("DestinationRule", "web")
        assert rule is not None
        subsets = {s["name"]: s["labels"].get(HASH, "") for s in rule["spec"]["subsets"]}
        return subsets[destination["subset"]]

    def destinations(self) -> list[tuple[int, str, str]]:
        """(weight, hash, object) of the plain split; ``""`` as hash where a Service takes any Pod."""
        canary_ = self.world.rollout.raw["spec"]["strategy"]["canary"]
        routing = canary_["trafficRouting"]
        if "nginx" in routing:
            child = self.world.store.get("Ingress", "demo-web-canary")
            if child is None:
                return [(self.maximum, self._service("stable"), "Ingress web")]
            notes = child["metadata"]["annotations"]
            weight = int(notes["nginx.ingress.kubernetes.io/canary-weight"])
            total = int(notes.get("nginx.ingress.kubernetes.io/canary-weight-total", 100))
            self._whole([weight, total - weight], "Ingress")
            return [
                (weight, self._service("canary"), "child Ingress"),
                (total - weight, self._service("stable"), "Ingress web"),
            ]
        if "plugins" in routing:
            route = self.world.store.get("HTTPRoute", "web")
            assert route is not None
            refs = route["spec"]["rules"][0]["backendRefs"]
            if "weight" not in refs[0]:
                return []
            self._whole([r["weight"] for r in refs], "HTTPRoute")
            return [(r["weight"], self._service(r["name"]), "HTTPRoute") for r in refs]
        route = self.world.store.get("VirtualService", routing["istio"]["virtualService"]["name"])
        assert route is not None
        plain = next(r for r in route["spec"]["http"] if "name" not in r)["route"]
        self._whole([d["weight"] for d in plain], "VirtualService")
        return [(d["weight"], self._leads_to(d["destination"]), "VirtualService") for d in plain]
