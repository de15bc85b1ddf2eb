"""The canary annotations of ingress-nginx: which there are, what they say. Pure.

# upstream: ingress-nginx docs "Annotations", section Canary; internal/ingress/annotations/canary
"""

from __future__ import annotations

import re

from rollout_lab.gateway.objects import Object, Problem, annotations_of, key_of, regex
from rollout_lab.gateway.table import Backend, Canary

NONE = Backend("", "", "")
OBEYED = frozenset(
    {
        "canary",
        "canary-weight",
        "canary-weight-total",
        "canary-by-header",
        "canary-by-header-value",
        "canary-by-header-pattern",
        "canary-by-cookie",
    }
)
_NO_EFFECT = {"ssl-redirect": "false", "force-ssl-redirect": "false"}  # there is no TLS to redirect to
DEFAULT_TOTAL = 100


def is_canary(ingress: Object, prefix: str) -> bool:
    return annotations_of(ingress).get(f"{prefix}/canary") == "true"


def unknown_annotations(ingress: Object, prefix: str) -> list[Problem]:
    """A problem for each annotation of the controller's that this gateway does not obey."""
    found = []
    for name, value in sorted(annotations_of(ingress).items()):
        owner, _, short = name.partition("/")
        if owner == prefix and short not in OBEYED and _NO_EFFECT.get(short) != value:
            text = "this gateway does not obey this annotation"
            found.append(_problem(ingress, name, text))
    return found


def canary_of(ingress: Object, prefix: str) -> tuple[Canary, list[Problem]]:
    """What the annotations ask for, without a backend yet.

    A total below 100 counts as 100, and a value goes before a pattern, as in ingress-nginx. An annotation
    that cannot be read counts as not there, and a problem says so.
    """
    given = {k.partition("/")[2]: v for k, v in annotations_of(ingress).items() if k.startswith(f"{prefix}/")}
    problems: list[Problem] = []
    total = max(_number(ingress, prefix, given, "canary-weight-total", problems), DEFAULT_TOTAL)
    weight = _number(ingress, prefix, given, "canary-weight", problems)
    if weight > total:
        name = f"{prefix}/canary-weight"
        text = f"{weight} is more than {total} (canary-weight-total); all requests go to the canary"
        problems.append(_problem(ingress, name, text))
    pattern: re.Pattern[str] | None = None
    wish = given.get("canary-by-header-pattern", "")
    if wish and not given.get("canary-by-header-value"):
        compiled = regex(wish)
        if isinstance(compiled, str):
            problems.append(_problem(ingress, f"{prefix}/canary-by-header-pattern", compiled))
        else:
            pattern = compiled
    for name in ("canary-by-header-value", "canary-by-header-pattern"):
        if given.get(name) and not given.get("canary-by-header"):
            text = "has no effect without canary-by-header"
            problems.append(_problem(ingress, f"{prefix}/{name}", text))
    canary = Canary(
        NONE,
        weight,
        total,
        given.get("canary-by-header", "").lower(),
        given.get("canary-by-header-value", ""),
        pattern,
        given.get("canary-by-cookie", ""),
        key_of(ingress)[1],
    )
    return canary, problems


def _number(ingress: Object, prefix: str, given: dict[str, str], name: str, out: list[Problem]) -> int:
    text = given.get(name)
    if text is None:
        return 0
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        out.append(_problem(ingress, f"{prefix}/{name}", f'"{text}" is no whole number of at least 0'))
        return 0
    return value


def _problem(ingress: Object, annotation: str, text: str) -> Problem:
    return Problem("Ingress", *key_of(ingress), f"metadata.annotations[{annotation}]", text)
