"""The rules of containers: names, images, ports, environment, mounts, probes, resources.

# upstream: pkg/apis/core/validation/validation.go::validateContainers
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from . import causes, names, quantity
from .causes import Cause
from .meta_rules import not_negative

Object = dict[str, Any]

PROTOCOLS = ("SCTP", "TCP", "UDP")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_STANDARD_RESOURCES = frozenset({"cpu", "memory", "ephemeral-storage", "storage"})
_CONTAINER_RESOURCES = frozenset({"cpu", "memory", "ephemeral-storage"})


def check_all(spec: Object, volumes: Iterable[str], field: str) -> list[Cause]:
    """The mistakes of all containers of a Pod spec at `field`; `volumes` are the volume names there are."""
    known = set(volumes)
    containers, inits = spec.get("containers") or [], spec.get("initContainers") or []
    if not containers:
        found = [causes.required(f"{field}.containers")]
    else:
        found = _several(containers, f"{field}.containers", known, set(), init=False)
    used = {c.get("name", "") for c in containers}
    return found + _several(inits, f"{field}.initContainers", known, used, init=True)


def _several(
    containers: list[Object], field: str, volumes: set[str], used: set[str], *, init: bool
) -> list[Cause]:
    found: list[Cause] = []
    ports: set[tuple[Any, ...]] = set()
    for index, container in enumerate(containers):
        where = f"{field}[{index}]"
        found += _container(container, where, volumes)
        name = container.get("name", "")
        if name in used:
            found.append(causes.duplicate(f"{where}.name", name))
        used.add(name)
        sidecar = container.get("restartPolicy") == "Always"
        if init and not sidecar:
            for kind in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
                if kind in container:
                    detail = "may not be set for init containers without restartPolicy=Always"
                    found.append(causes.forbidden(f"{where}.{kind}", detail))
        else:
            found += _lifecycle(container.get("lifecycle") or {}, f"{where}.lifecycle")
            for kind in ("livenessProbe", "readinessProbe", "startupProbe"):
                found += _probe(container.get(kind), f"{where}.{kind}", once=kind != "readinessProbe")
        found += _host_ports(container, where, ports)
    return found


def _container(container: Object, field: str, volumes: set[str]) -> list[Cause]:
    """What all kinds of containers share."""
    found: list[Cause] = []
    if name := container.get("name"):
        found += [causes.invalid(f"{field}.name", name, text) for text in names.dns_label(name)]
    else:
        found.append(causes.required(f"{field}.name"))
    image = container.get("image") or ""
    if not image:
        found.append(causes.required(f"{field}.image"))
    elif image != image.strip():
        found.append(causes.invalid(f"{field}.image", image, "must not have leading or trailing whitespace"))
    found += choice(
        container.get("terminationMessagePolicy"),
        f"{field}.terminationMessagePolicy",
        ("FallbackToLogsOnError", "File"),
    )
    found += _ports(container.get("ports") or [], f"{field}.ports")
    for index, env in enumerate(container.get("env") or []):
        found += _env(env, f"{field}.env[{index}]")
    for index, source in enumerate(container.get("envFrom") or []):
        found += _env_from(source, f"{field}.envFrom[{index}]")
    found += _mounts(container.get("volumeMounts") or [], f"{field}.volumeMounts", volumes)
    found += choice(
        container.get("imagePullPolicy"), f"{field}.imagePullPolicy", ("Always", "IfNotPresent", "Never")
    )
    return found + resources(container.get("resources") or {}, f"{field}.resources")


def choice(value: Any, field: str, allowed: Iterable[str]) -> list[Cause]:
    """A word that must be given and be one of `allowed` (in the order the server lists them)."""
    if not value:
        return [causes.required(field)]
    return [] if value in allowed else [causes.not_supported(field, value, allowed)]


def port_number(value: Any, field: str) -> list[Cause]:
    return [] if 1 <= (value or 0) <= 65535 else [causes.invalid(field, value or 0, names.PORT_RANGE)]


def port_reference(value: Any, field: str) -> list[Cause]:
    """A port by number or by name."""
    if isinstance(value, str):
        return [causes.invalid(field, value, text) for text in names.port_name(value)]
    return port_number(value, field)


def _ports(ports: list[Object], field: str) -> list[Cause]:
    found: list[Cause] = []
    seen: set[str] = set()
    for index, port in enumerate(ports):
        where = f"{field}[{index}]"
        if name := port.get("name"):
            texts = names.port_name(name)
            found += [causes.invalid(f"{where}.name", name, text) for text in texts]
            if not texts and name in seen:
                found.append(causes.duplicate(f"{where}.name", name))
            seen.add(name)
        if not port.get("containerPort"):
            found.append(causes.required(f"{where}.containerPort"))
        else:
            found += port_number(port["containerPort"], f"{where}.containerPort")
        if port.get("hostPort"):
            found += port_number(port["hostPort"], f"{where}.hostPort")
        found += choice(port.get("protocol"), f"{where}.protocol", PROTOCOLS)
    return found


def _host_ports(container: Object, field: str, seen: set[tuple[Any, ...]]) -> list[Cause]:
    found: list[Cause] = []
    for index, port in enumerate(container.get("ports") or []):
        number = port.get("hostPort")
        if number:
            key = (port.get("protocol"), port.get("hostIP"), number)
            if key in seen:
                shown = f"{port.get('hostIP') or ''}/{number}/{port.get('protocol') or ''}"
                found.append(causes.duplicate(f"{field}.ports[{index}].hostPort", shown))
            seen.add(key)
    return found


def _env(env: Object, field: str) -> list[Cause]:
    found: list[Cause] = []
    if name := env.get("name"):
        found += [causes.invalid(f"{field}.name", name, text) for text in names.env_name(name)]
    else:
        found.append(causes.required(f"{field}.name"))
    source = env.get("valueFrom")
    if not isinstance(source, dict):
        return found
    where, kinds = f"{field}.valueFrom", [k for k in source if source[k] is not None]
    if not kinds:
        detail = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        found.append(causes.invalid(where, "", detail))
    elif env.get("value"):
        found.append(causes.invalid(where, "", "may not be specified when `value` is not empty"))
    elif len(kinds) > 1:
        found.append(causes.invalid(where, "", "may not have more than one field specified at a time"))
    for kind in ("configMapKeyRef", "secretKeyRef"):
        if isinstance(reference := source.get(kind), dict):
            if not reference.get("name"):
                found.append(causes.required(f"{where}.{kind}.name"))
            if key := reference.get("key"):
                found += [causes.invalid(f"{where}.{kind}.key", key, t) for t in names.config_key(key)]
            else:
                found.append(causes.required(f"{where}.{kind}.key"))
    if isinstance(reference := source.get("fieldRef"), dict) and not reference.get("fieldPath"):
        found.append(causes.required(f"{where}.fieldRef.fieldPath"))
    return found


def _env_from(source: Object, field: str) -> list[Cause]:
    kinds = [k for k in ("configMapRef", "secretRef") if isinstance(source.get(k), dict)]
    found: list[Cause] = []
    if not kinds:
        found.append(causes.invalid(field, "", "must specify one of: `configMapRef` or `secretRef`"))
    elif len(kinds) > 1:
        found.append(causes.invalid(field, "", "may not have more than one field specified at a time"))
    for kind in kinds:
        if not source[kind].get("name"):
            found.append(causes.required(f"{field}.{kind}.name"))
    return found


def _mounts(mounts: list[Object], field: str, volumes: set[str]) -> list[Cause]:
    found: list[Cause] = []
    seen: set[str] = set()
    for index, mount in enumerate(mounts):
        where, name, path = f"{field}[{index}]", mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            found.append(causes.required(f"{where}.name"))
        elif name not in volumes:
            found.append(Cause("FieldValueNotFound", f"Not found: {causes.shown(name)}", f"{where}.name"))
        if not path:
            found.append(causes.required(f"{where}.mountPath"))
        elif path in seen:
            found.append(causes.invalid(f"{where}.mountPath", path, "must be unique"))
        seen.add(path)
        if mount.get("subPath") and mount.get("subPathExpr"):
            detail = "subPathExpr and subPath are mutually exclusive"
            found.append(causes.invalid(f"{where}.subPathExpr", mount["subPathExpr"], detail))
    return found


def _lifecycle(lifecycle: Object, field: str) -> list[Cause]:
    found: list[Cause] = []
    for hook in ("postStart", "preStop"):
        if isinstance(action := lifecycle.get(hook), dict):
            found += _handler(action, f"{field}.{hook}", ("exec", "httpGet", "tcpSocket", "sleep"))
    return found


def _probe(probe: Object | None, field: str, *, once: bool) -> list[Cause]:
    if not isinstance(probe, dict):
        return []
    found = _handler(probe, field, _HANDLERS)
    for key in (
        *("initialDelaySeconds", "timeoutSeconds", "periodSeconds"),
        *("successThreshold", "failureThreshold"),
    ):
        found += not_negative(probe.get(key), f"{field}.{key}")
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        found.append(
            causes.invalid(f"{field}.terminationGracePeriodSeconds", grace, "must be greater than 0")
        )
    if once and probe.get("successThreshold", 1) != 1:
        found.append(causes.invalid(f"{field}.successThreshold", probe["successThreshold"], "must be 1"))
    return found


def _handler(action: Object, field: str, kinds: Iterable[str]) -> list[Cause]:
    given = [k for k in kinds if isinstance(action.get(k), dict)]
    if not given:
        return [causes.required(field, "must specify a handler type")]
    found: list[Cause] = []
    for extra in given[1:]:
        found.append(causes.forbidden(f"{field}.{extra}", "may not specify more than 1 handler type"))
    kind, body = given[0], action[given[0]]
    where = f"{field}.{kind}"
    if kind == "exec" and not body.get("command"):
        found.append(causes.required(f"{where}.command"))
    elif kind == "httpGet":
        if not body.get("path"):
            found.append(causes.required(f"{where}.path"))
        found += port_reference(body.get("port", 0), f"{where}.port")
        scheme = body.get("scheme") or ""
        if scheme not in ("HTTP", "HTTPS"):
            found.append(causes.not_supported(f"{where}.scheme", scheme, ("HTTP", "HTTPS")))
    elif kind == "tcpSocket":
        found += port_reference(body.get("port", 0), f"{where}.port")
    elif kind == "grpc":
        found += port_number(body.get("port", 0), f"{where}.port")
    return found


def resources(given: Object, field: str) -> list[Cause]:
    """Limits and requests of a container."""
    found: list[Cause] = []
    limits, requests = given.get("limits") or {}, given.get("requests") or {}
    for name, amount in sorted(limits.items()):
        found += _resource(name, amount, f"{field}.limits[{name}]")
    for name, amount in sorted(requests.items()):
        found += _resource(name, amount, f"{field}.requests[{name}]")
        if name in limits and quantity.amount(amount) > quantity.amount(limits[name]):
            detail = f"must be less than or equal to {name} limit of {limits[name]}"
            found.append(causes.invalid(f"{field}.requests", amount, detail))
    return found


def _resource(name: str, amount: str, field: str) -> list[Cause]:
    found = [causes.invalid(field, name, text) for text in names.qualified_name(name)]
    huge = name.startswith("hugepages-")
    if "/" not in name:
        if name not in _STANDARD_RESOURCES and not huge:
            detail = "must be a standard resource type or fully qualified"
            found.append(causes.invalid(field, name, detail))
        if name not in _CONTAINER_RESOURCES and not huge:
            found.append(causes.invalid(field, name, "must be a standard resource for containers"))
    if quantity.amount(amount) < 0:
        found.append(causes.invalid(field, amount, names.NOT_NEGATIVE))
    return found
