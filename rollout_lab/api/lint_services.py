"""Lint rules about Services and the workloads behind them, in one set of manifests. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rollout_lab.api import decoding, fields
from rollout_lab.api.fields import Json
from rollout_lab.api.findings import Finding, Level, finding
from rollout_lab.api.manifest import Loaded
from rollout_lab.api.names import ROLLOUT_HASH_LABEL
from rollout_lab.api.rollout import Rollout

_NODE_PORTS = range(30000, 32768)


def service_findings(all_loaded: Sequence[Loaded]) -> Iterator[Finding]:
    """The findings about Services: named ones that are missing, and what none of them reaches."""
    services = [one for one in all_loaded if fields.text(one.obj, "kind") == "Service"]
    workloads = [one for one in all_loaded if fields.text(one.obj, "kind") in ("Rollout", "Deployment")]
    for workload in workloads:
        if fields.text(workload.obj, "kind") == "Rollout":
            yield from _named(workload, services)
    taken: dict[int, str] = {}
    for service in services:
        behind = [w for w in workloads if _namespace(w) == _namespace(service) and _reaches(service, w)]
        nearby = [w for w in workloads if _namespace(w) == _namespace(service)]
        yield from _selects(service, behind, nearby)
        yield from _ports(service, behind, taken)


def _namespace(loaded: Loaded) -> str:
    return fields.text(loaded.obj, "metadata", "namespace") or "default"


def _name(loaded: Loaded) -> str:
    return fields.text(loaded.obj, "metadata", "name")


def _selector(service: Loaded) -> dict[str, str]:
    found = fields.strings(service.obj, "spec", "selector")
    return {key: value for key, value in found.items() if key != ROLLOUT_HASH_LABEL}


def _reaches(service: Loaded, workload: Loaded) -> bool:
    labels = fields.strings(workload.obj, "spec", "template", "metadata", "labels")
    selector = _selector(service)
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def _named(workload: Loaded, services: Sequence[Loaded]) -> Iterator[Finding]:
    """The Services a Rollout names: there, and reaching its Pods."""
    rollout = Rollout(workload.obj)
    there = {_name(service): service for service in services if _namespace(service) == _namespace(workload)}
    for field, wanted in rollout.services.items():
        where = f"spec.strategy.{rollout.strategy}.{field}"
        if wanted not in there:
            near = decoding.suggestion(wanted, sorted(there))
            remedy = f"did you mean {near}?" if near else "add the Service, or have it in the cluster before"
            message = f'no Service "{wanted}" in namespace {_namespace(workload)} among these manifests'
            yield finding(workload, where, message, remedy, code="missing-service")
        elif not _reaches(there[wanted], workload):
            selector = ", ".join(f"{k}: {v}" for k, v in _selector(there[wanted]).items())
            message = f'Service "{wanted}" selects {{{selector}}}, which the Pods do not have'
            remedy = "give spec.template.metadata.labels and the Service's selector the same labels"
            yield finding(workload, where, message, remedy, code="service-selector", level=Level.ERROR)


def _selects(service: Loaded, behind: Sequence[Loaded], nearby: Sequence[Loaded]) -> Iterator[Finding]:
    if not _selector(service) or behind or not nearby:
        return
    if any(_name(service) in Rollout(one.obj).services.values() for one in nearby):
        return  # said at the Rollout that names it
    message = "selects the Pods of no Rollout or Deployment among these manifests"
    remedy = "give the selector and spec.template.metadata.labels the same labels"
    yield finding(service, "spec.selector", message, remedy, code="selects-nothing")


def _ports(service: Loaded, behind: Sequence[Loaded], taken: dict[int, str]) -> Iterator[Finding]:
    for index, port in enumerate(fields.objects(service.obj, "spec", "ports")):
        where = f"spec.ports[{index}]"
        node_port = fields.integer(port, "nodePort")
        if node_port:
            yield from _node_port(service, f"{where}.nodePort", node_port, taken)
        target = fields.value(port, "targetPort")
        if isinstance(target, str):
            for workload in behind:
                if target not in _port_names(workload.obj):
                    message = f'no container of {_name(workload)} has a port named "{target}"'
                    remedy = "name a port of the container so, or write its number"
                    at = f"{where}.targetPort"
                    yield finding(service, at, message, remedy, code="target-port", level=Level.ERROR)


def _port_names(workload: Json) -> set[str]:
    containers = fields.objects(workload, "spec", "template", "spec", "containers")
    return {fields.text(port, "name") for one in containers for port in fields.objects(one, "ports")}


def _node_port(service: Loaded, where: str, port: int, taken: dict[int, str]) -> Iterator[Finding]:
    if port not in _NODE_PORTS:
        message = f"{port} is no node port"
        remedy = "write one of 30000 to 32767, or remove it to be given one"
        yield finding(service, where, message, remedy, code="node-port", level=Level.ERROR)
    elif taken.setdefault(port, _name(service)) != _name(service):
        message = f"{port} is already the node port of Service {taken[port]}"
        yield finding(service, where, message, "write another one", code="node-port", level=Level.ERROR)
