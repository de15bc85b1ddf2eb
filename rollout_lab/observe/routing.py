"""What traffic routers of the followed rollouts read and write, and the gateway that obeys it, kept fresh.

Watches the kinds the rollouts need and asks the gateway for its report. Decides nothing: what of it is a
rollout's is `routed`, and who asks through the gateway is `recorder`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rollout_lab.api.rollout import Rollout
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.mirror import Callback, Mirror
from rollout_lab.client.resources import Resource
from rollout_lab.client.routes import NotLooked, Routes
from rollout_lab.errors import LabError
from rollout_lab.observe import routed
from rollout_lab.observe.gateways import Place, report
from rollout_lab.observe.observed import Observed
from rollout_lab.observe.probe import Target
from rollout_lab.routers import table
from rollout_lab.routers.model import Ref

Json = dict[str, Any]
Find = Callable[[], Place | None]


class Routing:
    """One namespace's. `find` says where the gateway is; asked until it gives one that answers."""

    def __init__(self, client: KubeClient, namespace: str, find: Find) -> None:
        self._client = client
        self._namespace = namespace
        self._find = find
        self._routes = Routes(self._mirror, lambda kind: None)
        self._place: Place | None = None
        self._seen: dict[str, Json] = {}
        self._due = 0.0

    def start(self, on_event: Callback) -> None:
        """Call `on_event(type, object)` for each change of an object that a router reads or writes."""
        self._routes.on_event(on_event)

    def stop(self) -> None:
        self._routes.stop()

    def objects(self, rollout: Json | None) -> tuple[Mapping[Ref, Json], Mapping[str, str]]:
        """What the routers of a rollout read and write; nothing while a kind was not listed yet."""
        refs = table.refs(Rollout(rollout)) if rollout is not None else ()
        try:
            return self._routes.gather(refs)
        except NotLooked:
            return {}, {}

    def seen(self, rollout: str) -> Json | None:
        """What of the gateway was this rollout's when it was last asked; None before."""
        return self._seen.get(rollout)

    def changed(self) -> None:
        """Somebody wrote a route: ask the gateway at the next look."""
        self._due = 0.0

    def look(self, now: float, period: float, rollouts: Iterable[Observed]) -> list[tuple[Observed, Json]]:
        """Ask the gateway if `period` (lab seconds, like `now`) is over: what of it is each rollout's."""
        wanted = [seen for seen in rollouts if table.in_use(seen.view)]
        if not wanted or now < self._due:
            return []
        self._due = now + period
        self._place = self._place or self._find()
        if self._place is None:
            return []
        told = report(self._client, self._place)
        if told is None and self._place.status:
            self._place = None  # it may have gone elsewhere
            return []
        found = [(seen, routed.sight(told, self._place, seen)) for seen in wanted]
        self._seen |= {seen.view.name: sight for seen, sight in found}
        return found

    def targets(self, rollouts: Iterable[Observed]) -> dict[str, tuple[Target, frozenset[str]]]:
        """By rollout: what to ask at the gateway, and the Services that are not asked besides.

        Only where somebody could answer, so that no failure is counted before anything is up; from then
        on always, so that every failure is.
        """
        found = {}
        for seen in rollouts:
            sight = self._seen.get(seen.view.name)
            if sight is None or not sight["address"]:
                continue
            if not routed.answers(sight) and not routed.traffic_of(seen).requests:
                continue
            host = next(iter(sight["hosts"]), "")
            name, port = routed.probe_name(host), int(sight["address"].rpartition(":")[2])
            behind = {a["service"] for a in (routed.gateway(seen, {}) or {}).get("arrows", ())}
            found[seen.view.name] = Target(name, port, sight["address"], host), frozenset(behind)
        return found

    def _mirror(
        self, kind: Resource, trouble: Callable[[LabError], None], listed: Callable[[], None]
    ) -> Mirror:
        return Mirror(self._client, kind, self._namespace, on_error=trouble, on_list=listed)
