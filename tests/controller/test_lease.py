"""Leader election: who takes the Lease when, and two engines as processes of which one works."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollout_lab.api.times import rfc3339_micro
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import LEASES, NAMESPACES, ROLLOUTS
from rollout_lab.clock import ScaledClock
from rollout_lab.controller.health import Health, served
from rollout_lab.controller.leading import Election, HeldElsewhere, LeaseLost, refuse
from rollout_lab.controller.lease import LOCK, Seen, Timing, Verdict, decide, holder_at, observe, released
from rollout_lab.errors import ClusterUnavailable, Conflict, UsageError
from tests.controller.fakes import FakeClient

ROOT = Path(__file__).parents[2]
NOW = 1_800_000_000.0
Json = dict[str, Any]


def lease(holder: str = "a", renewed: float = NOW, **spec: Any) -> Json:
    """A Lease as the API server gives it."""
    given = {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": rfc3339_micro(renewed)}
    about = {"name": LOCK, "namespace": "x", "resourceVersion": "7", "labels": {"kept": "yes"}}
    return {"kind": "Lease", "metadata": about, "spec": {**given, "acquireTime": "t0", **spec}}


CASES: list[tuple[str, Json | None, float, Verdict, float]] = [
    # what, the Lease, seconds since it was first seen like this, verdict, wait
    ("there is none", None, 0, Verdict.CREATE, 2.0),
    ("it is ours", lease("me"), 0, Verdict.RENEW, 2.0),
    ("it is ours and we were late: nobody took it", lease("me"), 60, Verdict.RENEW, 2.0),
    ("somebody gave it back", released(lease("a"), NOW), 0, Verdict.TAKE, 2.0),
    ("nobody is named", lease(""), 0, Verdict.TAKE, 2.0),
    ("somebody renewed it just now", lease("a"), 0, Verdict.WAIT, 2.0),
    ("it lapses before the next look", lease("a"), 14.5, Verdict.WAIT, 0.5),
    ("it lapsed", lease("a"), 15, Verdict.TAKE, 2.0),
    ("its renewTime is old, but we see it for the first time", lease("a", NOW - 900), 0, Verdict.WAIT, 2.0),
    ("its renewTime is ahead of our clock, and it lapsed", lease("a", NOW + 900), 16, Verdict.TAKE, 2.0),
    ("the holder wrote a longer duration", lease("a", leaseDurationSeconds=60), 30, Verdict.WAIT, 2.0),
    ("it has no duration", lease("a", leaseDurationSeconds=None), 15, Verdict.TAKE, 2.0),
    ("it has no spec", {"metadata": {"name": LOCK}}, 0, Verdict.TAKE, 2.0),
]


@pytest.mark.parametrize(("what", "found", "since", "verdict", "wait"), CASES, ids=[c[0] for c in CASES])
def test_who_may_hold_the_lease(
    what: str, found: Json | None, since: float, verdict: Verdict, wait: float
) -> None:
    """Protects the rule: take what is free or lapsed by our own clock, wait for everything else."""
    seen = observe(None, found, NOW - since)
    decision = decide(found, seen, NOW, "me", namespace="x")
    assert (decision.verdict, decision.wait) == (verdict, wait)
    if decision.body is not None:
        spec = decision.body["spec"]
        assert spec["holderIdentity"] == "me"
        assert (spec["renewTime"], spec["leaseDurationSeconds"]) == (rfc3339_micro(NOW), 15)
        if found is not None and "resourceVersion" in found["metadata"]:
            assert decision.body["metadata"] == found["metadata"], (
                "a write must fail when somebody was quicker"
            )


def test_taking_counts_and_renewing_does_not() -> None:
    """Protects what `kubectl get lease` tells: since when, and how often the engine changed."""
    taken = decide(lease("", leaseTransitions=4), None, NOW, "me").body
    renewed = decide(lease("me", leaseTransitions=4), None, NOW, "me").body
    new = decide(None, None, NOW, "me").body
    assert taken is not None and renewed is not None and new is not None
    assert (taken["spec"]["leaseTransitions"], taken["spec"]["acquireTime"]) == (5, rfc3339_micro(NOW))
    assert (renewed["spec"]["leaseTransitions"], renewed["spec"]["acquireTime"]) == (4, "t0")
    assert new["spec"]["leaseTransitions"] == 0


def test_an_unchanged_lease_keeps_the_moment_it_was_first_seen() -> None:
    """Protects the take-over: without it every look would start the wait anew."""
    first = observe(None, lease("a"), 100.0)
    again = observe(first, {**lease("a"), "metadata": {"name": "other"}}, 109.0)
    renewed = observe(again, lease("a", NOW + 2), 110.0)
    assert first == again == Seen(again.spec if again else "", 100.0)
    assert renewed is not None and renewed.at == 110.0
    assert observe(renewed, None, 111.0) is None


def test_a_lease_is_not_changed_in_place() -> None:
    """Protects the caller's copy."""
    before = lease("")
    copy = {**before, "spec": dict(before["spec"])}
    decide(before, None, NOW, "me")
    released(before, NOW)
    assert before == copy


@pytest.mark.parametrize(
    ("found", "holder"),
    [
        (lease("a", NOW - 10), "a"),
        (lease("a", NOW - 19), "a"),  # within the grace for another machine's clock
        (lease("a", NOW - 21), ""),
        (lease("", NOW), ""),
        (lease("a", renewTime="soon"), ""),
        ({"spec": None}, ""),
    ],
)
def test_a_first_look_tells_whether_somebody_works(found: Json, holder: str) -> None:
    """Protects an engine without election from starting beside one that works, and from a forgotten Lease."""
    assert holder_at(found, NOW) == holder


class LeaseClient(FakeClient):
    """One Lease on a server: `replace` fails on a resourceVersion that is not the newest."""

    down = False

    def get(self, res: Any, ns: str | None, name: str) -> Json:
        if self.down:
            raise ClusterUnavailable("nobody answers")
        return super().get(res, ns, name)

    def list(self, res: Any, ns: str | None = None, **_: str) -> Json:
        return {"items": list(self.objects.values())}

    def replace(self, res: Any, ns: str | None, name: str, body: Json, subresource: str = "") -> Json:
        if self.down:
            raise ClusterUnavailable("nobody answers")
        there = self.objects[(res.kind, name)]
        if there["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"]:
            raise Conflict(409, "Conflict", "changed")
        self.objects[(res.kind, name)] = self._stamp({**body, "kind": res.kind})
        return self.objects[(res.kind, name)]


FAST = ScaledClock(10.0, 0.0)


def elected(fake: LeaseClient, me: str, stop: threading.Event, **options: Any) -> tuple[Election, list[str]]:
    said: list[str] = []
    return Election(fake.client, "x", FAST, said.append, me=me, **options), said


def test_a_holder_that_ends_in_order_frees_the_lease_at_once() -> None:
    """Protects a rolling update of the engine: no 15 seconds without anybody."""
    fake, stop, worked = LeaseClient(), threading.Event(), threading.Event()
    election, said = elected(fake, "me", stop)

    def work(over: threading.Event) -> None:
        worked.set()
        stop.set()
        assert over.wait(20)

    election.run(stop, work)
    assert worked.is_set() and not election.leader
    assert "holderIdentity" not in fake.objects[("Lease", LOCK)]["spec"]
    assert said[-1] == "gave the Lease back"


@pytest.mark.parametrize("how", ["the API server goes away", "somebody else took it"])
def test_a_holder_that_lost_the_lease_stops_and_says_so(how: str) -> None:
    """Protects against two engines at work: a lost Lease ends the work, whatever a request still does."""
    fake, stop, losses = LeaseClient(), threading.Event(), []
    election, _ = elected(fake, "me", stop, on_loss=lambda: losses.append("lost"))

    def work(over: threading.Event) -> None:
        if how == "the API server goes away":
            fake.down = True
        else:
            fake.objects[("Lease", LOCK)] = lease("other", FAST.now())
        assert over.wait(20)

    with pytest.raises(LeaseLost, match="two must never work"):
        election.run(stop, work)
    assert losses == ["lost"] and not stop.is_set()
    spec = fake.objects[("Lease", LOCK)]["spec"]
    assert spec["holderIdentity"] == ("me" if how.startswith("the API") else "other"), "it was given away"


def test_of_two_only_one_works_at_any_time() -> None:
    """Protects the point of it all, with the work of one following the other's."""
    fake, at_work, order = LeaseClient(), threading.Lock(), []
    stops = {name: threading.Event() for name in "ab"}
    begun = {name: threading.Event() for name in "ab"}

    def compete(name: str) -> None:
        election, _ = elected(fake, name, stops[name])

        def work(over: threading.Event) -> None:
            assert at_work.acquire(blocking=False), "two work"
            order.append(name)
            begun[name].set()
            over.wait(30)
            at_work.release()

        election.run(stops[name], work)

    threads = {name: threading.Thread(target=compete, args=(name,), daemon=True) for name in "ab"}
    for thread in threads.values():
        thread.start()
    first = "a" if begun["a"].wait(1.0) or not begun["b"].wait(20) else "b"
    other = "b" if first == "a" else "a"
    assert not begun[other].wait(0.2)
    stops[first].set()
    assert begun[other].wait(20), "nobody took over"
    stops[other].set()
    for thread in threads.values():
        thread.join(20)
        assert not thread.is_alive()
    assert order == [first, other]


def test_an_engine_without_election_does_not_start_beside_one_that_works() -> None:
    """Protects a cluster with `manifests/install` from a second engine on somebody's laptop."""
    fake = LeaseClient(lease("pod-1", NOW))
    with pytest.raises(
        HeldElsewhere, match=r"pod-1 holds the Lease x/rollout-lab-engine-lock.*--leader-elect"
    ):
        refuse(fake.client, NOW + 1)
    refuse(fake.client, NOW + 60)
    refuse(LeaseClient().client, NOW)


def test_health_tells_silence_contact_and_leadership() -> None:
    """Protects the probes of the Pod: ready after contact, dead after a minute of silence."""
    now = [0.0]
    health = Health(seconds=lambda: now[0])
    health.leading = lambda: False
    with served(health, "127.0.0.1", 0) as port:

        def ask(path: str) -> tuple[int, str]:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as refused:
                return refused.code, refused.read().decode()

        assert (ask("/healthz")[0], ask("/readyz")[0], ask("/else")[0]) == (200, 503, 404)
        health.beat(False)
        assert ask("/readyz")[0] == 503
        health.beat(True)
        assert ask("/readyz")[0] == 200
        assert "rollout_lab_engine_leader 0\n" in ask("/metrics")[1]
        now[0] = 61.0
        assert ask("/healthz") == (500, "no sign of life for 60 s\n")
        with pytest.raises(UsageError, match="--metrics-port"), served(health, "127.0.0.1", port):
            pass
    assert Health(watched=False, seconds=lambda: now[0]).answer("/readyz")[0] == 200


@contextmanager
def cluster(folder: Path, clock: ScaledClock) -> Iterator[tuple[KubeClient, Path]]:
    """An embedded cluster as a process, with the CRD and a namespace for the Lease."""
    kubeconfig = folder / "kubeconfig"
    reading, writing = os.pipe()
    words = ["--kubeconfig", str(kubeconfig), "--clock", clock.spec, "--lifeline", str(reading)]
    process = subprocess.Popen(
        [sys.executable, "-m", "rollout_lab.clusters.embedded.process", *words],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        pass_fds=[reading],
    )
    try:
        assert process.stdout is not None and b"ready" in process.stdout.readline()
        client = KubeClient.from_kubeconfig(str(kubeconfig))
        for document in yaml.safe_load_all((ROOT / "manifests/crds/rollouts.yaml").read_text("utf-8")):
            client.apply(document)
        for name in ("rollout-lab", "demo"):
            about = {"name": name}
            client.create(NAMESPACES, None, {"apiVersion": "v1", "kind": "Namespace", "metadata": about})
        yield client, kubeconfig
        client.close()
    finally:
        os.close(writing)
        os.close(reading)
        try:
            process.wait(15)
        finally:
            process.kill()


class Standby:
    """An engine with election as a process, and what it logs."""

    def __init__(self, kubeconfig: Path, clock: ScaledClock, log: Path) -> None:
        self.log = log
        words = ["--kubeconfig", str(kubeconfig), "--clock", clock.spec, "--leader-elect"]
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "rollout_lab.controller.process", *words]
                + ["--lease-namespace", "rollout-lab"],
                stderr=out,
                cwd=ROOT,
            )

    def says(self, words: str, patience: float = 40.0) -> bool:
        """Wait (wall seconds) until its log has `words`."""
        pause = threading.Event()
        for _ in range(int(patience / 0.05)):
            if words in self.log.read_text("utf-8"):
                return True
            pause.wait(0.05)
        return False


@pytest.mark.cluster
def test_the_other_engine_takes_over_after_a_sigkill(tmp_path: Path) -> None:
    """Protects a rollout whose engine dies without a word: another goes on, after the Lease's duration."""
    clock = ScaledClock.start(2.5)  # the 15 s of the Lease take 6 s of a person's time
    with cluster(tmp_path, clock) as (client, kubeconfig):
        one = Standby(kubeconfig, clock, tmp_path / "one.log")
        assert one.says("this engine works now"), one.log.read_text("utf-8")
        two = Standby(kubeconfig, clock, tmp_path / "two.log")
        try:
            assert two.says("stands by")
            rollout = next(
                o
                for o in yaml.safe_load_all((ROOT / "manifests/rollout-canary.yaml").read_text("utf-8"))
                if o["kind"] == "Rollout"
            )
            rollout["metadata"]["namespace"] = "demo"
            name = rollout["metadata"]["name"]
            client.apply(rollout)
            assert one.says(f"demo/{name} create.replicaset")
            before = client.get(LEASES, "rollout-lab", LOCK)["spec"]
            killed = clock.now()
            one.process.kill()
            one.process.wait(10)
            assert "engine started" not in two.log.read_text("utf-8"), "two worked at once"
            assert two.says("this engine works now"), two.log.read_text("utf-8")
            after = client.get(LEASES, "rollout-lab", LOCK)["spec"]
            assert after["holderIdentity"] != before["holderIdentity"]
            assert after["leaseTransitions"] == before["leaseTransitions"] + 1
            assert after["acquireTime"] >= rfc3339_micro(killed + Timing().duration - Timing().retry - 1)
            client.patch(ROLLOUTS, "demo", name, {"spec": {"replicas": 1}})
            assert two.says(f"demo/{name} scale"), "the new engine does not work"
            two.process.terminate()
            assert two.process.wait(20) == 0
            assert "holderIdentity" not in client.get(LEASES, "rollout-lab", LOCK)["spec"]
        finally:
            for engine in (one, two):
                engine.process.kill()
                engine.process.wait(10)
