"""Walks a lesson as a student does who only follows the text: commands as printed, else the solution."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from rollout_lab.course import Mark, NotYet, Walk
from rollout_lab.course.blocks import Task
from rollout_lab.course.commands import Act, Curl, Script, Switch, commands_in, parse
from rollout_lab.course.progress import News
from rollout_lab.course.words import sentence
from rollout_lab.observe.probe import ask
from tests.waiting import poll

LESSONS = Path(__file__).parents[2] / "lessons"
KUBECTL = next(
    (str(p) for p in (Path(sys.executable).parent / "kubectl",) if p.exists()), ""
) or shutil.which("kubectl")
PATIENCE = 90.0  # wall seconds
TRUTHS = {
    1: {"pods-after": 2, "selector-size": 4, "selected": 2},
    2: {"most-pods": 3, "fewest-rolling": 2, "least-ready": 0, "replica-sets": 2},
    3: {"pods-both": 4, "users-meanwhile": "blue", "selector-now": 2, "pods-now": 2, "way-back": "no"},
    4: {"pods-off": 0, "pods-repaired": 2, "who-repaired": "replica-set", "revision": 2, "failed": "none"},
    5: {"old-pods": 2, "revision": 3, "replica-sets": 2, "preview-now": "same"},
    6: {"preview-pods": 3, "failed": "none", "replica-sets": 3, "revision": 4},
    8: {"half-share": 50, "stable-third": "1.0.0", "replica-sets": 3, "revision": 4, "pods-now": 1},
    9: {"kept-hears": "old", "trapped-client": "kept", "connections": 2, "failed": "none"},
    10: {"remade": 0, "learned-from": "status", "replica-sets": 2, "revision": 2},
    11: {
        **{"pods-one": 11, "of-thousand": "fifty", "share-five": 5, "pods-half": 15, "first": "requests"},
        **{"ingresses": 2, "weight-now": 0, "failed": "none"},
    },
    12: {
        **{"leaked": 0, "heard": "1.0.0", "testers-half": 100, "rules-now": 1, "weight-now": 0},
        **{"failed": "none"},
    },
    7: {"pods-33": 3, "pods-66": 2, "canary-now": "1.0.0", "asked-now": 33, "revision": 3},
}
"""What is right in a walk that follows the text, known without the lab."""


def fits(expected: str, found: str) -> bool:
    """Whether `found` is what the text shows; ``…`` stands for anything on a line, spaces for spaces."""

    def loose(line: str) -> str:
        return r"\s+".join(re.escape(word).replace("…", ".*") for word in line.split())

    wanted = [loose(line) for line in expected.splitlines() if line.strip()]
    lines = [line for line in found.splitlines() if line.strip()]
    return len(wanted) == len(lines) and all(
        re.fullmatch(pattern, line.strip()) for pattern, line in zip(wanted, lines, strict=True)
    )


class Student:
    """Goes through a lesson part by part, and keeps every word the checks said."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.types = True  # False: solutions only
        self.lesson = walk.lesson("ko")
        self.said: list[News] = []
        self.printed: list[str] = []
        self._script: subprocess.Popen[str] | None = None
        self._heard = ""
        walk.listen(self.said.append)

    def go(self, after_each: Callable[[Task], None] = lambda task: None) -> None:
        """Do the whole lesson; `after_each` is called when a task has passed."""
        self.walk.look()
        for section in self.lesson.sections:
            later: list[tuple[str, str]] = []
            acted = False
            for part in section.parts:
                if isinstance(part, str):
                    for command, expected in commands_in(part):
                        if not self.types:
                            continue
                        if self.reads(command):
                            later.append((command, expected))
                        else:
                            self.run(command, expected)
                            acted = True
                elif isinstance(part, Task):
                    self.do(part, solved=acted)
                    acted = False
                    for command, expected in later:
                        self.run(command, expected)
                    later = []
                    after_each(part)
            for command, expected in later:
                self.run(command, expected)

    def do(self, task: Task, *, solved: bool) -> None:
        """Solve a task where the text's own commands did not, and wait until its check says so."""
        self.walk.look()
        if not solved and not self.state(task.id).done:
            self.walk.carry_out(self.walk.solution[task.id].solve, lambda: self.state(task.id).done)
        self.until_passed(task.id)
        self.interrupt()

    def state(self, task: str):  # type: ignore[no-untyped-def]
        return self.walk.progress.tasks[task]

    def until_passed(self, task: str) -> None:
        """Wait until a task passed; the message says what its check says instead."""
        assert self._until(task, Mark.PASSED), f"{task} should have passed, is {self.state(task)}"

    def breaks(self, task: str) -> bool:
        """Wait until a task is seen broken; False where the next had passed before it was undone."""
        assert self._until(task, Mark.BROKEN), f"{task} should be broken, is {self.state(task)}"
        return self.state(task).mark is Mark.BROKEN

    def _until(self, task: str, mark: Mark) -> bool:
        def holds() -> bool:
            self.walk.look()
            return self.state(task).mark is mark or self.state(task).settled

        return poll(holds)

    def reads(self, command: str) -> bool:
        """Whether a command only looks."""
        return bool(
            re.match(
                r"curl |kubectl (get|describe|logs|auth|version|explain|api-resources)|"
                r"rollout-lab (get|status|engine status|curl)",
                command,
            )
        )

    def run(self, command: str, expected: str) -> None:
        """Run a command as the text has it; what it prints must be what the text says."""
        found = ""
        if isinstance(parse(command), Script):
            self.start_script(command)

        def works() -> bool:
            nonlocal found
            found = self._heard if self._script else self.once(command)
            return not expected or fits(expected, found)

        assert poll(works, 90.0 if self._script else 30.0), (
            f"`{command}` printed\n{found}\nand the text says\n{expected}"
        )
        self.printed.append(command)

    def once(self, command: str) -> str:
        what = parse(command)
        lab = self.walk.lab
        if isinstance(what, Act):
            does = poll(lambda: lab.do(what.action, what.rollout or None, **what.args).ok, 30.0)
            assert does, f"`{command}`: {lab.do(what.action, what.rollout or None, **what.args)}"
            return ""
        if isinstance(what, Curl):
            return self.curl(what)
        if isinstance(what, Switch):
            lab.engine.stop() if what.what == "stop" else lab.engine.start()
            return ""
        words = command.split(" ", 1)[1]
        if command.startswith("kubectl"):
            assert KUBECTL, "the lessons' commands are tested with kubectl"
            line = re.sub(r"\bkubectl(?= )", KUBECTL, command)
        else:
            line = f"{sys.executable} -m rollout_lab {words}"
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=LESSONS.parent,
            env={**os.environ, "KUBECONFIG": lab.kubeconfig},
        )
        if done.returncode and done.stderr.startswith(("The ", "Error")):
            return done.stderr  # refused by the API server, as the text says
        assert done.returncode == 0, f"`{command}`: {done.stderr}"
        return done.stdout

    def start_script(self, command: str) -> None:
        """Start a script of the lesson beside us, as in another terminal."""
        assert KUBECTL, "the lessons' commands are tested with kubectl"
        self.interrupt()
        self._heard = ""
        path = os.pathsep.join([str(Path(KUBECTL).parent), os.environ["PATH"]])
        self._script = subprocess.Popen(
            command.split(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=LESSONS.parent,
            env={**os.environ, "KUBECONFIG": self.walk.lab.kubeconfig, "PATH": path},
            start_new_session=True,
        )
        threading.Thread(target=self._hear, args=(self._script,), daemon=True).start()

    def _hear(self, script: subprocess.Popen[str]) -> None:
        assert script.stdout
        for line in script.stdout:
            if script is self._script:
                self._heard += line

    def interrupt(self) -> None:
        """Ctrl-C in the terminal of the script, if one still runs."""
        script, self._script = self._script, None
        if script is not None:
            if script.poll() is None:
                os.killpg(script.pid, signal.SIGTERM)
            script.wait(30)

    def curl(self, what: Curl) -> str:
        address = self.walk.port_address(what.port)
        assert address, f"no Service has the NodePort {what.port}"
        response = ask(address, what.path)
        return response.text if response.ok else response.reason


def follow(student: Student) -> None:
    """Do a lesson by its text: tasks say why not before they pass, commands run, answers are right."""
    walk = student.walk
    first = walk.seen()
    before = {id_: rule.check(first) for id_, rule in walk.checks.rules.items()}
    student.go()
    assert walk.progress.finished
    for lang in ("ko", "en"):
        for task in walk.lesson(lang).tasks:
            said = [(n.code, n.params) for n in student.said if n.task == task.id and n.mark is Mark.NOW]
            unmet = before[task.id]
            assert isinstance(unmet, NotYet), f"{task.id} is passed before anything was done"
            for code, params in [*said, (unmet.code, unmet.params)]:
                assert code != "check-failed", params
                words = sentence(lang, code, params, task.not_yet)
                assert words != code and "{" not in words, words
    marks = {n.mark for n in student.said}
    assert Mark.BROKEN not in marks, [n for n in student.said if n.mark is Mark.BROKEN]
    board = walk.board("ko")
    assert {q["id"] for q in board["questions"]} == set(walk.progress.truths)
    for question in board["questions"]:
        truth = walk.progress.truths[question["id"]]
        keys = [choice["key"] for choice in question["choices"]]
        assert truth in keys if keys else isinstance(truth, int | float), question
        walk.give(question["id"], truth)
    for id_, right in TRUTHS[walk.lesson("ko").number].items():
        assert walk.progress.truths[id_] == right, id_
    assert all(q["right"] and q["why"] for q in walk.board("en")["questions"])
