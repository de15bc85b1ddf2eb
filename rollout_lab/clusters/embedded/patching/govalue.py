"""Values the way Go prints them, because Kubernetes puts such prints into its error texts.

Only formatting lives here.
"""

from __future__ import annotations

import math
from typing import Any


def go_print(value: Any) -> str:
    """`value` (decoded JSON) as Go's ``%v`` writes it: ``map[a:1 b:[x y]]``, keys sorted."""
    match value:
        case None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case dict():
            return "map[" + " ".join(f"{k}:{go_print(value[k])}" for k in sorted(value)) + "]"
        case list():
            return "[" + " ".join(map(go_print, value)) + "]"
        case float():
            return go_float(value)
        case _:
            return str(value)


def go_float(value: float) -> str:
    """A float64 as ``%v`` writes it: shortest form, exponent from 1e21 on or below 1e-4."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    if value == math.floor(value) and abs(value) < 1e21:
        return str(int(value))
    text = repr(value)
    if "e" in text:
        mantissa, _, exponent = text.partition("e")
        sign, digits = exponent[0], exponent.lstrip("+-")
        return f"{mantissa.removesuffix('.0')}e{'-' if sign == '-' else '+'}{digits.zfill(2)}"
    return text


def go_type(value: Any) -> str:
    """The Go type JSON decodes `value` into, when there is no struct to decode into."""
    match value:
        case None:
            return "<nil>"
        case bool():
            return "bool"
        case int():
            return "int64"
        case float():
            return "float64"
        case str():
            return "string"
        case list():
            return "[]interface {}"
        case _:
            return "map[string]interface {}"
