"""Probes: what a manifest asks for, and when a row of answers changes the verdict. Pure.

Sending is in `probing.py`; what follows from a verdict in `container.py`.
# upstream: pkg/kubelet/prober/worker.go::doProbe
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Object = Mapping[str, Any]


class ProbeKind(StrEnum):
    """Which question a probe asks."""

    STARTUP = "Startup"
    READINESS = "Readiness"
    LIVENESS = "Liveness"

    @property
    def field(self) -> str:
        """Its field of the container: ``readinessProbe``."""
        return f"{self.value.lower()}Probe"


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe, with Kubernetes' defaults filled in. Times in seconds; `port` may name a container port."""

    kind: ProbeKind
    handler: str  # httpGet, tcpSocket, or one the lab cannot send: exec, grpc
    port: int | str = 0
    path: str = "/"
    host: str = ""
    scheme: str = "HTTP"
    headers: tuple[tuple[str, str], ...] = ()
    initial_delay: float = 0.0
    period: float = 10.0
    timeout: float = 1.0
    success_threshold: int = 1
    failure_threshold: int = 3
    grace: int | None = None


def probe_of(container: Object, kind: ProbeKind) -> Probe | None:
    """The probe of a container, or None."""
    raw = container.get(kind.field)
    if not raw:
        return None
    handler = next((h for h in ("httpGet", "tcpSocket", "exec", "grpc") if raw.get(h) is not None), "exec")
    target = raw.get(handler) or {}
    grace = raw.get("terminationGracePeriodSeconds")
    return Probe(
        kind=kind,
        handler=handler,
        port=target.get("port", 0),
        path=target.get("path") or "/",
        host=target.get("host") or "",
        scheme=target.get("scheme") or "HTTP",
        headers=tuple((h["name"], h.get("value") or "") for h in target.get("httpHeaders") or []),
        initial_delay=float(raw.get("initialDelaySeconds") or 0),
        period=float(raw.get("periodSeconds") or 10),
        timeout=float(raw.get("timeoutSeconds") or 1),
        success_threshold=int(raw.get("successThreshold") or 1),
        failure_threshold=int(raw.get("failureThreshold") or 3),
        grace=None if grace is None else int(grace),
    )


def port_number(container: Object, port: int | str) -> int | None:
    """The number a probe's port means; None for a name the container does not have."""
    if isinstance(port, int):
        return port
    if port.isdigit():
        return int(port)
    ports = container.get("ports") or []
    return next((int(p["containerPort"]) for p in ports if p.get("name") == port), None)


@dataclass(slots=True)
class Thresholds:
    """Turns answers into a verdict: `failure` failures, or `success` successes, in a row."""

    success: int
    failure: int
    _last: bool | None = None
    _run: int = 0

    def feed(self, ok: bool) -> bool | None:
        """The verdict after one more answer, or None while the row is too short to change it."""
        self._run = self._run + 1 if ok == self._last else 1
        self._last = ok
        return ok if self._run >= (self.success if ok else self.failure) else None


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: `ok`, or why not. `known` is False when the probe could not be asked at all."""

    ok: bool
    output: str = ""
    known: bool = True
