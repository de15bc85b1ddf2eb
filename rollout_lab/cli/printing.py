"""How the terminal shows things: coloured lines, trees and tables. Knows no cluster.

`rich` is imported when something is shown, so that verbs that print JSON do not wait for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rollout_lab.cli.narrate import Line, stopwatch

if TYPE_CHECKING:
    from rich.console import Console

STYLES: Final[Mapping[str, str]] = {
    "action": "bold cyan",
    "why": "italic bright_black",
    "warning": "bold red",
    "traffic": "magenta",
    "change": "",
}
PHASES: Final[Mapping[str, str]] = {
    "Healthy": "green",
    "Paused": "yellow",
    "Progressing": "cyan",
    "Degraded": "red",
}
MARKS: Final[Mapping[str, str]] = {
    "pulling": "◌",
    "starting": "○",
    "running": "○",
    "ready": "●",
    "failing": "✗",
    "terminating": "◍",
}


def console(*, stderr: bool = False) -> Console:
    """A console that writes plain text where nobody watches."""
    from rich.console import Console

    found = Console(stderr=stderr, highlight=False, soft_wrap=True)
    if not found.is_terminal:
        found.width = 200
    return found


def show_line(to: Console, line: Line) -> None:
    """``0:05  text``; reasons stand further in, under what they explain."""
    body = f"  ↳ {line.text}" if line.style == "why" else line.text
    to.print(f"{stopwatch(line.t):>7}  {body}", style=STYLES[line.style] or None, markup=False)


def table(rows: Sequence[Sequence[Any]], headings: Sequence[str]) -> str:
    """Columns as wide as their widest cell, as kubectl prints them."""
    cells = [list(headings), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headings))]
    lines = ("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)


def tree(picture: Mapping[str, Any], words: str) -> Any:
    """One rollout as a tree: its steps, Services with the address to use, ReplicaSets and Pods."""
    from rich.text import Text
    from rich.tree import Tree

    about = picture["rollout"]
    head = Text(f"Rollout {about['name']}  ")
    head.append(about["phase"], style=PHASES.get(about["phase"], ""))
    head.append(f"  {words}" if words else "")
    root = Tree(head)
    way = f"{about['strategy']}, replicas {about['replicas']}, revision {about['revision']}"
    weight = about["weight"]
    if weight is not None:
        way += f", weight {weight['asked']} % ({weight['canaryPods']} of {weight['totalPods']} Pods)"
    root.add(Text(way))
    if about["steps"]:
        marks = {"done": "✓", "now": "▶", "todo": "·"}
        root.add(Text("steps  " + "  ".join(f"{marks[s['state']]} {s['text']}" for s in about["steps"])))
    if gate := picture.get("gateway"):
        root.add(Text(_gateway(gate)))
    for service in picture["services"]:
        address = f"http://{service['address']}" if service["address"] else "no address"
        selected = service["selectorHash"] or "no hash"
        if service["via"] == "port-forward":
            address += f" (port-forward to Pod {service['viaPod']})"
        text = f"Service {service['name']}  {address}  → {selected}  {service['endpoints']} ready"
        root.add(Text(text))
    for found in picture["replicaSets"]:
        text = (
            f"ReplicaSet {found['hash']}  v{found['version']}  revision {found['revision']}  "
            f"{found['role']}  {found['ready']}/{found['replicas']}"
        )
        branch = root.add(Text(text, style="" if found["replicas"] else "bright_black"))
        for pod in (p for p in picture["pods"] if p["hash"] == found["hash"]):
            reason = f"  {pod['reason']}" if pod["reason"] else ""
            branch.add(Text(f"{MARKS[pod['state']]} {pod['name']}  {pod['state']}{reason}"))
    return root


def _gateway(gate: Mapping[str, Any]) -> str:
    """Which gateway it is, where users ask it, and what it is told to send where."""
    address = f"http://{gate['address']}" if gate["address"] else "no address"
    for host in gate["hosts"][:1]:
        address += f" (Host {host})"
    shares = [
        f"{arrow['service']}{'/' + arrow['subset'] if arrow['subset'] else ''} {arrow['weight']:g} %"
        for arrow in gate["arrows"]
        if arrow["kind"] == "weight"
    ]
    who = gate["name"] or ("of the lab" if gate["known"] else "not there, or it does not answer")
    return f"Gateway {who}  {address}  → {', '.join(shares) or 'no route yet'}"
