"""String formats a CRD schema may name; unknown formats are always met.

# upstream: kube-openapi/pkg/validation/strfmt, apiextensions-apiserver/pkg/apiserver/validation/formats.go
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable
from datetime import date, datetime
from urllib.parse import urlsplit

from .times import decode_time


def holds(name: str, text: str) -> bool:
    """Whether `text` is of format `name`."""
    check = _CHECKS.get(name)
    return True if check is None else check(text)


def _succeeds(function: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            function(text)
        except ValueError:
            return False
        return True

    return check


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


def _date(text: str) -> date:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise ValueError(text)
    return datetime.strptime(text, "%Y-%m-%d").date()


def _date_time(text: str) -> bool:
    return bool(re.match(r"\d{4}-\d{2}-\d{2}[Tt]", text)) and _succeeds(decode_time)(text.upper())


def _uri(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(text) and (bool(parts.scheme) or text.startswith("/"))


_UUID = r"[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?%s[0-9a-fA-F]{3}-?%s[0-9a-fA-F]{3}-?[0-9a-fA-F]{12}"
_GO_DURATION = r"[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)"
_WORD_DURATION = (
    r"\s*\d+\s*(?:ns|us|µs|ms|s|m|h|d|w|(?:nano|micro|milli)?seconds?|minutes?|hours?|days?|weeks?)"
)
_LABEL = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"

_CHECKS: dict[str, Callable[[str], bool]] = {
    "date-time": _date_time,
    "datetime": _date_time,
    "date": _succeeds(_date),
    "duration": lambda t: bool(re.fullmatch(_GO_DURATION, t) or re.fullmatch(f"(?:{_WORD_DURATION})+", t)),
    "email": _matches(r"[^@\s<>]+@[^@\s<>]+"),
    "hostname": _matches(
        r"[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?)*"
    ),
    "ipv4": _succeeds(ipaddress.IPv4Address),
    "ipv6": _succeeds(ipaddress.IPv6Address),
    "cidr": lambda t: "/" in t and _succeeds(lambda x: ipaddress.ip_network(x, strict=False))(t),
    "mac": _matches(r"(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}"),
    "uri": _uri,
    "byte": _succeeds(lambda t: base64.b64decode(t, validate=True)),
    "uuid": _matches(_UUID % ("[0-9a-fA-F]", "[0-9a-fA-F]")),
    "uuid3": _matches(_UUID % ("3", "[0-9a-fA-F]")),
    "uuid4": _matches(_UUID % ("4", "[89abAB]")),
    "uuid5": _matches(_UUID % ("5", "[89abAB]")),
    "hexcolor": _matches(r"#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})"),
    "k8s-short-name": _matches(_LABEL),
    "k8s-long-name": lambda t: len(t) <= 253 and re.fullmatch(rf"{_LABEL}(?:\.{_LABEL})*", t) is not None,
}
