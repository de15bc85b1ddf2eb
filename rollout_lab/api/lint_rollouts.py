"""Lint rules about Rollouts and Deployments that are right, and still not what one wants. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rollout_lab.api import fields, selectors
from rollout_lab.api.findings import Finding, Level, finding
from rollout_lab.api.manifest import Loaded
from rollout_lab.api.rollout import BlueGreen, Canary, Rollout
from rollout_lab.api.steps import SetWeight

_ROUTED_ONLY = ("scaleDownDelayRevisionLimit", "abortScaleDownDelaySeconds")


def rollout_findings(all_loaded: Sequence[Loaded]) -> Iterator[Finding]:
    """The findings about workloads, with what they read from the same set of objects."""
    for loaded in all_loaded:
        kind = fields.text(loaded.obj, "kind")
        if kind not in ("Rollout", "Deployment"):
            continue
        yield from _pods(loaded)
        yield from _sources(loaded, all_loaded)
        if kind == "Deployment":
            yield from _selector(loaded)
            continue
        rollout = Rollout(loaded.obj)
        if rollout.blue_green is not None:
            yield from _blue_green(loaded, rollout, rollout.blue_green)
        elif rollout.canary is not None:
            yield from _canary(loaded, rollout.canary)


def _selector(loaded: Loaded) -> Iterator[Finding]:
    selector = fields.mapping(loaded.obj, "spec", "selector")
    given = fields.strings(loaded.obj, "spec", "template", "metadata", "labels")
    if not selectors.matches(selector, given):
        message = f"spec.selector asks for {selectors.text(selector) or 'labels'}"
        remedy = "give the template these labels"
        where = "spec.template.metadata.labels"
        yield finding(loaded, where, message, remedy, code="selector", level=Level.ERROR)


def _pods(loaded: Loaded) -> Iterator[Finding]:
    """What keeps the course's own manifests from running anywhere else."""
    spec = fields.mapping(loaded.obj, "spec", "template", "spec")
    if "kubernetes.io/hostname" in fields.mapping(spec, "nodeSelector"):
        host = fields.text(spec, "nodeSelector", "kubernetes.io/hostname")
        message = f'Pods wait for a Node named "{host}", which other clusters do not have'
        where = "spec.template.spec.nodeSelector"
        yield finding(loaded, where, message, "remove nodeSelector", code="node-selector")
    for index, container in enumerate(fields.objects(spec, "containers")):
        where = f"spec.template.spec.containers[{index}]"
        if fields.text(container, "imagePullPolicy") == "Always":
            message = "the image is asked for at a registry at every start, which fails without one"
            remedy = "write IfNotPresent"
            yield finding(loaded, f"{where}.imagePullPolicy", message, remedy, code="pull-always")
        image = fields.text(container, "image")
        tag = image.rpartition("/")[2].partition(":")[2]
        if image.strip() and "@" not in image and tag in ("", "latest"):
            message = "the image has no version, so a new one is no change and starts no update"
            remedy = f"write a version, for example {image.partition(':')[0]}:1.0.0"
            yield finding(loaded, f"{where}.image", message, remedy, code="latest")


def _sources(loaded: Loaded, all_loaded: Sequence[Loaded]) -> Iterator[Finding]:
    """ConfigMaps and Secrets read as environment: Pods wait until they are there."""
    namespace = fields.text(loaded.obj, "metadata", "namespace")
    there = {
        (fields.text(o.obj, "kind"), fields.text(o.obj, "metadata", "name"))
        for o in all_loaded
        if fields.text(o.obj, "metadata", "namespace") == namespace
    }
    if not any(kind in ("ConfigMap", "Secret") for kind, _ in there):
        return
    containers = fields.objects(loaded.obj, "spec", "template", "spec", "containers")
    for index, container in enumerate(containers):
        for number, source in enumerate(fields.objects(container, "envFrom")):
            for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                wanted = fields.text(source, key, "name")
                if not wanted or fields.flag(source, key, "optional") or (kind, wanted) in there:
                    continue
                where = f"spec.template.spec.containers[{index}].envFrom[{number}].{key}.name"
                message = f'no {kind} "{wanted}" among these manifests; Pods wait until it is there'
                remedy = f"add the {kind}, correct the name, or write optional: true"
                yield finding(loaded, where, message, remedy, code="missing-source")


def _blue_green(loaded: Loaded, rollout: Rollout, strategy: BlueGreen) -> Iterator[Finding]:
    at = "spec.strategy.blueGreen"
    if (
        not strategy.auto_promotion_enabled
        and (fields.integer(strategy.raw, "autoPromotionSeconds") or 0) > 0
    ):
        message = "has no effect while autoPromotionEnabled is false"
        remedy = "remove it, or write autoPromotionEnabled: true"
        yield finding(loaded, f"{at}.autoPromotionSeconds", message, remedy, code="no-effect")
    count = strategy.preview_replica_count
    if count is not None and count > rollout.replicas:
        message = f"more Pods before the switch ({count}) than after it ({rollout.replicas})"
        yield finding(loaded, f"{at}.previewReplicaCount", message, "write fewer", code="preview-count")
    yield from _negative(loaded, at, strategy.raw)


def _canary(loaded: Loaded, strategy: Canary) -> Iterator[Finding]:
    at = "spec.strategy.canary"
    for name in _ROUTED_ONLY:
        if fields.integer(strategy.raw, name) is not None and "trafficRouting" not in strategy.raw:
            message = "has no effect without a traffic router"
            yield finding(loaded, f"{at}.{name}", message, "remove it", code="no-effect")
    for name in ("maxSurge", "maxUnavailable"):
        value = strategy.raw.get(name)
        if isinstance(value, str) and not value.endswith("%"):
            message = f'the text "{value}" counts as {value} percent, not as Pods'
            remedy = "write a number without quotes, or a percentage such as 25%"
            yield finding(loaded, f"{at}.{name}", message, remedy, code="percent")
    last = 0
    for index, step in enumerate(strategy.steps):
        if isinstance(step, SetWeight):
            if step.weight < last:
                message = f"goes back from {last} to {step.weight} percent"
                remedy = "write weights that rise, or keep it if that is meant"
                yield finding(loaded, f"{at}.steps[{index}].setWeight", message, remedy, code="weight-falls")
            last = step.weight
    yield from _negative(loaded, at, strategy.raw)


def _negative(loaded: Loaded, at: str, strategy: fields.Json) -> Iterator[Finding]:
    """The peer takes these and does odd things; nobody means them."""
    for name, value in strategy.items():
        number = fields.integer(strategy, name)
        if number is not None and number < 0:
            message, remedy = f"{value} is less than nothing", "write 0 or more, or remove it"
            yield finding(loaded, f"{at}.{name}", message, remedy, code="negative")
