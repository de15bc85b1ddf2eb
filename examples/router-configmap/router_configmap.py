"""A router of one's own: the weights as `data` of a ConfigMap that the person made. Pure, like every router.

All a router has to have is `name`, `plugin`, `refs`, `problems` and `changes` (`rollout_lab.routers.model`).
In a cluster the engine also needs the right to get, list, watch and patch what `refs` names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rollout_lab.api import fields
from rollout_lab.api.problems import FieldError, required
from rollout_lab.api.rollout import Rollout
from rollout_lab.routers.model import Change, Kind, Objects, Ref, Traffic, missing, path_of, settings

CONFIG_MAP = Kind("v1", "ConfigMap", "configmaps")


@dataclass(frozen=True, slots=True)
class ConfigMapRouter:
    name: str = "example/configmap"
    plugin: bool = True

    def refs(self, rollout: Rollout) -> tuple[Ref, ...]:
        name = fields.text(settings(rollout, self), "configMap")
        return (Ref(CONFIG_MAP, rollout.namespace, name),) if name else ()

    def problems(self, rollout: Rollout, objects: Objects) -> Iterator[FieldError]:
        path = path_of(self, "configMap")
        if not self.refs(rollout):
            yield required(path, "name the ConfigMap that the proxy reads its weights from")
        for ref in self.refs(rollout):
            if ref not in objects:
                yield missing(path, ref)

    def changes(self, traffic: Traffic, objects: Objects) -> Iterator[Change]:
        for ref in self.refs(traffic.rollout):
            weights = {"canary": str(traffic.weight), "stable": str(traffic.rest)}
            body = {**objects[ref], "data": {**fields.mapping(objects[ref], "data"), **weights}}
            yield Change(ref, body, "UpdatedWeights", f"ConfigMap {ref.name}: canary weight {traffic.weight}")


ROUTER = ConfigMapRouter()
