"""The verbs that only look: `get`, `status` and `watch`."""

from __future__ import annotations

import json
import threading
from typing import Any

import click

from rollout_lab.cli import target
from rollout_lab.cli.target import Target
from rollout_lab.cli.verbs import Examples
from rollout_lab.cli.words import language
from rollout_lab.errors import NotFound, UsageError

Json = dict[str, Any]
THINGS = ("rollouts", "services", "replicasets", "pods", "events")
_SHORT = {
    "rollout": "rollouts",
    "ro": "rollouts",
    "service": "services",
    "svc": "services",
    "replicaset": "replicasets",
    "rs": "replicasets",
    "pod": "pods",
    "po": "pods",
    "event": "events",
}


def observe(where: Target, rollout: str) -> Json:
    """The picture of a rollout from one list of each kind, without a curl loop."""
    from rollout_lab.client import resources as kinds
    from rollout_lab.clock import ScaledClock
    from rollout_lab.lab.gateways import seen_now
    from rollout_lab.lab.opening import mapped_ports
    from rollout_lab.observe.history import History
    from rollout_lab.observe.observed import Observed
    from rollout_lab.observe.picture import picture
    from rollout_lab.observe.ways import Ways

    def listed(kind: kinds.Resource) -> tuple[Json, ...]:
        items = where.client.list(kind, where.namespace).get("items") or []
        return tuple({"kind": kind.kind, "apiVersion": kind.api_version, **item} for item in items)

    services, slices = listed(kinds.SERVICES), listed(kinds.ENDPOINTSLICES)
    mapped = mapped_ports(where.client)
    addresses = Ways(where.client, mapped, forward=False).addresses(services, slices)
    now = (ScaledClock.parse(where.clock) if where.clock else ScaledClock()).now()
    observed = Observed(
        now=now,
        started=now,
        rollout=where.client.get(kinds.ROLLOUTS, where.namespace, rollout),
        replica_sets=listed(kinds.REPLICASETS),
        services=services,
        pods=listed(kinds.PODS),
        slices=slices,
        addresses=addresses or {},
    )
    observed = seen_now(where.client, mapped, observed)
    history = History()
    history.note(observed)
    return picture(observed, history.memory())


def _names(where: Target, name: str | None) -> list[str]:
    from rollout_lab.client.resources import ROLLOUTS

    items = where.client.list(ROLLOUTS, where.namespace).get("items") or []
    found = [str(o["metadata"]["name"]) for o in items]
    if name and name not in found:
        known = ", ".join(found) or "none"
        raise UsageError(f"there is no rollout {name} in namespace {where.namespace}; there are: {known}")
    return [name] if name else found


@click.command(
    "get",
    cls=Examples,
    examples="""
    rollout-lab get
    rollout-lab get services
    rollout-lab get pods api-tester-2234
    rollout-lab get rollouts --json
    """,
)
@click.argument("thing", required=False, metavar="[rollouts|services|replicasets|pods|events]")
@click.argument("rollout", required=False)
@target.options
@target.language_option
@target.json_option
def get_verb(thing: str | None, rollout: str | None, as_json: bool, lang: str | None, **settings: Any) -> int:
    """What there is, with the address to use for each Service. Without a word: everything, as a tree."""
    wanted = _SHORT.get(thing or "", thing)
    if wanted is not None and wanted not in THINGS:
        raise UsageError(f"get what? {thing} is none of {', '.join(THINGS)}")
    where = target.find(**settings)
    try:
        if wanted == "events":
            return _events(where, rollout, as_json)
        pictures = [observe(where, name) for name in _names(where, rollout)]
        if wanted is None:
            return _overview(pictures, as_json, language(lang), where)
        return _table(wanted, pictures, as_json, language(lang))
    finally:
        where.client.close()


def _overview(pictures: list[Json], as_json: bool, lang: str, where: Target) -> int:
    from rollout_lab.cli.printing import console, tree

    if as_json:
        click.echo(json.dumps(pictures, ensure_ascii=False, indent=1))
    elif not pictures:
        click.echo(f"no rollout in namespace {where.namespace}")
    else:
        out = console()
        for picture in pictures:
            out.print(tree(picture, _message(lang, picture["rollout"]["message"])))
    return 0


def _message(lang: str, message: str) -> str:
    from rollout_lab.messages import explain

    return explain(lang, f"message.{message.lower().replace(' ', '-')}", {}, message) if message else ""


def _table(thing: str, pictures: list[Json], as_json: bool, lang: str) -> int:
    from rollout_lab.cli.printing import table

    rows: list[Json] = []
    for picture in pictures:
        name = picture["rollout"]["name"]
        if thing == "rollouts":
            rows.append({**picture["rollout"], "actions": picture["actions"]})
        else:
            key = "replicaSets" if thing == "replicasets" else thing
            rows += [{"rollout": name, **row} for row in picture[key]]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return 0
    columns = {
        "rollouts": ("name", "strategy", "phase", "message", "version", "revision", "replicas"),
        "services": ("name", "role", "selectorHash", "endpoints", "address", "rollout"),
        "replicasets": ("name", "version", "revision", "role", "replicas", "ready", "available"),
        "pods": ("name", "version", "state", "reason", "restarts", "rollout"),
    }[thing]
    for row in rows:
        if "message" in row:
            row["message"] = _message(lang, row["message"])
        if row.get("address"):
            row["address"] = f"http://{row['address']}"
    shown = [["" if row[c] is None else row[c] for c in columns] for row in rows]
    click.echo(table(shown, [c.upper() for c in columns]) if rows else f"no {thing}")
    return 0


def _events(where: Target, rollout: str | None, as_json: bool) -> int:
    from rollout_lab.api import fields
    from rollout_lab.cli.printing import table
    from rollout_lab.client.resources import EVENTS
    from rollout_lab.observe.timeline import event_row

    found = []
    for event in where.client.list(EVENTS, where.namespace).get("items") or []:
        row = event_row(event)
        if row["about"] == "Rollout" and row["name"] == (rollout or row["name"]):
            when = fields.text(event, "lastTimestamp") or fields.text(event, "eventTime")
            found.append({"when": when, **row})
    found.sort(key=lambda row: str(row["when"]))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        columns = ("when", "name", "type", "reason", "message")
        shown = [[row[c] for c in columns] for row in found]
        click.echo(table(shown, [c.upper() for c in columns]) if found else "no events")
    return 0


@click.command(
    "status",
    cls=Examples,
    examples="""
    rollout-lab status api-tester-2233
    rollout-lab status --wait --timeout 120
    """,
)
@click.argument("rollout", required=False)
@click.option("--wait", is_flag=True, help="Wait until it is Healthy or Degraded.")
@click.option("--timeout", default=300.0, show_default=True, help="Seconds to wait (wall time).")
@target.options
@target.language_option
@target.json_option
def status_verb(
    rollout: str | None, wait: bool, timeout: float, as_json: bool, lang: str | None, **settings: Any
) -> int:
    """The phase of a rollout. Exit code 1 if it is Degraded, or not Healthy at the end of --wait."""
    where = target.find(**settings)
    try:
        name = target.rollout_name(where, rollout)
        pause = threading.Event()
        for _ in range(max(1, int(timeout / 0.25)) if wait else 1):
            about = _phase(where, name)
            if not wait or about["phase"] in ("Healthy", "Degraded"):
                break
            pause.wait(0.25)
    finally:
        where.client.close()
    if as_json:
        click.echo(json.dumps(about, ensure_ascii=False))
    else:
        message = _message(language(lang), about["message"])
        click.echo(f"{name}: {about['phase']}{' — ' + message if message else ''}")
    failed = about["phase"] == "Degraded" or (wait and about["phase"] != "Healthy")
    return 1 if failed else 0


def _phase(where: Target, name: str) -> Json:
    from rollout_lab.client.resources import ROLLOUTS
    from rollout_lab.observe.states import phase_and_message

    try:
        found = where.client.get(ROLLOUTS, where.namespace, name)
    except NotFound:
        raise UsageError(f"there is no rollout {name} in namespace {where.namespace}") from None
    phase, message = phase_and_message(found)
    return {"name": name, "phase": str(phase), "message": message}


@click.command(
    "watch",
    cls=Examples,
    examples="""
    rollout-lab watch api-tester-2234
    rollout-lab watch api-tester-2234 --json > run.jsonl
    """,
)
@click.argument("rollout", required=False)
@target.options
@target.language_option
@target.json_option
def watch_verb(rollout: str | None, as_json: bool, lang: str | None, **settings: Any) -> int:
    """Follow a rollout line by line, with the reason for each change, until Ctrl-C."""
    from rollout_lab.cli.follow import Follower
    from rollout_lab.clock import ScaledClock
    from rollout_lab.observe.recorder import Recorder

    where = target.find(**settings)
    name = target.rollout_name(where, rollout)
    clock = ScaledClock.parse(where.clock) if where.clock else ScaledClock()
    recorder = Recorder(where.client, where.namespace, clock)
    follower = Follower(name, language(lang), as_json=as_json)
    recorder.listen(follower)
    try:
        recorder.start()
        follower.broken.wait()
    finally:
        recorder.close()
        where.client.close()
    return 0
