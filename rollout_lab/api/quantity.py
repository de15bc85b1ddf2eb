"""Resource quantities ("500m", "1.5Gi") and the one way Kubernetes writes each. Pure.

# upstream: k8s.io/apimachinery pkg/api/resource::ParseQuantity, CanonicalizeBytes
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal, localcontext

_TEXT = re.compile(r"([+-]?)(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?", re.ASCII)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIX = {power: suffix for suffix, power in _DECIMAL.items()}
_BINARY_SUFFIX = {power: suffix for suffix, power in _BINARY.items()} | {0: ""}
_NANO = Decimal("1e-9")
_LARGEST = Decimal(2**63 - 1)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A parsed quantity: its value and the family its suffix came from ("decimal", "binary", "exponent")."""

    value: Decimal
    family: str

    def __str__(self) -> str:
        return _canonical(self)


def parse(text: str) -> Quantity:
    """The quantity a manifest writes. Raises ValueError.

    >>> str(parse("1000m")), str(parse("0.5Gi")), str(parse("1e3")), str(parse("0.001"))
    ('1', '512Mi', '1e3', '1m')
    """
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no quantity: write a number such as 100m, 0.5, 200Mi or 1Gi")
    sign, number, suffix = found.group(1), found.group(2), found.group(3) or ""
    with localcontext() as context:
        context.prec = 100
        if suffix in _BINARY:
            family, value = "binary", Decimal(number) * (1 << _BINARY[suffix])
        elif suffix in _DECIMAL:
            family, value = "decimal", Decimal(number).scaleb(_DECIMAL[suffix])
        else:
            family, value = "exponent", Decimal(number).scaleb(int(suffix[1:]))
        value = min(value.quantize(_NANO, rounding=ROUND_UP), _LARGEST)
    return Quantity(-value if sign == "-" else value, family)


def canonical(found: object) -> str:
    """The canonical text of a quantity as JSON holds it: a string or a number. Raises ValueError."""
    if isinstance(found, bool) or not isinstance(found, (str, int, float)):
        raise ValueError(f"{found!r} is no quantity")
    return str(parse(found if isinstance(found, str) else number_text(found)))


def value(found: object) -> Decimal:
    """The amount a quantity as JSON holds it stands for. Raises ValueError."""
    return parse(canonical(found)).value


def number_text(value: int | float) -> str:
    """A JSON number as Go writes it: no exponent between 1e-6 and 1e21, no trailing zeros."""
    if isinstance(value, int):
        return str(value)
    exact = Decimal(repr(value))
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        text = f"{exact:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, _, exponent = f"{exact.normalize():e}".partition("e")
    return f"{mantissa}e{int(exponent):+03d}" if int(exponent) > 0 else f"{mantissa}e{int(exponent)}"


def _canonical(quantity: Quantity) -> str:
    if quantity.value == 0:
        return "0"
    whole = quantity.value == quantity.value.to_integral_value()
    if quantity.family == "binary" and abs(quantity.value) >= 1024 and whole:
        amount, power = int(quantity.value), 0
        while amount % 1024 == 0 and power < 60:
            amount, power = amount // 1024, power + 10
        return f"{amount}{_BINARY_SUFFIX[power]}"
    amount, power = int(quantity.value.scaleb(9)), -9
    while amount % 1000 == 0 and power < 18:
        amount, power = amount // 1000, power + 3
    if quantity.family == "exponent":
        return f"{amount}e{power}" if power else str(amount)
    return f"{amount}{_DECIMAL_SUFFIX[power]}"
