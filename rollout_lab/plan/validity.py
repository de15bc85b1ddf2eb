"""Is this Rollout one the engine may act on: its spec, and the Services it names. Pure.

What is wrong with the spec itself is said by `api.validation`; here it becomes one message.
"""

from __future__ import annotations

from collections.abc import Callable

from rollout_lab.api import fields, meta, names, validation
from rollout_lab.api.problems import FieldError, invalid
from rollout_lab.plan.work import Work
from rollout_lab.routers import table


def first_problem(work: Work) -> FieldError | None:
    """The first thing that keeps the engine from acting, or None.

    # upstream: rollout/controller.go::getRolloutValidationErrors, getReferencedServices
    """
    raw = work.rollout.raw
    snapshot = work.snapshot
    checks: tuple[Callable[[], list[FieldError]], ...] = (
        lambda: validation.validate(raw),
        lambda: validation.unsupported(raw, table.plugin_names()),
        lambda: _services(work),
        lambda: table.problems(work.rollout, snapshot.routes, snapshot.absent),
    )
    return next((found[0] for check in checks if (found := check())), None)


def message(work: Work, problem: FieldError) -> str:
    return f'The Rollout "{work.rollout.name}" is invalid: {problem}'


def _services(work: Work) -> list[FieldError]:
    """Named Services must be there, choose these Pods, and belong to no other Rollout.

    # upstream: pkg/apis/rollouts/validation/validation_references.go::ValidateService
    """
    found: list[FieldError] = []
    labels = meta.labels(work.rollout.template)
    strategy = work.rollout.strategy or ""
    for field, name in work.rollout.services.items():
        path = f"spec.strategy.{strategy}.{field}"
        service = work.snapshot.services.get(name)
        if service is None:
            found.append(invalid(path, name, f'service "{name}" not found; create it, or correct the name'))
            continue
        for key, value in fields.strings(service, "spec", "selector").items():
            if key == names.ROLLOUT_HASH_LABEL or labels.get(key) == value:
                continue
            detail = (
                f'service "{name}" selects {key}={value}, which the Pods of spec.template do not have; '
                "give both the same labels"
            )
            found.append(invalid(path, name, detail))
        owner = meta.annotations(service).get(names.MANAGED_BY_ANNOTATION, "")
        if owner and owner != work.rollout.name:
            detail = (
                f'service "{name}" is managed by another Rollout ("{owner}"); a Service serves one Rollout'
            )
            found.append(invalid(path, name, detail))
    return found
