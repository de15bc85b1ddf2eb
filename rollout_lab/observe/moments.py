"""Any moment of a run from its rows: the picture as it was, the status as YAML, and the marks to stop at.

`Moments` takes rows in as they come (from a running lab or a file) and answers for any `t` in a
few milliseconds however long the run is. Pure: no clock, no files; where rows come from is
`recorder`, `replay` or a prediction.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import yaml

from rollout_lab.api import fields
from rollout_lab.observe import routed
from rollout_lab.observe.counted import Counted
from rollout_lab.observe.history import History, Memory, WhyLine
from rollout_lab.observe.marks import Marks
from rollout_lab.observe.observed import Observed
from rollout_lab.observe.picture import WHY_SHOWN, picture
from rollout_lab.observe.rebuilt import Rebuilder, started_by

Json = dict[str, Any]
Row = Mapping[str, Any]
CHECKPOINT: Final = 64  # changes between two copies of all objects
_KINDS: Final = ("Rollout", "ReplicaSet", "Service", "Pod", "EndpointSlice", "Gateway")
_State = dict[str, dict[str, Json]]


class Moments:
    """The moments of one run. One thread feeds it; reading changes nothing and may go on meanwhile.

    `addresses` is the answer of ``/lab/v1/addresses`` where the lab still runs; without it Services
    have no address, since nobody answers there.
    """

    def __init__(self, rows: Iterable[Row] = (), *, addresses: Mapping[str, Any] | None = None) -> None:
        self._rebuilder = Rebuilder()
        self.addresses = addresses
        self._guess: float | None = None
        self._times: list[float] = []
        self._changes: list[tuple[str, str, Json | None]] = []
        self._checkpoints: list[_State] = []
        self._state: _State = {kind: {} for kind in _KINDS}
        self._history = History()
        self._memories: list[tuple[float, Memory]] = []
        self._whys: list[tuple[float, Json]] = []
        self._counted = Counted()
        self._marks = Marks()
        self._set: Json = {}
        self._first: float | None = None
        self._end = 0.0
        self.count = 0
        self.extend(rows)

    # -- taking rows in -----------------------------------------------------------------------

    def extend(self, rows: Iterable[Row]) -> None:
        """Take in rows that come after all before."""
        rows = list(rows)
        if not self.count and not any("started" in row for row in rows):
            for row in rows:
                self._guess = started_by(row, self._guess)
        for row in rows:
            self._take(row)
            self.count += 1

    def _take(self, row: Row) -> None:
        t = float(row.get("t") or 0.0)
        self._end = max(self._end, t, float(row.get("until") or t))
        self._first = t if self._first is None else min(self._first, t)
        kind, type_ = row.get("kind"), row.get("type")
        if type_ == "SCENARIO" or kind == "Spec":
            self._rebuilder.learn(row)
        elif type_ == "WHY":
            self._whys.append((t, dict(row)))
        elif kind == "Probe":
            self._counted.take(row)
        elif kind in _KINDS:
            self._change(t, str(kind), str(row.get("name")), row)
        self._marks.take(row)

    def _change(self, t: float, kind: str, name: str, row: Row) -> None:
        if kind == "Rollout":
            self._rebuilder.name = self._rebuilder.name or name
            if name != self._rebuilder.name:
                return
        elif kind == "EndpointSlice":
            self._counted.led(t, name)
        elif kind == "Gateway":
            self._gateway(t, row)
        gone = row.get("type") == "DELETED"
        made = None if gone else self._rebuilder.object(row)
        _put(self._state, kind, name, made)
        t = max(t, self._times[-1] if self._times else t)
        self._times.append(t)
        self._changes.append((kind, name, made))
        if len(self._changes) % CHECKPOINT == 0:
            self._checkpoints.append({kind: dict(found) for kind, found in self._state.items()})
        if kind in ("Rollout", "ReplicaSet", "Service") or (kind == "Pod" and row.get("type") != "MODIFIED"):
            self._note(t)

    def _gateway(self, t: float, row: Row) -> None:
        """Shares through a gateway are counted anew from where it was set otherwise."""
        new = routed.settings({k: v for k, v in row.items() if k != "t"})
        if new != self._set:
            self._set = new
            for host in fields.items(new, "hosts"):
                self._counted.led(t, routed.probe_name(str(host)))

    def _note(self, t: float) -> None:
        """What only history knows: colours, when a selector changed, when a phase was reached."""
        observed = self._observe(t, self._state)
        before = self._memories[-1][1] if self._memories else Memory()
        self._history.note(observed)
        memory = self._history.memory()
        self._marks.stepped(t, observed)
        if memory != before:
            self._memories.append((t, memory))
            self._marks.reached(t, observed, memory, before)

    # -- what was -----------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The rollout of the run, ``""`` before any is known."""
        return self._rebuilder.name

    @property
    def namespace(self) -> str:
        return self._rebuilder.namespace

    @property
    def started(self) -> float:
        """When `t` was 0, in epoch seconds; guessed to a second where the recording does not say."""
        return self._rebuilder.started if self._rebuilder.started is not None else self._guess or 0.0

    @property
    def first(self) -> float:
        """Seconds of the first row; 0 for most runs."""
        return self._first or 0.0

    @property
    def end(self) -> float:
        """Seconds of the last row."""
        return self._end

    def at(self, t: float) -> Json:
        """The picture (`observe.picture`) at `t`, all rows of that hundredth of a second included.

        ``answers`` is empty: rows hold counts of answers, not the answers.
        """
        observed = self._observe(t, self._state_at(t))
        found = picture(observed, self._memory(t))
        if self.addresses is None:
            found["services"] = [{**service, "address": ""} for service in found["services"]]
        return found

    def rollout(self, t: float) -> Json | None:
        """The Rollout object at `t`, as far as rows hold it; None before it was there."""
        return self._state_at(t)["Rollout"].get(self.name)

    def status_yaml(self, t: float) -> str:
        """The Rollout's status at `t` as YAML, ``""`` before there is one."""
        status = fields.mapping(self.rollout(t), "status")
        if not status:
            return ""
        return yaml.safe_dump({"status": status}, sort_keys=False, allow_unicode=True, width=100)

    def why(self, t: float) -> tuple[Json, ...]:
        """All reasons up to `t`, oldest first: t, code, params, object, field."""
        lines = self._whys[: bisect.bisect_right(self._whys, t, key=lambda why: why[0])]
        return tuple({k: row.get(k) for k in ("t", "code", "params", "object", "field")} for _, row in lines)

    def marks(self) -> tuple[Json, ...]:
        """The moments worth a stop, in order; see `marks.Marks` for their shape."""
        return self._marks.found()

    def _state_at(self, t: float) -> _State:
        n = bisect.bisect_right(self._times, t + 1e-6)
        if n == len(self._changes):
            return self._state
        whole = n // CHECKPOINT
        start = self._checkpoints[whole - 1] if whole else {kind: {} for kind in _KINDS}
        state = {kind: dict(found) for kind, found in start.items()}
        for kind, name, made in self._changes[whole * CHECKPOINT : n]:
            _put(state, kind, name, made)
        return state

    def _memory(self, t: float) -> Memory:
        n = bisect.bisect_right(self._memories, t + 1e-6, key=lambda memory: memory[0])
        found = self._memories[n - 1][1] if n else Memory()
        last = bisect.bisect_right(self._whys, t + 1e-6, key=lambda why: why[0])
        lines = tuple(self._line(t, row) for t, row in self._whys[max(0, last - WHY_SHOWN) : last])
        return Memory(found.colours, found.changed, found.reached, lines)

    def _line(self, t: float, row: Json) -> WhyLine:
        texts = (fields.text(row, "object"), fields.text(row, "field"))
        return WhyLine(self.started + t, fields.text(row, "code"), fields.mapping(row, "params"), *texts)

    def _observe(self, t: float, state: _State) -> Observed:
        return Observed(
            now=self.started + t,
            started=self.started,
            rollout=state["Rollout"].get(self.name),
            replica_sets=tuple(state["ReplicaSet"].values()),
            services=tuple(state["Service"].values()),
            pods=tuple(state["Pod"].values()),
            slices=tuple(state["EndpointSlice"].values()),
            addresses=self.addresses or {},
            traffic=self._counted.at(t, self.started),
            gateway=next(iter(state["Gateway"].values()), None),
        )


def _put(state: _State, kind: str, name: str, made: Json | None) -> None:
    if made is None:
        state[kind].pop(name, None)
    else:
        state[kind][name] = made


def at(rows: Sequence[Row], t: float) -> Json:
    """The picture at `t` seconds; for one look at a run. For many looks keep a `Moments`."""
    return Moments(rows).at(t)


def marks(rows: Sequence[Row]) -> tuple[Json, ...]:
    """The moments of a run worth a stop (`marks.Marks`)."""
    return Moments(rows).marks()
