"""From a request's object to one the server may store: kind check, pruning, defaults, patches, validation.

The rules themselves are pure functions of `schema/` and `patching/`; here they are put in order.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rollout_lab.clusters.embedded import statuses
from rollout_lab.clusters.embedded.patching.failures import unusable_result
from rollout_lab.clusters.embedded.patching.govalue import go_print
from rollout_lab.clusters.embedded.patching.jsonpatch import apply_json
from rollout_lab.clusters.embedded.patching.merge import apply_merge
from rollout_lab.clusters.embedded.patching.strategic import apply_strategic
from rollout_lab.clusters.embedded.resources import Resource
from rollout_lab.clusters.embedded.schema import decode, defaults, validate
from rollout_lab.clusters.embedded.schema.builtin import schema_for

if TYPE_CHECKING:
    from rollout_lab.clusters.embedded.customs import Customs

Object = dict[str, Any]


@dataclass(slots=True)
class Options:
    """What a write asks for besides its body. `warnings` are filled in on the way."""

    dry_run: bool = False
    validation: str = "Ignore"  # fieldValidation: Ignore, Warn or Strict
    manager: str = ""
    duplicates: Sequence[str] = ()  # complaints about fields the body has twice
    warnings: list[str] = field(default_factory=list)


class Decoder:
    """Decodes and validates objects of built-in kinds, and of custom ones through `customs`."""

    def __init__(self, customs: Customs) -> None:
        self.customs = customs

    def decode(self, res: Resource, body: Any, options: Options) -> Object:
        """The object of a body: known fields only, defaults filled in. Raises 400."""
        obj = self._identify(res, body)
        if res.custom:
            return self.customs.decode(res, obj, options)
        schema = schema_for(res.group, res.version, res.kind)
        if schema is None:
            return obj
        try:
            made, unknown = decode.prune(obj, schema)
        except decode.DecodeError as error:
            raise decode.cannot_handle(obj["kind"], res.version, res.kind, str(error)) from None
        complain(obj["kind"], res, [*decode.unknown_texts(unknown), *options.duplicates], options)
        return _default(made)

    def patched(self, res: Resource, current: Object, patch: Any, kind: str, options: Options) -> Object:
        """`current` after a patch of `kind` json, merge or strategic, decoded again. Raises 400 and 422."""
        if res.custom:
            changed = apply_json(current, patch) if kind == "json" else apply_merge(current, patch)
            return self.customs.decode(res, self._identify(res, changed), options)
        schema = schema_for(res.group, res.version, res.kind)
        if kind == "strategic" and schema is not None:
            changed = apply_strategic(current, patch, schema)
        else:
            changed = apply_json(current, patch) if kind == "json" else apply_merge(current, patch)
        if schema is None:
            return changed
        dialect = decode.Dialect.MAP if kind == "strategic" else decode.Dialect.JSON
        try:
            made, unknown = decode.prune(changed, schema, dialect)
        except decode.DecodeError as error:
            shown = go_print(patch) if kind == "strategic" else _json(changed)
            raise unusable_result(shown, str(error)) from None
        problems = [*decode.unknown_texts(unknown), *options.duplicates]
        if problems and options.validation == "Strict":
            shown = go_print(patch) if kind == "strategic" else _json(changed)
            raise unusable_result(shown, decode.strict_text(problems))
        complain(res.kind, res, problems, options)
        return _default(made)

    def validate_create(self, res: Resource, obj: Object) -> list[Any]:
        """What is wrong with a new object, one cause each."""
        if res.custom:
            return self.customs.validate(res, obj, None)
        return list(validate.validate_create(obj))

    def validate_update(self, res: Resource, new: Object, old: Object, subresource: str) -> list[Any]:
        """What is wrong with a change, one cause each."""
        if res.custom:
            return self.customs.validate(res, new, old)
        return list(validate.validate_update(new, old, subresource))

    def _identify(self, res: Resource, body: Any) -> Object:
        if not isinstance(body, dict):
            raise statuses.bad_request(f"the object provided is unrecognized (must be of type {res.kind})")
        version, kind = body.get("apiVersion") or res.api_version, body.get("kind") or res.kind
        metadata = body.get("metadata") or {}
        if not isinstance(version, str) or not isinstance(kind, str):
            raise statuses.bad_request(
                f"the object provided is unrecognized (must be of type {res.kind}): "
                "couldn't get version/kind; apiVersion and kind must be strings"
            )
        if res.custom and not isinstance(metadata, dict):
            text = "json: cannot unmarshal metadata: it must be an object"
            raise decode.cannot_handle(kind, res.version, res.kind, text)
        if version == res.api_version and kind == res.kind:
            return {**body, "apiVersion": version, "kind": kind, "metadata": metadata}
        if res.custom:
            if version == res.api_version:
                causes = [statuses.invalid_value("kind", f'"{kind}"', f"must be {res.kind}")]
                raise statuses.invalid(res, metadata.get("name", ""), causes, kind=kind)
        elif kind != res.kind:
            inside = res.group.partition(".")[0] or "core"
            text = f"converting (v1.{kind}) to ({inside}.{res.kind}): unknown conversion"
            raise decode.cannot_handle(kind, version.rpartition("/")[2], res.kind, text)
        elif "/" not in version and not res.group:
            where = 'in scheme "pkg/runtime/scheme.go:110"'
            text = f'no kind "{kind}" is registered for version "{version}" {where}'
            raise decode.cannot_handle(kind, version, res.kind, text)
        text = "the API version in the data ({}) does not match the expected API version ({})"
        raise statuses.bad_request(text.format(version, res.api_version))


def complain(kind: str, res: Resource, problems: Sequence[str], options: Options) -> None:
    """Unknown and doubled fields: refused (Strict), told as warnings (Warn) or dropped silently."""
    if not problems or options.validation == "Ignore":
        return
    if options.validation == "Warn":
        options.warnings.extend(problems)
        return
    raise decode.cannot_handle(kind, res.version, res.kind, strict_text(problems))


def strict_text(problems: Sequence[str]) -> str:
    """The words of a strict refusal; YAML's complaints come in the form of its Go library."""
    if problems[0].startswith("line "):
        return "strict decoding error: yaml: unmarshal errors:\n  " + "\n  ".join(problems)
    return decode.strict_text(problems)


def _default(obj: Object) -> Object:
    return defaults.default(obj)


def _json(value: Any) -> str:
    """JSON for an error text; unlike the server's own encoder it takes any number a patch may hold."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
