"""`up`: cluster, engine and page with one command; Ctrl-C stops them all."""

from __future__ import annotations

import http.client
import os
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from rollout_lab.cli import clusters, target
from rollout_lab.cli.verbs import Examples
from rollout_lab.cli.words import language, tell
from rollout_lab.errors import LabError

if TYPE_CHECKING:
    from rollout_lab.clusters.spawn import Child
    from rollout_lab.lab import Lab

HOST: Final = "127.0.0.1"
PORT: Final = 8501
TRIES: Final = 50
PAGE_PATIENCE: Final = 60.0  # wall seconds until the page has to answer
POLL: Final = 0.1


@click.command(
    "up",
    cls=Examples,
    examples="""
    rollout-lab up
    rollout-lab up --speed 5 --port 8600
    rollout-lab up --scenario course-2234 --no-browser
    rollout-lab up --cluster kind
    rollout-lab up --cluster kind --nodes 3 --engine in-cluster
    rollout-lab up --cluster context:my-cluster --engine argo
    """,
)
@clusters.cluster_options
@click.option("--scenario", default="course-2233", show_default=True, help="Lecture or manifest to apply.")
@click.option("--speed", default=1.0, show_default=True, help="Lab seconds in a wall second.")
@click.option("--port", default=PORT, show_default=True, help="Port of the page; the next one if taken.")
@click.option("--no-browser", is_flag=True, help="Print the address, open no browser.")
@target.language_option
def up_verb(scenario: str, speed: float, port: int, no_browser: bool, lang: str | None, **where: Any) -> int:
    """Start a cluster (embedded, or real with kind), the engine and the page."""
    from rollout_lab.cli.signals import stop_like_ctrl_c
    from rollout_lab.lab import Lab

    tongue = language(lang)
    stop_like_ctrl_c()

    def say(key: str, **params: object) -> None:
        click.echo(tell(tongue, key, **params))

    options = clusters.chosen(tongue, **where)
    progress = clusters.narrator(tongue)
    try:
        with Lab.start(speed=speed, scenario=scenario, observe=False, progress=progress, **options) as lab:
            say("step.page")
            page, found = _start_page(lab, port, tongue)
            try:
                if found != port:
                    say("up.port", wanted=port, port=found)
                url = f"http://{HOST}:{found}"
                lab.serve_at(url)
                say("up.address", url=url)
                if lab.kubeconfig:
                    say("up.kubeconfig", path=lab.kubeconfig)
                say("up.stop")
                if not no_browser and _has_display():
                    _open(url)
                _wait(lab, page)
            finally:
                say("up.stopping")
                page.stop()
    except KeyboardInterrupt:
        say("up.stopped")
        return 0
    return 0


def free_port(wanted: int) -> int:
    """`wanted`, or the next free port on loopback. Raises LabError after 50 taken ones."""
    for port in range(wanted, min(wanted + TRIES, 65536)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise LabError(f"no free port from {wanted} on: name another one with --port N")


def _start_page(lab: Lab, wanted: int, lang: str) -> tuple[Child, int]:
    """The page as a child that answers, and its port."""
    from rollout_lab.clusters.spawn import Child

    app = Path(__file__).resolve().parents[2] / "app.py"
    if not app.exists():
        raise LabError(f"the page is missing: expected it in {app}")
    first = wanted
    while True:
        port = free_port(first)
        child = Child(
            "the page",
            ["page", str(app), "--port", str(port)],
            lab.folder / "page.log",
            _environment(lab, lang),
        )
        child.start()
        if _answers(child, port):
            return child, port
        taken = "not available" in child.tail() or "already in use" in child.tail()
        child.stop()
        if not taken or port >= wanted + TRIES:
            raise child.ended()
        first = port + 1


def _environment(lab: Lab, lang: str) -> dict[str, str]:
    """What the page needs to join this lab (`ui.attach`)."""
    found = {
        "ROLLOUT_LAB_KUBECONFIG": lab.kubeconfig or os.environ.get("KUBECONFIG", "~/.kube/config"),
        "ROLLOUT_LAB_CONTEXT": lab.client.context_name if not lab.kubeconfig else "",
        "ROLLOUT_LAB_NAMESPACE": lab.namespace,
        "ROLLOUT_LAB_CLOCK": lab.clock.spec,
        "ROLLOUT_LAB_SPEED": f"{lab.speed:g}",
        "ROLLOUT_LAB_SCENARIO": lab.scenario,
        "ROLLOUT_LAB_LANG": lang,
    }
    return {**os.environ, **found}


def _answers(child: Child, port: int) -> bool:
    """Wait until the page answers; False when its process ended first."""
    pause = threading.Event()
    for _ in range(int(PAGE_PATIENCE / POLL)):
        if not child.running:
            return False
        connection = http.client.HTTPConnection(HOST, port, timeout=2)
        try:
            connection.request("GET", "/_stcore/health")
            if connection.getresponse().status == 200:
                return True
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        pause.wait(POLL)
    return False


def _has_display() -> bool:
    if sys.platform == "darwin":
        return True
    return bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("WSL_DISTRO_NAME")
    )


def _open(url: str) -> None:
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(url,), name="browser", daemon=True).start()


def _wait(lab: Lab, page: Child) -> None:
    """Until Ctrl-C. Raises LabError when a part ends by itself."""
    pause = threading.Event()
    while not pause.wait(0.5):
        if not page.running:
            raise page.ended()
        trouble = lab.trouble()
        if trouble is not None:
            raise trouble
