"""Typed views over a raw Rollout: the spec with its defaults applied. Pure, and never a copy.

A view holds the raw JSON object and reads it on demand, so unknown fields survive and nothing is
changed. A field that cannot be read counts as absent; `api.validation` is who complains.
The status is in `api.status`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rollout_lab.api import defaults, fields, meta, steps
from rollout_lab.api.fields import Json
from rollout_lab.api.intstr import surge_and_unavailable
from rollout_lab.api.names import Strategy
from rollout_lab.api.routing import Routing
from rollout_lab.api.status import Status


def _int_or(raw: Json, key: str, default: int) -> int:
    found = fields.integer(raw, key)
    return default if found is None else found


@dataclass(frozen=True, slots=True)
class _Delays:
    """What both strategies say about old and unwanted Pods. Delays are in seconds."""

    raw: Json

    @property
    def scale_down_delay_revision_limit(self) -> int | None:
        """How many old ReplicaSets may wait out their delay; None is unlimited."""
        return fields.integer(self.raw, "scaleDownDelayRevisionLimit")

    @property
    def abort_scale_down_delay_seconds(self) -> int | None:
        """Seconds the new Pods stay after an abort; None (written as 0) leaves them up."""
        found = _int_or(self.raw, "abortScaleDownDelaySeconds", defaults.ABORT_SCALE_DOWN_DELAY_SECONDS)
        return found or None


@dataclass(frozen=True, slots=True)
class Canary(_Delays):
    """`spec.strategy.canary`."""

    @property
    def steps(self) -> tuple[steps.Step, ...]:
        return tuple(steps.parse(step) for step in fields.items(self.raw, "steps"))

    @property
    def raw_steps(self) -> list[Any] | None:
        """The steps as written; None where the field is absent or null (their hash differs from [])."""
        found = self.raw.get("steps")
        return found if isinstance(found, list) else None

    @property
    def stable_service(self) -> str:
        return fields.text(self.raw, "stableService")

    @property
    def canary_service(self) -> str:
        return fields.text(self.raw, "canaryService")

    @property
    def max_surge(self) -> int | str:
        return _int_or_string(self.raw, "maxSurge", defaults.MAX_SURGE)

    @property
    def max_unavailable(self) -> int | str:
        return _int_or_string(self.raw, "maxUnavailable", defaults.MAX_UNAVAILABLE)

    @property
    def routing(self) -> Routing | None:
        """`trafficRouting`; None where the share of requests follows the number of Pods."""
        found = self.raw.get("trafficRouting")
        return Routing(found) if isinstance(found, dict) else None

    @property
    def dynamic_stable_scale(self) -> bool:
        """Whether stable shrinks as the canary's weight grows; needs a router."""
        return self.routing is not None and fields.flag(self.raw, "dynamicStableScale") is True

    @property
    def min_pods(self) -> int:
        """The fewest Pods of a side that has any; 0 where none is written, or without a router."""
        return _int_or(self.raw, "minPodsPerReplicaSet", 0) if self.routing is not None else 0

    @property
    def ping_pong(self) -> tuple[str, str] | None:
        """(ping, pong): the Services that take turns at being stable."""
        found = fields.mapping(self.raw, "pingPong")
        names = fields.text(found, "pingService"), fields.text(found, "pongService")
        return names if all(names) else None

    def services_now(self, stable_ping_pong: str) -> tuple[str, str]:
        """(stable, canary) by name; those of `pingPong` take turns (`status.canary.stablePingPong`).

        # upstream: rollout/trafficrouting/service_helper.go::GetStableAndCanaryServices
        """
        if self.ping_pong is None or self.stable_service or self.canary_service:
            return self.stable_service, self.canary_service
        ping, pong = self.ping_pong
        return (ping, pong) if stable_ping_pong == "ping" else (pong, ping)

    @property
    def scale_down_delay_seconds(self) -> int:
        """How long old Pods stay after promotion: 0 without a router, and where stable shrinks."""
        if self.routing is None or self.dynamic_stable_scale:
            return 0
        return _int_or(self.raw, "scaleDownDelaySeconds", defaults.SCALE_DOWN_DELAY_SECONDS)

    @property
    def abort_scale_down_delay_set(self) -> bool:
        """Whether the manifest names the delay itself."""
        return fields.integer(self.raw, "abortScaleDownDelaySeconds") is not None

    def room(self, replicas: int) -> tuple[int, int]:
        """(surge, unavailable) in Pods for that many replicas. Unavailable is 0 for 0 replicas."""
        return surge_and_unavailable(self.max_surge, self.max_unavailable, replicas)


def _int_or_string(raw: Json, key: str, default: str) -> int | str:
    found = fields.integer(raw, key)
    return found if found is not None else fields.text(raw, key) or default


@dataclass(frozen=True, slots=True)
class BlueGreen(_Delays):
    """`spec.strategy.blueGreen`. Delays are in seconds."""

    @property
    def active_service(self) -> str:
        return fields.text(self.raw, "activeService")

    @property
    def preview_service(self) -> str:
        return fields.text(self.raw, "previewService")

    @property
    def preview_replica_count(self) -> int | None:
        return fields.integer(self.raw, "previewReplicaCount")

    @property
    def auto_promotion_enabled(self) -> bool:
        found = fields.flag(self.raw, "autoPromotionEnabled")
        return defaults.AUTO_PROMOTION_ENABLED if found is None else found

    @property
    def auto_promotion_seconds(self) -> int:
        """Seconds until promotion by itself; 0 (at once, or never) where automatic promotion is off."""
        return _int_or(self.raw, "autoPromotionSeconds", 0) if self.auto_promotion_enabled else 0

    @property
    def scale_down_delay_seconds(self) -> int:
        return _int_or(self.raw, "scaleDownDelaySeconds", defaults.SCALE_DOWN_DELAY_SECONDS)

    @property
    def scale_down_delay_set(self) -> bool:
        """Whether the manifest names the delay itself."""
        return fields.integer(self.raw, "scaleDownDelaySeconds") is not None


@dataclass(frozen=True, slots=True)
class Rollout:
    """One Rollout as read from the API server or a manifest."""

    raw: Json

    @property
    def name(self) -> str:
        return meta.name(self.raw)

    @property
    def namespace(self) -> str:
        return meta.namespace(self.raw)

    @property
    def uid(self) -> str:
        return meta.uid(self.raw)

    @property
    def generation(self) -> int:
        return meta.generation(self.raw)

    @property
    def labels(self) -> dict[str, str]:
        return meta.labels(self.raw)

    @property
    def annotations(self) -> dict[str, str]:
        return meta.annotations(self.raw)

    @property
    def revision(self) -> int:
        """The revision annotation; 0 before the first one is written."""
        return meta.revision(self.raw)

    @property
    def spec(self) -> Json:
        return fields.mapping(self.raw, "spec")

    @property
    def replicas(self) -> int:
        return _int_or(self.spec, "replicas", defaults.REPLICAS)

    @property
    def replicas_set(self) -> bool:
        """Whether `spec.replicas` is written at all (the controller writes 1 where it is not)."""
        return fields.integer(self.spec, "replicas") is not None

    @property
    def selector(self) -> Json:
        return fields.mapping(self.spec, "selector")

    @property
    def template(self) -> Json:
        return fields.mapping(self.spec, "template")

    @property
    def paused(self) -> bool:
        return fields.flag(self.spec, "paused") or False

    @property
    def min_ready_seconds(self) -> int:
        return _int_or(self.spec, "minReadySeconds", defaults.MIN_READY_SECONDS)

    @property
    def progress_deadline_seconds(self) -> int:
        return _int_or(self.spec, "progressDeadlineSeconds", defaults.PROGRESS_DEADLINE_SECONDS)

    @property
    def progress_deadline_abort(self) -> bool:
        return fields.flag(self.spec, "progressDeadlineAbort") or False

    @property
    def revision_history_limit(self) -> int:
        return _int_or(self.spec, "revisionHistoryLimit", defaults.REVISION_HISTORY_LIMIT)

    @property
    def restart_at(self) -> str:
        """RFC 3339 time, ``""`` where no restart is asked for."""
        return fields.text(self.spec, "restartAt")

    @property
    def canary(self) -> Canary | None:
        found = fields.value(self.spec, "strategy", "canary")
        return Canary(found) if isinstance(found, dict) else None

    @property
    def blue_green(self) -> BlueGreen | None:
        found = fields.value(self.spec, "strategy", "blueGreen")
        return BlueGreen(found) if isinstance(found, dict) else None

    @property
    def strategy(self) -> Strategy | None:
        """Which way it rolls; None where the manifest names neither. Blue-green wins over both."""
        if self.blue_green is not None:
            return Strategy.BLUE_GREEN
        return Strategy.CANARY if self.canary is not None else None

    @property
    def steps(self) -> tuple[steps.Step, ...]:
        """The canary's steps; empty for blue-green."""
        return self.canary.steps if self.canary is not None else ()

    @property
    def routing(self) -> Routing | None:
        """The canary's traffic routing; None for blue-green and for a canary without a router."""
        return self.canary.routing if self.blue_green is None and self.canary is not None else None

    @property
    def scale_down_delay_seconds(self) -> int:
        """How long old Pods stay after the switch: 0 for a canary without a router."""
        if self.blue_green is not None:
            return self.blue_green.scale_down_delay_seconds
        return self.canary.scale_down_delay_seconds if self.canary is not None else 0

    @property
    def services(self) -> dict[str, str]:
        """The Services the Rollout names, by the field that names them (relative to the strategy)."""
        named: dict[str, str] = {}
        if self.blue_green is not None:
            named["activeService"] = self.blue_green.active_service
            named["previewService"] = self.blue_green.preview_service
        elif self.canary is not None:
            named["stableService"] = self.canary.stable_service
            named["canaryService"] = self.canary.canary_service
            if self.canary.ping_pong is not None:
                named["pingPong.pingService"], named["pingPong.pongService"] = self.canary.ping_pong
        return {field: service for field, service in named.items() if service}

    @property
    def status(self) -> Status:
        return Status(fields.mapping(self.raw, "status"))
