"""Typed view over `spec.strategy.canary.trafficRouting`: which routers, on what scale. Pure.

What a router's own settings mean is in `routers`; only what several parts need is here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rollout_lab.api import defaults, fields
from rollout_lab.api.fields import Json

PLUGINS: Final = "plugins"
GATEWAY_API: Final = "argoproj-labs/gatewayAPI"
"""The key of `plugins` under which the peer's Gateway API plugin is configured; here it is built in."""

BUILT_IN: Final = ("istio", "nginx")
BUILT_IN_PLUGINS: Final = (GATEWAY_API,)
NOT_YET: Final = ("alb", "smi", "ambassador", "appMesh", "traefik", "apisix")
"""Routers of the peer that this engine does not have."""


@dataclass(frozen=True, slots=True)
class Routing:
    """`trafficRouting` as written."""

    raw: Json

    @property
    def maximum(self) -> int:
        """The weight that means every request."""
        found = fields.integer(self.raw, "maxTrafficWeight")
        return defaults.MAX_TRAFFIC_WEIGHT if found is None else found

    @property
    def scaled(self) -> bool:
        """Whether the manifest names the maximum itself."""
        return fields.integer(self.raw, "maxTrafficWeight") is not None

    @property
    def managed_routes(self) -> tuple[str, ...]:
        """Names of the routes that steps may set, the first one to be asked first."""
        return tuple(fields.text(route, "name") for route in fields.objects(self.raw, "managedRoutes"))

    @property
    def plugins(self) -> tuple[str, ...]:
        return tuple(fields.mapping(self.raw, PLUGINS))

    def uses(self, name: str, *, plugin: bool = False) -> bool:
        """Whether this router is asked for."""
        return fields.value(self.raw, *((PLUGINS, name) if plugin else (name,))) is not None
