"""Bodies as bytes to plain values and back: JSON and YAML, with duplicate keys found and Go's error texts.

Lives here: parsing only. What the value must look like is `decode`'s business.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Any

import yaml


class SyntaxProblem(ValueError):
    """The body is no JSON or YAML; the text is what Go's decoder would have said."""


def parse_json(data: bytes) -> tuple[Any, list[str]]:
    """The value of a JSON body and the texts ``duplicate field "a.b"`` for keys given twice (the last one
    wins).

    Raises SyntaxProblem.
    """
    repeated = False

    def pairs_hook(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        made = dict(pairs)
        repeated = repeated or len(made) != len(pairs)
        return made

    try:
        text = data.decode()
        value = json.loads(
            text, object_pairs_hook=pairs_hook, parse_constant=_no_constant, parse_float=_finite
        )
    except json.JSONDecodeError as error:
        raise SyntaxProblem(_json_problem(error)) from error
    except SyntaxProblem:
        raise
    except (ValueError, RecursionError) as error:
        raise SyntaxProblem(f"invalid JSON: {error}") from error
    found: list[str] = []
    if repeated:
        _duplicates(json.loads(text, object_pairs_hook=_Pairs), "", found)
    return value, found


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as its pairs."""


def _duplicates(value: Any, path: str, found: list[str]) -> None:
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for key, child in value:
            here = f"{path}.{key}" if path else key
            if key in seen and (text := f'duplicate field "{here}"') not in found:
                found.append(text)
            seen.add(key)
            _duplicates(child, here, found)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            _duplicates(child, f"{path}[{index}]", found)


def go_numbers(value: Any) -> Any:
    """`value` with whole floats as integers (``1.0`` is written ``1``) and integers beyond 64 bits as floats.

    That is what numbers become in Go where no schema gives them a type. Shares what does not change.
    """
    if isinstance(value, float):
        return _whole(value)
    if isinstance(value, int) and not isinstance(value, bool) and not -(1 << 63) <= value < 1 << 63:
        return _whole(float(value))
    if isinstance(value, dict):
        return {key: go_numbers(child) for key, child in value.items()}
    return [go_numbers(child) for child in value] if isinstance(value, list) else value


def _whole(number: float) -> int | float:
    """Whole numbers below 1e20 as integers with as many digits as Go prints, zeros after that."""
    if number != number or abs(number) >= 1e19 * 1.8 or number != int(number):
        return number
    return int(Decimal(repr(number)))


def _no_constant(name: str) -> Any:
    raise SyntaxProblem(f"invalid character {name[0]!r} looking for beginning of value")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise SyntaxProblem(f"json: cannot unmarshal number {text} into Go value of type float64")
    return number


def _json_problem(error: json.JSONDecodeError) -> str:
    rest = error.doc[error.pos :].lstrip()
    if not rest or error.msg.startswith("Unterminated string"):
        return "unexpected end of JSON input"
    where = "looking for beginning of value"
    for literal in ("null", "true", "false"):
        if rest[0] == literal[0] and error.msg.startswith("Expecting value"):
            return _broken_literal(rest, literal)
    if "property name" in error.msg:
        where = "looking for beginning of object key string"
    elif "':'" in error.msg:
        where = "after object key"
    elif "','" in error.msg:
        where = "after object key:value pair" if "{" in error.doc else "after array element"
    elif "Extra data" in error.msg:
        where = "after top-level value"
    return f"invalid character {rest[0]!r} {where}"


def _broken_literal(rest: str, literal: str) -> str:
    for index, wanted in enumerate(literal):
        if index >= len(rest):
            break
        if rest[index] != wanted:
            return f"invalid character {rest[index]!r} in literal {literal} (expecting {wanted!r})"
    return "unexpected end of JSON input"


class _Loader(yaml.SafeLoader):
    """YAML as the Kubernetes tools read it: times stay text, ``y`` and ``n`` are booleans, no base-60
    numbers.
    """

    yaml_implicit_resolvers = {
        first: [
            (tag, pattern) for tag, pattern in entries if not tag.endswith((":timestamp", ":int", ":float"))
        ]
        for first, entries in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^[yYnN]$"), list("yYnN"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int",
    re.compile(r"^[-+]?(0b[0-1_]+|0x[0-9a-fA-F_]+|0o?[0-7_]+|0|[1-9][0-9_]*)$"),
    list("-+0123456789"),
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)


def _boolean(loader: yaml.SafeLoader, node: Any) -> bool:
    return str(loader.construct_scalar(node)).lower() in ("y", "yes", "true", "on")


def _int(loader: yaml.SafeLoader, node: Any) -> int:
    return _integer(str(loader.construct_scalar(node)))


def _float(loader: yaml.SafeLoader, node: Any) -> float:
    return float(str(loader.construct_scalar(node)))


_Loader.add_constructor("tag:yaml.org,2002:bool", _boolean)
_Loader.add_constructor("tag:yaml.org,2002:int", _int)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)


def _integer(text: str) -> int:
    digits = text.replace("_", "").lower()
    sign, digits = (-1, digits[1:]) if digits[0] == "-" else (1, digits.removeprefix("+"))
    if digits.startswith(("0b", "0x", "0o")):
        return sign * int(digits, 0)
    return sign * int(digits, 8 if len(digits) > 1 and digits[0] == "0" else 10)


def parse_yaml(data: bytes) -> tuple[Any, list[str]]:
    """The value of a YAML body and the texts ``line 6: key "k" already set in map`` for keys given twice.

    Keys become strings as in JSON. Raises SyntaxProblem.
    """
    try:
        loader = _Loader(data.decode())
        try:
            node = loader.get_single_node()
            if node is None:
                return None, []
            found: list[str] = []
            _yaml_duplicates(node, found)
            return go_numbers(_plain(loader.construct_document(node))), found
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise SyntaxProblem(_yaml_problem(error)) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SyntaxProblem(f"yaml: {error}") from error


def _yaml_duplicates(node: yaml.Node, found: list[str]) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                found.append(f'line {key.start_mark.line + 1}: key "{name}" already set in map')
            seen.add(name)
            _yaml_duplicates(value, found)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _yaml_duplicates(item, found)


def _yaml_problem(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    line = f"line {mark.line + 1}: " if mark is not None else ""
    problem = error.problem or str(error)
    if problem.startswith("expected the node content"):
        problem = "did not find expected node content"
    elif problem.startswith("expected <block end>"):
        problem = "did not find expected key"
    elif "cannot start any token" in problem:
        problem = "found character that cannot start any token"
    return f"yaml: {line}{problem}"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {_key(k): _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list) else value


def _key(key: Any) -> str:
    return ("true" if key else "false") if isinstance(key, bool) else str(key)
