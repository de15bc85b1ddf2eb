"""The one table of routers: ours, and those that others bring by an entry point. Pure but for that look-up.

To add one of ours: write its file, list it in `BUILT_IN`, and name it in `api.routing`. To add one of
yours: a package with an entry point in the group `GROUP` that leads to an object with the shape of
`model.Router` (``examples/router-configmap`` is one).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Final

from rollout_lab.api.problems import FieldError, forbidden, invalid
from rollout_lab.api.rollout import Rollout
from rollout_lab.routers import gatewayapi, istio, nginx
from rollout_lab.routers.model import ROUTING_PATH, Change, Objects, Ref, Router, Traffic, path_of

GROUP: Final = "rollout_lab.routers"
BUILT_IN: Final[tuple[Router, ...]] = (istio.ROUTER, nginx.ROUTER, gatewayapi.ROUTER)


@cache
def known() -> tuple[tuple[Router, ...], Mapping[str, str]]:
    """All routers, ours first, and why an entry point (by name) gave none. Looked up once."""
    routers, failed = list(BUILT_IN), {}
    for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name):
        try:
            found: Router = entry.load()
            missing = [part for part in ("name", "refs", "problems", "changes") if not hasattr(found, part)]
        except Exception as problem:  # somebody else's code: it must not stop the engine
            failed[entry.name] = f"{type(problem).__name__}: {problem}"
            continue
        if missing:
            failed[entry.name] = f"{entry.value} has no {', '.join(missing)}"
        else:
            routers.append(found)
    return tuple(routers), failed


def plugin_names() -> frozenset[str]:
    """The keys of `trafficRouting.plugins` that work here."""
    return frozenset(router.name for router in known()[0] if router.plugin)


def in_use(rollout: Rollout) -> tuple[Router, ...]:
    """The routers this Rollout asks for, in the order of the table."""
    routing = rollout.routing
    if routing is None:
        return ()
    return tuple(router for router in known()[0] if routing.uses(router.name, plugin=router.plugin))


def refs(rollout: Rollout) -> tuple[Ref, ...]:
    """Every object the Rollout's routers read or write."""
    return tuple(dict.fromkeys(ref for router in in_use(rollout) for ref in router.refs(rollout)))


def problems(rollout: Rollout, objects: Objects, absent: Mapping[str, str]) -> list[FieldError]:
    """Why the routers of this Rollout cannot work; empty where they can.

    `absent` has the kinds (as ``str(kind)``) that the API server does not give us, and why (``""``: it
    does not know them).
    """
    found: list[FieldError] = []
    if rollout.routing is not None and not in_use(rollout):
        failed = "; ".join(f"{name}: {why}" for name, why in known()[1].items())
        detail = "name a router: nginx, istio or plugins"
        found.append(forbidden(ROUTING_PATH, f"{detail} (not loaded: {failed})" if failed else detail))
    for router in in_use(rollout):
        kinds = dict.fromkeys(ref.kind for ref in router.refs(rollout))
        out_of_reach = [kind for kind in kinds if str(kind) in absent]
        for kind in out_of_reach:
            why = absent[str(kind)] or "does not know it"
            remedy = f"; {kind.remedy}" if kind.remedy else ""
            detail = f"needs the kind {kind}, but the API server: {why}{remedy}"
            found.append(invalid(path_of(router), router.name, detail))
        if not out_of_reach:
            found += router.problems(rollout, objects)
    return found


def changes(traffic: Traffic, objects: Objects) -> list[tuple[Router, Change]]:
    """What has to be written for this traffic, in order; objects that say it already are left out."""
    return [
        (router, change)
        for router in in_use(traffic.rollout)
        for change in router.changes(traffic, objects)
        if objects.get(change.ref) != change.body
    ]
