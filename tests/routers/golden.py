"""Golden objects: cases in tests/data/routers, and how one is played.

A case has the Rollout's `canary` strategy, the objects `given`, and `steps`: what requests should do.
Beside it, in ``NAME.wanted.yaml``, stands every object that each step writes, whole and in order. What
is not listed there must stay untouched.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rollout_lab.api.fields import Json
from rollout_lab.api.rollout import Rollout
from rollout_lab.routers import table
from rollout_lab.routers.model import Change, Kind, Ref, Route, RouteKind, Traffic

FOLDER = Path(__file__).parents[1] / "data" / "routers"
NAMESPACE = "demo"


@dataclass(frozen=True)
class Step:
    name: str
    traffic: Traffic
    wanted: list[Json]


class Case:
    """One file. `objects` is the cluster: changed by `apply` as an API server would."""

    def __init__(self, file: Path) -> None:
        self.raw: Json = yaml.safe_load(file.read_text(encoding="utf-8"))
        self.wanted: Json = yaml.safe_load(wanted_file(file).read_text(encoding="utf-8"))
        self.rollout = rollout(self.raw["canary"])
        self.objects: dict[Ref, Json] = {}
        for obj in self.raw["given"]:
            obj["metadata"].setdefault("namespace", NAMESPACE)
            self.objects[ref_of(obj)] = obj

    @property
    def steps(self) -> Iterator[Step]:
        for raw in self.raw["steps"]:
            yield Step(raw["name"], self._traffic(raw["traffic"]), self.wanted[raw["name"]])

    def _traffic(self, raw: Json) -> Traffic:
        assert self.rollout.canary is not None and self.rollout.routing is not None
        stable, canary = self.rollout.canary.services_now(raw.get("stablePingPong", ""))
        return Traffic(
            self.rollout,
            raw["weight"],
            self.rollout.routing.maximum,
            stable,
            canary,
            raw["stable"],
            raw["canary"],
            canary_ready=raw.get("ready", True),
            routes=tuple(Route(RouteKind(kind), route) for kind, route in raw.get("routes", ())),
            clear=raw.get("clear", False),
        )

    def changes(self, traffic: Traffic) -> list[Change]:
        """What is written for that traffic; the objects given must not be changed on the way."""
        before = copy.deepcopy(self.objects)
        found = [change for _, change in table.changes(traffic, self.objects)]
        assert self.objects == before, "a router changed an object it was given"
        return found

    def apply(self, changes: list[Change]) -> None:
        for change in changes:
            self.objects[change.ref] = change.body


def rollout(canary: Json) -> Rollout:
    about = {"name": "shop", "namespace": NAMESPACE, "uid": "u-1"}
    spec: Json = {"replicas": 10, "strategy": {"canary": canary}}
    return Rollout({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": about, "spec": spec})


def ref_of(obj: Json) -> Ref:
    known: dict[tuple[str, str], Kind] = {}
    for module in ("nginx", "istio", "gatewayapi"):
        for value in vars(getattr(table, module)).values():
            if isinstance(value, Kind):
                known[value.api_version, value.name] = value
    kind = known[obj["apiVersion"], obj["kind"]]
    return Ref(kind, obj["metadata"]["namespace"], obj["metadata"]["name"])


def files() -> list[Path]:
    found = sorted(file for file in FOLDER.glob("*.yaml") if ".wanted" not in file.suffixes)
    assert found, f"no cases in {FOLDER}"
    return found


def wanted_file(case: Path) -> Path:
    return case.with_suffix(".wanted.yaml")


def without_owner(obj: Json) -> Json:
    """The object as cases write it: the owner reference is looked at by a test of its own."""
    about: dict[str, Any] = {k: v for k, v in obj["metadata"].items() if k != "ownerReferences"}
    return {**obj, "metadata": about}
