"""`up`: cluster, engine and page with one command; Ctrl-C stops them all."""

from __future__ import annotations

import http.client
import os
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import click

from rollout_lab import packed
from rollout_lab.cli import clusters, target
from rollout_lab.cli.verbs import Examples
from rollout_lab.cli.words import language, tell
from rollout_lab.errors import LabError

if TYPE_CHECKING:
    from rollout_lab.clusters.spawn import Child
    from rollout_lab.lab import Lab

HOST: Final = "127.0.0.1"
PORT: Final = 8501
SCENARIO: Final = "course-2233"
"""What the page shows by itself."""
TRIES: Final = 50
PAGE_PATIENCE: Final = 60.0  # wall seconds until the page has to answer
POLL: Final = 0.1
LAST_WORDS: Final = 2.0  # wall seconds the page has to show why there is no lab


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
@click.option("--scenario", default=SCENARIO, show_default=True, help="Lecture or manifest to apply.")
@click.option("--speed", default=1.0, show_default=True, help="Lab seconds in a wall second.")
@click.option("--port", default=PORT, show_default=True, help="Port of the page; the next one if taken.")
@click.option("--no-browser", is_flag=True, help="Print the address, open no browser.")
@target.language_option
def up_verb(scenario: str, speed: float, port: int, no_browser: bool, lang: str | None, **where: Any) -> int:
    """Start a cluster (embedded, or real with kind), the engine and the page."""
    from rollout_lab.cli.signals import stop_like_ctrl_c
    from rollout_lab.lab import Lab, startup
    from rollout_lab.lab import folder as files

    tongue = language(lang)
    stop_like_ctrl_c()

    def say(key: str, **params: object) -> None:
        click.echo(tell(tongue, key, **params))

    options = clusters.chosen(tongue, **where)
    told = clusters.narrator(tongue)
    look = first_look(scenario)
    folder = files.new_folder()  # of the page: it may be there before the lab
    report = startup.Report(folder / "progress.jsonl")

    def progress(stage: str, words: str) -> None:
        told(stage, words)
        report.stage(stage, words)

    def start_page() -> tuple[Child, str]:
        say("step.page")
        child, found = _start_page(folder, report.environment, port, tongue)
        if found != port:
            say("up.port", wanted=port, port=found)
        return child, f"http://{HOST}:{found}"

    page: Child | None = None
    url = ""
    try:
        if options["cluster"].startswith("kind"):  # takes a while: the page shows what happens
            page, url = start_page()
            _show(url + look, no_browser, say)
        with Lab.start(speed=speed, scenario=scenario, observe=False, progress=progress, **options) as lab:
            report.ready(_environment(lab, options["engine"]))
            try:
                if page is None:
                    page, url = start_page()
                    _show(url + look, no_browser, say)
                lab.serve_at(url)
                if lab.kubeconfig:
                    say("up.kubeconfig", path=lab.kubeconfig)
                say("up.stop")
                _wait(lab, page)
            finally:
                say("up.stopping")
                if page is not None:
                    page.stop()
    except KeyboardInterrupt:
        say("up.stopped")
        return 0
    except LabError as problem:
        report.failed(str(problem))
        if page is not None:
            threading.Event().wait(LAST_WORDS)
        raise
    finally:
        if page is not None:
            page.stop()
        files.remove(folder)
    return 0


def _show(url: str, no_browser: bool, say: Callable[..., None]) -> None:
    say("up.address", url=url)
    if not no_browser and _has_display():
        _open(url)


def first_look(scenario: str) -> str:
    """The end of the page's address that shows `scenario`: by its lesson, else by its rollout.

    Raises LabError where there is no such scenario, before anything is started.

    >>> first_look("course-2233"), first_look("course-2234"), first_look("canary-nginx")
    ('', '/?lesson=2234', '/?rollout=api-tester-2234-nginx')
    """
    from rollout_lab.course import LessonError, by_key, lessons_folder
    from rollout_lab.course.lesson import load_lessons
    from rollout_lab.lab import load_scenario

    if scenario == SCENARIO:
        return ""
    rollout = load_scenario(scenario).rollout
    try:
        lessons = by_key(load_lessons(lessons_folder(), "en"))
    except LessonError:  # an author is at work
        lessons = {}
    fitting = [key for key, lesson in lessons.items() if lesson.scenario == scenario and not lesson.namespace]
    lecture = scenario.rpartition("-")[2]
    key = lecture if lecture in fitting else next(iter(fitting), "")
    return f"/?lesson={key}" if key else f"/?rollout={quote(rollout)}"


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


def _start_page(folder: Path, environment: Mapping[str, str], wanted: int, lang: str) -> tuple[Child, int]:
    """The page as a child that answers, and its port. It learns of the lab by `environment`."""
    from rollout_lab.clusters.spawn import Child

    app = packed.place("app.py")
    if not app.exists():
        raise LabError(f"the page is missing: expected it in {app}")
    first = wanted
    while True:
        port = free_port(first)
        child = Child(
            "the page",
            ["page", str(app), "--port", str(port)],
            folder / "page.log",
            {**os.environ, **environment, "ROLLOUT_LAB_LANG": lang},
        )
        child.start()
        if _answers(child, port):
            return child, port
        taken = "not available" in child.tail() or "already in use" in child.tail()
        child.stop()
        if not taken or port >= wanted + TRIES:
            raise child.ended()
        first = port + 1


def _environment(lab: Lab, engine: str) -> dict[str, str]:
    """What the page needs to join this lab (`ui.attach`)."""
    return {
        "ROLLOUT_LAB_KUBECONFIG": lab.kubeconfig or os.environ.get("KUBECONFIG", "~/.kube/config"),
        "ROLLOUT_LAB_CONTEXT": lab.client.context_name if not lab.kubeconfig else "",
        "ROLLOUT_LAB_NAMESPACE": lab.namespace,
        "ROLLOUT_LAB_CLOCK": lab.clock.spec,
        "ROLLOUT_LAB_SPEED": f"{lab.speed:g}",
        "ROLLOUT_LAB_SCENARIO": lab.scenario,
        "ROLLOUT_LAB_ENGINE": engine,
    }


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
