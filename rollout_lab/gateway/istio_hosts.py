"""Names in Istio objects: which Service a destination is, which hosts a VirtualService is for. Pure.

# upstream: Istio reference, VirtualService (hosts, gateways), Destination (host), Gateway (Server.hosts)
"""

from __future__ import annotations

from rollout_lab.gateway.objects import Key, Object, Problem, World, key_of, part, rows
from rollout_lab.gateway.parents import intersection

MESH = "mesh"
_DOMAINS = ("", ".svc", ".svc.cluster.local")


def service_of(host: str, namespace: str) -> Key | None:
    """The Service a host means, asked from `namespace`; None for a host outside of the cluster.

    >>> service_of("web", "a"), service_of("web.b.svc.cluster.local", "a"), service_of("example.com", "a")
    (('a', 'web'), ('b', 'web'), None)
    """
    if "." not in host:
        return namespace, host
    for domain in _DOMAINS[:0:-1]:
        if host.endswith(domain):
            name, _, space = host.removesuffix(domain).partition(".")
            return (space, name) if name and space and "." not in space else None
    return None


def names_of(host: str, namespace: str) -> list[str]:
    """Every Host header a host of a VirtualService stands for: short names are those of a Service."""
    host = host.lower()
    if host == "*":
        return [""]
    if host.startswith("*"):
        return [host]
    service = service_of(host, namespace)
    if service is None:
        return [host]
    found = [f"{service[1]}.{service[0]}{domain}" for domain in _DOMAINS]
    return [service[1], *found] if service[0] == namespace else found


def hosts_of(world: World, raw: Object) -> tuple[list[str], list[Problem]]:
    """The hosts a VirtualService is for at this gateway: all of its own for the mesh, which this gateway
    stands in for, else those that a server of its Gateways has too."""
    key, spec = key_of(raw), part(raw, "spec")
    own = [name for host in spec.get("hosts") or [] for name in names_of(str(host), key[0])]
    problems: list[Problem] = []
    found: list[str] = []
    gateways = [str(g) for g in spec.get("gateways") or [MESH]]
    for index, name in enumerate(gateways):
        if name == MESH:
            found += [h for h in own if h not in found]
            continue
        where = f"spec.gateways[{index}]"
        namespace, _, short = name.rpartition("/")
        gateway = world.find("IstioGateway", namespace or key[0], short)
        if gateway is None:
            text = f'there is no Gateway "{short}" in namespace "{namespace or key[0]}"'
            problems.append(Problem("VirtualService", *key, where, text))
            continue
        common = [h for server in _server_hosts(gateway) for h in intersection(server, own)]
        if not common:
            problems.append(
                Problem("VirtualService", *key, where, "none of its servers has one of spec.hosts")
            )
        found += [h for h in common if h not in found]
    return found, problems


def _server_hosts(gateway: Object) -> list[str]:
    """The hosts of a Gateway's servers; ``""`` is all of them."""
    found = []
    for server in rows(gateway, "spec", "servers"):
        for host in server.get("hosts") or []:
            name = str(host).rpartition("/")[2].lower()
            found.append("" if name == "*" else name)
    return found
