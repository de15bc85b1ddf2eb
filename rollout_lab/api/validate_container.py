"""The rules of one container of a pod template: name, image, ports, environment, probes, resources. Pure.

# upstream: k8s.io/kubernetes pkg/apis/core/validation::validateContainers
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rollout_lab.api import fields, labels, quantity
from rollout_lab.api.problems import FieldError, duplicate, forbidden, invalid, not_found, required

_PROTOCOLS = ["SCTP", "TCP", "UDP"]
_PULL_POLICIES = ["Always", "IfNotPresent", "Never"]
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_PROBE_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_HOOK_HANDLERS = ("exec", "httpGet", "tcpSocket", "sleep")
_STANDARD_RESOURCES = ("cpu", "memory", "ephemeral-storage")
_PROBE_NUMBERS = (
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
)
_PORT_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_ENV_NAME = re.compile(r"[\x20-\x3c\x3e-\x7e]+")
_PORT_DETAIL = "a port name is up to 15 small letters, digits and hyphens, with a letter"
_NAME_DETAIL = "a name is up to 63 small letters, digits and hyphens"


def container_errors(
    container: Mapping[str, Any], at: str, volumes: set[str], taken: set[str], *, init: bool = False
) -> Iterator[FieldError]:
    """Every mistake of a container. `taken` holds the names seen so far in this Pod and is added to."""
    name = fields.text(container, "name")
    if not name:
        yield required(f"{at}.name", "name the container")
    elif not labels.is_dns_label(name):
        yield invalid(f"{at}.name", name, _NAME_DETAIL)
    if not fields.text(container, "image"):
        yield required(f"{at}.image", "name the image, for example 1pro/api-tester:1.0.0")
    yield from _ports(container, f"{at}.ports")
    yield from _environment(container, at)
    yield from _mounts(container, f"{at}.volumeMounts", volumes)
    yield from labels.choice(container.get("imagePullPolicy"), _PULL_POLICIES, f"{at}.imagePullPolicy")
    yield from _resources(container, f"{at}.resources")
    if name and name in taken:
        yield duplicate(f"{at}.name", name, "two containers with one name; rename one")
    taken.add(name)
    once = init and fields.text(container, "restartPolicy") != "Always"
    yield from _lifecycle(container.get("lifecycle"), f"{at}.lifecycle", once)
    for probe in PROBES:
        given = container.get(probe)
        if given is not None and once:
            yield forbidden(f"{at}.{probe}", "an init container runs to its end and has no probes; remove it")
        elif given is not None:
            yield from _probe(given, f"{at}.{probe}", one_success=probe != "readinessProbe")


def _is_port_name(text: str) -> bool:
    """An IANA service name: at least one letter, no hyphen at an end or beside another."""
    return len(text) <= 15 and _PORT_NAME.fullmatch(text) is not None and not text.replace("-", "").isdigit()


def _port(value: int | None, at: str) -> Iterator[FieldError]:
    if value is not None and not 1 <= value <= 65535:
        yield invalid(at, value, "a port is 1 to 65535")


def _ports(container: Mapping[str, Any], at: str) -> Iterator[FieldError]:
    names: set[str] = set()
    for index, port in enumerate(fields.objects(container, "ports")):
        where, name = f"{at}[{index}]", fields.text(port, "name")
        if name:
            if len(name) > 15 or not _PORT_NAME.fullmatch(name) or name.replace("-", "").isdigit():
                yield invalid(
                    f"{where}.name", name, "a port name is up to 15 small letters, digits and hyphens"
                )
            elif name in names:
                yield duplicate(f"{where}.name", name, "two ports with one name; rename one")
            names.add(name)
        number = fields.integer(port, "containerPort") or 0
        if number == 0:
            yield required(f"{where}.containerPort", "write the port the application listens on, 1 to 65535")
        else:
            yield from _port(number, f"{where}.containerPort")
        yield from _port(fields.integer(port, "hostPort") or None, f"{where}.hostPort")
        yield from labels.choice(port.get("protocol"), _PROTOCOLS, f"{where}.protocol")


def _environment(container: Mapping[str, Any], at: str) -> Iterator[FieldError]:
    for index, variable in enumerate(fields.objects(container, "env")):
        where, name = f"{at}.env[{index}]", fields.text(variable, "name")
        if not name:
            yield required(f"{where}.name", "name the variable")
        elif not _ENV_NAME.fullmatch(name):
            yield invalid(f"{where}.name", name, "a variable name is printable letters without =")
        yield from _value_from(variable, f"{where}.valueFrom")
    for index, source in enumerate(fields.objects(container, "envFrom")):
        where = f"{at}.envFrom[{index}]"
        named = [key for key in ("configMapRef", "secretRef") if source.get(key) is not None]
        if len(named) != 1:
            yield invalid(where, source, "name exactly one of configMapRef and secretRef")
        for key in named:
            if not fields.text(source, key, "name"):
                yield required(f"{where}.{key}.name", "name the object to read")


def _value_from(variable: Mapping[str, Any], at: str) -> Iterator[FieldError]:
    source = variable.get("valueFrom")
    if source is None:
        return
    named = [key for key, found in source.items() if found is not None]
    for key in ("configMapKeyRef", "secretKeyRef"):
        for part in ("name", "key"):
            if key in named and not fields.text(source, key, part):
                yield required(f"{at}.{key}.{part}", "name the object and the key in it")
    if not named:
        yield invalid(at, "", "name a source, for example configMapKeyRef")
    elif fields.text(variable, "value"):
        yield invalid(at, "", "keep either value or valueFrom")
    elif len(named) > 1:
        yield invalid(at, "", f"keep one of {', '.join(named)}")


def _mounts(container: Mapping[str, Any], at: str, volumes: set[str]) -> Iterator[FieldError]:
    paths: set[str] = set()
    for index, mount in enumerate(fields.objects(container, "volumeMounts")):
        where, name, path = f"{at}[{index}]", fields.text(mount, "name"), fields.text(mount, "mountPath")
        if not name:
            yield required(f"{where}.name", "name the volume to mount")
        if name not in volumes:
            yield not_found(f"{where}.name", name, "no volume of this name; add it to the Pod's volumes")
        if not path:
            yield required(f"{where}.mountPath", "say where the volume appears in the container")
        elif path in paths:
            yield invalid(f"{where}.mountPath", path, "two volumes at one path; move one")
        paths.add(path)


def _lifecycle(lifecycle: Any, at: str, once: bool) -> Iterator[FieldError]:
    if lifecycle is None:
        return
    if once:
        yield forbidden(at, "an init container runs to its end and has no hooks; remove it")
        return
    for hook in ("postStart", "preStop"):
        if lifecycle.get(hook) is not None:
            yield from _handlers(lifecycle[hook], _HOOK_HANDLERS, f"{at}.{hook}")


def _probe(probe: Mapping[str, Any], at: str, *, one_success: bool) -> Iterator[FieldError]:
    yield from _handlers(probe, _PROBE_HANDLERS, at)
    for key in _PROBE_NUMBERS:
        number = fields.integer(probe, key)
        if number is not None and number < 0:
            yield invalid(f"{at}.{key}", number, "must be 0 or more")
    grace = fields.integer(probe, "terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        yield invalid(f"{at}.terminationGracePeriodSeconds", grace, "must be more than 0")
    successes = fields.integer(probe, "successThreshold") or 1
    if one_success and successes != 1:
        yield invalid(f"{at}.successThreshold", successes, "must be 1 for startup and liveness probes")


def _handlers(holder: Mapping[str, Any], kinds: tuple[str, ...], at: str) -> Iterator[FieldError]:
    """Exactly one way of asking."""
    named = [kind for kind in kinds if holder.get(kind) is not None]
    for kind in named[:1]:
        yield from _handler(holder[kind], kind, f"{at}.{kind}")
    for extra in named[1:]:
        yield forbidden(f"{at}.{extra}", f"only one way is possible; this already has {named[0]}")
    if not named:
        yield required(at, f"say how: one of {', '.join(kinds)}")


def _handler(handler: Mapping[str, Any], kind: str, at: str) -> Iterator[FieldError]:
    if kind == "exec":
        if not handler.get("command"):
            yield required(f"{at}.command", "write the command to run")
        return
    if kind == "sleep":
        return
    port = handler.get("port")
    if isinstance(port, str):
        if not _is_port_name(port):
            yield invalid(f"{at}.port", port, _PORT_DETAIL)
    else:
        yield from _port(fields.integer(handler, "port") or 0, f"{at}.port")


def _resources(container: Mapping[str, Any], at: str) -> Iterator[FieldError]:
    limits = fields.mapping(container, "resources", "limits")
    requests = fields.mapping(container, "resources", "requests")
    for name, amount in limits.items():
        yield from _amount(name, amount, f"{at}.limits[{name}]")
    for name, amount in requests.items():
        yield from _amount(name, amount, f"{at}.requests[{name}]")
        if name in limits and quantity.value(amount) > quantity.value(limits[name]):
            detail = f"asks for more {name} than the limit of {limits[name]}; lower it or raise the limit"
            yield invalid(f"{at}.requests", amount, detail)


def _amount(name: str, amount: Any, at: str) -> Iterator[FieldError]:
    if "/" not in name and name not in _STANDARD_RESOURCES and not name.startswith("hugepages-"):
        yield invalid(
            at, name, f"a container has {', '.join(_STANDARD_RESOURCES)}, or a resource with a domain/"
        )
    if quantity.value(amount) < 0:
        yield invalid(at, amount, "must be 0 or more")
