"""rollout-lab: run real blue/green and canary rollouts, and see what they do.

cli, ui       the terminal and the page
course        lessons
lab           cluster + engine + recorder + clock behind one door
controller    the engine: watches, queue, gather -> plan -> apply
clusters      where an API server comes from (embedded, kind, any kubeconfig context)
observe       recorder, probe, timeline, picture
simulate      the same planner in virtual time
client        any API server, raw JSON objects
plan          Snapshot -> Plan: what should happen next, and why     (pure)
gateway       a proxy that obeys Ingress, HTTPRoute, VirtualService
routers       how a weight becomes Ingress, VirtualService, HTTPRoute (pure)
api           what a manifest says: views, validation, hashing       (pure)
messages      what is said to people, in Korean and English          (pure)
packed        where lessons, manifests and page are: checkout or wheel
clock, errors
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rollout_lab.lab import Lab

__all__ = ["Lab"]
_DOORS = {"Lab": "rollout_lab.lab"}


def __getattr__(name: str) -> Any:
    """``from rollout_lab import Lab``; what is behind it is loaded only then."""
    if name not in _DOORS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_DOORS[name]), name)
