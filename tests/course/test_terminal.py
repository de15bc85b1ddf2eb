"""A lesson with nothing but a terminal: text, live checks, a prompt, and the verbs beside it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from rollout_lab.course import Walk
from rollout_lab.lab import Lab
from tests.course.walking import LESSONS
from tests.waiting import poll

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


def rollout_lab(home: Path, *words: str, lines: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rollout_lab", *words],
        input=lines,
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "ROLLOUT_LAB_HOME": str(home), "PYTHONUTF8": "1"},
    )


class Typist:
    """Somebody at the keyboard, who reads before typing."""

    def __init__(self, home: Path, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "rollout_lab", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "ROLLOUT_LAB_HOME": str(home), "PYTHONUTF8": "1"},
        )
        self.said = ""
        self._read_to = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.said += line

    def reads(self, words: str) -> None:
        """Wait until the words stand below what was read before."""

        def there() -> bool:
            return words in self.said[self._read_to :]

        assert poll(there), f"waited for {words!r}; it says\n{self.said[-1500:]}"
        self._read_to = self.said.index(words, self._read_to) + len(words)

    def types(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()


def test_lesson_5_from_start_to_end_in_one_terminal(tmp_path: Path) -> None:
    """Predict, type the commands of the text, be told why not, and answer the quiz."""
    me = Typist(tmp_path, "lesson", "start", "5", "--speed", "10", "--lang", "en")
    try:
        for reads, types in (
            ("▶ 2. Change the image", "hint"),
            ("Choose it under New version", "nonsense"),
            ("that is no command of this lesson", "set-image 2.0.0"),
            ("How many v1 Pods are there", "2"),
            ("▶ 4. Promote", "kubectl argo rollouts promote api-tester-2233 -n anotherclass-223"),
            ("Right: 2", "curl http://127.0.0.1:32233/version"),
            ("[App Version] : Api Tester v2.0.0", ""),
            ("▶ 6. Undo", "undo 1"),
            ("▶ 7. Let users see", "solve"),
            ("What is the revision number", "4"),
            ("You said 4; it is 3", ""),
            ("How many ReplicaSets", "2"),
            ("Right: 2", ""),
            ("What does preview lead to now?", "1"),
            ("all tasks are done", ""),
        ):
            me.reads(reads)
            if types:
                me.types(types)
        assert me.process.wait(60) == 0
        assert me.said.count("✓") >= 7
    finally:
        me.process.kill()
        me.process.wait()


def test_lesson_3_with_a_script_that_never_ends(tmp_path: Path) -> None:
    """Ctrl-C stops the script, what it started included, and not the lesson."""
    me = Typist(tmp_path, "lesson", "start", "3", "--speed", "10", "--lang", "en")
    script = "sh lessons/03-bluegreen-by-hand/switch"
    try:
        for reads, types in (
            ("▶ 1. Apply blue", "kubectl apply -f lessons/03-bluegreen-by-hand/manifests/blue.yaml"),
            ("how many Pods of both versions", "4"),
            ("▶ 2. Apply green", "solve"),
            ("Right: 4", ""),
            ("▶ 3. Change the selector", "solve"),
            ("▶ 4. Take users back", "solve"),
            ("▶ 5. Delete the Deployment", "kubectl delete deployment api-tester-2 -n anotherclass-221"),
            ("▶ 6. Apply the blue of 2214", "solve"),
            ("which one serves the users", "1"),
            ("▶ 7. Run the script", f"{script}.sh 2214-green-never-ready.yaml"),
        ):
            me.reads(reads)
            if types:
                me.types(types)
        assert poll(lambda: bool(scripts(me.process)))
        me.process.send_signal(signal.SIGINT)
        me.reads("the command is stopped; the lesson goes on")
        assert poll(lambda: not scripts(me.process))
        for reads, types in (
            (
                "▶ 8. Run the script with the time-out",
                f"{script}-with-timeout.sh 2214-green-never-ready.yaml",
            ),
            ("3. not ready: delete green, blue stays", ""),
            ("▶ 9. Bring out 2.0.0", f"{script}-with-timeout.sh 2214-green.yaml"),
            ("4. delete blue", ""),
            ("did any request to 32213 fail", "quit"),
        ):
            me.reads(reads)
            if types:
                me.types(types)
        assert me.process.wait(60) == 1
    finally:
        me.process.kill()
        me.process.wait()


def scripts(parent: subprocess.Popen[str]) -> list[psutil.Process]:
    """Shells of a lesson's script that a terminal runs."""
    found = psutil.Process(parent.pid).children(recursive=True)
    return [p for p in found if any(word.endswith("switch.sh") for word in p.cmdline())]


def test_lesson_4_turns_the_engine_off_and_on(tmp_path: Path) -> None:
    """Without kubectl's help: the engine stops, nothing moves, a Pod is replaced, the engine catches up."""
    me = Typist(tmp_path, "lesson", "start", "4", "--speed", "10", "--lang", "en")
    try:
        for reads, types in (
            ("▶ 2. Turn the engine off", "rollout-lab engine stop"),
            ("how many Pods of 2.0.0 are there", "0"),
            ("▶ 3. Change the image", "set-image 2.0.0"),
            ("Right: 0", ""),
            ("how many Pods of 1.0.0 are ready", "2"),
            ("▶ 4. Delete one Pod", "solve"),
            ("Right: 2", ""),
            ("▶ 5. Turn the engine on", "rollout-lab engine start"),
            ("▶ 6. Promote", "promote"),
            ("who made the Pod again", "1"),
            ("Right: the controller of ReplicaSets", ""),
            ("the number is called revision", "2"),
            ("Right: 2", ""),
            ("Did any request of a user fail", ""),
        ):
            me.reads(reads)
            if types:
                me.types(types)
        me.types("quit")
        assert me.process.wait(60) == 1
    finally:
        me.process.kill()
        me.process.wait()


def test_leaving_early_cleans_up(tmp_path: Path) -> None:
    """The end of the input, or quit, ends the lab with exit code 1."""
    done = rollout_lab(tmp_path, "lesson", "start", "7", "--speed", "10", "--lang", "ko", lines="quit\n")
    assert done.returncode == 1
    assert "Canary" in done.stdout and "정리합니다" in done.stdout
    assert not list(tmp_path.glob("lab-*"))


def test_verbs_beside_a_running_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """check says what is open and exits 1; solve does it; what passed is kept between the verbs."""
    monkeypatch.setenv("ROLLOUT_LAB_HOME", str(tmp_path))
    with Lab.start("embedded", speed=10, scenario="course-2233"):
        first = rollout_lab(tmp_path, "lesson", "check", "5", "--json")
        assert first.returncode == 1
        board = json.loads(first.stdout)
        assert board["tasks"][0]["state"] == "passed" and board["current"] == "new-version"
        assert "1.0.0" in board["tasks"][1]["reason"]
        solved = rollout_lab(tmp_path, "lesson", "solve", "5", "--task", "preview", "--lang", "en")
        assert solved.returncode == 0, solved.stdout + solved.stderr
        states = json.loads(rollout_lab(tmp_path, "lesson", "check", "5", "--json").stdout)["tasks"]
        assert [task["state"] for task in states[:4]] == ["passed", "passed", "passed", "now"]
        assert states[2]["helped"]


def test_a_lesson_is_put_back_to_a_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reset to a task: all before it is done, it and what follows are open."""
    monkeypatch.setenv("ROLLOUT_LAB_HOME", str(tmp_path))
    with Lab.start("embedded", speed=10, scenario="course-2234") as lab:
        walk = Walk(LESSONS / "07-canary-2234", lab)
        walk.begin()
        assert walk.solve("promote")
        assert walk.reset(to="third")
        states = [task["state"] for task in walk.board("ko")["tasks"]]
        assert states[:2] == ["passed", "passed"] and states[3:] == ["locked"] * 4 or states[2] == "passed"
        walk.close()
