"""Why the engine does something or waits: every code, with the numbers its sentence may use.

Codes are words for machines; the sentences are in `messages` under ``why.<code>``. A test there
asks for a sentence for each code of `CODES`, and a test here for a code of `CODES` in each plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Why:
    """One reason: a code of `CODES`, its parameters, the object (``Kind/name``) and the field it is about."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    object: str = ""
    field: str = ""


_SHARES: Final = (
    *("weight", "replicas", "canary", "stable"),  # percent asked for; the sizes the step wants in the end
    *("maxSurge", "surge", "maxUnavailable", "unavailable"),  # as written, and in Pods
)

CODES: Final[Mapping[str, tuple[str, ...]]] = {
    # What the pass writes
    "create.replicaset": ("replicaset", "hash", "revision"),
    "create.failed": ("replicaset", "message"),
    "revision": ("replicaset", "revision"),  # an older version is the wanted one again
    "replicas.default": ("replicas",),  # spec.replicas was not written; the engine writes 1
    "scale.canary": ("replicaset", "from", "to", *_SHARES),
    "scale.stable": ("replicaset", "from", "to", *_SHARES),
    "scale.routed": ("replicaset", "from", "to", "weight", "maximum", "replicas"),  # canary, with a router
    "scale.fixed": ("replicaset", "from", "to"),  # canary: setCanaryScale.replicas
    "scale.whole": ("replicaset", "from", "to"),  # stable keeps all its Pods: a router splits the requests
    "scale.dynamic": ("replicaset", "from", "to", "weight", "maximum"),  # stable, with dynamicStableScale
    "weight.set": ("from", "to", "maximum"),  # the canary's part of the requests, as told to the routers
    "route.write": ("router", "name", "weight", "maximum"),  # one object of a router
    "scale.old": ("replicaset", "from", "to", "available", "minAvailable"),
    "scale.new": ("replicaset", "from", "to", "replicas", "previewReplicaCount"),  # blue-green
    "scale.active": ("replicaset", "from", "to", "replicas"),  # blue-green: what serves keeps its size
    "scale.desired": ("replicaset", "replicas"),  # only the note of the wanted size is brought up to date
    "switch.preview": ("service", "from", "to"),
    "switch.active": ("service", "from", "to"),
    "switch.stable": ("service", "from", "to"),
    "switch.canary": ("service", "from", "to"),
    "scaledown.mark": ("replicaset", "delay", "at"),  # old Pods stay until `at` (seconds since epoch)
    "scaledown.unmark": ("replicaset",),
    "scaledown.now": ("replicaset", "from", "to", "replicas"),
    "history.delete": ("replicaset", "limit"),
    "restart.pod": ("pod", "restartAt", "allowed"),
    "reset": ("hash", "stepCount"),  # a new version or new steps: the update begins at its first step
    "skip.steps": ("hash", "stepCount", "window"),  # back to stable (window False) or within rollbackWindow
    "step.done": ("step", "steps", "kind", "weight"),  # step counts from 1
    "promote.stable": ("hash", "revision", "reason"),  # reason: see PROMOTIONS
    "resume": ("reason",),  # the pause is over: promoted, or its time is up
    "abort": ("revision", "message"),
    "retry": ("revision",),
    # What it waits for
    "pause.indefinite": ("step", "steps"),
    "pause.timed": ("step", "steps", "duration", "endsAt"),  # endsAt: seconds since epoch
    "pause.bluegreen": (),  # until a person promotes
    "pause.autopromote": ("duration", "endsAt"),
    "pause.spec": (),  # spec.paused
    "wait.available": ("replicaset", "available", "wanted"),
    "wait.room": ("replicaset", "size", "target", "total", "most"),  # maxSurge leaves no room yet
    "wait.minimum": ("replicaset", "size", "target", "available", "minAvailable"),  # maxUnavailable forbids
    "wait.old": ("pods",),  # Pods of versions that are no longer wanted are still going
    "wait.service": ("service", "replicaset", "available", "wanted"),
    "wait.services": ("field",),
    "wait.restart": ("pods",),
    "wait.weight": ("replicaset", "available", "wanted", "weight", "next"),  # too few canary Pods
    "wait.stable": ("replicaset", "available", "wanted", "weight", "next"),  # too few stable Pods
    "scaledown.wait": ("replicaset", "endsAt"),
    "aborted": ("revision",),
    "healthy": ("revision", "replicas"),
    "deadline": ("seconds", "endsAt"),  # no progress since; the progress deadline runs out at endsAt
    "deadline.exceeded": ("replicaset", "seconds"),
    "invalid": ("message",),
    "unobserved": ("generation",),
    "deleting": (),
}
"""Code -> names of the parameters that its sentence may use."""

PROMOTIONS: Final = ("initial", "full", "window", "steps", "bluegreen")
"""`reason` of ``promote.stable``: first deploy, promote --full, rollback window, all steps done, switched."""
