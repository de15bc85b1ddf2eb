"""The endpoints behind each backend, from EndpointSlices (and Pod labels, for subsets). Pure.

# upstream: Kubernetes page "Virtual IPs and Service Proxies", terminating endpoints
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rollout_lab.gateway.objects import SERVICE_LABEL, Key, Object, World, key_of, rows, service_port
from rollout_lab.gateway.table import Backend, Endpoint, Pool, Rule


def backends_of(rules: Iterable[Rule]) -> list[Backend]:
    """Every backend some request may go to, copies included."""
    found: list[Backend] = []
    for rule in rules:
        found += [*rule.backends, *(m.backend for m in rule.mirrors)]
        if rule.canary is not None:
            found.append(rule.canary.backend)
    return found


def pools(world: World, rules: Iterable[Rule]) -> dict[Pool, tuple[Endpoint, ...]]:
    """The endpoints of all backends of `rules`."""
    slices: dict[Key, list[Object]] = {}
    for piece in world.all("EndpointSlice"):
        name = (piece["metadata"].get("labels") or {}).get(SERVICE_LABEL)
        if name:
            slices.setdefault((key_of(piece)[0], name), []).append(piece)
    wanted = {b.pool for b in backends_of(rules) if not b.error}
    labels = _pod_labels(world) if any(pool[3] for pool in wanted) else {}
    return {pool: _endpoints(world, pool, slices, labels) for pool in wanted}


def _pod_labels(world: World) -> dict[Key, Mapping[str, str]]:
    return {key_of(pod): pod["metadata"].get("labels") or {} for pod in world.all("Pod")}


def _endpoints(
    world: World,
    pool: Pool,
    slices: Mapping[Key, list[Object]],
    pod_labels: Mapping[Key, Mapping[str, str]],
) -> tuple[Endpoint, ...]:
    """Ready endpoints; where none is ready, those that still serve while they terminate."""
    namespace, name, port, labels = pool
    service = world.services.get((namespace, name))
    if service is None:
        return ()
    found = service_port(service, int(port) if port.isdigit() else port or None)
    if found is None:
        return ()
    ready: set[Endpoint] = set()
    leaving: set[Endpoint] = set()
    for piece in slices.get((namespace, name), ()):
        numbers = [
            p["port"] for p in rows(piece, "ports") if (p.get("name") or "") == (found.get("name") or "")
        ]
        for endpoint in rows(piece, "endpoints"):
            if labels and not _has(endpoint, namespace, labels, pod_labels):
                continue
            conditions = endpoint.get("conditions") or {}
            for host in (endpoint.get("addresses") or [])[:1]:
                addresses = {(str(host), int(number)) for number in numbers if number}
                if conditions.get("ready") is not False:
                    ready |= addresses
                elif conditions.get("terminating") and conditions.get("serving") is not False:
                    leaving |= addresses
    return tuple(sorted(ready or leaving))


def _has(
    endpoint: Mapping[str, Any],
    namespace: str,
    labels: Iterable[tuple[str, str]],
    pod_labels: Mapping[Key, Mapping[str, str]],
) -> bool:
    target = endpoint.get("targetRef") or {}
    own = pod_labels.get((target.get("namespace") or namespace, target.get("name") or ""), {})
    return all(own.get(key) == value for key, value in labels)
