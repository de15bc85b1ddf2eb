"""The rules of `spec.strategy`. Pure.

Field paths leave out ``canary`` and ``blueGreen``, as the peer's do; `lint` shows where they are.

# upstream: pkg/apis/rollouts/validation/validation.go::ValidateRolloutStrategy
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rollout_lab.api import defaults, fields
from rollout_lab.api.duration import pause_seconds
from rollout_lab.api.intstr import percent
from rollout_lab.api.problems import FieldError, invalid, required
from rollout_lab.api.validate_routing import ping_pong_errors, route_errors, service_errors

_AT = "spec.strategy"
_ONE_STEP = ("setWeight", "pause", "experiment", "analysis")
_ANY_STEP = (*_ONE_STEP, "setCanaryScale", "setHeaderRoute", "setMirrorRoute", "plugin")
_METADATA_PATH = re.compile(r"metadata\.(name|namespace|uid|(labels|annotations)(\['[^']+'\])?)")
_EXPERIMENT_ROUTERS = ("alb", "smi", "istio")


def strategy_errors(spec: Mapping[str, Any]) -> list[FieldError]:
    """Every mistake of the strategy, in the peer's order."""
    blue_green = fields.value(spec, "strategy", "blueGreen")
    canary = fields.value(spec, "strategy", "canary")
    if blue_green is None and canary is None:
        return [required(f"{_AT}.strategy", "name one: spec.strategy.blueGreen or spec.strategy.canary")]
    if blue_green is not None and canary is not None:
        return [
            invalid(f"{_AT}.strategy", "blueGreen and canary", "keep one of the two and remove the other")
        ]
    if blue_green is not None:
        return list(_blue_green(blue_green, spec))
    return list(_canary(canary))


def _blue_green(strategy: Mapping[str, Any], spec: Mapping[str, Any]) -> Iterator[FieldError]:
    active, preview = fields.text(strategy, "activeService"), fields.text(strategy, "previewService")
    if active == preview:
        detail = "needs the name of the Service that users reach"
        if active:
            detail = "activeService and previewService are the same Service; name two different ones"
        yield invalid(f"{_AT}.activeService", active, detail)
    limit = fields.integer(strategy, "scaleDownDelayRevisionLimit")
    history = fields.integer(spec, "revisionHistoryLimit")
    history = defaults.REVISION_HISTORY_LIMIT if history is None else history
    if limit is not None and limit > history:
        detail = f"more than revisionHistoryLimit ({history}); lower this one or raise that one"
        yield invalid(f"{_AT}.scaleDownDelayRevisionLimit", limit, detail)
    yield from _anti_affinity(strategy.get("antiAffinity"))


def _canary(strategy: Mapping[str, Any]) -> Iterator[FieldError]:
    routing = strategy.get("trafficRouting")
    surge = strategy.get("maxSurge", defaults.MAX_SURGE)
    if _is_zero(surge) and _is_zero(strategy.get("maxUnavailable", defaults.MAX_UNAVAILABLE)):
        detail = "maxSurge and maxUnavailable are both 0, so no Pod could ever be replaced; raise one of them"
        yield invalid(f"{_AT}.maxSurge", surge, detail)
    yield from _services(strategy)
    yield from ping_pong_errors(strategy.get("pingPong"), routing)
    yield from service_errors(strategy, routing)
    yield from _scaling(strategy, routing)
    most = _most_weight(routing)
    for index, step in enumerate(strategy.get("steps") or ()):
        yield from _step(step or {}, f"{_AT}.steps[{index}]", routing, most)
    yield from _anti_affinity(strategy.get("antiAffinity"))


def _is_zero(value: object) -> bool:
    """Whether a number or percentage is 0; unreadable text counts as 0, an absent value does not."""
    if value is None:
        return False
    if isinstance(value, str):
        share = percent(value)
        if share is None:
            share = (
                int(value) if value.removeprefix("-").isascii() and value.removeprefix("-").isdigit() else 0
            )
        return share == 0
    return value == 0


def _services(strategy: Mapping[str, Any]) -> Iterator[FieldError]:
    stable, canary = fields.text(strategy, "stableService"), fields.text(strategy, "canaryService")
    if stable and stable == canary:
        detail = "stableService and canaryService are the same Service; name two different ones"
        yield invalid(f"{_AT}.stableService", stable, detail)


def _scaling(strategy: Mapping[str, Any], routing: Any) -> Iterator[FieldError]:
    delay, dynamic = (
        fields.integer(strategy, "scaleDownDelaySeconds"),
        strategy.get("dynamicStableScale") is True,
    )
    if routing is None:
        if delay is not None:
            detail = "a canary without trafficRouting has no scale-down delay; remove it"
            yield invalid(f"{_AT}.scaleDownDelaySeconds", delay, detail)
        if dynamic:
            detail = "needs trafficRouting; remove it"
            yield invalid(f"{_AT}.dynamicStableScale", True, detail)
        return
    if delay is not None and dynamic:
        detail = (
            "stable Pods are removed at once here, so scaleDownDelaySeconds cannot hold; keep one of them"
        )
        yield invalid(f"{_AT}.dynamicStableScale", True, detail)
    most = fields.integer(routing, "maxTrafficWeight")
    if most is not None and routing.get("nginx") is None and not routing.get("plugins"):
        detail = "only the nginx router and router plugins have a weight scale; remove it"
        yield invalid(f"{_AT}.trafficRouting.maxTrafficWeight", most, detail)


def _most_weight(routing: Any) -> int:
    found = fields.integer(routing, "maxTrafficWeight")
    return defaults.MAX_TRAFFIC_WEIGHT if found is None else found


def _step(step: Mapping[str, Any], at: str, routing: Any, most: int) -> Iterator[FieldError]:
    named = [name for name in _ANY_STEP if step.get(name) is not None]
    if sum(name in _ONE_STEP for name in named) > 1:
        detail = f"one step does one thing, this one names {' and '.join(named)}; write a list entry for each"
        yield invalid(at, named, detail)
    if not named:
        yield invalid(at, step, f"a step names one of {', '.join(_ANY_STEP)}")
    weight = fields.integer(step, "setWeight")
    if weight is not None and not 0 <= weight <= most:
        yield invalid(f"{at}.setWeight", weight, f"a weight is 0 to {most}")
    yield from _pause(step.get("pause"), f"{at}.pause")
    if step.get("setCanaryScale") is not None and routing is None:
        detail = "setCanaryScale needs trafficRouting; without a router use setWeight"
        yield required(f"{_AT}.trafficRouting", detail)
    yield from route_errors(step, at, routing)
    yield from _experiment(step, at, routing)


def _pause(pause: Any, at: str) -> Iterator[FieldError]:
    duration = fields.value(pause, "duration")
    length = pause_seconds(duration)
    if length is not None and length < 0:
        detail = (
            "a pause is 0 seconds or longer: write 30, 30s, 2m or 1h30m; without duration it waits for you"
        )
        yield invalid(f"{at}.duration", duration, detail)


def _experiment(step: Mapping[str, Any], at: str, routing: Any) -> Iterator[FieldError]:
    for index, template in enumerate(fields.objects(step, "experiment", "templates")):
        weight = fields.integer(template, "weight")
        if weight is None:
            continue
        if routing is None or not any(routing.get(name) is not None for name in _EXPERIMENT_ROUTERS):
            detail = "a weight for an experiment needs trafficRouting by alb, smi or istio"
            yield invalid(f"{at}.experiment.templates[{index}].weight", weight, detail)
    analyses = [*fields.objects(step, "experiment", "analyses"), fields.mapping(step, "analysis")]
    for argument in (a for analysis in analyses for a in fields.objects(analysis, "args")):
        path = fields.text(argument, "valueFrom", "fieldRef", "fieldPath")
        if path.startswith("metadata") and not _METADATA_PATH.fullmatch(path):
            detail = "read name, namespace, uid, labels['…'] or annotations['…'] of metadata"
            yield invalid(f"{at}.analyses", path, detail)


def _anti_affinity(found: Any) -> Iterator[FieldError]:
    if found is None:
        return
    preferred = found.get("preferredDuringSchedulingIgnoredDuringExecution")
    needed = found.get("requiredDuringSchedulingIgnoredDuringExecution")
    if (preferred is None) == (needed is None):
        yield invalid(f"{_AT}.antiAffinity", found, "name either the preferred or the required rule")
    weight = fields.integer(preferred, "weight") or 0
    if preferred is not None and not 1 <= weight <= 100:
        yield invalid(f"{_AT}.antiAffinity.weight", weight, "a weight is 1 to 100")
