"""Three clients of one Service that differ in nothing but their connections, and what each of them heard.

`fresh` connects anew for every request, as curl does; `keep-alive` connects once and asks over that
connection for as long as it lasts, as browsers and most programs do; `port-forward` leads through the API
server to the one Pod it chose at its beginning. Measures and counts; what a share means is `picture`.
"""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol

from rollout_lab.client.kube import KubeClient
from rollout_lab.client.portforward import PortForward
from rollout_lab.clock import Clock
from rollout_lab.observe.probe import LEAST_REAL_PERIOD, PATH, PERIOD, TIMEOUT, Response, ask, version_in

KEPT: Final = 400  # last answers of each client
NONE: Final[Mapping[str, str]] = MappingProxyType({})
_HEADERS: Final = {"User-Agent": "rollout-lab", "Connection": "keep-alive"}


class Connection(StrEnum):
    """How a client connects."""

    FRESH = "fresh"
    KEEP_ALIVE = "keep-alive"
    PORT_FORWARD = "port-forward"


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer. `t`: lab seconds; `number`: which connection (or port-forward) of this client it came by,
    from 1; `version` is ``""`` and `reason` set where it failed."""

    t: float
    connection: Connection
    number: int
    version: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Total:
    """Answers of one client counted: by version, failed ones, and over how many connections."""

    versions: Counter[str]
    failed: int
    connections: int

    @property
    def answers(self) -> int:
        return self.versions.total()


def total(heard: Iterable[Heard], connection: str, since: float = 0.0) -> Total:
    """What one kind of client heard since a moment."""
    rows = [one for one in heard if one.connection == connection and one.t >= since]
    versions = Counter(one.version or "?" for one in rows if not one.reason)
    return Total(versions, sum(bool(one.reason) for one in rows), len({one.number for one in rows}))


class Client(Protocol):
    """Asks once; `number` is that of the connection the last answer came by."""

    number: int

    def ask(self) -> Response: ...

    def close(self) -> None: ...


class Fresh:
    """A new connection for every request, with `headers`. `address`: where the Service (or the gateway
    before it) answers now, ``""`` for nowhere."""

    def __init__(self, address: Callable[[], str], headers: Mapping[str, str] = NONE) -> None:
        self.number = 0
        self._address = address
        self._headers = headers

    def ask(self) -> Response:
        self.number += 1
        address = self._address()
        return ask(address, headers=self._headers) if address else Response("", "", "no address")

    def close(self) -> None:
        """Nothing is open."""


class KeepAlive:
    """One connection for all requests, and another only when the server ended it.

    A request that meets the end of a connection that worked before is sent once more on a new one, as
    every HTTP client does: to a person it looks as if nothing had happened.
    """

    def __init__(self, address: Callable[[], str], headers: Mapping[str, str] = NONE) -> None:
        self.number = 0
        self._address = address
        self._headers = {**_HEADERS, **headers}
        self._open: http.client.HTTPConnection | None = None

    def ask(self) -> Response:
        used = self._open is not None
        try:
            return self._once()
        except (http.client.HTTPException, OSError) as problem:
            self.close()
            if not used:
                return Response("", "", _reason(problem))
        try:
            return self._once()
        except (http.client.HTTPException, OSError) as problem:
            self.close()
            return Response("", "", _reason(problem))

    def _once(self) -> Response:
        if self._open is None:
            host, _, port = self._address().rpartition(":")
            self.number += 1
            if not host:
                return Response("", "", "no address")
            self._open = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=TIMEOUT)
        self._open.request("GET", PATH, headers=self._headers)
        answer = self._open.getresponse()
        text = answer.read(4096).decode("utf-8", "replace").strip()
        if answer.will_close:
            self.close()
        failed = f"HTTP {answer.status}" if answer.status >= 400 else ""
        return Response(text, "" if failed else version_in(text), failed)

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


class Forwarded:
    """A port-forward to one Pod, and another when that Pod answers no more. Every request connects anew.

    `ready`: (Pod, port) of the ready Pods behind the Service.
    """

    def __init__(
        self,
        client: KubeClient,
        namespace: str,
        ready: Callable[[], Sequence[tuple[str, int]]],
        headers: Mapping[str, str] = NONE,
    ) -> None:
        self.number = 0
        self._headers = headers
        self._client = client
        self._namespace = namespace
        self._ready = ready
        self._forward: PortForward | None = None

    def ask(self) -> Response:
        if self._forward is None:
            self.number += 1
            found = self._ready()
            if not found:
                return Response("", "", "no ready Pod")
            with contextlib.suppress(OSError):
                self._forward = PortForward(self._client, self._namespace, *found[0])
            if self._forward is None:
                return Response("", "", "no free port")
        response = ask(self._forward.address, headers=self._headers)
        if not response.ok:
            self.close()
        return response

    def close(self) -> None:
        if self._forward is not None:
            self._forward.close()
            self._forward = None


def client_of(
    kind: Connection,
    client: KubeClient,
    namespace: str,
    address: Callable[[], str],
    ready: Callable[[], Sequence[tuple[str, int]]],
    headers: Mapping[str, str] = NONE,
) -> Client:
    """A client that connects as `kind` says; `address`, `ready` and `headers` as for the classes above."""
    match kind:
        case Connection.FRESH:
            return Fresh(address, headers)
        case Connection.KEEP_ALIVE:
            return KeepAlive(address, headers)
        case Connection.PORT_FORWARD:
            return Forwarded(client, namespace, ready, headers)


def _reason(problem: Exception) -> str:
    return "timeout" if isinstance(problem, TimeoutError) else type(problem).__name__


class Clients:
    """The three clients of one Service, each on its own thread in the curl loop's rhythm."""

    def __init__(
        self,
        client: KubeClient,
        namespace: str,
        address: Callable[[], str],
        ready: Callable[[], Sequence[tuple[str, int]]],
        clock: Clock,
        period: float = PERIOD,
    ) -> None:
        self._clock = clock
        self._period = period
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._heard = {one: deque[Heard](maxlen=KEPT) for one in Connection}
        self._threads = [
            threading.Thread(target=self._run, args=(kind, one), name=f"client-{kind}", daemon=True)
            for kind, one in (
                (kind, client_of(kind, client, namespace, address, ready)) for kind in Connection
            )
        ]
        for thread in self._threads:
            thread.start()

    def heard(self) -> tuple[Heard, ...]:
        """The last answers, each client's oldest first. `t` in epoch seconds of the lab's clock."""
        with self._lock:
            return tuple(one for rows in self._heard.values() for one in rows)

    def restart(self) -> None:
        """Forget what was heard; connections stay."""
        with self._lock:
            for rows in self._heard.values():
                rows.clear()

    def close(self) -> None:
        """Stop asking and wait for the threads."""
        self._stop.set()
        for thread in self._threads:
            thread.join(TIMEOUT + 1)

    def _run(self, kind: Connection, client: Client) -> None:
        real = self._clock.real_seconds(1.0)
        period = max(self._period, LEAST_REAL_PERIOD / real) if real else self._period
        try:
            while not self._stop.is_set():
                response = client.ask()
                one = Heard(self._clock.now(), kind, client.number, response.version, response.reason)
                with self._lock:
                    self._heard[kind].append(one)
                self._clock.wait(self._stop, period)
        finally:
            client.close()
