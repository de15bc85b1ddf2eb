"""Is a Rollout right? Types and fields of every error are the peer's; the words are ours. Pure.

`validate` is the whole check of the spec, `unsupported` what this engine cannot do yet,
`decode_error` whether it can be read at all. The parts: `validate_strategy`, `validate_pod`,
`decoding`. Whether the Services it names exist is `references`.

# upstream: pkg/apis/rollouts/validation/validation.go::ValidateRollout
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollout_lab.api import decoding, defaults, fields, labels, selectors
from rollout_lab.api.problems import FieldError, internal, invalid, required
from rollout_lab.api.unsupported import unsupported
from rollout_lab.api.validate_pod import pod_template_errors
from rollout_lab.api.validate_strategy import strategy_errors

__all__ = ["FieldError", "decode_error", "decode_errors", "unsupported", "validate"]


def decode_errors(rollout: Mapping[str, Any]) -> list[FieldError]:
    """Every field of the spec and metadata whose value has the wrong type."""
    return decoding.type_errors(dict(rollout), "Rollout")


def decode_error(rollout: Mapping[str, Any]) -> str | None:
    """The first field that cannot be read, in words; None where the Rollout decodes."""
    found = decode_errors(rollout)
    return str(found[0]) if found else None


def validate(rollout: Mapping[str, Any]) -> list[FieldError]:
    """Every mistake of the spec, in the peer's order; empty for a good Rollout.

    A Rollout that does not decode has only the errors of its types, as nothing else can be judged.
    Fields this engine cannot do yet are not among them: see `unsupported`.
    """
    wrong_types = decode_errors(rollout)
    if wrong_types:
        return wrong_types
    spec = fields.mapping(rollout, "spec")
    replicas = _number(spec, "replicas", defaults.REPLICAS)
    return [
        *_at_least_zero(replicas, "spec.replicas"),
        *_selector_errors(spec),
        *_template_errors(spec),
        *_limit_errors(spec),
        *strategy_errors(spec),
    ]


def _number(spec: Mapping[str, Any], name: str, default: int) -> int:
    found = fields.integer(spec, name)
    return default if found is None else found


def _at_least_zero(value: int, field: str) -> list[FieldError]:
    return [] if value >= 0 else [invalid(field, value, "must be 0 or more")]


def _selector_errors(spec: Mapping[str, Any]) -> list[FieldError]:
    if spec.get("workloadRef") is not None:
        return []
    selector = spec.get("selector")
    if selector is None:
        detail = (
            "name the labels of the Pods, for example matchLabels: {app: demo}, the same as in spec.template"
        )
        return [required("spec.selector", detail)]
    errors = labels.selector_errors(selector, "spec.selector")
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        detail = "an empty selector would take every Pod of the namespace; name at least one label"
        errors.append(invalid("spec.selector", selector, detail))
    return errors


def _template_errors(spec: Mapping[str, Any]) -> list[FieldError]:
    template = spec.get("template") or {}
    if spec.get("workloadRef") is not None:
        has_metadata = fields.mapping(template, "metadata", "labels") or fields.mapping(
            template, "metadata", "annotations"
        )
        detail = "with workloadRef the template comes from the workload; remove spec.template or workloadRef"
        return [internal("spec.template", detail)] if has_metadata else []
    selector = spec.get("selector")
    if selector is not None and not labels.selector_is_usable(selector):
        return [invalid("spec.selector", selector, "the selector cannot be used until its labels are valid")]
    errors = []
    given = fields.strings(template, "metadata", "labels")
    if not _is_empty(selector) and not selectors.matches(selector, given):
        detail = (
            f"spec.selector asks for {selectors.text(selector) or 'labels'}; give the template these labels"
        )
        errors.append(invalid("spec.template.metadata.labels", given, detail))
    return errors + pod_template_errors(template, "spec.template")


def _is_empty(selector: Mapping[str, Any] | None) -> bool:
    """Whether the selector takes everything (a missing one takes nothing)."""
    return selector is not None and not selector.get("matchLabels") and not selector.get("matchExpressions")


def _limit_errors(spec: Mapping[str, Any]) -> list[FieldError]:
    min_ready = _number(spec, "minReadySeconds", defaults.MIN_READY_SECONDS)
    deadline = _number(spec, "progressDeadlineSeconds", defaults.PROGRESS_DEADLINE_SECONDS)
    history = _number(spec, "revisionHistoryLimit", defaults.REVISION_HISTORY_LIMIT)
    errors = [
        *_at_least_zero(min_ready, "spec.minReadySeconds"),
        *_at_least_zero(history, "spec.revisionHistoryLimit"),
        *_at_least_zero(deadline, "spec.progressDeadlineSeconds"),
    ]
    if deadline <= min_ready:
        detail = f"must be more than minReadySeconds ({min_ready}), or no Pod is ever available in time"
        errors.append(invalid("spec.progressDeadlineSeconds", deadline, detail))
    return errors
