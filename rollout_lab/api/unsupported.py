"""What the peer can do and this engine cannot yet: the one list, as data.

Such a field is refused by name, in the InvalidSpec condition, on the page and by `lint`; it is
never ignored. When the engine learns one, its line goes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rollout_lab.api import fields, problems
from rollout_lab.api.problems import FieldError
from rollout_lab.api.routing import BUILT_IN_PLUGINS, NOT_YET, PLUGINS


@dataclass(frozen=True, slots=True)
class Missing:
    """A field refused when it is set: its path (``[*]`` is any index), what it is, what to do instead."""

    path: str
    what: str
    remedy: str


_BG, _CN, _STEP = "spec.strategy.blueGreen", "spec.strategy.canary", "spec.strategy.canary.steps[*]"
_NO_ANALYSIS = "remove it and decide at a pause yourself (promote or abort)"
_ROUTING = "spec.strategy.canary.trafficRouting"
_OTHER_ROUTER = "use nginx, istio, or the Gateway API (plugins: argoproj-labs/gatewayAPI)"

LIST: Final = (
    Missing("spec.workloadRef", "taking the template from a Deployment", "write spec.template instead"),
    Missing("spec.analysis", "keeping a history of analysis runs", "remove it"),
    Missing(f"{_BG}.prePromotionAnalysis", "analysis before the switch", _NO_ANALYSIS),
    Missing(f"{_BG}.postPromotionAnalysis", "analysis after the switch", _NO_ANALYSIS),
    Missing(f"{_BG}.antiAffinity", "placing versions on different nodes", "remove it"),
    Missing(f"{_BG}.previewMetadata", "labels for preview Pods only", "put the labels into spec.template"),
    Missing(f"{_BG}.activeMetadata", "labels for active Pods only", "put the labels into spec.template"),
    *(Missing(f"{_ROUTING}.{name}", f"the {name} router", _OTHER_ROUTER) for name in NOT_YET),
    Missing(f"{_CN}.analysis", "background analysis", _NO_ANALYSIS),
    Missing(f"{_CN}.antiAffinity", "placing versions on different nodes", "remove it"),
    Missing(f"{_CN}.canaryMetadata", "labels for canary Pods only", "put the labels into spec.template"),
    Missing(f"{_CN}.stableMetadata", "labels for stable Pods only", "put the labels into spec.template"),
    Missing(f"{_CN}.replicaProgressThreshold", "a step done before all its Pods are ready", "remove it"),
    Missing(f"{_STEP}.analysis", "analysis as a step", "use a pause step and decide yourself"),
    Missing(f"{_STEP}.experiment", "experiments", "use a setWeight step and a pause step"),
    Missing(f"{_STEP}.plugin", "step plugins", "use setWeight and pause steps"),
)


def unsupported(rollout: Mapping[str, Any], plugins: Collection[str] = BUILT_IN_PLUGINS) -> list[FieldError]:
    """One error for each field of the Rollout that this engine does not do yet, with its exact path.

    `plugins` are the router plugins it has; others are refused by name too.
    """
    found = [
        problems.forbidden(path, f"not supported yet: {missing.what}; {missing.remedy}")
        for missing in LIST
        for path in _set(rollout, missing.path)
    ]
    asked = fields.mapping(rollout, *_ROUTING.split("."), PLUGINS)
    unknown = [name for name in asked if name not in plugins]
    return found + [
        problems.forbidden(
            f"{_ROUTING}.{PLUGINS}[{name}]",
            f"not supported yet: the router plugin {name}; here are {', '.join(sorted(plugins))}",
        )
        for name in unknown
    ]


def _set(obj: Any, pattern: str) -> Iterator[str]:
    """The paths that match the pattern and hold something (null and false hold nothing)."""
    found: list[tuple[Any, str]] = [(obj, "")]
    for part in pattern.split("."):
        name, each = part.removesuffix("[*]"), part.endswith("[*]")
        below = [(o[name], f"{path}.{name}".lstrip(".")) for o, path in found if _has(o, name)]
        if each:
            below = [
                (item, f"{path}[{index}]")
                for items, path in below
                if isinstance(items, list)
                for index, item in enumerate(items)
            ]
        found = below
    return (path for _, path in found)


def _has(obj: Any, name: str) -> bool:
    return isinstance(obj, Mapping) and obj.get(name) is not None and obj[name] is not False
