"""Whatever people do, in whatever order: weights are whole, and lead to Pods that can answer."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollout_lab.errors import UsageError
from rollout_lab.plan.planner import plan
from tests.plan.routed_worlds import HEADER, MIRROR, ROUTERS, Seen, routed

WEIGHTS = st.sampled_from([0, 1, 5, 20, 50, 80, 99, 100])
STEPS = st.one_of(
    WEIGHTS.map(lambda w: {"setWeight": w}),
    st.sampled_from([{"pause": {}}, {"pause": {"duration": 5}}]),
    st.sampled_from(
        [
            {"setCanaryScale": {"replicas": 0}},
            {"setCanaryScale": {"replicas": 3}},
            {"setCanaryScale": {"weight": 40}},
            {"setCanaryScale": {"matchTrafficWeight": True}},
        ]
    ),
    st.sampled_from(
        [
            {"setHeaderRoute": HEADER},
            {"setHeaderRoute": {"name": HEADER["name"]}},
            {"setMirrorRoute": MIRROR},
            {"setMirrorRoute": {"name": MIRROR["name"]}},
        ]
    ),
)
ROUTES = {"setHeaderRoute", "setMirrorRoute"}
SCALED = ("nginx", "gateway")
ACTS = st.sampled_from(
    ["set image 2", "set image 3", "set image 4", "promote", "promote full", "abort", "retry", "undo"]
    + ["scale 1", "scale 2", "scale 7", "scale 12", "pause", "resume"]
)
DOINGS = st.lists(st.tuples(ACTS, st.sampled_from([0.05, 0.4, 1.5, 6.0, 45.0])), min_size=1, max_size=7)


@given(
    router=st.sampled_from(sorted(ROUTERS)),
    steps=st.lists(STEPS, min_size=1, max_size=5),
    replicas=st.integers(1, 10),
    doings=DOINGS,
    dynamic=st.booleans(),
    delay=st.sampled_from([None, 0, 5]),
    floor=st.sampled_from([None, 2]),
    maximum=st.sampled_from([None, 40, 1000]),
    dies=st.integers(0, 40),
)
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_weights_are_whole_and_never_lead_to_a_version_without_ready_pods(
    router: str,
    steps: list,
    replicas: int,
    doings: list,
    dynamic: bool,
    delay: int | None,
    floor: int | None,
    maximum: int | None,
    dies: int,
) -> None:
    """Sums to the maximum, nothing below 0, nothing to a version without a ready Pod; also when the
    engine dies after any write."""
    assert not played(router, steps, replicas, doings, dynamic, delay, floor, maximum, dies).wrong


def played(
    router: str,
    steps: list,
    replicas: int,
    doings: list,
    dynamic: bool,
    delay: int | None,
    floor: int | None,
    maximum: int | None,
    dies: int,
) -> Seen:
    """One story, from the first deploy until nothing happens any more."""
    more: dict = {"dynamicStableScale": True} if dynamic else {}
    if delay is not None:
        more["abortScaleDownDelaySeconds"] = delay
    if floor is not None:
        more["minPodsPerReplicaSet"] = floor
    if router == "nginx":  # which has no routes by header
        steps = [step for step in steps if not ROUTES & step.keys()] or [{"setWeight": 20}]
    if router in SCALED and maximum is not None:
        more["routing"] = {"maxTrafficWeight": maximum}
        steps = [_scaled(step, maximum) for step in steps]
    seen = Seen(routed(router, steps, replicas, spec={"rollbackWindow": {"revisions": 1}}, **more))
    seen.world.run(60)
    seen.world._survives = lambda write: write % 41 != dies
    for words, seconds in doings:
        with suppress(UsageError):  # an undo with nothing to go back to
            seen.world.act(words)
        seen.world.run(seconds)
    seen.world._survives = lambda write: True
    seen.world.run(700)
    if plan(seen.world._snapshot()).writes:
        seen.wrong.append(f"it never rests: {plan(seen.world._snapshot())}")
    return seen


def _scaled(step: dict, maximum: int) -> dict:
    """The step with its weight on another scale than 100."""
    if "setWeight" in step:
        return {"setWeight": step["setWeight"] * maximum // 100}
    weight = step.get("setCanaryScale", {}).get("weight")
    return step if weight is None else {"setCanaryScale": {"weight": weight * maximum // 100}}
