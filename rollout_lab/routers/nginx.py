"""`nginx`: beside each stable Ingress a child Ingress of ours, whose annotations carry the weight. Pure.

The person's Ingress is never written. The child has the same hosts and paths, leads to the canary
Service, and belongs to the Rollout, so it goes when the Rollout goes.

# upstream: rollout/trafficrouting/nginx/nginx.go
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from rollout_lab.api import fields, meta
from rollout_lab.api.fields import Json
from rollout_lab.api.problems import FieldError, invalid, required
from rollout_lab.api.rollout import Rollout
from rollout_lab.routers import model
from rollout_lab.routers.model import Change, Kind, Objects, Ref, Traffic, path_of, settings

INGRESS: Final = Kind("networking.k8s.io/v1", "Ingress", "ingresses")
PREFIX: Final = "nginx.ingress.kubernetes.io"
CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"
SUFFIX: Final = "-canary"
LONGEST_NAME: Final = 253


@dataclass(frozen=True, slots=True)
class Nginx:
    name: str = "nginx"
    plugin: bool = False

    def refs(self, rollout: Rollout) -> tuple[Ref, ...]:
        """Each stable Ingress and its child."""
        found: list[Ref] = []
        for stable in stable_names(settings(rollout, self)):
            found += [_ref(rollout, stable), _ref(rollout, child_name(rollout.name, stable))]
        return tuple(found)

    def problems(self, rollout: Rollout, objects: Objects) -> Iterator[FieldError]:
        """A stable Ingress that is missing or does not lead to the stable Service; a child not ours."""
        own = settings(rollout, self)
        names, several = stable_names(own), bool(fields.items(own, "stableIngresses"))
        if not names:
            yield required(
                path_of(self, "stableIngress"), "name the Ingress that leads to the stable Service"
            )
        elif several and fields.text(own, "stableIngress"):
            detail = "name either one stableIngress or a list of stableIngresses"
            yield invalid(path_of(self, "stableIngresses"), names, detail)
            return
        service = rollout.canary.stable_service if rollout.canary is not None else ""
        for index, stable in enumerate(names):
            path = path_of(self, f"stableIngresses[{index}]" if several else "stableIngress")
            ref, child = _ref(rollout, stable), _ref(rollout, child_name(rollout.name, stable))
            if ref not in objects:
                yield model.missing(path, ref)
            elif not _rules(objects[ref], service, service):
                detail = f'no rule of Ingress "{stable}" leads to the stable Service "{service}"'
                yield invalid(path, stable, f"{detail}; add a path that does")
            if child in objects:
                wrong = model.somebody_elses(path, child, objects[child], rollout)
                if wrong is not None:
                    yield wrong

    def changes(self, traffic: Traffic, objects: Objects) -> Iterator[Change]:
        """One child for each stable Ingress."""
        for stable in stable_names(settings(traffic.rollout, self)):
            ref = _ref(traffic.rollout, child_name(traffic.rollout.name, stable))
            there = objects.get(ref)
            wanted = self._child(traffic, ref, objects[_ref(traffic.rollout, stable)])
            if there is None:
                text = f"Made canary Ingress {ref.name} with weight {traffic.weight}"
                yield Change(ref, wanted, "CreatingCanaryIngress", text)
            else:
                text = f"Set the weight of canary Ingress {ref.name} to {traffic.weight}"
                own = settings(traffic.rollout, self)
                yield Change(ref, _merged(there, wanted, prefix_of(own)), "PatchingCanaryIngress", text)

    def _child(self, traffic: Traffic, ref: Ref, stable: Json) -> Json:
        own = settings(traffic.rollout, self)
        spec: Json = {}
        for field in ("ingressClassName", "tls"):
            if fields.value(stable, "spec", field) is not None:
                spec[field] = fields.value(stable, "spec", field)
        spec["rules"] = _rules(stable, traffic.stable_service, traffic.canary_service)
        annotations = {k: v for k, v in meta.annotations(stable).items() if k == CLASS_ANNOTATION}
        return {
            "apiVersion": INGRESS.api_version,
            "kind": INGRESS.name,
            "metadata": {
                "name": ref.name,
                "namespace": ref.namespace,
                "annotations": annotations | _annotations(own, traffic),
                "ownerReferences": [meta.owner_reference(traffic.rollout.raw)],
            },
            "spec": spec,
        }


ROUTER: Final = Nginx()


def stable_names(own: Json) -> list[str]:
    """The Ingresses named, by `stableIngress` or by `stableIngresses`."""
    many = [name for name in fields.items(own, "stableIngresses") if isinstance(name, str) and name]
    one = fields.text(own, "stableIngress")
    return many or ([one] if one else [])


def child_name(rollout: str, stable: str) -> str:
    """The name of the child Ingress, cut where a name may not be longer.

    >>> child_name("demo", "web")
    'demo-web-canary'
    """
    return f"{rollout}-{stable}"[: LONGEST_NAME - len(SUFFIX)] + SUFFIX


def prefix_of(own: Json) -> str:
    return fields.text(own, "annotationPrefix") or PREFIX


def _ref(rollout: Rollout, name: str) -> Ref:
    return Ref(INGRESS, rollout.namespace, name)


def _annotations(own: Json, traffic: Traffic) -> dict[str, str]:
    """What the settings add, then what carries the weight; the latter cannot be overwritten."""
    prefix = prefix_of(own)
    found = dict(fields.strings(own, "canaryIngressAnnotations"))
    for key, value in fields.strings(own, "additionalIngressAnnotations").items():
        found[key if key.startswith(prefix) else f"{prefix}/{key}"] = value
    found |= {f"{prefix}/canary": "true", f"{prefix}/canary-weight": str(traffic.weight)}
    if traffic.routing.scaled:
        found[f"{prefix}/canary-weight-total"] = str(traffic.maximum)
    return found


def _rules(stable: Json, from_service: str, to_service: str) -> list[Json]:
    """The rules that lead to `from_service`, led to `to_service`; the others are not the canary's."""
    found = []
    for rule in fields.objects(stable, "spec", "rules"):
        paths = fields.objects(rule, "http", "paths")
        if any(_service(path) == from_service for path in paths):
            moved = [_moved(path, to_service) if _service(path) == from_service else path for path in paths]
            found.append({**rule, "http": {**rule["http"], "paths": moved}})
    return found


def _service(path: Any) -> str:
    return fields.text(path, "backend", "service", "name")


def _moved(path: Json, to_service: str) -> Json:
    service = {**path["backend"]["service"], "name": to_service}
    return {**path, "backend": {**path["backend"], "service": service}}


def _merged(there: Json, wanted: Json, prefix: str) -> Json:
    """The child as it is, saying what is wanted: foreign annotations stay, outdated ones of ours go."""
    want = meta.annotations(wanted)
    gone: dict[str, str | None] = {
        key: None
        for key in meta.annotations(there)
        if key not in want and (key.startswith(f"{prefix}/") or key == CLASS_ANNOTATION)
    }
    found = there
    if gone or not model.covers(meta.annotations(there), want):
        found = model.with_annotations(there, {**gone, **want})
    spec = fields.mapping(there, "spec")
    dropped = [key for key in ("tls", "ingressClassName") if key in spec and key not in wanted["spec"]]
    if not dropped and model.covers(spec, wanted["spec"]):
        return found
    kept = {key: value for key, value in spec.items() if key not in dropped}
    return {**found, "spec": {**kept, **wanted["spec"]}}
