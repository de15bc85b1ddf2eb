"""One running lab: start or attach, apply a scenario, see it, act on it, close it.

The only place that knows cluster, engine, recorder and clock at once. It decides nothing about
rollouts, and everything it shows was observed through the API server.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final

from rollout_lab.client.actions import Action, Verdict, perform
from rollout_lab.clock import ScaledClock
from rollout_lab.clusters.context import connect
from rollout_lab.clusters.kind.create import Wanted
from rollout_lab.errors import LabError, NotFound, UsageError
from rollout_lab.lab import folder as files
from rollout_lab.lab.cleanup import delete
from rollout_lab.lab.engines import engine_of, start_engine
from rollout_lab.lab.gateways import Finder
from rollout_lab.lab.handle import RolloutHandle, action_words
from rollout_lab.lab.measuring import Measuring
from rollout_lab.lab.opening import (
    Confirm,
    Progress,
    Setup,
    Where,
    attached,
    open_cluster,
    prepare,
    quiet,
)
from rollout_lab.lab.parts import Base, Engine, origin
from rollout_lab.lab.past import Past
from rollout_lab.lab.scenario import SCENARIOS, Scenario, load_scenario, scenario_of
from rollout_lab.lab.showing import Shown
from rollout_lab.lab.switch import Keeper
from rollout_lab.lab.timeline import LabTimeline
from rollout_lab.observe.gateways import Place
from rollout_lab.observe.probe import PERIOD
from rollout_lab.observe.recorder import Recorder
from rollout_lab.observe.ways import Ways

Json = dict[str, Any]

NAMESPACE: Final = "anotherclass-223"  # the course's
GONE_PATIENCE: Final = 60.0  # wall seconds old objects may take to go


class Lab(Shown, Measuring):
    """See the module docstring. Use `Lab.start` or `Lab.attach`, and close it (or use ``with``).

    May be shared by many threads: what `view` and `timeline` give is never changed afterwards.
    """

    def __init__(self, base: Base, *, engine: Engine, namespace: str, probe_period: float = PERIOD) -> None:
        self.client = base.client
        self.clock = base.clock
        self.folder = base.folder
        self.kubeconfig = base.kubeconfig
        self.cluster_name = base.name
        self.engine = engine
        self.namespace = namespace
        self.scenario = ""
        self._finder = Finder.of(base)
        ways = Ways(base.client, base.mapped)
        self.recorder = Recorder(
            base.client, namespace, base.clock, period=probe_period, ways=ways, gateway=self.gateway
        )
        self.base = base
        self._cluster = base.child
        self._keeper: Keeper | None = None
        self._scenarios: dict[str, Scenario] = {}
        self._pasts: dict[str, Past] = {}
        self._rollout = ""
        self._lock = threading.RLock()
        self._started = ScaledClock().now()
        self._url = ""
        self._closed = False

    # -- starting and ending ------------------------------------------------------------------

    @classmethod
    def start(
        cls,
        cluster: str = "embedded",
        *,
        speed: float = 1.0,
        scenario: str | Scenario | None = "course-2233",
        apply: bool = True,
        namespace: str | None = None,
        engine: bool | str = True,
        probe_period: float = PERIOD,
        observe: bool = True,
        port: int = 0,
        kind: Wanted | None = None,
        namespace_only: bool = False,
        confirm: Confirm | None = None,
        progress: Progress = quiet,
    ) -> Lab:
        """A lab on a cluster of its own (``embedded``, ``kind``) or on a context (``context:NAME``).

        `speed`: lab seconds in a wall second, 1 on a real cluster. `scenario`: a lecture or manifest file
        to apply at once (`apply` False: only to ask about), None for an empty cluster. `engine`: ``out``
        (True), ``in-cluster``, ``argo`` (the peer that runs there; the lab only looks on) or False.
        `observe` False only runs it: no recorder, no curl loop. `port`: of the embedded API server, 0 takes
        a free one. `kind`: name, nodes and node image of the kind cluster. `namespace_only` and `confirm`:
        see `opening.Where`.

        What a lab made on a context goes when it closes; a kind cluster stays until `down`. Returns when
        the scenario is applied; what becomes of it is in `view`. Raises LabError with the remedy.
        """
        found = load_scenario(scenario, namespace) if isinstance(scenario, str) else scenario
        where = Where(cluster, speed, port, kind or Wanted(), namespace_only, confirm)
        setup = Setup(found, namespace, engine, probe_period, observe, apply, progress)
        return cls._compose(open_cluster(where, found, progress), setup)

    @classmethod
    def attach(
        cls,
        kubeconfig: str | None = None,
        context: str | None = None,
        *,
        scenario: str | None = None,
        namespace: str | None = None,
        engine: bool | str = True,
        clock: str | None = None,
        probe_period: float = PERIOD,
        observe: bool = True,
        progress: Progress = quiet,
    ) -> Lab:
        """A lab on a cluster that is there. Installs the Rollout CRD only where there is none.

        `engine` False leaves the work to a controller that runs there. `clock`: the spec of the clock
        of a running embedded cluster; wall time without it. Raises ClusterUnavailable.
        """
        found = None if scenario is None else load_scenario(scenario, namespace)
        progress("cluster.context", context or "kubeconfig")
        lab_clock = ScaledClock.parse(clock) if clock else ScaledClock()
        base = attached(connect(kubeconfig, context), kubeconfig, context, lab_clock)
        setup = Setup(found, namespace, engine, probe_period, observe, True, progress)
        return cls._compose(base, setup)

    @classmethod
    def _compose(cls, base: Base, setup: Setup) -> Lab:
        scenario, progress = setup.scenario, setup.progress
        target = setup.namespace or (scenario.namespace if scenario else NAMESPACE)
        part = engine_of(base, setup.engine, target)
        lab = cls(base, engine=part, namespace=target, probe_period=setup.probe_period)
        try:
            progress("crd", "rollouts.argoproj.io")
            prepare(base, target)
            start_engine(base, part, target, progress)
            lab._keeper = Keeper(part, base.folder) if part.ours else None
            if setup.observe:
                progress("watch", target)
                lab.recorder.start()
            if scenario is not None and setup.apply:
                progress("apply", scenario.name)
                lab.apply(scenario)
            lab._save()
            progress("ready", origin(base.client.server))
        except BaseException:
            lab.close()
            raise
        return lab

    def close(self) -> None:
        """Stop recorder, engine and cluster, and remove the folder. May be called twice.

        What was made on a cluster somebody else runs is deleted; a kind cluster stays until `down`.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self.recorder.close()
        if self._keeper is not None:
            self._keeper.close()
        self.engine.close()
        try:
            if self.base.owner and self.base.installed is not None:
                self.base.installed.remove(self.client)
        finally:
            if self._cluster is not None:
                self._cluster.stop()
            self.client.close()
            files.remove(self.folder)

    def __enter__(self) -> Lab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def speed(self) -> float:
        """Lab seconds in a wall second."""
        return self.clock.factor

    def serve_at(self, url: str) -> None:
        """Let other programs know the address of the page."""
        self._url = url
        self._save()

    def trouble(self) -> LabError | None:
        """What ended by itself: the cluster or the engine, with the end of its log."""
        if self._cluster is not None and not self._cluster.running and not self._closed:
            return self._cluster.ended()
        return self.engine.ended() if self.engine.state == "failed" else None

    # -- what is applied ----------------------------------------------------------------------

    def apply(self, scenario: Scenario | str) -> str:
        """Apply a scenario (beside those applied already) and follow its rollout; the rollout's name."""
        found = load_scenario(scenario, self.namespace) if isinstance(scenario, str) else scenario
        with self._lock:
            for rollout in found.rollouts:
                self.recorder.begin(rollout, found.name, found.objects)
                self.recorder.action(rollout, "apply")
            for obj in found.objects:
                self.base.apply(obj)
            self._scenarios[found.name] = found
            self.scenario, self._rollout = found.name, found.rollout
            self._save()
        return found.rollout

    def apply_objects(self, objects: Sequence[Json], name: str = "manifest") -> str:
        """Apply loaded objects as `apply` does: a manifest a person wrote."""
        return self.apply(scenario_of(list(objects), name, self.namespace))

    def switch(self, scenario: str) -> str:
        """Show another lecture, applied first if it is not there yet; the name of its rollout."""
        with self._lock:
            found = self._scenarios.get(scenario)
            if found is None:
                return self.apply(scenario)
            self.scenario, self._rollout = found.name, found.rollout
            self._save()
            return found.rollout

    def follow(self, rollout: str) -> None:
        """Show a rollout of the namespace that somebody else applied."""
        with self._lock:
            self._rollout = rollout

    def reset(self, scenario: str | None = None) -> str:
        """Delete what the scenario applied, wait until its Pods are gone, and apply it anew."""
        with self._lock:
            found = self._scenarios.get(scenario or self.scenario)
            if found is None:
                raise UsageError(f'the scenario "{scenario or self.scenario}" was not applied')
            delete(found, self.client, self.recorder, GONE_PATIENCE * self.speed)
            return self.apply(found)

    def clear(self) -> None:
        """Delete all that was applied here and wait until its Pods are gone. Raises LabError."""
        with self._lock:
            for found in tuple(self._scenarios.values()):
                delete(found, self.client, self.recorder, GONE_PATIENCE * self.speed)
            self._scenarios.clear()
            self.scenario, self._rollout = "", ""

    # -- seeing -------------------------------------------------------------------------------

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Lectures and files that `switch` knows: those applied, and the course's."""
        return tuple(dict.fromkeys([*SCENARIOS, *self._scenarios]))

    @property
    def current(self) -> str:
        """The name of the rollout that is shown, ``""`` before one is applied."""
        return self._rollout

    @property
    def seq(self) -> int:
        """Goes up with everything `view` would show."""
        return self.recorder.number + self.recorder.probe.count

    def view(self, since: int | None = None, rollout: str | None = None, at: float | None = None) -> Json:
        """The picture (`observe.picture`) of a rollout (default: the one shown), with two more keys.

        `at`: that moment of the past instead of the present, in lab seconds.

        ``seq``: a number to give as `since`; if nothing changed since then the answer is only
        ``{"seq", "t", "unchanged": True, "lab"}``. ``lab``: cluster, server, engine (``running`` |
        ``stopped`` | ``failed`` | ``none``), engineKind (`parts.Engine`), speed, namespace, scenario,
        scenarios, rollouts and trouble (text, ``""`` if none).
        """
        name = rollout or self._rollout
        seq = self.seq
        about = self._about()
        if at is not None:
            return {**self.past(name).at(at), "seq": seq, "lab": about}
        if since is not None and since == seq:
            t = self.recorder.t(name)
            return {"seq": seq, "t": t, "unchanged": True, "lab": about}
        return {**self.recorder.picture(name), "seq": seq, "lab": about}

    def _about(self) -> Json:
        trouble = self.trouble() or self.recorder.trouble
        return {
            "cluster": self.cluster_name,
            "server": origin(self.client.server),
            "engine": self.engine.state,
            "engineKind": self.engine.kind,
            "speed": self.speed,
            "namespace": self.namespace,
            "scenario": self.scenario,
            "scenarios": list(self.scenarios),
            "rollouts": self.recorder.rollouts(),
            "trouble": str(trouble),
        }

    def past(self, rollout: str | None = None) -> Past:
        """Every moment of a rollout so far: pictures, marks, status and reasons."""
        name = rollout or self._rollout
        return self._pasts.setdefault(name, Past(self.recorder, name))

    def timeline(self, rollout: str | None = None) -> LabTimeline:
        """The rows of a rollout so far (`observe.timeline`), with tables and charts (`timeline`)."""
        return LabTimeline(self.recorder.rows(rollout or self._rollout)[0]).said(self.lang)

    def rows(self, since: int = 0, rollout: str | None = None) -> tuple[tuple[Json, ...], int]:
        """The rows from number `since` on, and the number to ask for next."""
        return self.recorder.rows(rollout or self._rollout, since)

    def wait_for(
        self, condition: Callable[[Json], bool], lab_seconds: float = 900.0, rollout: str | None = None
    ) -> bool:
        """Wait until `condition(picture)` holds; whether it did within `lab_seconds`."""
        name = rollout or self._rollout
        return self.recorder.wait(lambda: condition(self.recorder.picture(name)), lab_seconds)

    # -- acting -------------------------------------------------------------------------------

    def do(self, action: str | Action, rollout: str | None = None, **args: Any) -> Verdict:
        """Do what a button or verb says, if it would do something; the verdict says what or why not.

        Arguments as for `client.requests.requests`: set-image ``version=`` or ``images=``, undo
        ``to_revision=``, scale ``replicas=``. Raises UsageError for an unknown action.
        """
        try:
            wanted = Action(action)
        except ValueError:
            raise UsageError(f'unknown action "{action}"; there are {", ".join(Action)}') from None
        name = rollout or self._rollout
        if wanted is Action.RESTART:
            args.setdefault("now", self.clock.now())
        try:
            return perform(
                self.client,
                self.namespace,
                name,
                wanted,
                lambda: self.recorder.action(name, action_words(wanted, args)),
                **args,
            )
        except NotFound:
            return Verdict(False, "no-rollout")

    def rollout(self, name: str | None = None) -> RolloutHandle:
        """A handle on a rollout (default: the one shown)."""
        return RolloutHandle(self, name or self._rollout)

    def gateway(self) -> Place | None:
        """Where the gateway of the cluster is; None where there is none."""
        return self._finder.find()

    def _picture(self) -> Json:
        return self.recorder.picture(self._rollout)

    # -- inside -------------------------------------------------------------------------------

    def _save(self) -> None:
        """Let other programs find this lab, if it is one: a page that only looks on is none."""
        if not self.base.owner and not self.engine.ours:
            return
        files.write_state(
            self.folder,
            files.LabState(
                pid=os.getpid(),
                kubeconfig=self.kubeconfig,
                context=self.client.context_name,
                namespace=self.namespace,
                scenario=self.scenario,
                cluster=self.cluster_name,
                speed=self.speed,
                clock=self.clock.spec,
                started=self._started,
                url=self._url,
            ),
        )
