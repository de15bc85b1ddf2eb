"""The JSONPath of CRD columns: fields, indexes, ``[*]`` and filters like ``[?(@.type=="Ready")]``.

# upstream: client-go/util/jsonpath
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from ..patching.govalue import go_float

Step = Callable[[Any], Iterator[Any]]

_TOKEN = re.compile(
    r"""\.?\[\?\(\s*@\.?(?P<left>[^=!<>()]*?)\s*(?:(?P<op>==|!=|<=|>=|<|>)\s*(?P<right>.*?))?\s*\)\]
    | \.?\[\s*(?P<all>\*)\s*\]
    | \.?\[\s*(?P<index>-?\d+)\s*\]
    | \.?\[\s*(?P<quote>['"])(?P<quoted>.*?)(?P=quote)\s*\]
    | \.(?P<star>\*)
    | \.(?P<name>(?:\\.|[^.\[\]\\])+)""",
    re.VERBOSE,
)


def find(obj: Any, path: str) -> list[Any]:
    """The values at `path` (``.spec.parts[*].name``), in order; empty for none or a bad path."""
    steps = _steps(path)
    if steps is None:
        return []
    values = [obj]
    for step in steps:
        values = [found for value in values for found in step(value)]
    return values


def text(value: Any) -> str:
    """A found value as a string column shows it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return "<nil>" if value is None else str(value).lower()
    if isinstance(value, float):
        return go_float(value)
    return str(value) if isinstance(value, int) else json.dumps(value, separators=(",", ":"))


@lru_cache(maxsize=512)
def _steps(path: str) -> tuple[Step, ...] | None:
    rest = path.strip()
    rest = rest[1:-1] if rest.startswith("{") and rest.endswith("}") else rest
    rest = rest.removeprefix("$")
    steps: list[Step] = []
    while rest:
        found = _TOKEN.match(rest)
        if found is None:
            return None
        steps.append(_step(found))
        rest = rest[found.end() :]
    return tuple(steps)


def _step(found: re.Match[str]) -> Step:
    if found["left"] is not None:
        return _filter(found["left"], found["op"], found["right"])
    if found["all"] or found["star"]:
        return _every
    if found["index"] is not None:
        return _indexed(int(found["index"]))
    name = found["quoted"] if found["quoted"] is not None else re.sub(r"\\(.)", r"\1", found["name"])
    return _named(name)


def _every(value: Any) -> Iterator[Any]:
    yield from value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()


def _indexed(index: int) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= index < len(value):
            yield value[index]

    return step


def _named(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _filter(left: str, operator: str | None, right: str | None) -> Step:
    wanted = _literal(right) if right is not None else None

    def step(value: Any) -> Iterator[Any]:
        for item in value if isinstance(value, list) else ():
            found = find(item, f".{left}") if left else [item]
            if found and (operator is None or _compare(found[0], operator, wanted)):
                yield item

    return step


def _literal(token: str) -> Any:
    if token[:1] in "'\"" and token[:1]:
        return token[1:-1]
    try:
        return json.loads(token)
    except ValueError:
        return token


def _compare(left: Any, operator: str, right: Any) -> bool:
    if operator in ("==", "!="):
        return (left == right) is (operator == "==")
    if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
        return False
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[operator]
