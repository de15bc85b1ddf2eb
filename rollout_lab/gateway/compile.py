"""All objects of one moment -> the table the gateway works by, and what to tell about them. Pure.

Where objects of several kinds speak of one host, HTTPRoutes are asked first, then VirtualServices, then
Ingresses: each kind is complete in itself, and a request goes to the first kind with a rule for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rollout_lab.gateway.conditions import Wanted
from rollout_lab.gateway.httproute import compile_routes
from rollout_lab.gateway.ingress import compile_ingresses
from rollout_lab.gateway.istio import compile_virtual
from rollout_lab.gateway.objects import Problem, Settings, World, key_of
from rollout_lab.gateway.pools import pools
from rollout_lab.gateway.table import Table

ROUTING = ("Ingress", "IngressClass", "HTTPRoute", "Gateway", "GatewayClass", "VirtualService")
"""The kinds that make rules; the others of `KINDS` only say what is behind them."""
KINDS = (*ROUTING, "DestinationRule", "IstioGateway", "Service", "EndpointSlice", "Pod", "Namespace")


@dataclass(frozen=True, slots=True)
class Compiled:
    """The table, the fields that are not obeyed, and the status each object should have."""

    table: Table
    problems: tuple[Problem, ...] = ()
    statuses: tuple[Wanted, ...] = ()


def compile_table(world: World, settings: Settings) -> Compiled:
    """The whole table with its endpoints."""
    routes, virtual = compile_routes(world, settings), compile_virtual(world)
    ingresses = compile_ingresses(world, settings)
    groups = tuple(g for g in (routes.group, virtual.group, ingresses.group) if g.hosts)
    table = with_endpoints(Table(groups, ingresses.fallback), world)
    where = {"ip": settings.host, "ports": [{"port": settings.port, "protocol": "TCP"}]}
    status = {"loadBalancer": {"ingress": [where]}}
    told = [Wanted("Ingress", *key_of(i), status) for i in ingresses.obeyed] if settings.port else []
    problems = (*routes.problems, *virtual.problems, *ingresses.problems)
    return Compiled(table, tuple(dict.fromkeys(problems)), (*routes.statuses, *told))


def with_endpoints(table: Table, world: World) -> Table:
    """The same rules with the endpoints of `world`."""
    return replace(table, pools=pools(world, [rule for _, rule in table.rules()]))
