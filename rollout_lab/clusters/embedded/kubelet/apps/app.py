"""What a program in a Pod is: requests in, answers out, lines to the log, perhaps a crash.

Here: the types between the HTTP server (`http.py`), the programs (`api_tester.py`, `demo.py`)
and the kubelet. No sockets, no API objects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. Header names are lower case; `path` has no query."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def is_probe(self) -> bool:
        """Whether the kubelet asks; such requests are answered but not logged."""
        return self.headers.get("user-agent", "").startswith("kube-probe/")


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, sent `delay` wall seconds after the request."""

    status: int = 200
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Exit:
    """How a program ended. `reason` overrides Completed/Error (``OOMKilled``)."""

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a program may know and do: its Pod, its environment, the time, its log, its end.

    `now` gives lab seconds; `write` appends a line to the container's log; `exit` ends the
    program (only the first call counts). All three may be called from any thread.
    """

    pod: str
    namespace: str
    ip: str
    node: str
    image: str
    environment: Mapping[str, str]
    shown: tuple[str, ...]  # names of the variables that hold no secret
    now: Callable[[], float]
    write: Callable[[str], None]
    exit: Callable[[Exit], None]


class App(Protocol):
    """A program. `start` and `stop_delay` are the kubelet's, `answer` is the server's."""

    crash_after: float | None
    """Lab seconds after its start at which the program ends by itself with code 1."""
    stop_delay: float
    """Lab seconds it goes on serving after it was told to end."""

    def start(self) -> None: ...

    def answer(self, request: Request) -> Answer: ...
