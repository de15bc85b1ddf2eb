"""The live picture of a lesson on plain Deployments, as data: no Rollout, no steps, no buttons. Pure.

`plain` gives what ``frontend/plain.js`` draws with the parts of the lab page's own picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from rollout_lab.messages import say, section
from rollout_lab.ui.charts import charts
from rollout_lab.ui.payload import answers
from rollout_lab.ui.scene import scene
from rollout_lab.ui.series import HASH_LABEL, Series

Json = dict[str, Any]
ALL: Final = "all"
"""The one line of `Series` all Pods of the namespace belong to."""


def plain(
    lang: str, namespace: str, picture: Mapping[str, Any], rows: Iterable[Mapping[str, Any]], tick: int
) -> Json:
    """The `data` of the component. `picture`: `observe.plain`; `rows`: the timeline's."""
    series = Series(ALL)
    series.feed(_rows(rows, picture["replicaSets"]))
    owners = {s["hash"]: s for s in picture["replicaSets"]}
    chosen = {s["name"]: s for s in picture["services"]}
    drawn = scene(lang, picture)
    several = len({about["owner"] for about in owners.values()}) > 1
    drawn["sets"] = [_set(lang, found, owners[found["hash"]], several) for found in drawn["sets"]]
    drawn["services"] = [_service(lang, found, chosen[found["id"]]) for found in drawn["services"]]
    lines = charts(lang, picture, series)
    lanes = [{**lane, "title": f":{chosen[lane['id']]['port']}"} for lane in lines["lanes"]]
    return {
        "lang": lang,
        "tick": tick,
        "label": section(lang, "label")
        | {"routing_hint": say(lang, "plain.hint"), "pods_over_time_hint": ""},
        "head": {"name": namespace, "kind": say(lang, "plain.kind"), "empty": _empty(lang, picture)},
        **drawn,
        **lines,
        "lanes": lanes,
        "weights": [],
        "why": [],
        "answers": answers(picture),
        "past": False,
    }


def _rows(rows: Iterable[Mapping[str, Any]], sets: Sequence[Json]) -> Iterator[Json]:
    """Pods by their ReplicaSet and the counts of the curl loop, in the words of a rollout's rows."""
    owners = sorted(((s["name"], s["hash"]) for s in sets), key=lambda pair: len(pair[0]), reverse=True)
    for row in rows:
        name = str(row.get("name"))
        if row.get("kind") == "Pod":
            owner = next((key for owner, key in owners if name.startswith(f"{owner}-")), "")
            yield {**row, "name": f"{ALL}-{name}", "labels": {HASH_LABEL: owner}}
        elif row.get("kind") == "Probe":
            yield dict(row)


def _set(lang: str, found: Json, about: Json, several: bool) -> Json:
    """With the name of its Deployment where there are several."""
    state = say(lang, "ui.ready_of", ready=about["ready"], wanted=about["replicas"])
    return {**found, "facts": f"{about['owner']} · {state}" if several else state}


def _service(lang: str, found: Json, about: Json) -> Json:
    chosen = about["chosen"]
    return {**found, "role": "Service", "hashLabel": "selector:" if chosen else "", "hash": chosen}


def _empty(lang: str, picture: Mapping[str, Any]) -> str:
    return "" if picture["services"] or picture["replicaSets"] else say(lang, "plain.empty")
