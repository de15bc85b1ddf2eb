"""Waiting for the Lease, working while it is held, giving it up: the part of leader election that acts.

What to do with a Lease is decided in `lease`; what the work is, the caller says. Time is the lab's.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import LEASES
from rollout_lab.clock import Clock
from rollout_lab.controller.lease import (
    LOCK,
    USUAL,
    Decision,
    Seen,
    Timing,
    Verdict,
    decide,
    holder_at,
    observe,
    released,
)
from rollout_lab.errors import AlreadyExists, Conflict, LabError, NotFound

Json = dict[str, Any]
_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_TICKS: Final = 8  # looks at the renewal's age in one retry period


class LeaseLost(LabError):
    """The Lease was not renewed in time, or somebody else holds it: to work on would be a second engine."""


class HeldElsewhere(LabError):
    """An engine that elects no leader does not start beside engines that do."""

    def __init__(self, namespace: str, holder: str) -> None:
        super().__init__(
            f"an engine of the lab works in this cluster already: {holder} holds the Lease "
            f"{namespace}/{LOCK}. Say --leader-elect to stand by for it, or remove it first: "
            f"kubectl --namespace {namespace} delete deployment rollout-lab-engine"
        )


def identity() -> str:
    """A name for this process that no other has: the machine's (in a Pod: the Pod's) and something random."""
    return f"{socket.gethostname()}_{uuid.uuid4()}"


def own_namespace(namespace: str | None = None) -> str:
    """Where the Lease is kept: in the Pod's own namespace, out of a cluster with the Rollouts."""
    with contextlib.suppress(OSError):
        return _NAMESPACE.read_text(encoding="utf-8").strip()
    return namespace or os.environ.get("POD_NAMESPACE") or "default"


def refuse(client: KubeClient, now: float) -> None:
    """Raises HeldElsewhere where an engine of ours holds its Lease. For engines that elect no leader.

    A cluster that is not up yet, or does not let us list Leases, gives no answer; then none is assumed.
    """
    try:
        found = client.list(LEASES, None, field_selector=f"metadata.name={LOCK}")["items"]
    except LabError:
        return
    for lease in found:
        if lease["metadata"]["name"] == LOCK and (holder := holder_at(lease, now)):
            raise HeldElsewhere(lease["metadata"]["namespace"], holder)


class Election:
    """One engine's part in an election. `leader` tells whether it holds the Lease now."""

    def __init__(
        self,
        client: KubeClient,
        namespace: str,
        clock: Clock,
        say: Callable[[str], None],
        *,
        me: str = "",
        timing: Timing = USUAL,
        on_tick: Callable[[bool], None] = lambda answered: None,
        on_loss: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_tick` is called after each look, with whether the API server answered: a sign of life.

        `on_loss` is called at the moment the Lease is lost, while the work is still being ended.
        """
        self.me = me or identity()
        self.leader = False
        self._client = client
        self._namespace = namespace
        self._clock = clock
        self._say = say
        self._timing = timing
        self._on_tick = on_tick
        self._on_loss = on_loss
        self._lease: Json | None = None
        self._seen: Seen | None = None
        self._renewed = 0.0
        self._said = ""

    def run(self, stop: threading.Event, work: Callable[[threading.Event], None]) -> None:
        """Wait for the Lease, then `work` until `stop` is set; the Lease is free at once afterwards.

        `work` gets an event that is set when it must end. Raises LeaseLost when the Lease was lost: the
        program has to end then, and may start again.
        """
        if not self._acquire(stop):
            return
        over, lost = threading.Event(), threading.Event()
        keeper = threading.Thread(target=self._keep, args=(over, lost), name="lease", daemon=True)
        guard = threading.Thread(target=self._guard, args=(stop, over, lost), name="lease-guard", daemon=True)
        keeper.start()
        guard.start()
        try:
            work(over)
        finally:
            over.set()
            self.leader = False
            guard.join(2.0)
            keeper.join(2.0)
            if not lost.is_set():
                self._release()
        if lost.is_set():
            raise LeaseLost(
                f"the Lease {self._namespace}/{LOCK} was lost: it was not renewed within "
                f"{self._timing.deadline:g} s, or another engine holds it. This one ends: two must never work"
            )

    def _acquire(self, stop: threading.Event) -> bool:
        self._tell(f"waits for the Lease {self._namespace}/{LOCK} as {self.me}")
        while not stop.is_set():
            decision = self._try()
            if self.leader:
                self._tell(f"holds the Lease {self._namespace}/{LOCK}: this engine works now")
                return True
            if decision is not None and decision.verdict is Verdict.WAIT:
                self._tell(f"{decision.holder} holds the Lease: this engine stands by")
            self._clock.wait(stop, decision.wait if decision is not None else self._timing.retry)
        return False

    def _keep(self, over: threading.Event, lost: threading.Event) -> None:
        """Renew until it is over; somebody else's Lease means it is lost."""
        while not self._clock.wait(over, self._timing.retry):
            decision = self._try()
            if decision is not None and decision.verdict in (Verdict.WAIT, Verdict.TAKE):
                self._lose(over, lost)

    def _guard(self, stop: threading.Event, over: threading.Event, lost: threading.Event) -> None:
        """End the work on `stop`, and when renewing takes too long, even if a request never returns."""
        while not over.is_set():
            if self._clock.wait(stop, self._timing.retry / _TICKS):
                over.set()
            elif self._clock.now() - self._renewed > self._timing.deadline:
                self._lose(over, lost)

    def _lose(self, over: threading.Event, lost: threading.Event) -> None:
        if not over.is_set() and not lost.is_set():
            lost.set()
            self._on_loss()
        over.set()

    def _try(self) -> Decision | None:
        """Read, decide, write; None where the API server gave no answer or somebody else was quicker."""
        try:
            lease = self._read()
            now = self._clock.now()
            self._seen = observe(self._seen, lease, now)
            decision = decide(lease, self._seen, now, self.me, self._timing, namespace=self._namespace)
            if decision.verdict is Verdict.WAIT or (self.leader and decision.verdict is Verdict.TAKE):
                self._on_tick(True)
                return decision
            assert decision.body is not None
            if decision.verdict is Verdict.CREATE:
                self._lease = self._client.create(LEASES, self._namespace, decision.body)
            else:
                self._lease = self._client.replace(LEASES, self._namespace, LOCK, decision.body)
            # the time before the write: others count from when they saw it, which is later
            self._renewed = now
            self.leader = True
            self._on_tick(True)
            return decision
        except (Conflict, AlreadyExists):
            self._on_tick(True)
            return None
        except LabError as problem:
            self._on_tick(False)
            self._tell(f"the Lease cannot be read or written: {problem}")
            return None

    def _read(self) -> Json | None:
        try:
            return self._client.get(LEASES, self._namespace, LOCK)
        except NotFound:
            return None

    def _release(self) -> None:
        if self._lease is None:
            return
        try:
            self._client.replace(LEASES, self._namespace, LOCK, released(self._lease, self._clock.now()))
            self._tell("gave the Lease back")
        except LabError as problem:
            self._tell(f"the Lease was not given back and lapses by itself: {problem}")

    def _tell(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self._say(text)
