"""One student's walk through one lesson on one lab: looks, keeps the progress, helps, resets.

    walk = Walk(folder, lab)          # folder of the lesson
    walk.begin()                      # apply the scenario if it is not there
    board = walk.board("ko")          # look, and tasks with state and reason (`board`)
    walk.hint("promote"); walk.skip("promote"); walk.solve("promote"); walk.give("old-pods", 2)
    walk.reset(to="promote")          # from the start, with all before that task done

Safe to share between threads. Sentences are made in `board`, rules are in `progress`.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from rollout_lab.api import meta
from rollout_lab.client.resources import CONFIGMAPS, DEPLOYMENTS, ROLLOUTS, SECRETS, SERVICES
from rollout_lab.course import progress as steps
from rollout_lab.course.board import board
from rollout_lab.course.checks import Checks, load_checks
from rollout_lab.course.evidence import write
from rollout_lab.course.keeping import sealing_key
from rollout_lab.course.lesson import Lesson, load_lesson
from rollout_lab.course.looking import Looking
from rollout_lab.course.progress import Mark, News, Progress
from rollout_lab.course.seen import Seen
from rollout_lab.course.shell import Ran, run
from rollout_lab.course.solution import Step, load_solution
from rollout_lab.course.solving import carry_out
from rollout_lab.errors import LabError, NotFound, UsageError
from rollout_lab.lab import Lab, load_scenario
from rollout_lab.lab.scenario import manifests_folder

Json = dict[str, Any]
PATIENCE: Final = 600.0  # lab seconds until a solution has to show
LEAST_PATIENCE: Final = 60.0  # wall seconds, whatever the speed
ACT_PATIENCE: Final = 60.0  # lab seconds until an action would do something
POLL: Final = 0.1  # wall seconds between two looks


class Walk:
    """See the module docstring. `store`: a file that keeps the progress between programs."""

    def __init__(self, folder: Path, lab: Lab, *, store: Path | None = None) -> None:
        self.folder = folder
        self.lab = lab
        self.checks: Checks = load_checks(folder)
        self.solution = load_solution(folder)
        self._texts: dict[str, Lesson] = {}
        self._lesson = self.lesson("ko")
        self.order = [task.id for task in self._lesson.tasks]
        self._rollout = ""
        self._store = store
        self._lock = threading.RLock()
        self._progress = self._loaded()
        self._looking: Looking | None = None
        self._listeners: list[Callable[[News], None]] = []

    def lesson(self, lang: str) -> Lesson:
        """The text in one language."""
        if lang not in self._texts:
            self._texts[lang] = load_lesson(self.folder, lang)
        return self._texts[lang]

    @property
    def namespace(self) -> str:
        return self._lesson.namespace or self.lab.namespace

    @property
    def progress(self) -> Progress:
        return self._progress

    def listen(self, listener: Callable[[News], None]) -> None:
        """Call `listener` with what is new at a look, on the thread that looks."""
        self._listeners.append(listener)

    # -- the lab ------------------------------------------------------------------------------

    def begin(self) -> str:
        """Show the lesson's scenario, applied only where it is not there; the rollout's name.

        A rollout that is there stays as the student left it.
        """
        if self._lesson.namespace:
            return ""
        name = load_scenario(self._lesson.scenario).rollout
        try:
            self.lab.client.get(ROLLOUTS, self.lab.namespace, name)
        except NotFound:
            name = self.lab.switch(self._lesson.scenario)
        else:
            self.lab.follow(name)
        self._rollout = name
        return name

    def close(self) -> None:
        """Stop looking; the lab goes on."""
        with self._lock:
            if self._looking is not None:
                self._looking.close()
                self._looking = None

    def seen(self) -> Seen:
        """What a check sees at this moment."""
        return self._look().look()

    def picture(self) -> Json:
        """What the last look saw, as a picture (`observe.picture`, `observe.plain`)."""
        return self._look().picture()

    def rows(self) -> Sequence[Json]:
        """The rows of the lesson's run so far."""
        return self._look().rows()

    def evidence(self, student: str) -> str:
        """What was done here so far as one sealed file (`course.evidence`)."""
        return write({"student": student}, self.board("ko", look=False), self.rows(), sealing_key())

    def run(self, line: str) -> Ran:
        """Carry out a command of the text, in the project's folder. Raises LabError."""
        return run(self, line, manifests_folder().parent)

    def places(self) -> dict[str, str]:
        """Words of the text -> what they are in a student's own namespace: its name, and the node ports."""
        written = load_scenario(self._lesson.scenario)
        if self._lesson.namespace or written.namespace == self.lab.namespace:
            return {}
        here = {meta.name(s): s for s in self.seen().all("Service")}
        found = {written.namespace: self.lab.namespace}
        for service in (o for o in written.objects if o["kind"] == "Service"):
            there = here.get(meta.name(service))
            if there is None:
                return {}
            pairs = zip(service["spec"]["ports"], there["spec"]["ports"], strict=False)
            found |= {str(a["nodePort"]): str(b["nodePort"]) for a, b in pairs if a.get("nodePort")}
        return found

    def _look(self) -> Looking:
        with self._lock:
            if self._looking is None:
                about = self._lesson
                self._looking = Looking(
                    self.lab,
                    self._rollout,
                    about.namespace,
                    clients=about.clients,
                    askers=tuple(self.checks.askers.values()),
                    logs=self.checks.logs,
                )
            return self._looking

    def address(self, service: str) -> str:
        """``host:port`` where a Service answers on this machine, ``""`` if nobody knows."""
        return self._look().address(service)

    def port_address(self, port: int) -> str:
        """``host:port`` where the Service with that NodePort answers here; another lab may hold the port."""
        for service in self.seen().all("Service"):
            if port in [p.get("nodePort") for p in service["spec"].get("ports") or []]:
                return self.address(meta.name(service))
        return ""

    def look(self) -> list[News]:
        """Look once and take it in; what is new."""
        with self._lock:
            before = self._progress
            self._progress = steps.advance(self.checks, before, self.seen())
            found = steps.news(before, self._progress)
            if found or self._progress.truths != before.truths:
                self._save()
        for one in found:
            for listener in self._listeners:
                listener(one)
        return found

    def board(self, lang: str, *, look: bool = True) -> Json:
        """Tasks and questions with their state and reasons in `lang` (`course.board`)."""
        if look:
            self.look()
        return board(self.lesson(lang), self.checks, self._progress)

    # -- the student --------------------------------------------------------------------------

    def hint(self, task: str) -> None:
        """Show one hint more."""
        self._change(lambda: steps.hint(self._progress, self._known(task)))

    def skip(self, task: str) -> None:
        """Go on without it."""
        self._change(lambda: steps.skip(self._progress, self._known(task)))

    def give(self, question: str, answer: Any) -> None:
        """A prediction or an answer. Raises UsageError for a question there is not."""
        if question not in [q.id for q in self._lesson.questions]:
            raise UsageError(f'this lesson has no question "{question}"')
        self._change(lambda: steps.give(self._progress, question, answer))

    def solve(self, task: str = "", patience: float = PATIENCE) -> bool:
        """Do the current task (or all up to `task`) for the student; whether its check passed.

        Waits at most `patience` lab seconds for each. Raises LabError where a step is refused.
        """
        self.look()
        wanted = task or self._progress.current
        if not wanted:
            return True
        for id_ in self.order[: self.order.index(self._known(wanted)) + 1]:
            state = self._progress.tasks[id_]
            if state.done or state.settled:
                continue
            way = self.solution.get(id_)
            done = partial(self._is_done, id_)
            self._change(partial(steps.helped, self._progress, id_))
            if way is not None:
                self.carry_out(way.mends if state.mark is Mark.BROKEN and way.mends else way.solve, done)
            if not self.wait(done, patience):
                return False
        return True

    def carry_out(self, todo: Sequence[Step], done: Callable[[], bool] = lambda: False) -> None:
        """Steps of the solution, in order; each is tried again until it does something, or `done()`."""
        for step in todo:
            act = partial(carry_out, self.lab, self.folder, self.namespace, self._rollout, step)
            if act():
                continue
            if not self.wait(lambda act=act: done() or act(), ACT_PATIENCE):  # type: ignore[misc]
                raise LabError(f"{step.verb} {step.argument or ''} would do nothing now")

    def _is_done(self, task: str) -> bool:
        return self._progress.tasks[task].done

    def wait(
        self, condition: Callable[[], bool], patience: float = PATIENCE, *, least: float = LEAST_PATIENCE
    ) -> bool:
        """Look again and again until the condition holds; whether it did within `patience` lab seconds.

        `least`: wall seconds to wait at any rate, because a busy machine is slower than a fast clock.
        """
        pause = threading.Event()
        looks = max(self.lab.clock.real_seconds(patience), least) / POLL
        for _ in range(int(looks)):
            self.look()
            if condition():
                return True
            trouble = self.lab.trouble()
            if trouble is not None:
                raise trouble
            pause.wait(POLL)
        return condition()

    def reset(self, to: str = "") -> bool:
        """Everything from the start; with `to`, all tasks before it done by the lab. Whether that worked."""
        with self._lock:
            if self.lab.engine.state == "stopped":
                self.lab.engine.start()
            if self._lesson.namespace:
                self._clear()
            else:
                self.begin()
                try:
                    self.lab.reset(self._lesson.scenario)
                except UsageError:  # another program applied it
                    self.lab.apply(self._lesson.scenario)
                    self.lab.reset(self._lesson.scenario)
            if self._looking is not None:
                self._looking.restart()
            self._progress = steps.begin(self.checks, self.order)
            self._save()
        before = self.order[: self.order.index(self._known(to))] if to else []
        return self.solve(before[-1]) if before else True

    # -- inside -------------------------------------------------------------------------------

    def _known(self, task: str) -> str:
        if task not in self._progress.tasks:
            raise UsageError(f'this lesson has no task "{task}"; there are {", ".join(self.order)}')
        return task

    def _change(self, work: Callable[[], Progress]) -> None:
        with self._lock:
            self._progress = work()
            self._save()

    def _clear(self) -> None:
        """Delete what a lesson without a Rollout made, and wait until its Pods are gone."""
        for resource in (DEPLOYMENTS, SERVICES, CONFIGMAPS, SECRETS):
            for obj in self.lab.client.list(resource, self.namespace).get("items") or []:
                if meta.name(obj) not in ("kubernetes", "kube-root-ca.crt"):
                    with contextlib.suppress(NotFound):
                        self.lab.client.delete(
                            resource, self.namespace, meta.name(obj), propagation="Background"
                        )
        pause = threading.Event()
        for _ in range(int(LEAST_PATIENCE / POLL)):
            if not self.seen().all("Pod"):
                return
            pause.wait(POLL)
        raise LabError(f"Pods of namespace {self.namespace} are still there; try again in a moment")

    def _loaded(self) -> Progress:
        if self._store is not None:
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                data = json.loads(self._store.read_text(encoding="utf-8"))
                return steps.from_json(self.checks, self.order, data)
        return steps.begin(self.checks, self.order)

    def _save(self) -> None:
        if self._store is not None:
            temporary = self._store.with_suffix(".new")
            temporary.write_text(
                json.dumps(steps.to_json(self._progress), ensure_ascii=False), encoding="utf-8"
            )
            temporary.replace(self._store)
