"""The environment of a container: env, envFrom, references to ConfigMaps, Secrets and the Pod itself.

Pure but for the two look-ups it is handed. Values from Secrets are marked, so that no program
shows them. # upstream: pkg/kubelet/kubelet_pods.go::makeEnvironmentVariables
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Object = Mapping[str, Any]
Lookup = Callable[[str], Object | None]

_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_.-][A-Za-z0-9_.-]*)\)")
_KEYED = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


class ConfigError(Exception):
    """A container cannot be made from its configuration (CreateContainerConfigError)."""


@dataclass(slots=True)
class Environment:
    """Variables by name, and the names of those that came from Secrets."""

    values: dict[str, str] = field(default_factory=dict)
    secret: set[str] = field(default_factory=set)

    @property
    def shown(self) -> tuple[str, ...]:
        """The names that may be shown."""
        return tuple(name for name in self.values if name not in self.secret)

    def put(self, name: str, value: str, *, secret: bool) -> None:
        self.values[name] = value
        (self.secret.add if secret else self.secret.discard)(name)


def build(container: Object, pod: Object, ip: str, config_map: Lookup, secret: Lookup) -> Environment:
    """The environment of `container`. Raises ConfigError with the kubelet's words.

    `config_map` and `secret` find an object of the Pod's namespace by name, or None.
    """
    out = Environment()
    for source in container.get("envFrom") or []:
        for ref, kind, find in (
            (source.get("configMapRef"), "configmap", config_map),
            (source.get("secretRef"), "secret", secret),
        ):
            if ref is not None:
                prefix = source.get("prefix") or ""
                for key, value in _all_of(ref, kind, find).items():
                    out.put(prefix + key, value, secret=kind == "secret")
    for entry in container.get("env") or []:
        name = entry["name"]
        if (where := entry.get("valueFrom")) is not None:
            _from_reference(out, name, where, container, pod, ip, config_map, secret)
        else:
            value, hidden = _expand(str(entry.get("value") or ""), out)
            out.put(name, value, secret=hidden)
    return out


def _all_of(ref: Object, kind: str, find: Lookup) -> dict[str, str]:
    found = find(ref.get("name") or "")
    if found is None:
        if ref.get("optional"):
            return {}
        raise ConfigError(f'{kind} "{ref.get("name") or ""}" not found')
    return _data(found)


def _data(obj: Object) -> dict[str, str]:
    data = obj.get("data") or {}
    if obj.get("kind") != "Secret":
        return {key: str(value) for key, value in data.items()}
    return {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}


def _from_reference(
    out: Environment,
    name: str,
    where: Object,
    container: Object,
    pod: Object,
    ip: str,
    config_map: Lookup,
    secret: Lookup,
) -> None:
    for field_name, kind, shown, find in (
        ("configMapKeyRef", "configmap", "ConfigMap", config_map),
        ("secretKeyRef", "secret", "Secret", secret),
    ):
        if (ref := where.get(field_name)) is not None:
            values, key = _all_of(ref, kind, find), ref.get("key")
            if key in values:
                out.put(name, values[key], secret=kind == "secret")
            elif not ref.get("optional"):
                namespace = pod["metadata"].get("namespace", "")
                raise ConfigError(f"couldn't find key {key} in {shown} {namespace}/{ref.get('name')}")
            return
    if (ref := where.get("fieldRef")) is not None:
        out.put(name, pod_field(pod, ip, ref.get("fieldPath") or ""), secret=False)
    elif (ref := where.get("resourceFieldRef")) is not None:
        kind, _, resource = str(ref.get("resource") or "").partition(".")
        amounts = (container.get("resources") or {}).get(kind) or {}
        out.put(name, str(amounts.get(resource, "0")), secret=False)


def pod_field(pod: Object, ip: str, path: str) -> str:
    """A field of the Pod as the downward API gives it; "" for what is not set."""
    meta, spec = pod["metadata"], pod.get("spec") or {}
    if match := _KEYED.fullmatch(path):
        return str((meta.get(match[1]) or {}).get(match[2], ""))
    plain = {
        "metadata.name": meta.get("name"),
        "metadata.namespace": meta.get("namespace"),
        "metadata.uid": meta.get("uid"),
        "spec.nodeName": spec.get("nodeName"),
        "spec.serviceAccountName": spec.get("serviceAccountName"),
        "status.podIP": ip,
        "status.podIPs": ip,
        "status.hostIP": "127.0.0.1",
        "status.hostIPs": "127.0.0.1",
    }
    if path not in plain:
        raise ConfigError(f"unsupported fieldPath: {path}")
    return str(plain[path] or "")


def _expand(text: str, known: Environment) -> tuple[str, bool]:
    """`text` with ``$(NAME)`` replaced, and whether a secret value went in."""
    hidden = False

    def replace(match: re.Match[str]) -> str:
        nonlocal hidden
        if match[0] == "$$":
            return "$"
        hidden = hidden or match[1] in known.secret
        return known.values.get(match[1], match[0])

    return _REFERENCE.sub(replace, text), hidden
