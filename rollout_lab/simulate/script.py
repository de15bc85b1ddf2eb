"""A recorded run as something to play again: objects, what the person did, and when. Pure.

A person acts once things have settled. What that meant is read off the recording: the `Moment`
before each action is what a replay waits for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rollout_lab.api import fields, names
from rollout_lab.api.fields import Json
from rollout_lab.client.requests import Action
from rollout_lab.errors import UsageError
from rollout_lab.simulate.rows import tag


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a run stands, free of hashes and time. `sizes` and `selectors` are by version and Service."""

    phase: str = ""
    message: str = ""
    step: int | None = None
    pauses: tuple[str, ...] = ()
    abort: bool = False
    stable: str = ""
    current: str = ""
    sizes: tuple[tuple[str, int], ...] = ()
    selectors: tuple[tuple[str, str], ...] = ()
    counts: tuple[int, int, int] = (0, 0, 0)
    """Pods there, updated, available."""

    @property
    def settled(self) -> bool:
        """Healthy, paused or degraded: a state that may last."""
        return self.phase in ("Healthy", "Paused", "Degraded")

    def decided_as(self, other: Moment) -> bool:
        """Whether the same was decided, however far the Pods have come."""
        skip = ("counts", "message", "phase")
        return all(getattr(self, k) == getattr(other, k) for k in self.__slots__ if k not in skip)


@dataclass
class Follower:
    """Takes the rows of a run one by one and knows its present `Moment`."""

    _versions: dict[str, str] = field(default_factory=dict)
    _sizes: dict[str, int] = field(default_factory=dict)
    _selectors: dict[str, str] = field(default_factory=dict)
    _rollout: Json = field(default_factory=dict)

    def take(self, row: Json) -> None:
        kind, gone = row.get("kind"), row.get("type") == "DELETED"
        if kind == "ReplicaSet":
            version = tag(row.get("image"))
            hash_ = fields.text(row, "labels", names.ROLLOUT_HASH_LABEL)
            self._versions[hash_] = version
            self._sizes[version] = 0 if gone else fields.integer(row, "replicas") or 0
        elif kind == "Service" and not gone:
            hash_ = fields.text(row, "selector", names.ROLLOUT_HASH_LABEL)
            self._selectors[str(row["name"])] = hash_
        elif kind == "Rollout" and not gone:
            self._rollout = row

    @property
    def moment(self) -> Moment:
        status = fields.mapping(self._rollout, "status")
        pauses = tuple(fields.text(p, "reason") for p in fields.objects(status, "pauseConditions"))
        counts = ("replicas", "updatedReplicas", "availableReplicas")
        there, updated, available = (fields.integer(status, key) or 0 for key in counts)
        observed = fields.text(status, "observedGeneration") == str(self._rollout.get("generation"))
        return Moment(
            phase=fields.text(status, "phase") if observed else "",
            message=fields.text(status, "message"),
            step=fields.integer(status, "currentStepIndex"),
            pauses=pauses,
            abort=fields.flag(status, "abort") or False,
            stable=self._version(fields.text(status, "stableRS")),
            current=self._version(fields.text(status, "currentPodHash")),
            sizes=tuple(sorted(self._sizes.items())),
            selectors=tuple(sorted((name, self._version(h)) for name, h in self._selectors.items())),
            counts=(there, updated, available),
        )

    def _version(self, hash_: str) -> str:
        return self._versions.get(hash_, hash_)


@dataclass(frozen=True, slots=True)
class Act:
    """What the person did, in the words of the recording, and the moment before it."""

    words: str
    before: Moment


@dataclass(frozen=True, slots=True)
class Script:
    """A run to play again. `acts` leaves out the first one, ``apply``."""

    name: str
    objects: tuple[Json, ...]
    acts: tuple[Act, ...]
    final: Moment

    @property
    def rollout(self) -> str:
        """The name of the Rollout among the objects."""
        found = [o["metadata"]["name"] for o in self.objects if o.get("kind") == "Rollout"]
        if len(found) != 1:
            raise UsageError(f"run {self.name}: {len(found)} Rollouts among its objects instead of one")
        return str(found[0])


def load(lines: Iterable[str]) -> Script:
    """The script in the JSON lines of a recorded run. Raises UsageError."""
    rows: list[Json] = [json.loads(line) for line in lines if line.strip()]
    if not rows or rows[0].get("type") != "SCENARIO":
        raise UsageError("a recorded run begins with a SCENARIO line that holds the objects to apply")
    follower, acts = Follower(), []
    for row in rows:
        if row.get("type") == "ACTION" and row.get("action") != "apply":
            acts.append(Act(str(row["action"]), follower.moment))
        follower.take(row)
    head = rows[0]
    return Script(str(head.get("name") or ""), tuple(head["objects"]), tuple(acts), follower.moment)


_PLAIN = {
    "promote": Action.PROMOTE,
    "promote full": Action.PROMOTE_FULL,
    "abort": Action.ABORT,
    "retry": Action.RETRY,
    "undo": Action.UNDO,
    "pause": Action.PAUSE,
    "resume": Action.RESUME,
    "restart": Action.RESTART,
}


def action_of(words: str, now: float) -> tuple[Action, dict[str, Any]]:
    """The action that the words of a recording name, and its arguments. Raises UsageError.

    >>> action_of("set image 2.0.0", 0.0), action_of("undo to 3", 0.0)
    ((<Action.SET_IMAGE: 'set-image'>, {'version': '2.0.0'}), (<Action.UNDO: 'undo'>, {'to_revision': 3}))
    """
    if words in _PLAIN:
        action = _PLAIN[words]
        return action, {"now": now} if action is Action.RESTART else {}
    for lead, action, key in (
        ("set image ", Action.SET_IMAGE, "version"),
        ("undo to ", Action.UNDO, "to_revision"),
        ("scale ", Action.SCALE, "replicas"),
    ):
        if words.startswith(lead):
            value = words.removeprefix(lead).strip()
            if key == "version":
                return action, {key: value}
            if value.isdigit():
                return action, {key: int(value)}
    raise UsageError(
        f'unknown action "{words}"; known are {", ".join(_PLAIN)}, set image TAG, undo to REVISION, scale N'
    )
