"""How many requests went where, counted at the gateway. Written by one thread, read by any."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rollout_lab.gateway.table import Backend, Canary, Host, Rule, Source, Table


@dataclass(slots=True)
class Count:
    """Requests sent to a backend, those of them that failed (5xx or no answer), and copies sent to it."""

    requests: int = 0
    failed: int = 0
    mirrored: int = 0


def name_of(backend: Backend) -> str:
    """``service`` or ``service/subset``: how a backend is told from its siblings."""
    return f"{backend.service}/{backend.subset}" if backend.subset else backend.service


@dataclass(slots=True)
class Counts:
    """Counts by rule and backend since the gateway started, and what no rule took."""

    backends: dict[tuple[Source, str], Count] = field(default_factory=dict)
    unrouted: int = 0
    retried: int = 0

    def of(self, source: Source, backend: Backend) -> Count:
        """The count of one backend of a rule."""
        key = source, name_of(backend)
        found = self.backends.get(key)
        if found is None:
            found = self.backends[key] = Count()
        return found


def report(table: Table, counts: Counts) -> dict[str, Any]:
    """What the gateway does and has done, JSON-safe.

    ``{"routes": [{"kind", "namespace", "name", "rule", "hosts": [...], "path", "backends": [{"service",
    "subset", "labels", "role", "weight", "ready", "requests", "failed", "mirrored"}]}], "unrouted",
    "retried"}``. `weight` is the configured share in percent; `role` is ``backend``, ``canary`` or
    ``mirror``; `labels` are a subset's. Where a canary Ingress takes requests by header or cookie, its route
    has ``"elects": {"headers": {name: "exact yes"}, "cookie"}``.
    """
    rows: dict[Source, dict[str, Any]] = {}
    for host, rule in table.rules():
        row = rows.get(rule.source)
        if row is None:
            row = rows[rule.source] = _row(table, rule, counts)
        _note(row, host, rule)
    return {"routes": list(rows.values()), "unrouted": counts.unrouted, "retried": counts.retried}


def _row(table: Table, rule: Rule, counts: Counts) -> dict[str, Any]:
    total = sum(b.weight for b in rule.backends) or 1
    canary = rule.canary
    elected = min(100.0, 100 * canary.weight / canary.total) if canary else 0.0
    if canary and not table.pools.get(canary.backend.pool):
        elected = 0.0
    shown = [("backend", b, b.weight / total * (100 - elected)) for b in rule.backends]
    if canary is not None:
        shown.append(("canary", canary.backend, elected))
    shown += [("mirror", m.backend, m.share * 100) for m in rule.mirrors]
    source = rule.source
    return {
        "kind": source.kind,
        "namespace": source.namespace,
        "name": source.name,
        "rule": source.rule,
        "canary": canary.ingress if canary else "",
        "elects": _elects(canary) if canary else {},
        "hosts": [],
        "matches": [],
        "backends": [_backend(table, source, role, b, weight, counts) for role, b, weight in shown],
    }


def _elects(canary: Canary) -> dict[str, Any]:
    """What of a request sends it to the canary whatever the weight; empty where nothing does."""
    found: dict[str, Any] = {}
    if canary.header:
        pattern = f"regex {canary.header_pattern.pattern}" if canary.header_pattern else "exact always"
        found["headers"] = {canary.header: f"exact {canary.header_value}" if canary.header_value else pattern}
    if canary.cookie:
        found["cookie"] = canary.cookie
    return found


def _backend(
    table: Table, source: Source, role: str, backend: Backend, weight: float, counts: Counts
) -> dict[str, Any]:
    found = counts.backends.get((source, name_of(backend)), Count())
    mirror = role == "mirror"
    return {
        "role": role,
        "service": backend.service,
        "subset": backend.subset,
        "labels": dict(backend.labels),
        "weight": round(weight, 4),
        "ready": len(table.pools.get(backend.pool, ())),
        "requests": 0 if mirror else found.requests,
        "failed": 0 if mirror else found.failed,
        "mirrored": found.mirrored if mirror else 0,
    }


def _note(row: dict[str, Any], host: Host, rule: Rule) -> None:
    if (name := host.name or "*") not in row["hosts"]:
        row["hosts"].append(name)
    for match in rule.matches:
        shown: dict[str, Any] = {"path": f"{match.path.kind} {match.path.value}" if match.path else ""}
        if match.method is not None:
            shown["method"] = match.method.value
        if match.headers:
            shown["headers"] = {name: f"{m.kind} {m.value}".strip() for name, m in match.headers}
        if match.query:
            shown["query"] = {name: f"{m.kind} {m.value}".strip() for name, m in match.query}
        if shown not in row["matches"]:
            row["matches"].append(shown)
