"""Api Tester as the program of a container: the built-in app of the embedded cluster, on a real Pod.

Runs inside the image (`contents.py` packs this file with the app's own modules and nothing else), so
it needs Python only. What is answered is in `embedded/kubelet/apps`; here are the socket, the signals
and what a container can know of its surroundings.

| variable          | what for                                                                       |
|-------------------|--------------------------------------------------------------------------------|
| API_TESTER_TAG    | version and fault, set by each image tag (``2.0.0-slow``)                      |
| API_TESTER_SHOW   | names of variables that /info may show, ``*`` at the end: a container cannot    |
|                   | tell which of its variables came from a Secret, so only these are shown        |
| API_TESTER_BIND   | the address to listen on; all of the Pod's without it                          |
| API_TESTER_*      | the faults, as in `faults.py`                                                  |
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from rollout_lab.clusters.embedded.kubelet.apps.api_tester import ApiTester
from rollout_lab.clusters.embedded.kubelet.apps.app import Answer, Exit, Request, Surroundings
from rollout_lab.clusters.embedded.kubelet.apps.faults import from_environment, split_tag
from rollout_lab.clusters.embedded.kubelet.apps.http import HttpServer

PORT = 8080
DRAIN = 10.0  # seconds that running requests have after the last new one was taken
SHOWN = "API_TESTER_*,spring_profiles_active,application_role"
LARGEST_LEAK = 1 << 30  # bytes; with a larger limit, or none, /memory-leak only ends the program
_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def write(text: str) -> None:
    """One line of the container's log; the runtime adds the time."""
    print(text, flush=True)


def shown(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the variables that may be shown.

    >>> shown({"API_TESTER_TAG": "1.0.0", "datasource_password": "x"})
    ('API_TESTER_TAG',)
    """
    patterns = [p.strip() for p in environment.get("API_TESTER_SHOW", SHOWN).split(",") if p.strip()]
    starts = tuple(p[:-1] for p in patterns if p.endswith("*"))
    return tuple(name for name in environment if name in patterns or (starts and name.startswith(starts)))


def surroundings(
    environment: Mapping[str, str], loop: asyncio.AbstractEventLoop, end: Ending
) -> Surroundings:
    """What this container knows of its Pod."""
    pod = environment.get("HOSTNAME") or socket.gethostname()
    address = ""
    with contextlib.suppress(OSError):
        address = socket.gethostbyname(pod)
    namespace = environment.get("POD_NAMESPACE", "")
    with contextlib.suppress(OSError):
        namespace = namespace or _NAMESPACE.read_text(encoding="utf-8").strip()
    return Surroundings(
        pod=pod,
        namespace=namespace,
        ip=address,
        node=environment.get("NODE_NAME", ""),
        image=f"api-tester:{environment.get('API_TESTER_TAG', '')}",
        environment=environment,
        shown=shown(environment),
        now=loop.time,
        write=write,
        exit=end.finish,
    )


class Ending:
    """How the program ends: only the first ending counts."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.told: asyncio.Future[Exit | None] = loop.create_future()

    def finish(self, ending: Exit | None) -> None:
        """None: told to end in order (SIGTERM). A moment later, so that a request still gets its answer."""
        self._loop.call_later(0.05 if ending else 0.0, self._set, ending)

    def _set(self, ending: Exit | None) -> None:
        if not self.told.done():
            self.told.set_result(ending)


async def serve(environment: Mapping[str, str]) -> int:
    """Serve until told to end; the exit code of the container."""
    loop = asyncio.get_running_loop()
    end = Ending(loop)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.finish, None)
    version, faults = split_tag(environment.get("API_TESTER_TAG", "1.0.0"))
    faults, complaints = from_environment(faults, environment)
    for line in complaints:
        write(line)
    app = ApiTester(version, faults, surroundings(environment, loop, end))
    app.start()
    server = HttpServer(app, access)
    port = faults.port or PORT
    try:
        bind = environment.get("API_TESTER_BIND", "0.0.0.0")
        listener = await loop.create_server(server.protocol, bind, port, backlog=1024)
    except OSError as problem:
        write(str(problem))
        return 1
    write(f"listens on {port}")
    if app.crash_after is not None:
        loop.call_later(app.crash_after, end.finish, Exit(1))
    ending = await end.told
    if ending is not None:
        if ending.reason == "OOMKilled" and os.getpid() == 1:  # in a container of its own
            fill_memory(limit_of_memory())
        write(f"ends with code {ending.code}")
        return ending.code
    write("told to end")
    server.start_closing()
    await asyncio.sleep(app.stop_delay)  # a Service may still send requests here
    listener.close()
    return 0 if await server.drain(DRAIN) else 1


def access(request: Request, answer: Answer) -> None:
    """The access log, without the probes."""
    if not request.is_probe:
        write(f'"{request.method} {request.path}" {answer.status}')


def limit_of_memory() -> int:
    """The memory limit of this container in bytes; 0 where there is none."""
    for path in _LIMITS:
        with contextlib.suppress(OSError, ValueError):
            return int(path.read_text(encoding="ascii"))
    return 0


def fill_memory(limit: int) -> None:
    """Take memory until the kernel ends this container (OOMKilled). Returns where the limit is too far."""
    if not 0 < limit <= LARGEST_LEAK:
        return
    taken = []
    for _ in range(limit >> 20):
        taken.append(bytes([1]) * (1 << 20))


def main() -> int:
    """The entry point of the image."""
    return asyncio.run(serve(dict(os.environ)))


if __name__ == "__main__":
    sys.exit(main())
