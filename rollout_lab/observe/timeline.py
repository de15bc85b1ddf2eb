"""A run as append-only rows, the format `rollout-lab run --json` prints. Pure: time comes in with each row.

The rows of the recorded format (``tests/data/traces/README.md``): SCENARIO, ACTION, ADDED, MODIFIED
and DELETED of objects reduced to the fields that matter, Events, END. Beside them stand rows the
page needs: kind EndpointSlice (which ready Pods a Service leads to), kind Probe (answers counted
over a span of time; at a Service, or through a gateway as ``gateway/HOST``), kind Gateway (what a
gateway before the Services is set to and has counted, `routed.sight` without its address), kind Spec (a
spec other than the scenario's) and type WHY (a reason the engine gave). Every `t` is in lab seconds since
the scenario was applied; ``started`` of the SCENARIO row and of Spec rows is that moment in epoch
seconds. Values of Secrets are left out.
"""

from __future__ import annotations

import bisect
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rollout_lab.api import fields, meta, names
from rollout_lab.observe.states import pod_state

Json = dict[str, Any]
ROWS_KEPT: Final = 20_000
PROBE_ROWS_KEPT: Final = 1_200
GATEWAY: Final = "gateway"  # the name of the lab's own
_DROPPED: Final = ("Pod", "Probe", "EndpointSlice", "Gateway")
_NOISE: Final = ("resourceVersion", "managedFields", "uid", "creationTimestamp", "generation")


def _annotations(obj: Mapping[str, Any]) -> Json:
    ours = (names.SCALE_DOWN_DEADLINE_ANNOTATION,)
    return {k: v for k, v in meta.annotations(obj).items() if "argoproj.io/" in k or k in ours}


def _image(workload: Mapping[str, Any]) -> str | None:
    containers = fields.objects(workload, "spec", "template", "spec", "containers")
    return fields.text(containers[0], "image") if containers else None


def reduced(obj: Mapping[str, Any]) -> Json | None:
    """The fields of an object that matter, without `t` and `type`; None for kinds a run does not hold."""
    row: Json = {"kind": obj.get("kind"), "name": meta.name(obj)}
    match obj.get("kind"):
        case "Rollout":
            row |= {
                "annotations": _annotations(obj),
                "generation": meta.generation(obj),
                "image": _image(obj),
                "paused": fields.flag(obj, "spec", "paused"),
                "replicas": fields.integer(obj, "spec", "replicas"),
                "restartAt": fields.text(obj, "spec", "restartAt") or None,
                "status": fields.mapping(obj, "status"),
            }
        case "ReplicaSet":
            counts = ("availableReplicas", "readyReplicas", "replicas")
            row |= {
                "annotations": _annotations(obj),
                "image": _image(obj),
                "labels": meta.labels(obj),
                "replicas": fields.integer(obj, "spec", "replicas"),
                "status": {key: fields.integer(obj, "status", key) or 0 for key in counts},
            }
        case "Service":
            row |= {
                "annotations": _annotations(obj),
                "selector": fields.strings(obj, "spec", "selector") or None,
            }
        case "Pod":
            ready = meta.condition(meta.conditions(obj), "Ready")
            state, reason = pod_state(obj)
            row |= {
                "labels": meta.labels(obj),
                "phase": fields.text(obj, "status", "phase"),
                "ready": None if ready is None else ready.get("status"),
                "state": state,
            }
            if reason:
                row["reason"] = reason
            created = fields.text(obj, "metadata", "creationTimestamp")
            restarts = sum(
                fields.integer(c, "restartCount") or 0
                for c in fields.objects(obj, "status", "containerStatuses")
            )
            row |= ({"created": created} if created else {}) | ({"restarts": restarts} if restarts else {})
            if meta.being_deleted(obj):
                row["deleting"] = True
        case _:
            return None
    return row


def event_row(event: Mapping[str, Any]) -> Json:
    """An Event; its `type` is Normal or Warning."""
    return {
        "kind": "Event",
        "about": fields.text(event, "involvedObject", "kind"),
        "name": fields.text(event, "involvedObject", "name"),
        "reason": fields.text(event, "reason"),
        "message": fields.text(event, "message"),
        "type": fields.text(event, "type") or "Normal",
    }


def scenario_object(obj: Mapping[str, Any]) -> Json:
    """An applied object as a scenario holds it: what a person wrote, to be applied again.

    The values of a Secret are emptied: a run is a file that people pass on.
    """
    about = {k: v for k, v in fields.mapping(obj, "metadata").items() if k not in _NOISE}
    if obj.get("kind") == "Secret":
        notes = {k: v for k, v in meta.annotations(obj).items() if k != names.LAST_APPLIED_ANNOTATION}
        about |= {"annotations": notes} if notes else {"annotations": {}}
        hidden = {k: dict.fromkeys(fields.mapping(obj, k), "") for k in ("data", "stringData") if k in obj}
        obj = {**obj, **hidden}
    return {**{k: v for k, v in obj.items() if k != "status"}, "metadata": about}


def carried(obj: Mapping[str, Any]) -> Json:
    """What a Spec row would hold of an object: the part of its spec that other rows do not carry.

    Of a Service its ports, of a Rollout all but the first image, replicas, paused and restartAt.
    """
    if obj.get("kind") == "Service":
        ports = fields.objects(obj, "spec", "ports")
        return {"ports": [{k: p[k] for k in ("name", "port", "nodePort") if k in p} for p in ports]}
    spec = {
        k: v for k, v in fields.mapping(obj, "spec").items() if k not in ("replicas", "paused", "restartAt")
    }
    containers = fields.objects(spec, "template", "spec", "containers")
    if not containers:
        return spec
    bare = [{k: v for k, v in containers[0].items() if k != "image"}, *containers[1:]]
    pod = {**fields.mapping(spec, "template", "spec"), "containers": bare}
    return {**spec, "template": {**fields.mapping(spec, "template"), "spec": pod}}


class Timeline:
    """Rows in the order seen. The one that appends owns it; readers get tuples.

    Past `ROWS_KEPT` rows the oldest Pod and Probe rows go first in blocks (`dropped` counts them), and
    Probe rows of one Service are merged in pairs past `PROBE_ROWS_KEPT`, so an hour costs what a
    minute costs.
    """

    def __init__(self) -> None:
        self._rows: list[Json] = []
        self._numbers: list[int] = []
        self._next = 0
        self._last: dict[tuple[str, str], Json] = {}
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def rows(self) -> tuple[Json, ...]:
        """All rows, in the order of their `t` as they were seen."""
        return tuple(self._rows)

    def since(self, number: int) -> tuple[tuple[Json, ...], int]:
        """The rows appended from row `number` on (0: from the first), and the number to ask for next."""
        start = bisect.bisect_left(self._numbers, number)
        return tuple(self._rows[start:]), self._next

    def add(self, t: float, row: Mapping[str, Any]) -> Json:
        """Append a row that is not about an object: SCENARIO, ACTION, WHY, an Event, END."""
        written = {**row, "t": round(t, 2)}
        self._rows.append(written)
        self._numbers.append(self._next)
        self._next += 1
        self._trim()
        return written

    def change(self, t: float, type_: str, obj: Mapping[str, Any]) -> Json | None:
        """Append what became of an object; None if nothing that matters changed."""
        row = reduced(obj)
        return None if row is None else self._note(t, type_, row)

    def endpoints(self, t: float, service: str, pods: Sequence[str]) -> Json | None:
        """Append which ready Pods a Service leads to; None if they are the same as before."""
        return self._note(t, "MODIFIED", {"kind": "EndpointSlice", "name": service, "pods": sorted(pods)})

    def probe(self, t: float, until: float, service: str, port: int, versions: Json, failed: int) -> Json:
        """Append answers counted at one Service from `t` to `until`."""
        row = {
            "kind": "Probe",
            "type": "PROBE",
            "name": service,
            "port": port,
            "until": round(until, 2),
            "versions": versions,
            "failed": failed,
        }
        return self.add(t, row)

    def gateway(self, t: float, seen: Mapping[str, Any]) -> Json | None:
        """Append what a gateway is set to and has counted; None if all is as before."""
        row = {k: v for k, v in seen.items() if k not in ("name", "address")}
        return self._note(t, "MODIFIED", {**row, "kind": "Gateway", "name": seen.get("name") or GATEWAY})

    def lines(self) -> Iterator[str]:
        """Rows as JSON lines."""
        return (line(row) for row in self._rows)

    def _note(self, t: float, type_: str, row: Json) -> Json | None:
        key = (str(row["kind"]), str(row["name"]))
        if type_ == "DELETED":
            self._last.pop(key, None)
        elif self._last.get(key) == row:
            return None
        else:
            self._last[key] = row
        return self.add(t, {**row, "type": type_})

    def _trim(self) -> None:
        if self._next % 200:
            return
        by_service: dict[str, list[int]] = {}
        for i, row in enumerate(self._rows):
            if row.get("kind") == "Probe":
                by_service.setdefault(str(row["name"]), []).append(i)
        gone: set[int] = set()
        for places in by_service.values():
            if len(places) > PROBE_ROWS_KEPT:
                gone |= self._merge_pairs(places[: len(places) // 2])
        extra = len(self._rows) - len(gone) - ROWS_KEPT
        if extra > 0:
            droppable = (i for i, row in enumerate(self._rows) if row.get("kind") in _DROPPED)
            drop = {i for i, _ in zip(droppable, range(extra + 200), strict=False)}
            self.dropped += len(drop - gone)
            gone |= drop
        if gone:
            self._rows = [row for i, row in enumerate(self._rows) if i not in gone]
            self._numbers = [number for i, number in enumerate(self._numbers) if i not in gone]

    def _merge_pairs(self, places: list[int]) -> set[int]:
        """Merge each second row into the one before it; the places that are free now."""
        gone = set()
        for one, two in zip(places[::2], places[1::2], strict=False):
            first, second = self._rows[one], self._rows[two]
            counts = dict(first["versions"])
            for version, count in second["versions"].items():
                counts[version] = counts.get(version, 0) + count
            failed = first["failed"] + second["failed"]
            self._rows[one] = {**first, "until": second["until"], "versions": counts, "failed": failed}
            gone.add(two)
        return gone


def line(row: Mapping[str, Any]) -> str:
    """One row as a JSON line, keys sorted as in the recorded runs."""
    return json.dumps(row, sort_keys=True, ensure_ascii=False)
