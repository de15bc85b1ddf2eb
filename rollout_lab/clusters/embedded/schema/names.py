"""The forms names, labels, keys and ports must have; each rule answers the texts of what is wrong.

# upstream: apimachinery/pkg/util/validation/validation.go
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

Rule = Callable[[str], list[str]]

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = f"({_QUALIFIED})?"
_PERCENT = "[0-9]+%"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_WILDCARD = rf"\*\.{_SUBDOMAIN}"

_EMPTY = "must be non-empty"
PORT_RANGE = "must be between 1 and 65535, inclusive"
NOT_NEGATIVE = "must be greater than or equal to 0"
BAD_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


def too_long(limit: int) -> str:
    return f"must be no more than {limit} characters"


def _form(text: str, pattern: str, *examples: str) -> str:
    shown = " or ".join(f"'{e}', " for e in examples)
    return f"{text} (e.g. {shown}regex used for validation is '{pattern}')"


_SUBDOMAIN_TEXT = _form(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character",
    _SUBDOMAIN,
    "example.com",
)
_LABEL_TEXT = _form(
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "
    "start and end with an alphanumeric character",
    _LABEL,
    "my-name",
    "123-abc",
)
_LABEL_1035_TEXT = _form(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end with an alphanumeric character",
    _LABEL_1035,
    "my-name",
    "abc-123",
)
_QUALIFIED_TEXT = _form(
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character",
    _QUALIFIED,
    "MyName",
    "my.name",
    "123-abc",
)
_VALUE_TEXT = _form(
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character",
    _VALUE,
    "MyValue",
    "my_value",
    "12345",
)
_CONFIG_KEY_TEXT = _form(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    _CONFIG_KEY,
    "key.name",
    "KEY_NAME",
    "key-name",
)
_PERCENT_TEXT = _form(
    "a valid percent string must be a numeric string followed by an ending '%'", _PERCENT, "1%", "93%"
)
_WILDCARD_TEXT = _form(
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must "
    "consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
    _WILDCARD,
    "*.example.com",
)


def _rule(pattern: str, text: str, limit: int) -> Rule:
    compiled = re.compile(pattern)

    def check(value: str) -> list[str]:
        found = [] if len(value) <= limit else [too_long(limit)]
        return found if compiled.fullmatch(value) else [*found, text]

    return check


dns_label = _rule(_LABEL, _LABEL_TEXT, 63)
dns_subdomain = _rule(_SUBDOMAIN, _SUBDOMAIN_TEXT, 253)
dns_1035_label = _rule(_LABEL_1035, _LABEL_1035_TEXT, 63)
wildcard_subdomain = _rule(_WILDCARD, _WILDCARD_TEXT, 253)
label_value = _rule(_VALUE, _VALUE_TEXT, 63)
percent = _rule(_PERCENT, _PERCENT_TEXT, 1 << 30)


def qualified_name(value: str) -> list[str]:
    """A label key, annotation key or condition type: ``name`` or ``prefix.example/name``."""
    parts = value.split("/")
    found: list[str] = []
    if len(parts) > 2:
        suffix = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a qualified name {_QUALIFIED_TEXT}{suffix}"]
    if len(parts) == 2:
        problems = dns_subdomain(parts[0]) if parts[0] else [_EMPTY]
        found += [f"prefix part {p}" for p in problems]
    name = parts[-1]
    if not name:
        found.append(f"name part {_EMPTY}")
    elif len(name) > 63:
        found.append(f"name part {too_long(63)}")
    if not re.fullmatch(_QUALIFIED, name):
        found.append(f"name part {_QUALIFIED_TEXT}")
    return found


def path_segment(value: str) -> list[str]:
    """A name that only has to fit into a URL path (RBAC)."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{bad}'" for bad in ("/", "%") if bad in value]


def config_key(value: str) -> list[str]:
    """A key of a ConfigMap or Secret."""
    found = [too_long(253)] if len(value) > 253 else []
    if not re.fullmatch(_CONFIG_KEY, value):
        found.append(_CONFIG_KEY_TEXT)
    if value in (".", ".."):
        found.append(f"must not be '{value}'")
    elif value.startswith(".."):
        found.append("must not start with '..'")
    return found


def env_name(value: str) -> list[str]:
    """The name of an environment variable."""
    if value and all(" " <= c <= "~" and c != "=" for c in value):
        return []
    return [
        "a valid environment variable name must consist only of printable ASCII characters other than '='"
    ]


def port_name(value: str) -> list[str]:
    """The name of a port, where a number could stand too."""
    found = []
    if len(value) > 15:
        found.append(too_long(15))
    if not re.fullmatch("[-a-z0-9]+", value):
        found.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        found.append("must contain at least one letter (a-z)")
    if "--" in value:
        found.append("must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        found.append("must not begin or end with a hyphen")
    return found


def ip_address(value: str) -> list[str]:
    """An IPv4 or IPv6 address; leading zeros are accepted as in old objects."""
    plain = ".".join(p.lstrip("0") or "0" for p in value.split(".")) if "." in value else value
    try:
        ipaddress.ip_address(plain)
    except ValueError:
        return [BAD_IP]
    return []


def generated(rule: Rule) -> Rule:
    """The rule for a generateName: a trailing dash is fine, because letters will follow."""
    return lambda value: rule(value[:-1] + "a" if len(value) > 1 and value.endswith("-") else value)
