"""Runs that are always there to look at: predicted ones of a few recipes, and the peer's recorded ones.

Each has a key that fits a URL. Nothing here is live; a run is made once and kept.
"""

from __future__ import annotations

import gzip
from functools import lru_cache
from importlib.resources import files
from typing import Final

from rollout_lab.api import fields
from rollout_lab.lab.forecast import predict
from rollout_lab.messages import say
from rollout_lab.observe.replay import Recording, load
from rollout_lab.ui.recipe import Kind, Recipe, objects

RECIPES: Final = {
    "recreate": Recipe(Kind.RECREATE),
    "rolling": Recipe(Kind.ROLLING),
    "bluegreen": Recipe(Kind.BLUE_GREEN),
    "canary": Recipe(Kind.CANARY),
    "surge-0": Recipe(Kind.CANARY, surge=0, unavailable=25),
    "surge-25": Recipe(Kind.CANARY, surge=25, unavailable=0),
}
PEER: Final = (
    "bluegreen-manual",
    "canary-course",
    "bluegreen-abort-retry-undo",
    "canary-abort-retry-undo",
    "canary-third-version-while-paused",
    "canary-ten-replicas-timed",
)
SETS: Final = {
    "strategies": ("recreate", "rolling", "bluegreen", "canary"),
    "surge": ("surge-0", "surge-25"),
    "peer": ("ours-canary-course", "peer-canary-course"),
}
KEYS: Final = (*RECIPES, *(f"ours-{name}" for name in PEER), *(f"peer-{name}" for name in PEER))
PEER_READY_SECONDS: Final = 2.5  # of the Pods in the peer's recordings, as their README says


def title(lang: str, key: str) -> str:
    """The name of a run for people."""
    who, _, name = key.partition("-")
    if who in ("peer", "ours"):
        return say(lang, f"compare.name.{who}", name=name)
    if who == "surge":
        return say(lang, "compare.name.surge", n=name)
    return say(lang, f"strategy.{RECIPES[key].kind}")


@lru_cache(maxsize=64)
def recording(key: str) -> Recording:
    """The run of `key` (one of `KEYS`). Raises KeyError for another."""
    who, _, name = key.partition("-")
    if who == "peer" and name in PEER:
        return load(peer_text(name), name)
    if who == "ours" and name in PEER:
        return _again(recording(f"peer-{name}"))
    return predict(objects(RECIPES[key]), name=key)


def peer_text(name: str) -> str:
    """A recorded run of the peer as JSON lines."""
    packed = files("rollout_lab.ui.peer").joinpath(f"{name}.json.gz").read_bytes()
    return gzip.decompress(packed).decode()


def _again(run: Recording) -> Recording:
    """What our engine would do where the peer was recorded: the same objects, the same actions."""
    rows = run.timeline()
    applied = next(list(fields.objects(row, "objects")) for row in rows if row.get("type") == "SCENARIO")
    actions = [str(row["action"]) for row in rows if row.get("type") == "ACTION"]
    done = [action for action in actions if action != "apply"]
    return predict(applied, done, ready_seconds=PEER_READY_SECONDS, promote_after=None, name=run.name)
