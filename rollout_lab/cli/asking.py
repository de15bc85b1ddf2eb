"""`curl`: ask a Service, or the gateway before it, again and again, by new connections or by a kept one.

Shows for each answer which connection it came by, and at the end who heard what. Needs no other program.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from rollout_lab.cli import target
from rollout_lab.cli.target import Target
from rollout_lab.cli.verbs import Examples
from rollout_lab.errors import LabError, UsageError

if TYPE_CHECKING:
    from rollout_lab.observe.clients import Client, Connection, Heard

Json = dict[str, Any]
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, token


@click.command(
    "curl",
    cls=Examples,
    examples="""
    rollout-lab curl api-tester-2234
    rollout-lab curl api-tester-2234 --keep-alive --count 60
    rollout-lab curl api-tester-2233-active --fresh --keep-alive --port-forward
    rollout-lab curl api-tester-2234 --count 20 --every 0.1 --quiet
    rollout-lab curl --gateway --count 200 --every 0.02 --quiet
    rollout-lab curl --gateway -H "x-tester: yes" --count 5
    rollout-lab curl --gateway --host api-tester-2234-nginx.localhost
    """,
)
@click.argument("service", required=False)
@click.option("--fresh", is_flag=True, help="A new connection for each request; the default.")
@click.option("--keep-alive", is_flag=True, help="One connection for all requests, as a browser does.")
@click.option("--port-forward", is_flag=True, help="By a port-forward, as kubectl does: to one Pod.")
@click.option("--gateway", is_flag=True, help="Ask the gateway before the Services, as users do.")
@click.option("--host", help="The host to ask the gateway for; default: the one its routes name.")
@click.option(
    "--header",
    "-H",
    "given",
    multiple=True,
    metavar="'NAME: VALUE'",
    help="A header to send with each request; may be given again.",
)
@click.option(
    "--count",
    default=20,
    show_default=True,
    help="Requests of each kind; 0: until Ctrl-C.",
    type=click.IntRange(0),
)
@click.option("--every", default=0.5, show_default=True, help="Seconds from one to the next (wall time).")
@click.option("--quiet", "-q", is_flag=True, help="Only the table at the end.")
@target.options
@target.json_option
def curl_verb(
    service: str | None,
    fresh: bool,
    keep_alive: bool,
    port_forward: bool,
    gateway: bool,
    host: str | None,
    given: Sequence[str],
    count: int,
    every: float,
    quiet: bool,
    as_json: bool,
    **settings: Any,
) -> int:
    """Ask a Service for its version and see by which connection each answer came. Exit code 1 if none did.

    With --gateway the gateway is asked, as users do where a traffic router shares out the requests.
    """
    from rollout_lab.observe.clients import Connection

    headers = _headers(given)
    gateway = gateway or host is not None
    if gateway and (service or port_forward):
        raise UsageError("--gateway asks the gateway for a host: name no Service, and no --port-forward")

    chosen = {
        Connection.FRESH: fresh,
        Connection.KEEP_ALIVE: keep_alive,
        Connection.PORT_FORWARD: port_forward,
    }
    kinds = [kind for kind, wanted in chosen.items() if wanted] or [Connection.FRESH]
    where = target.find(**settings)
    heard: list[Heard] = []
    say = (lambda one: None) if quiet or as_json else _line
    try:
        if gateway:
            clients = _through_gateway(where, host or "", kinds, headers)
        else:
            clients = _clients(where, service, kinds, headers)
        try:
            _ask(clients, count, every, heard, say)
        except KeyboardInterrupt:
            pass  # the table is what was asked for
        finally:
            for one in clients.values():
                one.close()
    finally:
        where.client.close()
    rows = _rows(kinds, heard)
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        _table(rows)
    return 0 if any(row["versions"] for row in rows) else 1


def _headers(given: Sequence[str]) -> dict[str, str]:
    """Headers as curl takes them. Raises UsageError.

    >>> _headers(["x-tester: yes"])
    {'x-tester': 'yes'}
    """
    found = {}
    for text in given:
        name, colon, value = text.partition(":")
        if not colon or not _NAME.fullmatch(name.strip()) or not value.isprintable():
            raise UsageError(f'-H "{text}": write a header as "NAME: VALUE", for example -H "x-tester: yes"')
        found[name.strip()] = value.strip()
    return found


def _through_gateway(
    where: Target, host: str, kinds: Sequence[Connection], headers: Mapping[str, str]
) -> dict[Connection, Client]:
    """A client of each kind for the gateway. Raises UsageError (no such host), LabError (no gateway)."""
    from rollout_lab.lab.gateways import find_gateway, one_host, there
    from rollout_lab.lab.opening import mapped_ports
    from rollout_lab.observe.clients import client_of

    place = there(find_gateway(where.client, mapped_ports(where.client)))
    asked = {"Host": one_host(where.client, where.namespace, host), **headers}
    return {
        kind: client_of(kind, where.client, where.namespace, lambda: place.address, lambda: (), asked)
        for kind in kinds
    }


def _clients(
    where: Target, service: str | None, kinds: Sequence[Connection], headers: Mapping[str, str]
) -> dict[Connection, Client]:
    """A client of each kind for the Service. Raises UsageError (no such Service), LabError (no way there)."""
    from rollout_lab.api import meta
    from rollout_lab.client.resources import ENDPOINTSLICES, SERVICES
    from rollout_lab.lab.opening import mapped_ports
    from rollout_lab.observe.clients import Connection, client_of
    from rollout_lab.observe.states import service_address
    from rollout_lab.observe.ways import Ways, ready_target

    listed = where.client.list(SERVICES, where.namespace).get("items") or []
    services = {meta.name(one): one for one in listed}
    found = services.get(service or (next(iter(services)) if len(services) == 1 else ""))
    if found is None:
        known = ", ".join(services) or "none"
        asked = f"there is no Service {service}" if service else "name a Service"
        raise UsageError(f"{asked} in namespace {where.namespace}; there are: {known}")

    def slices() -> list[Json]:
        return where.client.list(ENDPOINTSLICES, where.namespace).get("items") or []

    ways = Ways(where.client, mapped_ports(where.client), forward=False)
    address = service_address(found, ways.addresses([found], slices()) or {})[1]
    if not address and any(kind is not Connection.PORT_FORWARD for kind in kinds):
        raise LabError(
            f"the Service {meta.name(found)} is not reached from this machine: no NodePort of it is mapped "
            "here; ask it with --port-forward, which shows one Pod only"
        )
    return {
        kind: client_of(
            kind,
            where.client,
            where.namespace,
            lambda: address,
            lambda: ready_target(found, slices()),
            headers,
        )
        for kind in kinds
    }


def _ask(
    clients: dict[Connection, Client],
    count: int,
    every: float,
    heard: list[Heard],
    say: Callable[[Heard], None],
) -> None:
    from rollout_lab.observe.clients import Heard

    pause, asked = threading.Event(), 0
    while True:
        for kind, client in clients.items():
            response = client.ask()
            heard.append(Heard(asked * every, kind, client.number, response.version, response.reason))
            say(heard[-1])
        asked += 1
        if asked == count:
            return
        pause.wait(every)


def _line(one: Heard) -> None:
    said = click.style(one.reason, fg="red") if one.reason else one.version or "?"
    click.echo(f"{one.connection.value:<14}#{one.number:<5}{said}")


def _rows(kinds: Sequence[Connection], heard: Sequence[Heard]) -> list[Json]:
    from rollout_lab.observe.clients import total

    found = [(kind, total(heard, kind)) for kind in kinds]
    return [
        {
            "connection": kind.value,
            "answers": one.answers,
            "connections": one.connections,
            "failed": one.failed,
            "versions": dict(sorted(one.versions.items())),
        }
        for kind, one in found
    ]


def _table(rows: Sequence[Json]) -> None:
    from rollout_lab.cli.printing import table

    columns = ("connection", "answers", "connections", "failed", "versions")
    shown = [[_cell(row[column]) for column in columns] for row in rows]
    click.echo(table(shown, [column.upper() for column in columns]))


def _cell(value: Any) -> Any:
    return ", ".join(f"{version}: {n}" for version, n in value.items()) if isinstance(value, dict) else value
