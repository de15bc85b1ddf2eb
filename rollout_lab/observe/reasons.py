"""Why the engine does or waits for what it does: its own planner, asked about what was observed. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rollout_lab.api import meta
from rollout_lab.api.names import ConditionType
from rollout_lab.observe.history import Reason
from rollout_lab.observe.observed import Observed
from rollout_lab.plan.planner import plan
from rollout_lab.plan.snapshot import Snapshot


def reasons(observed: Observed) -> Sequence[Reason]:
    """Why the engine would do or wait for what it does now: its own plan for what was observed.

    That the Rollout is invalid is said only once the engine has said so itself: until then a Service
    that is missing here may merely not have been seen yet.
    """
    if observed.rollout is None:
        return ()
    services = {meta.name(s): s for s in observed.services}
    owned = tuple(observed.owned_replica_sets())
    pods = tuple(observed.own_pods())
    snapshot = Snapshot(
        observed.now, observed.rollout, owned, services, pods, observed.routes, observed.absent
    )
    found = plan(snapshot).why
    refused = meta.condition(meta.conditions(observed.rollout), ConditionType.INVALID_SPEC)
    return found if refused is not None else tuple(why for why in found if why.code != "invalid")
