"""What a check answers: passed, not yet because …, broke again because …. Codes and numbers, no sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Passed:
    """What the task asks for was seen."""


@dataclass(frozen=True, slots=True, init=False)
class NotYet:
    """It was not seen yet. `code` names a sentence of the lesson (``not-yet``) or of `words`."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __init__(self, code: str, **params: Any) -> None:
        object.__setattr__(self, "code", code)
        object.__setattr__(self, "params", params)


@dataclass(frozen=True, slots=True, init=False)
class BrokeAgain:
    """It was there and is no more. `code` names a sentence of the lesson (``broke``) or of `words`."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __init__(self, code: str, **params: Any) -> None:
        object.__setattr__(self, "code", code)
        object.__setattr__(self, "params", params)


Outcome = Passed | NotYet | BrokeAgain
