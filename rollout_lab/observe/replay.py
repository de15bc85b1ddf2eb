"""A recorded run as something to look at: read from a file with clear errors, seen like a running lab.

Reading only: a file is never changed, and rows of unknown kinds stay where they are. Playing a
recording again on a cluster is `simulate.script` and the tests' business.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rollout_lab.api import fields
from rollout_lab.api.selectors import matches_equality
from rollout_lab.errors import UsageError
from rollout_lab.observe.figures import figures
from rollout_lab.observe.moments import Moments

Json = dict[str, Any]
Row = Mapping[str, Any]
MOST_BYTES: Final = 32 * 1024 * 1024
MOST_ROWS: Final = 100_000
_TYPES: Final = ("SCENARIO", "ACTION", "ADDED", "MODIFIED", "DELETED", "END")
_MAPPINGS: Final = ("status", "labels", "annotations", "selector", "versions", "spec", "params")


class BadRecording(UsageError):
    """A file that is no recorded run. `line` counts from 1 (0: all of it), `field` may be ``""``."""

    def __init__(self, source: str, line: int, field: str, problem: str, remedy: str) -> None:
        where = f"{source}:{line}" if line else source
        about = f"{field}: " if field else ""
        super().__init__(f"{where}: {about}{problem}. {remedy}")
        self.source, self.line, self.field, self.problem, self.remedy = source, line, field, problem, remedy


class Recording:
    """A run that is over, with the doors of a lab: `seq`, `view`, `timeline`, `rows`; and `figures`, `marks`.

    `rows` as they were read, but for Services without EndpointSlice rows: which Pods they led to is
    worked out from selectors and ready Pods. Immutable; may be shared by many threads.
    """

    def __init__(self, rows: Sequence[Row], *, name: str = "", predicted: bool = False) -> None:
        self._rows = tuple(with_endpoints([dict(row) for row in rows]))
        self.moments = Moments(self._rows)
        scenario = next((fields.text(r, "name") for r in self._rows if r.get("type") == "SCENARIO"), "")
        self.name = name or scenario or self.moments.name
        self.predicted = predicted or any("ended" in r for r in self._rows if r.get("type") == "END")
        self._figures: Json | None = None

    @property
    def current(self) -> str:
        """The name of the rollout."""
        return self.moments.name

    @property
    def seq(self) -> int:
        """As `Lab.seq`; a recording never changes."""
        return len(self._rows)

    @property
    def first(self) -> float:
        """Seconds of the first moment there is something to see: when the first object came, else 0."""
        kinds = ("Rollout", "ReplicaSet", "Service", "Pod")
        return next((float(row["t"]) for row in self._rows if row.get("kind") in kinds), 0.0)

    @property
    def end(self) -> float:
        """Seconds of the last row."""
        return self.moments.end

    @property
    def ended(self) -> str:
        """How a prediction ended (``done``, ``waiting``, ``failed``, ``unfinished``), ``""`` for others."""
        return next((str(r.get("ended") or "") for r in reversed(self._rows) if r.get("type") == "END"), "")

    @property
    def assumptions(self) -> tuple[Json, ...]:
        """What a prediction supposed: t, action, code, seconds."""
        return tuple(
            {"t": row["t"], "action": row["action"], **fields.mapping(row, "assumed")}
            for row in self._rows
            if row.get("type") == "ACTION" and row.get("assumed")
        )

    def view(self, since: int | None = None, at: float | None = None) -> Json:
        """The picture at `at` seconds (default: the end) with ``seq`` and ``lab``, as `Lab.view` gives it."""
        about = {
            "cluster": "recording",
            "server": "",
            "engine": "none",
            "speed": 1.0,
            "namespace": self.moments.namespace,
            "scenario": self.name,
            "scenarios": [],
            "rollouts": [self.current] if self.current else [],
            "trouble": "",
            "predicted": self.predicted,
        }
        if since is not None and since == self.seq and at is None:
            return {"seq": self.seq, "t": self.end, "unchanged": True, "lab": about}
        return {**self.moments.at(self.end if at is None else at), "seq": self.seq, "lab": about}

    def timeline(self) -> tuple[Json, ...]:
        """All rows."""
        return self._rows

    def rows(self, since: int = 0) -> tuple[tuple[Json, ...], int]:
        """The rows from number `since` on, and the number to ask for next."""
        return self._rows[since:], len(self._rows)

    def marks(self) -> tuple[Json, ...]:
        """The moments worth a stop (`marks.Marks`)."""
        return self.moments.marks()

    def figures(self) -> Json:
        """The update in numbers (`figures.figures`)."""
        if self._figures is None:
            self._figures = figures(self._rows)
        return self._figures


def load(source: str | Path, name: str = "") -> Recording:
    """A recording from a file (Path) or from the text of one (str); `name` for messages and headings.

    Raises BadRecording with line, field and remedy.
    """
    if isinstance(source, Path):
        return Recording(read(_text(source), str(source)), name=name)
    return Recording(read(source, name or "the recording"), name="")


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _too_large(str(path))
        return path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise BadRecording(
            str(path), 0, "", f"cannot be read: {reason}", "Name a recorded run (*.jsonl)"
        ) from None
    except UnicodeDecodeError:
        raise BadRecording(str(path), 0, "", "is no UTF-8 text", "A recorded run is JSON lines") from None


def _too_large(source: str) -> BadRecording:
    limit = f"is larger than {MOST_BYTES // 1024 // 1024} MB"
    return BadRecording(source, 0, "", limit, "Record a shorter run, or cut rows of kind Probe from it")


def read(text: str, source: str = "the recording") -> list[Json]:
    """The rows in the JSON lines of `text`, checked. Raises BadRecording."""
    if len(text) > MOST_BYTES:
        raise _too_large(source)
    rows = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if line.strip():
            rows.append(_row(line, number, source))
        if len(rows) > MOST_ROWS:
            raise BadRecording(source, number, "", f"more than {MOST_ROWS} rows", "Record a shorter run")
    if not rows:
        raise BadRecording(
            source, 0, "", "is empty", "Record a run with: rollout-lab run course-2233 --json > run.jsonl"
        )
    if not any(row.get("kind") == "Rollout" for row in rows):
        remedy = "Record one with: rollout-lab run course-2233 --json > run.jsonl"
        raise BadRecording(source, 0, "kind", "no row tells of a Rollout", remedy)
    return rows


def _row(line: str, number: int, source: str) -> Json:
    def bad(field: str, problem: str, remedy: str) -> BadRecording:
        return BadRecording(source, number, field, problem, remedy)

    try:
        row = json.loads(line, parse_constant=lambda _: None)
    except json.JSONDecodeError as problem:
        if number == 1 and line.lstrip()[:1] not in "{[":
            raise bad("", "is no JSON", "A recorded run is JSON lines, one object a line (*.jsonl)") from None
        at = f"is no JSON (column {problem.colno}: {problem.msg})"
        raise bad("", at, "Was the file cut or edited? Take the line out or record again") from None
    except (RecursionError, ValueError):
        raise bad("", "is nested too deeply or holds an impossible number", "Take the line out") from None
    if not isinstance(row, dict):
        raise bad("", f"is a {_kind(row)} instead of an object", "Each line is one JSON object")
    t: Any = row.get("t")
    if not _is_seconds(t) or abs(t) > 1e9:
        raise bad(
            "t", f"is {_shown(t)} instead of seconds since the run began", 'Write a number, as "t": 4.32'
        )
    if not isinstance(row.get("type"), str):
        raise bad("type", f"is {_shown(row.get('type'))} instead of a word", f"One of {', '.join(_TYPES)}, …")
    for field in ("until", "started"):
        if field in row and not _is_seconds(row[field]):
            raise bad(field, f"is {_shown(row[field])} instead of a number of seconds", "Write a number")
    for field in ("objects", "pods"):
        if row.get(field) is not None and not isinstance(row[field], list):
            raise bad(field, f"is a {_kind(row[field])} instead of a list", "Write [...]")
    for field in _MAPPINGS:
        if row.get(field) is not None and not isinstance(row[field], dict):
            raise bad(field, f"is a {_kind(row[field])} instead of an object", 'Write {"name": value}')
    if row.get("kind") is not None and not isinstance(row.get("name"), str):
        raise bad("name", f"is {_shown(row.get('name'))} instead of the object's name", "Write a text")
    _check_numbers(row, bad)
    if row["type"] == "ACTION" and not isinstance(row.get("action"), str):
        raise bad("action", f"is {_shown(row.get('action'))}", 'Write what was done, as "promote"')
    return row


def _check_numbers(row: Json, bad: Any) -> None:
    """The numbers that are added up."""
    if row.get("kind") != "Probe":
        return
    counts = {f"versions.{k}": v for k, v in (row.get("versions") or {}).items()}
    for field, value in {**counts, "failed": row.get("failed", 0), "until": row.get("until", 0)}.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
            raise bad(field, f"is {_shown(value)} instead of a number", "Write how many answers were counted")


def _is_seconds(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and abs(value) < 1e11


def _kind(value: object) -> str:
    kinds = {dict: "object", list: "list", str: "text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "number")


def _shown(value: object) -> str:
    if value is None:
        return "missing"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else text[:39] + "…"


def with_endpoints(rows: list[Json]) -> list[Json]:
    """`rows` with EndpointSlice rows after each change of them, if the recording holds none (the peer's)."""
    if any(row.get("kind") == "EndpointSlice" for row in rows):
        return rows
    selectors: dict[str, dict[str, str]] = {}
    ready: dict[str, dict[str, str]] = {}
    led: dict[str, list[str]] = {}
    found: list[Json] = []
    for row in rows:
        found.append(row)
        kind, name = row.get("kind"), fields.text(row, "name")
        gone = row.get("type") == "DELETED"
        if kind == "Service":
            selectors[name] = {} if gone else fields.strings(row, "selector")
        elif kind == "Pod" and row.get("ready") == "True" and not row.get("deleting") and not gone:
            ready[name] = fields.strings(row, "labels")
        elif kind == "Pod":
            ready.pop(name, None)
        else:
            continue
        for service, selector in selectors.items():
            pods = sorted(
                pod for pod, labels in ready.items() if selector and matches_equality(selector, labels)
            )
            if led.get(service) != pods:
                led[service] = pods
                slice_ = {
                    "t": row["t"],
                    "type": "MODIFIED",
                    "kind": "EndpointSlice",
                    "name": service,
                    "pods": pods,
                }
                found.append(slice_)
    return found
