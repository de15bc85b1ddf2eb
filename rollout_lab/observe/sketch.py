"""A picture (`observe.picture`) as one SVG: Services at the left, their ways to the Pods at the right. Pure.

For notebooks and other places that show HTML: no script, no style sheet, nothing is fetched. The page's
own drawing, which moves, is in `rollout_lab/ui/frontend`; the standalone player draws by itself too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from rollout_lab.messages import explain
from rollout_lab.observe.arrows import drawn

Json = dict[str, Any]

COLOURS: Final = ("#0067a5", "#b34700", "#00734f", "#8f3a78")
"""Of the versions, in the order in which they appeared (`colour` of a picture, again from the start)."""
BAD, INK, DIM, LINE, BOX = "#b00020", "#1a1d21", "#5b6470", "#c9d0d8", "#f5f7f9"
WIDTH: Final = 900
GATE: Final = 330  # more to the left where there is a gateway
PER_ROW: Final = 15  # Pods side by side in a ReplicaSet
_FONT: Final = "system-ui, 'Apple SD Gothic Neo', 'Noto Sans KR', sans-serif"


def colour_of(number: int) -> str:
    """The colour of the version with that number."""
    return COLOURS[number % len(COLOURS)]


def summary(picture: Mapping[str, Any]) -> str:
    """The picture in one line: for a screen reader, and for a terminal.

    >>> summary({"rollout": None, "services": [], "replicaSets": [], "pods": [], "routes": []})
    'no rollout'
    """
    rollout = picture["rollout"]
    parts = ["no rollout"] if not rollout and not picture["replicaSets"] else []
    if rollout:
        parts.append(f"{rollout['name']} {rollout['phase']} v{rollout['version']}")
    for version, (ready, count) in _by_version(picture).items():
        parts.append(f"v{version}: {ready}/{count} Pods ready")
    for service in picture["services"]:
        led = _led(picture, service["name"])
        ways = ", ".join(f"v{version} {round(100 * share)} %" for version, share in led.items())
        parts.append(f"{service['name']} → {ways or 'nothing'}")
    return "; ".join(parts)


def _by_version(picture: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    there = [pod for pod in picture["pods"] if pod["state"] != "terminating"]
    ready = Counter(pod["version"] for pod in there if pod["state"] == "ready")
    return {version: (ready[version], n) for version, n in Counter(p["version"] for p in there).items()}


def _led(picture: Mapping[str, Any], service: str) -> dict[str, float]:
    """Version -> share of the requests of a Service, measured where anything was."""
    versions = {pod["name"]: pod["version"] for pod in picture["pods"]}
    found: dict[str, float] = {}
    for route in picture["routes"]:
        if route["service"] == service and route["pod"] in versions:
            version = versions[route["pod"]]
            found[version] = found.get(version, 0.0) + route["share"]
    return found


def svg(picture: Mapping[str, Any], lang: str = "en") -> str:
    """The picture as one `<svg>` element. `lang`: of the few words in it."""
    sets = [
        s
        for s in picture["replicaSets"]
        if s["replicas"] or any(p["hash"] == s["hash"] for p in picture["pods"])
    ]
    gate = drawn(lang, picture)
    left = GATE if gate else 0
    top = _headline(picture, lang, -left)
    y = at = 44.0 if top else 10.0
    parts: list[str] = []
    middles: dict[str, float] = {}
    for found in sets:
        pods = [pod for pod in picture["pods"] if pod["hash"] == found["hash"]]
        height = 58 + 26 * max(1, -(-len(pods) // PER_ROW))
        middles[found["hash"]] = y + height / 2
        parts += _replica_set(found, pods, y, height, lang)
        y += height + 14
    for service in picture["services"]:
        parts += _service(service, at, lang)
        arrows = [a for a in (gate or {}).get("arrows", ()) if a["service"] == service["name"]]
        parts += _ways(picture, service["name"], sets, middles, at + 27, arrows)
        at += 68
    said = escape(summary(picture))
    bottom = max(y, at, 90.0)
    parts += _gateway(gate, picture, 44.0 if top else 10.0) if gate else []
    wide = WIDTH + left
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-left} 0 {wide} {bottom:g}" role="img" '
        f'aria-label="{said}" font-family="{_FONT}" font-size="14" style="max-width:{WIDTH}px;width:100%">'
        f'<title>{said}</title><rect x="{-left}" width="{wide}" height="{bottom:g}" rx="8" fill="#ffffff"/>'
        f"{top}{''.join(parts)}</svg>"
    )


def _text(x: float, y: float, said: str, fill: str = INK, size: int = 14, weight: str = "normal") -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" fill="{fill}" font-size="{size}" font-weight="{weight}">'
        f"{escape(said)}</text>"
    )


def _headline(picture: Mapping[str, Any], lang: str, left: float) -> str:
    """Phase, version and steps, from `left` on."""
    rollout = picture["rollout"]
    if not rollout:
        return ""
    phase = explain(lang, f"rollout.{rollout['phase']}", {}, str(rollout["phase"]))
    signs = {"done": "✓", "now": "▶", "todo": "·"}
    steps = "  ".join(f"{signs[step['state']]} {step['text']}" for step in rollout["steps"])
    colour = {"Degraded": BAD, "Healthy": COLOURS[2]}.get(rollout["phase"], INK)
    name = f"{rollout['name']} · v{rollout['version']} · revision {rollout['revision']}"
    return (
        _text(left + 12, 28, phase, colour, 16, "bold")
        + _text(left + 150, 28, name)
        + (_text(left + 480, 28, steps, DIM, 12) if steps else "")
    )


def _replica_set(
    found: Mapping[str, Any], pods: Sequence[Mapping[str, Any]], y: float, height: float, lang: str
) -> list[str]:
    role = explain(lang, f"role.{found['role']}", {}, str(found["role"]))
    said = " · ".join(filter(None, (found["name"], role, f"{found['ready']}/{found['replicas']}")))
    return [
        f'<rect x="480" y="{y:g}" width="410" height="{height:g}" rx="8" fill="{BOX}" stroke="{LINE}"/>',
        f'<rect x="480" y="{y:g}" width="6" height="{height:g}" fill="{colour_of(found["colour"])}"/>',
        _text(498, y + 22, f"v{found['version']}", weight="bold"),
        _text(498, y + 40, said, DIM, 12),
        *(
            _pod(pod, 510 + 25 * (i % PER_ROW), y + 62 + 26 * (i // PER_ROW), lang)
            for i, pod in enumerate(pods)
        ),
    ]


def _pod(pod: Mapping[str, Any], x: float, y: float, lang: str) -> str:
    """A Pod as on the page: dotted while pulling, a ring while starting, a disc when ready."""
    state = str(pod["state"])
    colour = BAD if state == "failing" else colour_of(pod["colour"])
    fill = colour if state == "ready" else "none"
    more = {"pulling": ' stroke-dasharray="3 3"', "terminating": ' opacity="0.4"'}.get(state, "")
    cross = f'<path d="M{x - 4:g} {y - 4:g}l8 8m0-8l-8 8" stroke="{colour}" stroke-width="2.5"/>'
    said = ", ".join(filter(None, (explain(lang, f"state.{state}", {}, state), str(pod["reason"]))))
    return (
        f"<g><title>{escape(pod['name'])}: {escape(said)}</title>"
        f'<circle cx="{x:g}" cy="{y:g}" r="9" stroke="{colour}" stroke-width="2.5" fill="{fill}"{more}/>'
        f"{cross if state == 'failing' else ''}</g>"
    )


def _service(service: Mapping[str, Any], y: float, lang: str) -> list[str]:
    role = "" if service["role"] == "service" else str(service["role"])
    name = str(service["name"])
    said = " · ".join(
        filter(None, (role, f":{service['port']}", str(service["selectorHash"] or service.get("chosen", ""))))
    )
    return [
        f'<rect x="10" y="{y:g}" width="260" height="54" rx="8" fill="{BOX}" stroke="{LINE}"/>',
        _text(22, y + 22, name if len(name) <= 26 else "…" + name[-25:], weight="bold"),
        _text(22, y + 42, said, DIM, 12),
    ]


def _gateway(gate: Mapping[str, Any], picture: Mapping[str, Any], first: float) -> list[str]:
    """The gateway's box and its arrows: as wide as their share, dashed by header, dotted for copies."""
    services = [service["name"] for service in picture["services"]]
    middle = first + 34 * len(services) - 7
    host = gate["host"] if len(gate["host"]) <= 20 else gate["host"][:19] + "…"
    out = [
        f'<rect x="-320" y="{middle - 27:g}" width="150" height="54" rx="8" fill="{BOX}" stroke="{LINE}"/>',
        _text(-310, middle - 5, gate["title"], weight="bold"),
        _text(-310, middle + 15, host, DIM, 12),
    ]
    dashes = {"header": ' stroke-dasharray="8 4"', "mirror": ' stroke-dasharray="1 4"'}
    for i, arrow in enumerate(gate["arrows"]):
        start = middle + (i - (len(gate["arrows"]) - 1) / 2) * 10
        end = first + 27 + 68 * services.index(arrow["service"]) + 24 * arrow["place"]
        width = 2 + 8 * (arrow["share"] or 0)
        out.append(
            f'<path d="M-170 {start:g}C-130 {start:g} -140 {end:g} -100 {end:g}H10" fill="none" '
            f'stroke="{colour_of(arrow["colour"])}" stroke-width="{width:g}"{dashes.get(arrow["kind"], "")}/>'
        )
        said, y = escape(arrow["label"]), end - 2 - width / 2
        out.append(f'<text x="4" y="{y:g}" fill="{INK}" font-size="11" text-anchor="end">{said}</text>')
    return out


def _ways(
    picture: Mapping[str, Any],
    service: str,
    sets: Sequence[Mapping[str, Any]],
    middles: Mapping[str, float],
    start: float,
    arrows: Sequence[Mapping[str, Any]] = (),
) -> list[str]:
    """The lines from a Service to the ReplicaSets it reaches, as wide as their share.

    `arrows` of a gateway to it: then the share of the one that carries the weight stands there.
    """
    weighted = [arrow["share"] or 0.0 for arrow in arrows if arrow["kind"] == "weight"]
    part = sum(weighted) if weighted else 1.0
    hashes = {pod["name"]: pod["hash"] for pod in picture["pods"]}
    shares: dict[str, float] = {}
    for route in picture["routes"]:
        hash_ = hashes.get(route["pod"], "")
        if route["service"] == service and hash_ in middles:
            shares[hash_] = shares.get(hash_, 0.0) + route["share"]
    colours = {found["hash"]: colour_of(found["colour"]) for found in sets}
    out = []
    for hash_, share in shares.items():
        end = middles[hash_]
        out.append(
            f'<path d="M270 {start:g}C370 {start:g} 380 {end:g} 480 {end:g}" fill="none" '
            f'stroke="{colours[hash_]}" stroke-width="{2 + 10 * share * part:g}" opacity="0.75"/>'
        )
        if len(weighted) != 1:
            out.append(_text(385, (start + end) / 2 - 8, f"{round(100 * share)} %", INK, 12))
    return out
