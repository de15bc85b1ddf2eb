"""A world played to its end: what people do, and what they are assumed to do where a run waits for them.

Only plays. What was seen on the way is told through the world's hooks (`lab.forecast` makes rows
and pictures of it).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from rollout_lab.api import fields, meta
from rollout_lab.api.fields import Json
from rollout_lab.api.names import Phase
from rollout_lab.api.steps import Pause
from rollout_lab.api.times import parse_time
from rollout_lab.errors import UsageError
from rollout_lab.simulate.world import World

HORIZON: Final = 6 * 3600.0
"""Virtual seconds after which a run that goes on and on is given up."""


class Ended(StrEnum):
    """How a forecast ended."""

    DONE = "done"  # healthy, and nothing more will happen
    WAITING = "waiting"  # a person has to promote or resume
    FAILED = "failed"  # degraded: aborted, or the progress deadline ran out
    UNFINISHED = "unfinished"  # still progressing: nothing will happen any more, or the horizon is reached


@dataclass(frozen=True, slots=True)
class Assumption:
    """Something nobody asked for that the forecast supposes. `seconds`: after the pause began."""

    words: str
    seconds: float
    code: str = "promote-after"


Told = Callable[[str, Assumption | None], None]
"""Called before each action with its words, and the assumption behind it if a person did not ask for it."""


def play(
    world: World,
    actions: Sequence[str | Mapping[str, Any]],
    *,
    promote_after: float | None,
    told: Told,
    horizon: float = HORIZON,
    at_once: bool = False,
) -> Ended:
    """Play `actions`, each once the run has settled (healthy, paused or degraded), then go on to the end.

    An action is words as in a recording ("set image 2.0.0", "promote" …) or an object to apply (an
    edited manifest). A pause without an end is promoted `promote_after` seconds after it began; None
    stops there. `at_once`: the first action is done in the state the world is in now.
    """
    end = world.now + horizon
    for i, action in enumerate(actions):
        if not (at_once and i == 0) and not world.run_until(lambda m: m.settled, horizon):
            break
        _act(world, action, told)
    while world.now <= end:
        if _waits_for_person(world):
            if promote_after is None or world.rollout.paused:
                _finish(world, end)
                return Ended.WAITING
            _promote_later(world, promote_after, told)
        elif world.idle:
            break
        else:
            world.step()
    phases = {Phase.HEALTHY: Ended.DONE, Phase.DEGRADED: Ended.FAILED}
    return phases.get(world.rollout.status.phase, Ended.UNFINISHED)  # type: ignore[call-overload, no-any-return]


def _act(world: World, action: str | Mapping[str, Any], told: Told) -> None:
    if isinstance(action, str):
        told(action, None)
        world.act(action)
        return
    obj: Json = dict(action)
    name = f"{obj.get('kind')}/{meta.name(obj)}"
    there = world.store.get(str(obj.get("kind")), meta.name(obj))
    if there is None and obj.get("kind") in ("Rollout", "Deployment"):
        raise UsageError(f"{name} is not what this run is about: its name must stay {world.rollout.name}")
    told(f"apply {name}", None)
    if there is None:
        world.store.create(obj)
    else:
        # An applied manifest replaces what a person writes: the whole spec, not the status.
        about = {**fields.mapping(there, "metadata")}
        about["labels"] = meta.labels(obj) or meta.labels(there)
        world.store.put({**there, "metadata": about, "spec": _kept(there, fields.mapping(obj, "spec"))})


def _kept(there: Json, spec: Json) -> Json:
    """The applied spec; a Service keeps the hash the engine wrote into its selector."""
    if there.get("kind") != "Service":
        return spec
    selector = {**fields.strings(there, "spec", "selector"), **fields.strings(spec, "selector")}
    return {**spec, "selector": selector}


def _waits_for_person(world: World) -> bool:
    """Whether the run is paused and no time ends it."""
    rollout = world.rollout
    status = rollout.status
    if status.phase != Phase.PAUSED:
        return False
    if rollout.paused:
        return True
    if not status.pause_conditions:
        return False
    if rollout.blue_green is not None:
        return not rollout.blue_green.auto_promotion_seconds
    index = status.current_step_index or 0
    step = rollout.steps[index] if index < len(rollout.steps) else None
    return isinstance(step, Pause) and step.duration is None


def _promote_later(world: World, seconds: float, told: Told) -> None:
    since = world.rollout.status.pause_conditions[0].start_time
    due = max((parse_time(since) if since else world.now) + seconds, world.now)
    while not world.idle and world.next_at <= due:
        world.step()
        if not _waits_for_person(world):
            return
    world.run(due - world.now)
    told("promote", Assumption("promote", seconds))
    world.act("promote")
    while not world.idle and world.rollout.status.phase == Phase.PAUSED:
        world.step()


def _finish(world: World, end: float) -> None:
    """Let happen what needs no person: Pods that are still going, delays that run out."""
    while not world.idle and world.next_at <= end:
        world.step()
