"""What is wrong with the YAML a person typed: each mistake with its field and its remedy. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from rollout_lab.api.problems import FieldError
from rollout_lab.api.validation import unsupported, validate
from rollout_lab.messages import explain, say

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mistake:
    """`field` is a path of the manifest or a line of the text; `what` and `remedy` are sentences."""

    field: str
    what: str
    remedy: str


def lint(lang: str, text: str, wanted: str) -> list[Mistake]:
    """All mistakes of a manifest that shall be the Rollout `wanted`; empty when it can be applied."""
    try:
        documents = [d for d in yaml.safe_load_all(text) if d is not None]
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        line = "YAML" if mark is None else say(lang, "lint.line", n=mark.line + 1)
        return [Mistake(line, say(lang, "lint.yaml"), str(getattr(problem, "problem", "") or problem))]
    if not documents:
        return [Mistake("YAML", say(lang, "editor.empty"), say(lang, "lint.load"))]
    if len(documents) > 1 or not isinstance(documents[0], dict):
        return [Mistake("YAML", say(lang, "lint.one"), say(lang, "lint.load"))]
    manifest: Json = documents[0]
    return _identity(lang, manifest, wanted) or [
        *(_field_error(lang, e) for e in validate(manifest)),
        *(_field_error(lang, e) for e in unsupported(manifest)),
    ]


def _identity(lang: str, manifest: Json, wanted: str) -> list[Mistake]:
    """Is it this lesson's Rollout at all?"""
    if manifest.get("kind") != "Rollout":
        kind = str(manifest.get("kind") or "?")
        return [Mistake("kind", say(lang, "editor.wrong_kind", kind=kind), "kind: Rollout")]
    if manifest.get("apiVersion") != "argoproj.io/v1alpha1":
        return [Mistake("apiVersion", say(lang, "lint.api_version"), "apiVersion: argoproj.io/v1alpha1")]
    metadata = manifest.get("metadata")
    name = str(metadata.get("name") if isinstance(metadata, dict) else None)
    if name != wanted:
        return [
            Mistake(
                "metadata.name", say(lang, "editor.wrong_name", wanted=wanted, name=name), f"name: {wanted}"
            )
        ]
    return []


def _field_error(lang: str, error: FieldError) -> Mistake:
    shown = "" if error.value is None else str(error.value)
    what = explain(lang, f"lint.{error.type.value}", {"value": shown[:60]}, error.type.value)
    return Mistake(error.field, what, error.detail)
