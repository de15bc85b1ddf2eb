"""Hand-made moments of the course's two lectures, for the picture and for whoever draws it.

``python -m tests.observe.scenes`` writes them as pictures to tests/data/pictures; the picture test
holds the files equal to what the code makes of the same moments.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from rollout_lab.api.times import rfc3339
from rollout_lab.observe.gateways import Place
from rollout_lab.observe.history import History
from rollout_lab.observe.observed import Answer, Observed, Traffic
from rollout_lab.observe.picture import picture
from rollout_lab.observe.routed import probe_name, sight
from rollout_lab.routers.gatewayapi import HTTP_ROUTE
from rollout_lab.routers.model import Ref
from tests.observe.objects import (
    NS,
    T0,
    V1,
    V2,
    answers,
    endpoints,
    pod,
    replica_set,
    rollout,
    service,
)

PICTURES = Path(__file__).resolve().parents[1] / "data" / "pictures"
Json = dict[str, Any]


class Reason(NamedTuple):
    """Stands in for the planner's reason."""

    code: str
    params: Json
    object: str
    field: str


BLUE_GREEN: Json = {
    "blueGreen": {
        "activeService": "api-tester-2233-active",
        "previewService": "api-tester-2233-preview",
        "autoPromotionEnabled": False,
    }
}
CANARY: Json = {
    "canary": {"steps": [{"setWeight": 33}, {"pause": {}}, {"setWeight": 66}, {"pause": {"duration": "2m"}}]}
}
ACTIVE, PREVIEW, CANARY_SERVICE = "api-tester-2233-active", "api-tester-2233-preview", "api-tester-2234"
A, C = "api-tester-2233", "api-tester-2234"


def blue_green(t: float, **parts: Any) -> Observed:
    return Observed(now=T0 + t, started=T0, **parts)


def early() -> Observed:
    """Version 1 was just applied: one Pod pulls its image, one starts; nothing answers."""
    pods = (pod(A, "1.0.0", "4xk2p", "pulling"), pod(A, "1.0.0", "9qzrt", "starting"))
    status = {
        "phase": "Progressing",
        "message": "updated replicas are still becoming available",
        "currentPodHash": V1,
        "stableRS": V1,
    }
    return blue_green(
        1.2,
        rollout=rollout(A, BLUE_GREEN, "1.0.0", 1, status),
        replica_sets=(replica_set(A, "1.0.0", 1, 2, 0),),
        services=(service(ACTIVE, A, 32233), service(PREVIEW, A, 32243, "1.0.0")),
        pods=pods,
        slices=(endpoints(ACTIVE, *pods), endpoints(PREVIEW, *pods)),
        traffic={ACTIVE: Traffic(2, 2, T0 + 1.0, {}), PREVIEW: Traffic(2, 2, T0 + 1.0, {})},
        answers=(Answer(T0 + 1.1, ACTIVE, 32233, "", "connection refused", False),),
    )


def healthy() -> Observed:
    """Version 1 serves behind both Services."""
    pods = (pod(A, "1.0.0", "4xk2p"), pod(A, "1.0.0", "9qzrt"))
    status = {"phase": "Healthy", "currentPodHash": V1, "stableRS": V1}
    return blue_green(
        12.0,
        rollout=rollout(A, BLUE_GREEN, "1.0.0", 1, status),
        replica_sets=(replica_set(A, "1.0.0", 1, 2, 2),),
        services=(service(ACTIVE, A, 32233, "1.0.0"), service(PREVIEW, A, 32243, "1.0.0")),
        pods=pods,
        slices=(endpoints(ACTIVE, *pods), endpoints(PREVIEW, *pods)),
        traffic={
            ACTIVE: Traffic(20, 0, T0 + 3, {"1.0.0": 18}),
            PREVIEW: Traffic(20, 0, T0 + 3, {"1.0.0": 18}),
        },
        answers=answers(
            T0 + 12, (ACTIVE, 32233, "1.0.0"), (PREVIEW, 32243, "1.0.0"), (ACTIVE, 32233, "1.0.0")
        ),
    )


def blue_green_update(t: float, state: str, status: Json, ready: int) -> Observed:
    old = (pod(A, "1.0.0", "4xk2p"), pod(A, "1.0.0", "9qzrt"))
    new = (pod(A, "2.0.0", "hh2wl", state, T0 + 20), pod(A, "2.0.0", "m8vsn", state, T0 + 20))
    return blue_green(
        t,
        rollout=rollout(A, BLUE_GREEN, "2.0.0", 2, {"currentPodHash": V2, "stableRS": V1, **status}),
        replica_sets=(replica_set(A, "1.0.0", 1, 2, 2), replica_set(A, "2.0.0", 2, 2, ready)),
        services=(service(ACTIVE, A, 32233, "1.0.0"), service(PREVIEW, A, 32243, "2.0.0")),
        pods=(*old, *new),
        slices=(endpoints(ACTIVE, *old), endpoints(PREVIEW, *new)),
        traffic={
            ACTIVE: Traffic(212, 0, T0 + 3, {"1.0.0": 212}),
            PREVIEW: Traffic(210, 2, T0 + 24, {"2.0.0": 40} if ready else {}),
        },
        answers=answers(
            T0 + t, (ACTIVE, 32233, "1.0.0"), (PREVIEW, 32243, "2.0.0"), (ACTIVE, 32233, "1.0.0")
        ),
    )


def blue_green_paused() -> list[tuple[Observed, tuple[Reason, ...]]]:
    """Lecture 2233: version 2 is behind preview, the rollout waits for Promote."""
    starting = blue_green_update(
        21.0, "starting", {"phase": "Progressing", "message": "active service cutover pending"}, 0
    )
    pause = [{"reason": "BlueGreenPause", "startTime": rfc3339(T0 + 24)}]
    status = {
        "phase": "Paused",
        "message": "BlueGreenPause",
        "controllerPause": True,
        "pauseConditions": pause,
    }
    paused = blue_green_update(49.0, "ready", status, 2)
    waits = Reason(
        "example.waits", {"version": "2.0.0"}, f"Rollout/{A}", "spec.strategy.blueGreen.autoPromotionEnabled"
    )
    return [
        (healthy(), ()),
        (starting, ()),
        (blue_green_update(24.0, "ready", status, 2), (waits,)),
        (paused, (waits,)),
    ]


def aborted() -> list[tuple[Observed, tuple[Reason, ...]]]:
    """The update was aborted at its pause: users stay on version 1, preview Pods go after 30 s."""
    status = {
        "phase": "Degraded",
        "message": "RolloutAborted: Rollout aborted update to revision 2",
        "abort": True,
    }
    found = blue_green_update(60.0, "ready", status, 2)
    down = (found.replica_sets[0], replica_set(A, "2.0.0", 2, 2, 2, T0 + 88))
    why = Reason("example.aborted", {"version": "2.0.0"}, f"Rollout/{A}", "status.abort")
    last = replace(found, replica_sets=down)
    return [*blue_green_paused(), (last, (why,))]


def canary_third() -> list[tuple[Observed, tuple[Reason, ...]]]:
    """Lecture 2234 at its first pause: 2 stable Pods and 1 canary Pod behind one Service."""
    pods = (pod(C, "1.0.0", "zdbkp"), pod(C, "1.0.0", "d94kz"), pod(C, "2.0.0", "qkrl8", at=T0 + 20))
    pause = [{"reason": "CanaryPauseStep", "startTime": rfc3339(T0 + 24)}]
    status = {
        "phase": "Paused",
        "message": "CanaryPauseStep",
        "currentPodHash": V2,
        "stableRS": V1,
        "currentStepIndex": 1,
        "controllerPause": True,
        "pauseConditions": pause,
    }
    found = Observed(
        now=T0 + 185,
        started=T0,
        rollout=rollout(C, CANARY, "2.0.0", 2, status),
        replica_sets=(replica_set(C, "1.0.0", 1, 2, 2), replica_set(C, "2.0.0", 2, 1, 1)),
        services=(service(CANARY_SERVICE, C, 32234),),
        pods=pods,
        slices=(endpoints(CANARY_SERVICE, *pods),),
        traffic={CANARY_SERVICE: Traffic(368, 0, T0 + 24, {"1.0.0": 219, "2.0.0": 103})},
        answers=answers(
            T0 + 185, *((CANARY_SERVICE, 32234, v) for v in ("1.0.0", "2.0.0", "1.0.0", "1.0.0"))
        ),
    )
    waits = Reason("example.waits", {"weight": 33}, f"Rollout/{C}", "spec.strategy.canary.steps[1].pause")
    return [(found, (waits,))]


R = "api-tester-2234-gatewayapi"
STABLE_SERVICE, ROUTED_CANARY = f"{R}-stable", f"{R}-canary"
ROUTED: Json = {
    "canary": {
        "stableService": STABLE_SERVICE,
        "canaryService": ROUTED_CANARY,
        "trafficRouting": {
            "plugins": {"argoproj-labs/gatewayAPI": {"httpRoutes": [{"name": R, "useHeaderRoutes": True}]}},
            "managedRoutes": [{"name": "testers"}],
        },
        "steps": [
            {"setWeight": 5},
            {
                "setHeaderRoute": {
                    "name": "testers",
                    "match": [{"headerName": "x-tester", "headerValue": {"exact": "yes"}}],
                }
            },
            {"pause": {}},
            {"setWeight": 50},
            {"pause": {}},
        ],
    }
}


def backend(service: str, weight: float, role: str = "backend", **counts: int) -> Json:
    """A backend as the gateway reports it."""
    counted = {"ready": 1, "requests": 0, "failed": 0, "mirrored": 0, **counts}
    return {"service": service, "subset": "", "labels": {}, "role": role, "weight": weight, **counted}


def report(weight: float, *more: Json) -> Json:
    """What the gateway reports: the weighted rule, a mirror of it, and the testers' rule."""
    about = {"kind": "HTTPRoute", "namespace": NS, "name": R, "hosts": [f"{R}.localhost"], "elects": {}}
    shared = [
        backend(STABLE_SERVICE, 100 - weight, requests=381),
        backend(ROUTED_CANARY, weight, requests=19),
        backend(ROUTED_CANARY, 35.0, "mirror", mirrored=137),
    ]
    tester = {"path": "prefix /", "headers": {"x-tester": "exact yes"}}
    testers = {
        "rule": "testers",
        "matches": [tester],
        "backends": [backend(ROUTED_CANARY, 100.0, requests=12)],
    }
    first = {**about, "rule": "spec.rules[0]", "matches": [{"path": "prefix /"}], "backends": shared}
    foreign = {**about, "name": "other", "matches": [], "backends": [backend("shop", 100.0)]}
    problem = {"kind": "HTTPRoute", "namespace": NS, "name": R, "field": "spec.rules[0].timeouts"}
    return {
        "address": "127.0.0.1:8800",
        "routes": [first, {**about, **testers}, foreign, *more],
        "problems": [{**problem, "message": "this gateway does not obey timeouts"}, {**problem, "name": "x"}],
    }


def routed() -> list[tuple[Observed, tuple[Reason, ...]]]:
    """A canary behind a gateway at its pause: 5 % of the requests and one of eleven Pods."""
    old = tuple(pod(R, "1.0.0", f"s{i:04}") for i in range(10))
    new = pod(R, "2.0.0", "c0001", at=T0 + 20)
    pause = [{"reason": "CanaryPauseStep", "startTime": rfc3339(T0 + 24)}]
    status = {
        "phase": "Paused",
        "message": "CanaryPauseStep",
        "currentPodHash": V2,
        "stableRS": V1,
        "currentStepIndex": 2,
        "controllerPause": True,
        "pauseConditions": pause,
        "canary": {
            "weights": {
                "canary": {"podTemplateHash": V2, "serviceName": ROUTED_CANARY, "weight": 5},
                "stable": {"podTemplateHash": V1, "serviceName": STABLE_SERVICE, "weight": 95},
            }
        },
    }
    found = Observed(
        now=T0 + 185,
        started=T0,
        rollout=rollout(R, ROUTED, "2.0.0", 2, status, {"replicas": 10}),
        replica_sets=(replica_set(R, "1.0.0", 1, 10, 10), replica_set(R, "2.0.0", 2, 1, 1)),
        services=(service(STABLE_SERVICE, R, 0, "1.0.0"), service(ROUTED_CANARY, R, 0, "2.0.0")),
        pods=(*old, new),
        slices=(endpoints(STABLE_SERVICE, *old), endpoints(ROUTED_CANARY, new)),
        traffic={probe_name(f"{R}.localhost"): Traffic(612, 0, T0 + 24, {"1.0.0": 303, "2.0.0": 19})},
        answers=answers(
            T0 + 185, *((probe_name(f"{R}.localhost"), 8800, v) for v in ("1.0.0", "1.0.0", "2.0.0"))
        ),
        routes={Ref(HTTP_ROUTE, NS, R): {"kind": "HTTPRoute", "spec": {"hostnames": [f"{R}.localhost"]}}},
    )
    found = replace(found, gateway=sight(report(5.0), Place("127.0.0.1:8800", "/lab/v1/gateway"), found))
    return [(found, ())]


SCENES = {
    "canary-routed": routed,
    "early": lambda: [(early(), ())],
    "healthy": lambda: [(early(), ()), (healthy(), ())],
    "blue-green-paused": blue_green_paused,
    "canary-33-paused": canary_third,
    "aborted": aborted,
    "nothing-applied": lambda: [(Observed(T0, T0, None), ())],
}


def render(name: str) -> Json:
    """The picture of the last moment of a scene, with what was noted on the way."""
    history = History()
    for observed, reasons in SCENES[name]():
        history.note(observed, reasons)
    return picture(observed, history.memory())


if __name__ == "__main__":
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name in SCENES:
        text = json.dumps(render(name), ensure_ascii=False, indent=1)
        (PICTURES / f"{name}.json").write_text(text + "\n", encoding="utf-8")
