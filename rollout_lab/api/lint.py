"""Everything worth saying about a set of manifests before a cluster sees them. Pure.

`lint_text` for text with line numbers, `lint` for objects. The rules: what validation refuses,
fields that do not exist, and (in `lint_rollouts`, `lint_services`) what fits badly together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rollout_lab.api import decoding, fields, labels, validation
from rollout_lab.api.fields import Json
from rollout_lab.api.findings import Finding, Level, finding, name_of, of_error
from rollout_lab.api.lint_rollouts import rollout_findings
from rollout_lab.api.lint_services import service_findings
from rollout_lab.api.manifest import Loaded, ManifestError, load_with_lines
from rollout_lab.api.validate_pod import pod_template_errors

__all__ = ["Finding", "Level", "lint", "lint_text"]

_API_VERSIONS: Final = {
    "Rollout": "argoproj.io/v1alpha1",
    "Deployment": "apps/v1",
    "Service": "v1",
    "ConfigMap": "v1",
    "Secret": "v1",
    "Namespace": "v1",
}
"""The kinds whose fields are checked; any other kind is only checked for having a name."""


def lint_text(text: str, source: str) -> list[Finding]:
    """The findings about a YAML or JSON text, by line. Text that is no manifest is one error each."""
    try:
        loaded = load_with_lines(text, source)
    except ManifestError as error:
        return [
            Finding(Level.ERROR, "manifest", p.source, p.line, "", p.field, p.wrong, p.remedy)
            for p in error.problems
        ]
    return _lint(loaded)


def lint(objects: Sequence[Json], source: str = "manifest") -> list[Finding]:
    """The findings about objects that are applied together; no lines are known."""
    return _lint([Loaded(obj, source, number) for number, obj in enumerate(objects, 1)])


def _lint(all_loaded: Sequence[Loaded]) -> list[Finding]:
    found: list[Finding] = []
    for loaded in all_loaded:
        found += _kind(loaded)
        found += _shape(loaded)
    found += _twice(all_loaded)
    # What fits badly together is only worth saying about objects that have the right shape.
    sound = [one for one in all_loaded if not _type_errors(one)]
    found += rollout_findings(sound)
    found += service_findings(sound)
    return sorted(found, key=lambda f: (f.line, f.level, f.field))


def _kind(loaded: Loaded) -> list[Finding]:
    """A kind or apiVersion that is nearly right."""
    kind, version = fields.text(loaded.obj, "kind"), fields.text(loaded.obj, "apiVersion")
    if kind in _API_VERSIONS:
        wanted = _API_VERSIONS[kind]
        if version == wanted:
            return []
        message = f"{kind} is not a kind of {version}"
        return [finding(loaded, "apiVersion", message, f"write {wanted}", code="kind", level=Level.ERROR)]
    meant = decoding.suggestion(kind, list(_API_VERSIONS))
    if not meant or version != _API_VERSIONS[meant]:
        return []
    message, remedy = f"there is no kind {kind}", f"did you mean {meant}?"
    return [finding(loaded, "kind", message, remedy, code="kind", level=Level.ERROR)]


def _type_errors(loaded: Loaded) -> list[Finding]:
    kind = fields.text(loaded.obj, "kind")
    if kind not in _API_VERSIONS:
        return []
    return [of_error(loaded, error, "type") for error in decoding.type_errors(loaded.obj, kind)]


def _shape(loaded: Loaded) -> list[Finding]:
    """Fields of the wrong type, fields that do not exist, and what validation refuses."""
    obj, kind = loaded.obj, fields.text(loaded.obj, "kind")
    if kind not in _API_VERSIONS:
        return []
    found = _unknown(loaded, kind)
    name = fields.text(obj, "metadata", "name")
    if name and not labels.is_dns_name(name):
        remedy = "use small letters, digits and hyphens, for example api-tester-2234"
        found.append(
            finding(
                loaded, "metadata.name", f'"{name}" cannot be a name', remedy, code="name", level=Level.ERROR
            )
        )
    wrong_types = _type_errors(loaded)
    if wrong_types:
        return found + wrong_types
    for error in labels.label_errors(fields.mapping(obj, "metadata", "labels"), "metadata.labels"):
        found.append(of_error(loaded, error, "invalid"))
    if kind == "Rollout":
        found += [of_error(loaded, error, "invalid") for error in validation.validate(obj)]
        found += [of_error(loaded, error, "unsupported") for error in validation.unsupported(obj)]
    elif kind == "Deployment":
        template = fields.mapping(obj, "spec", "template")
        found += [of_error(loaded, e, "invalid") for e in pod_template_errors(template, "spec.template")]
    return found


def _unknown(loaded: Loaded, kind: str) -> list[Finding]:
    """The API server drops such a field without a word, so it is an error to lint."""
    found = []
    for unknown in decoding.unknown_fields(loaded.obj, kind):
        remedy = f"did you mean {unknown.suggestion}?" if unknown.suggestion else "remove it"
        message = "there is no such field, so it would have no effect"
        found.append(finding(loaded, unknown.field, message, remedy, code="unknown-field", level=Level.ERROR))
    return found


def _twice(all_loaded: Sequence[Loaded]) -> list[Finding]:
    """Two objects of one kind and name: the second would overwrite the first."""
    first: dict[tuple[str, str, str], Loaded] = {}
    found = []
    for loaded in all_loaded:
        key = (
            name_of(loaded.obj),
            fields.text(loaded.obj, "metadata", "namespace"),
            fields.text(loaded.obj, "apiVersion"),
        )
        before = first.setdefault(key, loaded)
        if before is loaded:
            continue
        line = before.line("metadata.name")
        message = "is written twice" + (f", also in line {line}" if line else "")
        found.append(
            finding(loaded, "metadata.name", message, "rename or remove one", code="twice", level=Level.ERROR)
        )
    return found
