"""What changes in a request and an answer on their way through a gateway. Pure functions of headers.

# upstream: RFC 9110 section 7.6.1 (Connection, hop-by-hop), Gateway API HTTPHeaderFilter
"""

from __future__ import annotations

from collections.abc import Iterable

from rollout_lab.gateway.table import HeaderChange

Headers = list[tuple[str, str]]

HOP_BY_HOP = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"),
        *("te", "trailer", "transfer-encoding", "upgrade"),
    }
)
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})


def passed_on(headers: Iterable[tuple[str, str]]) -> Headers:
    """The headers that are for the other end: none of this connection's own."""
    found = list(headers)
    dropped = set(HOP_BY_HOP)
    for name, value in found:
        if name.lower() == "connection":
            dropped |= {word.strip().lower() for word in value.split(",")}
    return [(name, value) for name, value in found if name.lower() not in dropped]


def forwarded(headers: Headers, client: str, host: str) -> Headers:
    """With the traces a proxy leaves: whom it speaks for, and how it was asked."""
    before = [value for name, value in headers if name.lower() == "x-forwarded-for"]
    told = {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"}
    kept = [(name, value) for name, value in headers if name.lower() not in told]
    return [
        *kept,
        ("X-Forwarded-For", ", ".join([*before, client])),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Host", host),
    ]


def changed(headers: Headers, changes: Iterable[HeaderChange]) -> Headers:
    """Headers after each change: set replaces all of that name, add goes beside, remove takes away."""
    for change in changes:
        if not change:
            continue
        gone = {name for name, _ in change.set} | set(change.remove)
        headers = [(n, v) for n, v in headers if n.lower() not in gone] + [*change.set, *change.add]
    return headers
