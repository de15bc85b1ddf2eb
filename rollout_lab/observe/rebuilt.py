"""Objects made again from the rows of a run, so that their picture is the one seen live. Pure.

A row holds the fields that matter; what it leaves out (the strategy, the ports) comes from the
SCENARIO row and from Spec rows. What rows do not hold at all (uids, addresses, times of
containers) is not invented: nothing here is for sending to an API server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rollout_lab.api import fields, meta, names
from rollout_lab.api.times import parse_time
from rollout_lab.observe.observed import SERVICE_NAME_LABEL
from rollout_lab.observe.timeline import GATEWAY, carried

Json = dict[str, Any]
Row = Mapping[str, Any]
ROLLOUT_UID: Final = "rollout"
WORKLOADS: Final = ("Rollout", "Deployment")


class Rebuilder:
    """Takes the rows of one run in order; `object` gives what a row says of its object."""

    def __init__(self) -> None:
        self.name = ""
        self.namespace = ""
        self.started: float | None = None
        self._specs: dict[tuple[str, str], Json] = {}
        self._labels: dict[str, str] = {}
        self._templates: dict[str, Json] = {}

    def learn(self, row: Row) -> None:
        """Take in a SCENARIO or Spec row: what later objects look like, and when the run began."""
        if isinstance(row.get("started"), int | float):
            self.started = float(row["started"])
        if row.get("kind") == "Spec":
            self._specs[(str(row.get("of")), str(row.get("name")))] = fields.mapping(row, "spec")
            self.namespace = fields.text(row, "namespace") or self.namespace
        for obj in fields.objects(row, "objects"):
            kind = "Rollout" if obj.get("kind") in WORKLOADS else str(obj.get("kind"))
            if kind in ("Rollout", "Service"):
                self._specs[(kind, meta.name(obj))] = carried({**obj, "kind": kind})
            if kind == "Rollout":
                self.name = self.name or meta.name(obj)
                self.namespace = meta.namespace(obj) or self.namespace

    def object(self, row: Row) -> Json | None:
        """The object after the change of this row; None for kinds that a picture does not show."""
        match row.get("kind"):
            case "Rollout":
                return self._rollout(row)
            case "ReplicaSet":
                return self._replica_set(row)
            case "Service":
                return self._service(row)
            case "Pod":
                return self._pod(row)
            case "EndpointSlice":
                return _slice(row)
            case "Gateway":
                return _gateway(row)
        return None

    def _meta(self, row: Row, **more: Any) -> Json:
        return {"name": fields.text(row, "name"), "namespace": self.namespace, **more}

    def _rollout(self, row: Row) -> Json:
        name = fields.text(row, "name")
        spec = dict(self._specs.get(("Rollout", name)) or self._guessed(row))
        spec |= {k: row[k] for k in ("replicas", "paused", "restartAt") if row.get(k) is not None}
        about = self._meta(row, uid=ROLLOUT_UID, generation=fields.integer(row, "generation") or 0)
        return {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "metadata": {**about, "annotations": fields.strings(row, "annotations")},
            "spec": {**spec, "template": _with_image(fields.mapping(spec, "template"), row)},
            "status": fields.mapping(row, "status"),
        }

    def _guessed(self, row: Row) -> Json:
        """The spec of a run that holds neither scenario nor spec: what its status gives away."""
        blue_green = fields.text(row, "status", "blueGreen", "activeSelector")
        template = {"metadata": {"labels": dict(self._labels)}}
        return {"strategy": {"blueGreen" if blue_green else "canary": {}}, "template": template}

    def _replica_set(self, row: Row) -> Json:
        labels = fields.strings(row, "labels")
        hash_ = labels.get(names.ROLLOUT_HASH_LABEL, "")
        self._labels = {k: v for k, v in labels.items() if k != names.ROLLOUT_HASH_LABEL}
        owner = {"kind": names.KIND, "name": self.name, "uid": ROLLOUT_UID, "controller": True}
        template = self._templates.setdefault(
            hash_, fields.mapping(self._specs.get(("Rollout", self.name)), "template")
        )
        meta_of_pods = {k: v for k, v in fields.mapping(template, "metadata").items() if k != "labels"}
        about = self._meta(row, uid=_set_uid(hash_), labels=labels, ownerReferences=[owner])
        return {
            "kind": "ReplicaSet",
            "metadata": {**about, "annotations": fields.strings(row, "annotations")},
            "spec": {
                "replicas": fields.integer(row, "replicas"),
                "template": _with_image({**template, "metadata": {**meta_of_pods, "labels": labels}}, row),
            },
            "status": fields.mapping(row, "status"),
        }

    def _service(self, row: Row) -> Json:
        name = fields.text(row, "name")
        spec = {**self._specs.get(("Service", name), {}), "selector": fields.strings(row, "selector")}
        about = self._meta(row, annotations=fields.strings(row, "annotations"))
        return {"kind": "Service", "metadata": about, "spec": spec}

    def _pod(self, row: Row) -> Json:
        labels = fields.strings(row, "labels")
        hash_ = labels.get(names.ROLLOUT_HASH_LABEL, "")
        owner = {"kind": "ReplicaSet", "uid": _set_uid(hash_), "controller": True}
        about = self._meta(row, labels=labels, ownerReferences=[owner])
        if fields.text(row, "created"):
            about["creationTimestamp"] = row["created"]
        if row.get("deleting"):
            about["deletionTimestamp"] = fields.text(row, "created") or "deleting"
        ready = {"type": "Ready", "status": row.get("ready") or "False", "reason": fields.text(row, "reason")}
        status = {
            "phase": fields.text(row, "phase"),
            "conditions": [ready],
            "containerStatuses": [_container(row)],
        }
        return {"kind": "Pod", "metadata": about, "status": status}


def state_of(row: Row) -> str:
    """The state of a Pod row; guessed from phase and readiness where the recording does not name it."""
    known = fields.text(row, "state")
    if known:
        return known
    if row.get("deleting"):
        return "terminating"
    if row.get("ready") == "True":
        return "ready"
    guesses = {"Running": "running", "Failed": "failing"}
    return guesses.get(fields.text(row, "phase"), "pulling")


def _container(row: Row) -> Json:
    """A container status that `states.pod_state` reads as the state of the row."""
    state, reason = state_of(row), fields.text(row, "reason")
    found: Json = {"started": state != "starting", "state": {"running": {}}}
    if state == "pulling":
        found |= {"started": False, "state": {"waiting": {"reason": reason}}}
    elif state == "failing":
        found |= {"started": False, "state": {"terminated": {"reason": reason}}}
    return {**found, "restartCount": fields.integer(row, "restarts") or 0}


def _slice(row: Row) -> Json:
    service = fields.text(row, "name")
    return {
        "kind": "EndpointSlice",
        "metadata": {"name": service, "labels": {SERVICE_NAME_LABEL: service}},
        "endpoints": [
            {"targetRef": {"name": pod}} for pod in fields.items(row, "pods") if isinstance(pod, str)
        ],
    }


def _gateway(row: Row) -> Json:
    """What `routed.sight` gave, but for the address: nobody answers there any more."""
    kept = {k: v for k, v in row.items() if k not in ("t", "type", "kind")}
    return {**kept, "name": "" if row.get("name") == GATEWAY else row.get("name"), "address": ""}


def _set_uid(hash_: str) -> str:
    return f"replicaset-{hash_}"


def _with_image(template: Json, row: Row) -> Json:
    containers = fields.objects(template, "spec", "containers") or [{"name": ""}]
    first = {**containers[0], "image": fields.text(row, "image")}
    pod = {**fields.mapping(template, "spec"), "containers": [first, *containers[1:]]}
    return {**template, "spec": pod}


def started_by(row: Row, latest: float | None) -> float | None:
    """When the run began (epoch seconds) as far as the row shows: its status' newest time must be past.

    For recordings that do not say when they began; times in a status are whole seconds, so the
    guess grows to within a second of the truth as rows come in. `latest` is the guess so far.
    """
    times = [
        fields.text(one, key)
        for one in fields.objects(row, "status", "conditions")
        for key in ("lastUpdateTime", "lastTransitionTime")
    ]
    found = [latest] if latest is not None else []
    for text in times:
        try:
            found.append(parse_time(text) - float(row.get("t") or 0.0))
        except ValueError:
            continue
    return max(found, default=None)
