"""What controllers read off a Pod: is it alive, ready, available. Pure.

# upstream: pkg/api/v1/pod/util.go, pkg/controller/controller_utils.go
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollout_lab.clusters.embedded.controllers.objects import (
    condition_of,
    is_terminating,
    seconds_of,
    spec,
    status,
)


def phase_of(pod: Mapping[str, Any]) -> str:
    return str(status(pod).get("phase") or "Pending")


def is_finished(pod: Mapping[str, Any]) -> bool:
    return phase_of(pod) in ("Succeeded", "Failed")


def is_active(pod: Mapping[str, Any]) -> bool:
    """Whether the Pod counts as a replica: neither finished nor on its way out."""
    return not is_finished(pod) and not is_terminating(pod)


def is_ready(pod: Mapping[str, Any]) -> bool:
    found = condition_of(pod, "Ready")
    return found is not None and found.get("status") == "True"


def ready_since(pod: Mapping[str, Any]) -> float:
    """When the Pod became ready, in seconds since the epoch; 0 when it is not, or nobody wrote when."""
    found = condition_of(pod, "Ready")
    return seconds_of(found.get("lastTransitionTime")) if found and found.get("status") == "True" else 0.0


def available_at(pod: Mapping[str, Any], min_ready_seconds: float) -> float | None:
    """The time from which the Pod counts as available; None while it is not ready."""
    if not is_ready(pod):
        return None
    if min_ready_seconds <= 0:
        return 0.0
    since = ready_since(pod)
    return since + min_ready_seconds if since else None


def is_available(pod: Mapping[str, Any], min_ready_seconds: float, now: float) -> bool:
    at = available_at(pod, min_ready_seconds)
    return at is not None and at <= now


def node_of(pod: Mapping[str, Any]) -> str:
    return str(spec(pod).get("nodeName") or "")


def ips_of(pod: Mapping[str, Any]) -> list[str]:
    """The Pod's addresses, the primary one first."""
    listed = [str(entry.get("ip")) for entry in status(pod).get("podIPs") or [] if entry.get("ip")]
    own = status(pod).get("podIP")
    return listed or ([str(own)] if own else [])


def restarts_of(pod: Mapping[str, Any]) -> int:
    """The most restarts of any one container."""
    return max(
        (int(c.get("restartCount") or 0) for c in status(pod).get("containerStatuses") or []), default=0
    )
