"""The curl loop: real requests to every Service, a new connection each, answers counted by version.

Measures and counts; what a share means is `picture`. One thread per Service port, so that a slow
Pod behind one Service does not hold up the others.
"""

from __future__ import annotations

import http.client
import re
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rollout_lab.api import fields, meta
from rollout_lab.clock import Clock
from rollout_lab.observe.observed import Answer, Traffic
from rollout_lab.observe.states import service_address

PERIOD: Final = 0.5  # lab seconds between two requests to one Service
LEAST_REAL_PERIOD: Final = 0.05  # wall seconds; a fast clock does not make a flood of requests
TIMEOUT: Final = 3.0  # wall seconds for one answer
PATH: Final = "/version"
KEPT: Final = 200  # last answers of all Services together
_HEADERS: Final = {"Connection": "close", "User-Agent": "rollout-lab"}
_VERSION = re.compile(r"\bv?(\d[\w.+-]*)\s*$")


@dataclass(frozen=True, slots=True)
class Response:
    """What one request brought: `version` ``""`` and `reason` set where it failed."""

    text: str
    version: str
    reason: str = ""

    @property
    def ok(self) -> bool:
        return not self.reason


def version_in(text: str) -> str:
    """The version an Api Tester names, without a leading v; ``""`` where it names none.

    >>> version_in("[App Version] : Api Tester v1.0.0"), version_in("hello")
    ('1.0.0', '')
    """
    found = _VERSION.search(text)
    return found.group(1) if found else ""


def ask(
    address: str, path: str = PATH, timeout: float = TIMEOUT, headers: Mapping[str, str] | None = None
) -> Response:
    """GET ``http://address/path`` on a new connection (``Connection: close``). Never raises.

    `headers` are sent too; a ``Host`` among them is sent in the address' place, as a gateway needs it.
    """
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=timeout)
    try:
        connection.request("GET", path, headers={**_HEADERS, **(headers or {})})
        answer = connection.getresponse()
        text = answer.read(4096).decode("utf-8", "replace").strip()
    except TimeoutError:
        return Response("", "", "timeout")
    except ConnectionRefusedError:
        return Response("", "", "connection refused")
    except ConnectionResetError:
        return Response("", "", "connection reset")
    except (http.client.HTTPException, OSError) as problem:
        return Response("", "", type(problem).__name__)
    finally:
        connection.close()
    if answer.status >= 400:
        return Response(text, "", f"HTTP {answer.status}")
    return Response(text, version_in(text))


@dataclass(slots=True)
class Count:
    """Answers counted over a span of time; `failures` by reason."""

    versions: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)

    def add(self, response: Response) -> None:
        if response.ok:
            self.versions[response.version or "?"] += 1
        else:
            self.failures[response.reason] += 1

    @property
    def failed(self) -> int:
        return self.failures.total()

    @property
    def requests(self) -> int:
        return self.versions.total() + self.failed


def burst(
    address: str,
    n: int,
    concurrency: int = 8,
    *,
    stop: threading.Event | None = None,
    count: Count | None = None,
    per_second: float = 0.0,
    headers: Mapping[str, str] | None = None,
) -> Count:
    """At most `n` requests, a new connection each, `concurrency` at a time, until `stop` is set.

    Each with these `headers` (`ask`). Counted in `count` where one is given, so that another thread can
    look on. `per_second`: at most about so many, 0 for as many as go. Where addresses are translated
    (NodePorts of a kind cluster), a long loop must stay below ~400: a closed connection keeps its port for
    a minute, and when all 28,000 are used up the kernel drops the next one, which looks as if a Pod had
    not answered.
    """
    found, lock, started = count if count is not None else Count(), threading.Lock(), 0
    rest = max(1, concurrency) / per_second if per_second > 0 else 0.0
    pause = stop if stop is not None else threading.Event()

    def go_on() -> bool:
        nonlocal started
        with lock:
            if started >= n or (stop is not None and stop.is_set()):
                return False
            started += 1
            return True

    def work() -> None:
        while go_on():
            response = ask(address, headers=headers)
            with lock:
                found.add(response)
            if rest:
                pause.wait(rest)

    threads = [threading.Thread(target=work, name=f"burst-{i}") for i in range(max(1, concurrency))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@dataclass(frozen=True, slots=True)
class Target:
    """One Service port the loop asks, or a gateway for a `host`."""

    service: str
    port: int
    address: str
    host: str = ""


def targets(services: Sequence[Mapping[str, Any]], addresses: Mapping[str, Any]) -> dict[str, Target]:
    """The first port of every Service that can be reached, by Service name."""
    found = {}
    for service in services:
        port, address = service_address(service, addresses)
        if address and fields.objects(service, "spec", "ports"):
            found[meta.name(service)] = Target(meta.name(service), port, address)
    return found


@dataclass(slots=True)
class _Loop:
    """What one Service's thread counts. Guarded by the probe's lock."""

    total: Count = field(default_factory=Count)
    window: Count = field(default_factory=Count)
    since: float = 0.0
    bucket: Count = field(default_factory=Count)
    bucket_since: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)


Listener = Callable[[str, int, float, float, dict[str, int], int], None]


class Probe:
    """Asks each target in the lesson's rhythm until closed. Safe to read from any thread.

    `listener(service, port, since, until, versions, failed)` is called about once a second (wall
    time) per Service with the answers since the last call.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        period: float = PERIOD,
        listener: Listener | None = None,
        ask: Callable[[str], Response] = ask,
    ) -> None:
        self._clock = clock
        self._period = period
        self._listener = listener
        self._ask = ask
        self._lock = threading.Lock()
        self._targets: dict[str, Target] = {}
        self._loops: dict[str, _Loop] = {}
        self._threads: list[threading.Thread] = []
        self._answers: deque[Answer] = deque(maxlen=KEPT)
        self._closed = False
        self._count = 0

    def aim(self, wanted: Mapping[str, Target]) -> None:
        """Ask these from now on; a Service that is no longer named is no longer asked."""
        with self._lock:
            if self._closed or dict(wanted) == self._targets:
                return
            self._targets = dict(wanted)
            for name in [n for n in self._loops if n not in wanted]:
                self._loops.pop(name).stop.set()
            for name in wanted:
                if name not in self._loops:
                    self._start(name)

    def _start(self, name: str) -> None:
        now = self._clock.now()
        loop = _Loop(since=now, bucket_since=now)
        self._loops[name] = loop
        thread = threading.Thread(target=self._run, args=(name, loop), name=f"probe-{name}", daemon=True)
        self._threads = [t for t in self._threads if t.is_alive()] + [thread]
        thread.start()

    def reset_window(self, service: str) -> None:
        """Begin a new window: the Service leads elsewhere from now on."""
        with self._lock:
            loop = self._loops.get(service)
            if loop is not None:
                loop.window, loop.since = Count(), self._clock.now()

    def restart(self) -> None:
        """Forget all counts and answers."""
        with self._lock:
            now = self._clock.now()
            for loop in self._loops.values():
                loop.total, loop.window, loop.bucket = Count(), Count(), Count()
                loop.since = loop.bucket_since = now
            self._answers.clear()

    def traffic(self) -> dict[str, Traffic]:
        """What was counted at each Service."""
        with self._lock:
            return {
                name: Traffic(loop.total.requests, loop.total.failed, loop.since, dict(loop.window.versions))
                for name, loop in self._loops.items()
            }

    @property
    def count(self) -> int:
        """Answers and failures of all Services together, ever."""
        return self._count

    def failures(self) -> dict[str, dict[str, int]]:
        """Failed requests by Service and reason."""
        with self._lock:
            return {name: dict(loop.total.failures) for name, loop in self._loops.items()}

    def answers(self, services: Sequence[str] | None = None) -> tuple[Answer, ...]:
        """The last answers, oldest first."""
        with self._lock:
            return tuple(a for a in self._answers if services is None or a.service in services)

    def close(self) -> None:
        """Stop asking and wait for the threads."""
        with self._lock:
            self._closed = True
            for loop in self._loops.values():
                loop.stop.set()
            threads = list(self._threads)
        for thread in threads:
            thread.join(TIMEOUT + 1)

    def _run(self, name: str, loop: _Loop) -> None:
        due = self._clock.now()
        real = self._clock.real_seconds(1.0)
        period = max(self._period, LEAST_REAL_PERIOD / real) if real else self._period
        while not loop.stop.is_set():
            with self._lock:
                target = self._targets.get(name)
            if target is not None:
                self._take(target, loop, self._ask_at(target))
            due = max(due + period, self._clock.now() - period)
            self._clock.wait(loop.stop, due - self._clock.now())

    def _ask_at(self, target: Target) -> Response:
        if target.host:
            return ask(target.address, headers={"Host": target.host})
        return self._ask(target.address)

    def _take(self, target: Target, loop: _Loop, response: Response) -> None:
        now = self._clock.now()
        text = response.text if response.ok else response.reason
        ready: tuple[float, dict[str, int], int] | None = None
        with self._lock:
            if loop.stop.is_set():
                return
            self._count += 1
            for count in (loop.total, loop.window, loop.bucket):
                count.add(response)
            line = text.splitlines()[0][:200] if text else ""
            self._answers.append(
                Answer(now, target.service, target.port, response.version, line, response.ok)
            )
            if self._clock.real_seconds(now - loop.bucket_since) >= 1.0:
                ready = (loop.bucket_since, dict(loop.bucket.versions), loop.bucket.failed)
                loop.bucket, loop.bucket_since = Count(), now
        if ready is not None and self._listener is not None:
            self._listener(target.service, target.port, ready[0], now, ready[1], ready[2])
