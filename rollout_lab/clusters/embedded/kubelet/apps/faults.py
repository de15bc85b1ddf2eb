"""The faults a demo program can have, and the two ways to ask for one: a tag suffix or a variable.

One table each, so that the documentation is the code. No behaviour here (`api_tester.py`).

| variable                    | value        | what happens                                                  |
|-----------------------------|--------------|---------------------------------------------------------------|
| API_TESTER_FAIL_PERCENT     | 0 to 100     | so many of 100 answers (not probes) are 500, at random        |
| API_TESTER_LATENCY_MS       | milliseconds | answers (not probes) come that much later, in wall time       |
| API_TESTER_PROBE_LATENCY_MS | milliseconds | answers to probe paths come later: time-outs                  |
| API_TESTER_READY            | never/always | never: /readiness answers 503                                 |
| API_TESTER_CRASH_AFTER      | seconds      | the program ends with code 1 that long after its start        |
| API_TESTER_START_DELAY      | seconds      | /startup, and all else, answers 503 that long                 |
| API_TESTER_STOP_DELAY       | seconds      | it serves on that long after it was told to end               |
| API_TESTER_PORT             | port         | listens there instead of on the containerPorts                |

| tag suffix    | the same as                     |
|---------------|---------------------------------|
| -slow         | API_TESTER_LATENCY_MS=1500      |
| -failing      | API_TESTER_FAIL_PERCENT=30      |
| -never-ready  | API_TESTER_READY=never          |
| -crashing     | API_TESTER_CRASH_AFTER=2        |
| -slow-start   | API_TESTER_START_DELAY=15       |

A variable wins over the suffix. Delays in seconds are lab time (a faster clock shortens them);
milliseconds are wall time, because a request takes as long as it takes at every speed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with a program; the default is nothing."""

    fail_percent: float = 0.0
    latency_ms: float = 0.0
    probe_latency_ms: float = 0.0
    never_ready: bool = False
    crash_after: float | None = None
    start_delay: float = 0.0
    stop_delay: float = 0.0
    port: int | None = None


def _number(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise ValueError(f"must be between {low:g} and {high:g}")
        return value

    return parse


def _ready(text: str) -> bool:
    if text.lower() not in ("never", "always", ""):
        raise ValueError('must be "never" or "always"')
    return text.lower() == "never"


def _port(text: str) -> int:
    return int(_number(1, 65535)(text))


_DAY = 86_400.0

VARIABLES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "API_TESTER_FAIL_PERCENT": ("fail_percent", _number(0, 100)),
    "API_TESTER_LATENCY_MS": ("latency_ms", _number(0, 600_000)),
    "API_TESTER_PROBE_LATENCY_MS": ("probe_latency_ms", _number(0, 600_000)),
    "API_TESTER_READY": ("never_ready", _ready),
    "API_TESTER_CRASH_AFTER": ("crash_after", _number(0, _DAY)),
    "API_TESTER_START_DELAY": ("start_delay", _number(0, _DAY)),
    "API_TESTER_STOP_DELAY": ("stop_delay", _number(0, _DAY)),
    "API_TESTER_PORT": ("port", _port),
}

SUFFIXES: dict[str, dict[str, Any]] = {
    "-slow": {"latency_ms": 1500.0},
    "-failing": {"fail_percent": 30.0},
    "-never-ready": {"never_ready": True},
    "-crashing": {"crash_after": 2.0},
    "-slow-start": {"start_delay": 15.0},
}


def split_tag(tag: str) -> tuple[str, Faults]:
    """The version a tag names and the faults its suffix asks for: ``v2.0.0-slow`` -> 2.0.0-slow, slow.

    The suffix stays in the version: a curl loop then says which of two builds of 2.0.0 answered.
    """
    faults = Faults()
    for suffix, values in SUFFIXES.items():
        if tag.endswith(suffix):
            faults = replace(faults, **values)
            break
    plain = tag.removeprefix("v")
    return (plain if plain[:1].isdigit() else tag), faults


def from_environment(faults: Faults, environment: Mapping[str, str]) -> tuple[Faults, list[str]]:
    """`faults` with what the variables ask for, and a line about each that cannot be read."""
    values: dict[str, Any] = {}
    complaints = []
    for name, (field, parse) in VARIABLES.items():
        if name not in environment:
            continue
        try:
            values[field] = parse(environment[name].strip())
        except ValueError as error:
            complaints.append(f"{name}={environment[name]!r} is ignored: {error}")
    return replace(faults, **values), complaints
