"""Resource quantities (``500m``, ``1.5Gi``, ``1e3``): parsing and the canonical form the server answers with.

# upstream: apimachinery/pkg/api/resource/quantity.go
"""

from __future__ import annotations

import re
from decimal import ROUND_UP, Context, Decimal, localcontext
from functools import lru_cache

PATTERN = r"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
BAD_FORMAT = f"quantities must match the regular expression '{PATTERN}'"
BAD_SUFFIX = "unable to parse quantity's suffix"
BAD_NUMBER = "unable to parse numeric part of quantity"

_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_SUFFIX_OF = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_OF = {bits: suffix for suffix, bits in _BINARY.items()}
_NANO = Decimal("1e-9")
_EXACT = Context(prec=120)
_LARGEST = Decimal((1 << 63) - 1)
_MAX_EXPONENT = 40


def amount(text: str) -> Decimal:
    """The number `text` stands for, in whole units (``"500m"`` is 0.5). Raises ValueError with Go's text."""
    return _parse(text)[0]


@lru_cache(maxsize=4096)
def _parse(text: str) -> tuple[Decimal, str]:
    """The number and its format: ``binary``, ``exponent`` or ``decimal``."""
    found = re.fullmatch(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)", text)
    if not text or len(text) > 100 or found is None or not (found[2] or found[3]):
        raise ValueError(BAD_FORMAT)
    sign, whole, fraction, suffix = found[1], found[2] or "0", found[3] or "0", found[4]
    with localcontext(_EXACT):
        number = Decimal(f"{sign}{whole}.{fraction}")
        if suffix in _BINARY:
            value, form = number * (1 << _BINARY[suffix]), "binary"
        elif suffix in _DECIMAL:
            value, form = number.scaleb(_DECIMAL[suffix]), "decimal"
        elif exponent := re.fullmatch(r"[eE]([-+]?[0-9]+)", suffix):
            power = max(-_MAX_EXPONENT, min(_MAX_EXPONENT, int(exponent[1])))
            value, form = number.scaleb(power), "exponent"
        else:
            raise ValueError(BAD_SUFFIX)
        value = max(-_LARGEST, min(_LARGEST, value))
        return value.quantize(_NANO, rounding=ROUND_UP) if value % _NANO else value, form


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """`text` as the server writes it: ``1000m`` becomes ``1``, ``1024Mi`` becomes ``1Gi``, ``0.5`` becomes
    ``500m``.

    Raises ValueError with Go's text when `text` is no quantity.
    """
    value, form = _parse(text)
    if value == 0:
        return "0"
    if form == "binary" and (abs(value) < 1024 or value != value.to_integral_value()):
        form = "decimal"
    if form == "binary":
        number, shift = int(value), 0
        while number % 1024 == 0 and shift < 60:
            number, shift = number // 1024, shift + 10
        return f"{number}{_BINARY_OF[shift] if shift else ''}"
    with localcontext(_EXACT):
        number, exponent = int(value.scaleb(9)), -9
    while number % 1000 == 0 and (exponent < 18 or form == "exponent"):
        number, exponent = number // 1000, exponent + 3
    if form == "exponent":
        return f"{number}e{exponent}" if exponent else str(number)
    return f"{number}{_SUFFIX_OF[exponent]}"
