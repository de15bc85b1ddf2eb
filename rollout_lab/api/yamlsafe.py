"""YAML text to plain JSON values, with the line of every field, and no surprises. Pure.

Reads what kubectl reads: no tags, no dates, no numbers of base 60; keys are text. Refuses what
hides mistakes (two fields of one name, tabs) or hurts (anchors that multiply, nesting without end).
What a manifest must contain beyond that is `api.manifest`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

MAX_CHARACTERS = 4_000_000
MAX_VALUES = 200_000
MAX_DEPTH = 80

_INTEGER = re.compile(r"[-+]?(0x[0-9a-fA-F_]+|0b[01_]+|0o?[0-7_]+|[1-9][0-9_]*|0)")
_FLOAT = re.compile(r"[-+]?(\d[\d_]*\.?\d*|\.\d[\d_]*)([eE][-+]?\d+)?")
_TRUE = frozenset({"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})
_FALSE = frozenset({"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"})
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "map", "seq", "merge"))


@dataclass(frozen=True, slots=True)
class YamlProblem(Exception):
    """What is wrong at a line (1 is the first), the field it is about and what to do."""

    line: int
    wrong: str
    remedy: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a stream: its value, its first line, and the line of each field path below."""

    value: Any
    line: int
    lines: dict[str, int] = field(default_factory=dict)


class _Loader(yaml.SafeLoader):
    """The parser alone: everything plain stays text here, `_scalar` decides what it means."""

    yaml_implicit_resolvers: dict[str, Any] = {}


_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile("^<<$"), ["<"])


def documents(text: str) -> Iterator[Document]:
    """The documents of a YAML stream that are not empty. Raises YamlProblem."""
    if len(text) > MAX_CHARACTERS:
        raise YamlProblem(1, "the file is larger than any manifest", "give one with up to 4 million letters")
    loader = _Loader(text.removeprefix("\ufeff"))
    try:
        while loader.check_node():
            node = loader.get_node()
            document = _Reader().document(node) if node is not None else None
            if document is not None and document.value is not None:
                yield document
    except yaml.MarkedYAMLError as error:
        raise _syntax(error) from None
    except yaml.YAMLError as error:
        raise YamlProblem(1, f"not readable as YAML: {error}", "save the file as UTF-8 text") from None
    except RecursionError:
        raise YamlProblem(1, "nested too deeply", "write it flatter") from None
    finally:
        loader.dispose()


class _Reader:
    """Turns the node tree of one document into values, counting as it goes."""

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}
        self.count = 0
        self.inside: set[int] = set()

    def document(self, node: Node) -> Document:
        value = self._value(node, "", 0)
        return Document(value, node.start_mark.line + 1, self.lines)

    def _value(self, node: Node, path: str, depth: int) -> Any:
        line = node.start_mark.line + 1
        self.count += 1
        if depth > MAX_DEPTH:
            raise YamlProblem(line, "nested too deeply", "write it flatter", path)
        if self.count > MAX_VALUES:
            raise YamlProblem(
                line, "anchors repeat too much", "write the values out instead of *references", path
            )
        if id(node) in self.inside:
            raise YamlProblem(line, "an anchor contains itself", "write the value out instead of *reference")
        self.lines.setdefault(path, line)
        if isinstance(node, ScalarNode):
            return _scalar(node, path)
        _no_tag(node, path)
        self.inside.add(id(node))
        try:
            if isinstance(node, MappingNode):
                return self._mapping(node, path, depth)
            return [self._value(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(node.value)]
        finally:
            self.inside.discard(id(node))

    def _mapping(self, node: MappingNode, path: str, depth: int) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag == "tag:yaml.org,2002:merge":
                merged = {**self._merged(value_node, path, depth), **merged}
                continue
            key = _key(key_node, path)
            where = f"{path}.{key}" if path else key
            if key in own:
                wrong = f'the field "{key}" is written twice, here and in line {first[key]}'
                raise YamlProblem(line, wrong, "keep one of the two", where)
            first[key] = self.lines[where] = line
            own[key] = self._value(value_node, where, depth + 1)
        return {**merged, **own}

    def _merged(self, node: Node, path: str, depth: int) -> dict[str, Any]:
        parts = node.value if isinstance(node, SequenceNode) else [node]
        found: dict[str, Any] = {}
        for part in parts:
            value = self._value(part, path, depth + 1)
            if not isinstance(value, dict):
                raise YamlProblem(
                    part.start_mark.line + 1, "<< takes in an object", "give it *an-anchor", path
                )
            found = {**value, **found}
        return found


def _key(node: Node, path: str) -> str:
    line = node.start_mark.line + 1
    if not isinstance(node, ScalarNode):
        raise YamlProblem(line, "a field name cannot be an object or a list", "quote names with braces", path)
    value = _scalar(node, path)
    if isinstance(value, bool):
        return "true" if value else "false"
    return node.value if value is None else str(value)


def _scalar(node: Node, path: str) -> Any:
    text, line = node.value, node.start_mark.line + 1
    _no_tag(node, path)
    if getattr(node, "style", None) is not None:  # quoted, or a block of text
        return text
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        number = float(text.replace("_", ""))
        if not math.isfinite(number):
            raise YamlProblem(line, f"{text} is too large a number", "put it in quotes if it is text", path)
        return number
    return text


def _integer(text: str) -> int:
    digits = text.replace("_", "").lstrip("+-")
    sign = -1 if text.startswith("-") else 1
    for prefix, base in (("0x", 16), ("0b", 2), ("0o", 8)):
        if digits.startswith(prefix):
            return sign * int(digits[2:], base)
    return sign * int(digits, 8 if len(digits) > 1 and digits.startswith("0") else 10)


def _no_tag(node: Node, path: str) -> None:
    if node.tag not in _PLAIN_TAGS:
        shown = node.tag.replace("tag:yaml.org,2002:", "!!")
        raise YamlProblem(node.start_mark.line + 1, f"the tag {shown} has no meaning here", "remove it", path)


_KNOWN = (
    ("cannot start any token", "a tab stands where YAML wants spaces", "replace the tab by spaces"),
    (
        "mapping values are not allowed",
        "a colon where none can be",
        'check the indentation, or put "…" around it',
    ),
    (
        "could not find expected ':'",
        "a field without a colon",
        "write name: value, and check the line before",
    ),
    ("expected <block end>", "this line is indented otherwise than its neighbours", "align it with them"),
    (
        "found undefined alias",
        "the reference *… has no anchor &… before it",
        "define the anchor or write it out",
    ),
    ("found unexpected end of stream", "a quote or bracket is not closed", "close it"),
    ("while scanning a quoted scalar", "a quote is not closed", "close it"),
    ("while parsing a flow", "a bracket or brace is not closed", "close it, with commas between the entries"),
    ("found duplicate anchor", "two anchors of one name", "rename one"),
)


def _syntax(error: yaml.MarkedYAMLError) -> YamlProblem:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark is not None else 1
    said = f"{error.context or ''} {error.problem or ''}"
    if "cannot start any token" in said and "\\t" not in said:
        letter = said.partition("character ")[2].partition(" that")[0].strip("'")
        return YamlProblem(line, f"text cannot begin with {letter}", 'put "…" around it')
    for phrase, wrong, remedy in _KNOWN:
        if phrase in said:
            return YamlProblem(line, wrong, remedy)
    return YamlProblem(line, f"not readable as YAML: {said.strip()}", "check the indentation and the quotes")
