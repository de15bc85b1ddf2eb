"""The smallest merge patch that makes a live object say what a manifest says. Pure.

Fields the manifest does not name stay as they are, so what the server filled in is kept; only a
Rollout's strategy and template, which nobody but the author writes, also lose what was taken out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_AUTHORED = frozenset({("spec", "strategy"), ("spec", "template")})
_NOT_OURS = frozenset({"apiVersion", "kind", "status"})
_OWN_METADATA = frozenset({"labels", "annotations"})


def merge_patch(live: Mapping[str, Any], want: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON merge patch from `live` to `want`; empty when `live` already says all of it.

    `status` and the server's own metadata are never part of it.
    """
    authored = _AUTHORED if want.get("kind") == "Rollout" else frozenset()
    asked = {key: value for key, value in want.items() if key not in _NOT_OURS}
    meta = want.get("metadata") or {}
    asked["metadata"] = {key: value for key, value in meta.items() if key in _OWN_METADATA}
    return _missing(live, asked, (), authored, whole=False)


def _missing(
    live: Mapping[str, Any],
    want: Mapping[str, Any],
    path: tuple[str, ...],
    authored: frozenset[tuple[str, str]],
    *,
    whole: bool,
) -> dict[str, Any]:
    """What a merge patch must carry; with `whole` also a null for each key only `live` has."""
    patch: dict[str, Any] = {key: None for key in live if key not in want} if whole else {}
    for key, value in want.items():
        here, old = (*path, key), live.get(key)
        strict = whole or here in authored
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            inner = _missing(old, value, here, authored, whole=strict)
            if inner:
                patch[key] = inner
        elif not _says(old, value, strict=strict):
            patch[key] = value
    return patch


def _says(live: Any, want: Any, *, strict: bool) -> bool:
    """Whether `live` holds all of `want`; with `strict` also nothing more."""
    if isinstance(want, Mapping):
        if not isinstance(live, Mapping) or (strict and set(live) - set(want)):
            return not want and live is None and not strict
        return all(_says(live.get(name), value, strict=strict) for name, value in want.items())
    if isinstance(want, list):
        if not isinstance(live, list) or len(live) != len(want):
            return not want and live is None
        return all(_says(a, b, strict=strict) for a, b in zip(live, want, strict=True))
    return bool(live == want)
