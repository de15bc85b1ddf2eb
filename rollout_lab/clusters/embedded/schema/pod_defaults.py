"""Defaults of Pods and Pod templates: containers, probes, volumes, resources.

These functions change the (already copied) object they are given; only `defaults` calls them.
# upstream: pkg/apis/core/v1/defaults.go
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import Any

from . import quantity

Object = dict[str, Any]

_MODE = 0o644
_VOLUME_KEYS = frozenset({"name"})


def default_pod(pod: Object) -> None:
    """A whole Pod: the template's defaults, requests from limits, service links, IP lists."""
    spec = pod.setdefault("spec", {})
    for container in _containers(spec, ephemeral=False):
        resources = container.get("resources") or {}
        limits = resources.get("limits")
        if limits:
            resources["requests"] = {**limits, **(resources.get("requests") or {})}
    spec.setdefault("enableServiceLinks", True)
    default_pod_spec(spec)
    status = pod.get("status")
    if isinstance(status, dict):
        _same_addresses(status, "podIP", "podIPs")
        _same_addresses(status, "hostIP", "hostIPs")


def default_pod_spec(spec: Object) -> None:
    """The spec of a Pod or a Pod template."""
    for container in _containers(spec, ephemeral=True):
        _container(container, host_network=bool(spec.get("hostNetwork")))
    for volume in spec.get("volumes") or []:
        _volume(volume)
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    if isinstance(spec.get("overhead"), dict):
        spec["overhead"] = _whole_milli(spec["overhead"])


def _containers(spec: Object, *, ephemeral: bool) -> list[Object]:
    kinds = ("initContainers", "containers", "ephemeralContainers") if ephemeral else _REAL
    return [c for kind in kinds for c in spec.get(kind) or []]


_REAL = ("initContainers", "containers")


def _container(container: Object, *, host_network: bool) -> None:
    container.setdefault("imagePullPolicy", pull_policy(container.get("image") or ""))
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    for port in container.get("ports") or []:
        port.setdefault("protocol", "TCP")
        if host_network and port.get("containerPort"):
            port.setdefault("hostPort", port["containerPort"])
    for env in container.get("env") or []:
        _field_ref((env.get("valueFrom") or {}).get("fieldRef"))
    for kind in ("livenessProbe", "readinessProbe", "startupProbe"):
        if isinstance(probe := container.get(kind), dict):
            _probe(probe)
    for hook in (container.get("lifecycle") or {}).values():
        if isinstance(hook, dict):
            _http_get(hook.get("httpGet"))
    resources = container.setdefault("resources", {})
    for kind in ("limits", "requests"):
        if isinstance(resources.get(kind), dict):
            resources[kind] = _whole_milli(resources[kind])


def _probe(probe: Object) -> None:
    probe.setdefault("timeoutSeconds", 1)
    probe.setdefault("periodSeconds", 10)
    probe.setdefault("successThreshold", 1)
    probe.setdefault("failureThreshold", 3)
    _http_get(probe.get("httpGet"))
    if isinstance(grpc := probe.get("grpc"), dict):
        grpc.setdefault("service", "")


def _http_get(action: Any) -> None:
    if isinstance(action, dict):
        action.setdefault("path", "/")
        action.setdefault("scheme", "HTTP")


def _field_ref(reference: Any) -> None:
    if isinstance(reference, dict):
        reference.setdefault("apiVersion", "v1")


def _volume(volume: Object) -> None:
    if not set(volume) - _VOLUME_KEYS:
        volume["emptyDir"] = {}
    for kind in ("secret", "configMap", "downwardAPI", "projected"):
        if isinstance(volume.get(kind), dict):
            volume[kind].setdefault("defaultMode", _MODE)
    if isinstance(path := volume.get("hostPath"), dict):
        path.setdefault("type", "")
    _downward(volume.get("downwardAPI"))
    for source in (volume.get("projected") or {}).get("sources") or []:
        _downward(source.get("downwardAPI"))
        if isinstance(token := source.get("serviceAccountToken"), dict):
            token.setdefault("expirationSeconds", 3600)
    claim = ((volume.get("ephemeral") or {}).get("volumeClaimTemplate") or {}).get("spec")
    if isinstance(claim, dict):
        claim.setdefault("volumeMode", "Filesystem")


def _downward(source: Any) -> None:
    for item in (source or {}).get("items") or []:
        _field_ref(item.get("fieldRef"))


def _whole_milli(amounts: Object) -> Object:
    """Amounts finer than a thousandth are rounded up to one.

    # upstream: pkg/apis/core/v1/defaults.go::SetDefaults_ResourceList
    """
    return {name: _milli(text) for name, text in amounts.items()}


def _milli(text: str) -> str:
    value = quantity.amount(text)
    if value * 1000 == (value * 1000).to_integral_value():
        return text
    milli = (value * 1000).to_integral_value(ROUND_CEILING)
    return quantity.canonical(f"{int(milli)}m" if milli != Decimal(0) else "0")


def _same_addresses(status: Object, one: str, many: str) -> None:
    """Keep ``podIP`` and ``podIPs`` in step; the single one decides when they differ.

    # upstream: pkg/apis/core/v1/conversion.go::Convert_v1_PodStatus_To_core_PodStatus
    """
    single, several = status.get(one), status.get(many) or []
    if single and (not several or several[0].get("ip") != single):
        status[many] = [{"ip": single}]
    elif several and not single and several[0].get("ip"):
        status[one] = several[0]["ip"]


def pull_policy(image: str) -> str:
    """``Always`` for the tag latest or no tag at all, else ``IfNotPresent``."""
    name, _, digest = image.partition("@")
    last = name.rsplit("/", 1)[-1]
    tag = last.partition(":")[2] or ("" if digest else "latest")
    return "Always" if tag == "latest" else "IfNotPresent"
