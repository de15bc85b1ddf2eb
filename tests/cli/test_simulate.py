"""`simulate` and `replay` in the terminal: what they print, write and return, without any cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rollout_lab.cli import main, words
from rollout_lab.clock import ScaledClock
from rollout_lab.observe.replay import load

ROOT = Path(__file__).resolve().parents[2]
TRACE = ROOT / "tests" / "data" / "traces" / "bluegreen-manual.jsonl"


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def simulate(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code, out, err = run("simulate", *arguments, capsys=capsys)
    assert not err
    return code, out


def test_a_lecture_is_predicted_with_its_reasons_and_figures(capsys: pytest.CaptureFixture[str]) -> None:
    """What will happen when, why, what it costs, and what was assumed: in one screen."""
    code, out = simulate("course-2233", "--lang", "en", capsys=capsys)
    assert code == 0
    assert "waits for promote" in out and "0:36  ▶ promote" in out
    assert "time without a ready Pod (s)             0\n" in out
    assert "assumed: a pause without an end is over after 30 s by promote" in out
    assert out.endswith("prediction: the update gets to its end\n")


def test_behind_a_router_the_parts_of_the_requests_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Protects `simulate canary-nginx`: a manifest of ours by its name, weights apart from Pods."""
    code, out = simulate("canary-nginx", "--lang", "en", capsys=capsys)
    assert code == 0
    told = out.partition("part of the requests")[2].splitlines()[1:5]
    assert [line.split("   ", 1)[1].strip().split("   ")[-1].strip() for line in told] == [
        "0 % (0 ready)",
        "5 % (1 ready)",
        "50 % (5 ready)",
        "100 % (10 ready)",
    ]
    assert "part of the requests" not in simulate("course-2234", "--lang", "en", capsys=capsys)[1]


@pytest.mark.parametrize(
    ("options", "code", "last"),
    [
        (["--promote-after", "never"], 1, "it waits here until somebody promotes"),
        (["--never-ready"], 1, "the update fails"),
        (["--set-image", "3.1.0", "--ready-after", "10"], 0, "the update gets to its end"),
    ],
)
def test_the_exit_code_says_how_it_ends(
    options: list[str], code: int, last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script can ask whether an update would get through."""
    found, out = simulate("course-2234", *options, "--lang", "en", capsys=capsys)
    assert found == code and last in out.splitlines()[-1]


def test_json_is_a_recorded_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A prediction goes into a file, and replay and the page read it."""
    code, out = simulate("manifests/deployment-recreate.yaml", "--json", capsys=capsys)
    assert code == 0
    path = tmp_path / "recreate.jsonl"
    path.write_text(out, encoding="utf-8")
    assert load(path).figures()["downtime"] > 2
    code, told, _ = run("replay", str(path), "--json", capsys=capsys)
    found = json.loads(told)
    assert code == 0 and found["ended"] == "done" and found["figures"]["minAvailable"] == 0
    assert [mark["text"] for mark in found["marks"] if mark["kind"] == "action"] == [
        "apply",
        "set image 2.0.0",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["simulate", "course-9999"], "lectures: course-2233"),
        (["simulate", "course-2233", "--promote-after", "soon"], "a number of seconds, or never"),
        (["simulate", "course-2233", "--promote-after", "-3"], "above 0"),
        (["simulate", "course-2233", "--ready-after", "0"], "above 0"),
        (["replay", "none.jsonl"], "No such file"),
        (["replay", str(ROOT / "Makefile")], "JSON lines"),
        (["replay", str(TRACE), "--speed", "0"], "above 0"),
        (["replay", str(TRACE), "--csv", "secrets"], "pods, lanes, shares, events"),
        (["replay", str(TRACE), "--html", "/no/such/folder/x.html"], "cannot be written"),
        (["replay", str(TRACE), "--with", "none.jsonl"], "No such file"),
    ],
)
def test_what_cannot_be_is_explained(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and one sentence with the remedy, never a traceback."""
    code, out, err = run(*arguments, capsys=capsys)
    assert code == 2 and said in err and "Traceback" not in err
    assert out == ""


def test_a_bad_manifest_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """File and line of what cannot be read, and a file without a Rollout is said to be that."""
    path = tmp_path / "bad.yaml"
    path.write_text("kind: [", encoding="utf-8")
    code, _, err = run("simulate", str(path), capsys=capsys)
    assert code != 0 and "bad.yaml" in err and "Traceback" not in err
    path.write_text("apiVersion: v1\nkind: Service\nmetadata: {name: a}\n", encoding="utf-8")
    code, _, err = run("simulate", str(path), capsys=capsys)
    assert code == 2 and "0 Rollouts and Deployments" in err


def test_a_recorded_run_is_told_again(capsys: pytest.CaptureFixture[str]) -> None:
    """The peer's run reads like our own, figures below it; the file stays as it was."""
    before = TRACE.read_bytes()
    code, out, _ = run("replay", str(TRACE), "--lang", "ko", capsys=capsys)
    assert code == 0 and TRACE.read_bytes() == before
    assert "▶ set image 2.0.0" in out and "걸린 시간 (초)" in out
    lines = [line for line in out.splitlines() if "▶" in line]
    assert [line.split("▶ ")[1] for line in lines] == ["apply", "set image 2.0.0", "promote"]


def test_speed_plays_in_its_own_rhythm(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waits between the lines are those of the recording, shortened by the speed."""
    waited: list[float] = []
    monkeypatch.setattr(ScaledClock, "wait", lambda self, event, seconds: waited.append(seconds))
    code, _, _ = run("replay", str(TRACE), "--speed", "50", capsys=capsys)
    assert code == 0
    assert len(waited) == len(load(TRACE).timeline())
    assert 10 < max(waited) < 20, "recorded seconds until the last row"


def test_two_runs_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Figures side by side; exit code 1 and the two versions where decisions differ."""
    other = TRACE.with_name("bluegreen-abort-retry-undo.jsonl")
    code, out, _ = run("replay", str(TRACE), "--with", str(TRACE), "--lang", "en", capsys=capsys)
    assert code == 0 and "both runs made the same decisions" in out
    code, out, _ = run("replay", str(TRACE), "--with", str(other), "--lang", "en", capsys=capsys)
    assert code == 1 and "bluegreen-abort-retry-undo" in out and "steps:\n" in out
    code, out, _ = run("replay", str(TRACE), "--with", str(other), "--json", capsys=capsys)
    found: dict[str, Any] = json.loads(out)
    assert code == 1 and [one["name"] for one in found["runs"]] == [TRACE.stem, other.stem]


def test_a_page_and_tables_can_be_taken_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One file to open anywhere, and CSV on standard output."""
    page = tmp_path / "run.html"
    code, out, err = run("replay", str(TRACE), "--html", str(page), "--lang", "en", capsys=capsys)
    assert code == 0 and out == "" and f"wrote {page}" in err
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    code, out, _ = run("replay", str(TRACE), "--csv", "pods", capsys=capsys)
    assert code == 0 and out.startswith("t,version,pods,ready\n")


def test_every_word_is_there_in_both_languages() -> None:
    """No verb says a key instead of a sentence."""
    assert words.KO.keys() == words.EN.keys()
