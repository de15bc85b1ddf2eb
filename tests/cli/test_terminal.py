"""The terminal without a cluster: help, usage, exit codes, lint, and what a run reads like."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from rollout_lab.cli import main, words
from rollout_lab.cli.narrate import Narrator, stopwatch
from rollout_lab.cli.up import free_port
from rollout_lab.cli.verbs import VERBS, Examples, rollout_lab

ROOT = Path(__file__).resolve().parents[2]
TRACES = ROOT / "tests" / "data" / "traces"
VISIBLE = [verb for verb in VERBS if verb != "page"]


@pytest.fixture(autouse=True)
def no_lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No lab of this machine's user is seen or touched."""
    monkeypatch.setenv("ROLLOUT_LAB_HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        found = []
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            found += leaves(child, (*path, name)) if not child.hidden else []
        return found
    return [path]


@pytest.mark.parametrize("path", leaves(rollout_lab), ids=" ".join)
def test_every_verb_has_help_with_an_example_that_starts_with_it(path: tuple[str, ...]) -> None:
    """--help shows how the verb is typed, not only its options."""
    result = CliRunner().invoke(rollout_lab, [*path, "--help"])
    assert result.exit_code == 0
    assert (
        "Examples:" in result.output
        and f"rollout-lab {' '.join(path)}" in result.output.split("Examples:")[1]
    )


def test_every_example_is_understood() -> None:
    """An example that no longer parses is a wrong manual."""
    checked = 0
    for path in leaves(rollout_lab):
        command: click.Command = rollout_lab
        for name in path:
            assert isinstance(command, click.Group)
            command = command.get_command(click.Context(command), name) or command
        assert isinstance(command, Examples)
        for line in command.examples.strip().splitlines():
            typed = line.split("|")[-1].split(">")[0].split()
            if typed[0] == "rollout-lab":
                command.make_context("x", typed[1 + len(path) :], resilient_parsing=False)
                checked += 1
    assert checked >= len(VISIBLE)


@pytest.mark.parametrize("verb", ["get", "status", "promote", "abort", "undo", "watch"])
def test_without_a_lab_a_verb_says_how_to_start_one(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 3 and a remedy, never a traceback and never another cluster by accident."""
    code, out, err = run(verb, capsys=capsys)
    assert (code, out) == (3, "")
    assert "rollout-lab up" in err and "Traceback" not in err


def test_a_cluster_that_is_gone_is_exit_code_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The kubeconfig is there, nobody answers."""
    config = tmp_path / "kc"
    config.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
        "contexts: [{name: c, context: {cluster: c, user: u}}]\n"
        "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\n"
        "users: [{name: u, user: {token: very-secret}}]\n"
    )
    code, _, err = run("get", "--kubeconfig", str(config), capsys=capsys)
    assert code == 3 and "127.0.0.1:1" in err
    assert "very-secret" not in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "course-9999"], "course-2233"),
        (["run", "course-2233", "--speed", "0"], "speed"),
        (["run", "course-2233", "--cluster", "moon"], "embedded"),
        (["run"], "Missing argument"),
        (["get", "moons"], "rollouts"),
        (["lint", "/no/such/file.yaml"], "cannot be read"),
        (["set-image", "a", "b", "c"], "CONTAINER=IMAGE"),
        (["cluster", "start", "--kubeconfig", "x", "--clock", "soon"], "--clock"),
        (["dance"], "No such command"),
    ],
)
def test_a_wrong_call_is_exit_code_2_and_names_what_is_right(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Usage errors name the remedy."""
    code, _, err = run(*arguments, capsys=capsys)
    assert code == 2 and says in err and "Traceback" not in err


def test_lint_names_field_and_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake is exit code 1, with its line, field and what to write instead."""
    text = (ROOT / "manifests" / "course-2234.yaml").read_text(encoding="utf-8")
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(text)
    bad.write_text(text.replace("setWeight: 33", "setWeight: 133"))
    assert run("lint", str(good), capsys=capsys)[0] == 0
    code, out, _ = run("lint", str(bad), "--json", capsys=capsys)
    found = json.loads(out)
    assert code == 1
    assert [f["field"] for f in found if f["level"] == "error"] == ["spec.strategy.canary.steps[0].setWeight"]
    assert all(f["line"] and f["remedy"] for f in found)


def test_both_languages_say_everything() -> None:
    """A sentence missing in one language would fail in front of a class."""
    assert words.KO.keys() == words.EN.keys()


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("trace", sorted(TRACES.glob("*.jsonl")), ids=lambda p: p.stem)
def test_a_recorded_run_can_be_read_line_by_line(trace: Path, lang: str) -> None:
    """Every action, size and selector change is told once, in the order it happened."""
    narrator = Narrator(lang)
    rows = [json.loads(line) for line in trace.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        if row.get("kind") == "Pod":
            row.setdefault("state", "ready" if row["ready"] == "True" else "starting")
    told = [line for line in map(narrator.line, rows) if line is not None]
    actions = [line.text for line in told if line.text.startswith("▶")]
    assert actions == [f"▶ {row['action']}" for row in rows if row["type"] == "ACTION"]
    assert len({(line.t, line.text) for line in told}) == len(told)
    sizes = [line for line in told if line.text.startswith("ReplicaSet")]
    assert len(sizes) == sum(
        1
        for name in {r["name"] for r in rows if r.get("kind") == "ReplicaSet"}
        for before, after in zip(
            [0, *(r["replicas"] for r in rows if r.get("kind") == "ReplicaSet" and r["name"] == name)],
            [r["replicas"] for r in rows if r.get("kind") == "ReplicaSet" and r["name"] == name],
            strict=False,
        )
        if before != after
    )


def test_why_lines_come_from_the_catalogue() -> None:
    """A reason is a sentence with its numbers, not a code."""
    row = {"type": "WHY", "t": 8, "code": "wait.available", "object": "", "field": ""}
    params = {"replicaset": "a-b", "available": 1, "wanted": 2}
    line = Narrator("en").line({**row, "params": params})
    assert line is not None and "1 of 2 Pods" in line.text and line.style == "why"


def test_the_stopwatch_reads_like_one() -> None:
    assert [stopwatch(t) for t in (0, 5.9, 65, 3725)] == ["0:00", "0:05", "1:05", "1:02:05"]


def test_a_taken_port_gives_the_next_one() -> None:
    """`up` never fails because another program has the port."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) > port


@pytest.mark.parametrize("arguments", [["--help"], ["lint", "manifests/course-2233.yaml"]])
def test_small_verbs_load_no_heavy_package(arguments: list[str]) -> None:
    """The terminal answers at once: no pandas, streamlit or cluster code for help and lint."""
    code = (
        "import sys\nfrom rollout_lab.cli import main\n"
        "try:\n main(sys.argv[1:])\nexcept SystemExit:\n pass\n"
        "heavy = {'pandas', 'streamlit', 'altair', 'aiohttp', 'kubernetes', 'rich'} & set(sys.modules)\n"
        "print('HEAVY', sorted(heavy))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "HEAVY []"
