"""What requests should do: the weight a canary has now, and the routers' objects that say so. Pure.

A weight is sent only where there are Pods to carry it. On an abort requests go back before Pods do.
Everything here is judged anew in each pass from objects and stored status, so a pass that ends between
two writes is simply made again.

# upstream: rollout/trafficrouting.go::reconcileTrafficRouting
"""

from __future__ import annotations

from dataclasses import dataclass

from rollout_lab.api import fields
from rollout_lab.api.fields import Json
from rollout_lab.api.names import EventReason
from rollout_lab.api.rollout import Canary
from rollout_lab.api.status import Weights
from rollout_lab.api.steps import ROUTE_FIELDS, SetWeight, routes_at, weight_at
from rollout_lab.plan import services, sizes
from rollout_lab.plan.actions import WriteRoute
from rollout_lab.plan.replicasets import ReplicaSet
from rollout_lab.plan.work import Work, fully_promoted
from rollout_lab.routers import table
from rollout_lab.routers.model import Route, RouteKind, Traffic


@dataclass(frozen=True, slots=True)
class Aim:
    """The weight to send, the version it goes to, and whether the routes of steps go away.

    `at_once`: not to be held back by missing stable Pods, because the canary is no place to stay.
    """

    weight: int
    hash: str
    clear: bool = False
    at_once: bool = False


def direct(work: Work, strategy: Canary) -> bool:
    """Bring the routers in line; `work.weights` is afterwards what they were told.

    Whether they were: while stable has too few Pods nothing is said, and nothing may rely on it.
    """
    if strategy.routing is None:
        work.weights = None
        return True
    stable = work.sets.stable
    if stable is None:
        return True
    aim = _aim(work, strategy)
    if work.aborted and not aim.weight:
        services.back_to_stable(work)
    if not aim.at_once and not _stable_can(work, stable, strategy.routing.maximum, aim):
        return False
    _write(work, strategy, stable, aim)
    return True


def sent(work: Work, weight: int) -> bool:
    """Whether the routers have been told this weight for the wanted version (by the end of this pass)."""
    found, new = Weights.of({"weights": work.weights}), work.sets.new
    if work.rollout.routing is None or not sizes.routed(work).counts.canary:
        return True  # nobody to send it to
    return (
        found is not None
        and new is not None
        and (found.canary.weight, found.canary.hash) == (weight, new.hash)
    )


def _aim(work: Work, strategy: Canary) -> Aim:
    """The weight now, the first rule that fits. `clear` where no request may go to the canary on purpose."""
    new, before = work.sets.new, services.rolling_back(work)
    hash_ = new.hash if new is not None else ""
    if before:
        return Aim(sizes.weight_on_the_way_back(work), before, clear=True)
    if new is None or fully_promoted(work):
        return Aim(0, hash_, clear=True, at_once=new is None or new.available == 0)
    if work.aborted:
        return Aim(sizes.weight_on_the_way_back(work), hash_, clear=True, at_once=new.available == 0)
    if new.available == 0:
        return Aim(0, hash_, clear=True, at_once=not _can_stay(work))
    now = _sent_to(work, strategy, new)
    if now is None:
        return Aim(0, hash_, clear=True, at_once=not _can_stay(work))
    if work.status.promote_full:
        full = sizes.scale(work).carried(new.available) if strategy.dynamic_stable_scale else now
        return Aim(full, hash_, clear=True)
    if not sizes.routed(work).counts.canary:
        return Aim(0, hash_, clear=True)  # its Pods are to go: requests first, by weight and by header
    return Aim(_of_step(work, strategy, new, now), hash_)


def _can_stay(work: Work) -> bool:
    """Whether the version that has a weight now has Pods for it, until stable can take it."""
    sent = work.status.weights
    rs = work.sets.by_hash(sent.canary.hash) if sent is not None and sent.canary.weight else None
    return rs is not None and rs.available > 0


def _sent_to(work: Work, strategy: Canary, new: ReplicaSet) -> int | None:
    """The weight the wanted version has; None while requests still go to a version before it, or (of
    ping and pong) would go there because the Service follows only now."""
    weights = work.status.weights
    if weights is None or weights.canary.hash in ("", new.hash):
        return weights.canary.weight if weights is not None else 0
    return 0 if weights.canary.weight == 0 and strategy.ping_pong is None else None


def _of_step(work: Work, strategy: Canary, new: ReplicaSet, now: int) -> int:
    """The weight of the step, or while its Pods are not there that of the one before, if they carry it."""
    steps, index = strategy.steps, work.status.current_step_index or 0
    assert strategy.routing is not None
    if not steps:
        return 0
    wanted = weight_at(steps, index, strategy.routing.maximum)
    if wanted <= now or at_target(work):
        return wanted
    before = [step.weight for step in steps[:index] if isinstance(step, SetWeight)]
    most = max(now, sizes.scale(work).carried(new.available))
    weight = min(before[-1] if before else 0, most)
    if weight != wanted:
        work.because(
            "wait.weight",
            f"ReplicaSet/{new.name}",
            f"spec.strategy.canary.steps[{min(index, len(steps) - 1)}]",
            replicaset=new.name,
            available=new.available,
            wanted=sizes.routed(work).counts.canary,
            weight=weight,
            next=wanted,
        )
    return weight


def at_target(work: Work) -> bool:
    """Whether both sides have the Pods the step asks for: the canary's available, stable's created.

    # upstream: utils/replicaset/canary.go::AtDesiredReplicaCountsForCanary
    """
    target, strategy = sizes.routed(work).counts, work.rollout.canary
    new, stable = work.sets.new, work.sets.stable
    assert strategy is not None
    if new is None or new.size != target.canary or new.available != target.canary:
        return False
    if strategy.dynamic_stable_scale or stable is None or not work.sets.rolling:
        return True
    return stable.size == target.stable and stable.replicas == target.stable


def _stable_can(work: Work, stable: ReplicaSet, maximum: int, aim: Aim) -> bool:
    """Whether stable has the Pods for its part. Where it has not, the weights stay as they are."""
    scale = sizes.scale(work)
    if scale.enough(stable.available, maximum - aim.weight):
        return True
    current = work.status.weights
    work.because(
        "wait.stable",
        f"ReplicaSet/{stable.name}",
        "status.canary.weights",
        replicaset=stable.name,
        available=stable.available,
        wanted=scale.pods(maximum - aim.weight),
        weight=current.canary.weight if current is not None else 0,
        next=aim.weight,
    )
    return False


def _write(work: Work, strategy: Canary, stable: ReplicaSet, aim: Aim) -> None:
    assert strategy.routing is not None
    stable_service, canary_service = strategy.services_now(work.status.stable_ping_pong)
    goes_to = work.sets.by_hash(aim.hash)
    traffic = Traffic(
        work.rollout,
        aim.weight,
        strategy.routing.maximum,
        stable_service,
        canary_service,
        stable.hash,
        aim.hash,
        canary_ready=goes_to is not None and goes_to.available > 0,
        routes=() if aim.clear else _routes(work, strategy),
        clear=aim.clear,
    )
    for router, change in table.changes(traffic, work.snapshot.routes):
        work.add(WriteRoute(change.ref, change.body, work.snapshot.routes.get(change.ref)))
        work.because(
            "route.write",
            change.ref.about,
            f"spec.strategy.canary.trafficRouting.{router.name}",
            router=router.name,
            name=change.ref.name,
            weight=aim.weight,
            maximum=traffic.maximum,
        )
        work.emit_as(change.reason, change.message)
    _note(work, traffic)


def _note(work: Work, traffic: Traffic) -> None:
    """`status.canary.weights` as told now, and the Event where that is news.

    # upstream: rollout/trafficrouting.go::calculateWeightStatus
    """
    found: Json = {
        "canary": _side(traffic.weight, traffic.canary_service, traffic.canary_hash),
        "stable": _side(traffic.rest, traffic.stable_service, traffic.stable_hash),
    }
    old = Weights.of({"weights": work.weights})
    if old is not None and Weights.of({"weights": found}) == old:
        return
    work.weights = found
    before = None if old is None else old.canary.weight
    what = f"to {traffic.weight}"
    if before is not None:
        what = f"from {before} to {traffic.weight}" if before != traffic.weight else ""
    work.emit(EventReason.TRAFFIC_WEIGHT_UPDATED, f"Traffic weight updated {what}".strip())
    if before != traffic.weight:
        numbers: Json = {"from": before or 0, "to": traffic.weight, "maximum": traffic.maximum}
        work.because("weight.set", field_="status.canary.weights", **numbers)


def _side(weight: int, service: str, hash_: str) -> Json:
    found: Json = {"weight": weight}
    if service:
        found["serviceName"] = service
    if hash_:
        found["podTemplateHash"] = hash_
    return found


def _routes(work: Work, strategy: Canary) -> tuple[Route, ...]:
    """Every route that steps set, as the present step leaves it: set, or taken away.

    A route is in force from its step on until a step takes it away. Those of later steps are taken
    away too, so that steps may be gone back. The first deploy sets none.
    """
    index = work.status.current_step_index or 0
    found: dict[tuple[str, str], Json] = {}
    for i, raw in enumerate(strategy.raw_steps or []):
        for kind, route in routes_at(raw):
            name = fields.text(route, "name")
            in_force = i <= index and work.rollout.revision > 1
            if in_force:
                found[kind, name] = route
            else:
                found.setdefault((kind, name), {"name": name})
    assert set(ROUTE_FIELDS.values()) == {kind.value for kind in RouteKind}
    gone_first = sorted(found.items(), key=lambda item: bool(fields.items(item[1], "match")))
    return tuple(Route(RouteKind(kind), route) for (kind, _), route in gone_first)
