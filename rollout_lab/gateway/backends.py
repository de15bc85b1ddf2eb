"""A reference to a Service and port, checked against the Services there are. Pure."""

from __future__ import annotations

from dataclasses import replace

from rollout_lab.gateway.objects import World, service_port
from rollout_lab.gateway.table import Backend


def checked(world: World, backend: Backend, error: int) -> tuple[Backend, str]:
    """The backend, with `error` as its answer where the Service or its port is not there, and why.

    The text is empty where all is well.
    """
    service = world.services.get((backend.namespace, backend.service))
    if service is None:
        return replace(
            backend, error=error
        ), f'there is no Service "{backend.service}" in namespace "{backend.namespace}"'
    wanted = int(backend.port) if backend.port.isdigit() else backend.port or None
    if service_port(service, wanted) is None:
        named = f'no port "{backend.port}"' if backend.port else "several ports: name one"
        return replace(backend, error=error), f'Service "{backend.service}" has {named}'
    return backend, ""
