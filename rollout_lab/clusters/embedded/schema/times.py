"""Times in objects: checked and brought into the form the server writes. No clock here."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from rollout_lab.api.times import rfc3339, rfc3339_micro

_PARTS = (
    ("2006", r"\d{4}"),
    ("-", "-"),
    ("01", r"\d{2}"),
    ("-", "-"),
    ("02", r"\d{2}"),
    ("T", "T"),
    ("15", r"\d{1,2}"),
    (":", ":"),
    ("04", r"\d{2}"),
    (":", ":"),
    ("05", r"\d{2}(?:[.,]\d+)?"),
    ("Z07:00", r"Z|[+-]\d{2}:\d{2}"),
)
_MICRO_PARTS = (*_PARTS[:-2], ("05", r"\d{2}"), (".000000", r"[.,]\d{6}"), _PARTS[-1])


def decode_time(text: str, *, micro: bool = False) -> str:
    """`text` in UTC: whole seconds for ``metav1.Time``, six digits for MicroTime. Raises ValueError in Go's
    words.

    # upstream: time.Parse, apimachinery/pkg/apis/meta/v1/time.go
    """
    layout = "2006-01-02T15:04:05.000000Z07:00" if micro else "2006-01-02T15:04:05Z07:00"
    rest = text
    for name, pattern in _MICRO_PARTS if micro else _PARTS:
        found = re.match(pattern, rest)
        if found is None:
            raise ValueError(f'parsing time "{text}" as "{layout}": cannot parse "{rest}" as "{name}"')
        rest = rest[found.end() :]
    if rest:
        raise ValueError(f'parsing time "{text}": extra text: "{rest}"')
    moment = text.replace(",", ".").replace("Z", "+00:00")
    moment = re.sub(r"(\.\d{6})\d+", r"\1", moment)
    try:
        seconds = datetime.fromisoformat(moment).astimezone(UTC)
    except ValueError as error:
        unit = "month" if "month" in str(error) else "day" if "day" in str(error) else "hour"
        raise ValueError(f'parsing time "{text}": {unit} out of range') from error
    stamp = seconds.timestamp()
    return rfc3339_micro(stamp) if micro else rfc3339(stamp)
