"""Three clients that differ in their connections only: who moves when a Service leads elsewhere, and when."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rollout_lab.clock import ScaledClock
from rollout_lab.observe.clients import Clients, Connection, Forwarded, Fresh, Heard, KeepAlive, total


@dataclass
class Server:
    """An Api Tester of one version; `last` makes it end each connection after the answer."""

    version: str
    last: bool = False
    status: int = 200
    address: str = ""
    web: ThreadingHTTPServer | None = field(default=None, repr=False)

    def __enter__(self) -> Server:
        about = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = f"[App Version] : Api Tester v{about.version}".encode()
                self.send_response(about.status)
                self.send_header("Content-Length", str(len(body)))
                if about.last:
                    self.send_header("Connection", "close")
                    self.close_connection = True
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.web.daemon_threads = True
        self.address = f"127.0.0.1:{self.web.server_address[1]}"
        threading.Thread(target=self.web.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self.web is not None
        self.web.shutdown()
        self.web.server_close()


@pytest.fixture
def servers() -> Iterator[tuple[Server, Server]]:
    with Server("1.0.0") as old, Server("2.0.0") as new:
        yield old, new


def test_a_kept_connection_stays_where_it_was_opened_until_the_server_ends_it(
    servers: tuple[Server, Server],
) -> None:
    """The trap of lesson 9: the door leads elsewhere, and who holds a connection does not notice."""
    old, new = servers
    door = [old.address]
    kept, fresh = KeepAlive(lambda: door[0]), Fresh(lambda: door[0])
    assert [kept.ask().version, fresh.ask().version] == ["1.0.0", "1.0.0"]
    door[0] = new.address
    assert [kept.ask().version for _ in range(3)] == ["1.0.0"] * 3
    assert kept.number == 1
    assert fresh.ask().version == "2.0.0"
    old.last = True  # the Pod ends: it answers what it has, and says goodbye
    assert [kept.ask().version, kept.ask().version] == ["1.0.0", "2.0.0"]
    assert (kept.number, fresh.number) == (2, 2)
    kept.close()


def test_an_end_without_a_goodbye_is_tried_once_more_as_every_client_does(
    servers: tuple[Server, Server],
) -> None:
    """A connection that is cut between two requests costs no answer; a dead address is a failure, told."""
    old, new = servers
    door = [old.address]
    kept = KeepAlive(lambda: door[0])
    assert kept.ask().version == "1.0.0"
    assert kept._open is not None and kept._open.sock is not None
    kept._open.sock.close()
    kept._open.sock = Broken()  # type: ignore[assignment]
    door[0] = new.address
    assert kept.ask().version == "2.0.0" and kept.number == 2
    kept.close()
    door[0] = "127.0.0.1:1"
    failed = kept.ask()
    assert not failed.ok and failed.reason == "ConnectionRefusedError"
    door[0] = ""
    assert kept.ask().reason == "no address" and Fresh(lambda: "").ask().reason == "no address"
    new.status = 503
    door[0] = new.address
    assert kept.ask().reason == "HTTP 503"
    kept.close()


class Broken:
    """A socket whose other end is gone."""

    def sendall(self, data: bytes) -> None:
        raise BrokenPipeError

    def close(self) -> None:
        """Nothing to close."""


def test_answers_are_counted_by_client_and_from_a_moment_on() -> None:
    """A check asks for what was heard since something happened, and by how many connections."""
    heard = [
        Heard(1.0, Connection.KEEP_ALIVE, 1, "1.0.0"),
        Heard(2.0, Connection.KEEP_ALIVE, 1, "1.0.0"),
        Heard(3.0, Connection.KEEP_ALIVE, 2, "2.0.0"),
        Heard(3.0, Connection.FRESH, 9, "", "timeout"),
        Heard(4.0, Connection.FRESH, 10, ""),
    ]
    kept = total(heard, "keep-alive")
    assert (dict(kept.versions), kept.connections, kept.answers, kept.failed) == (
        {"1.0.0": 2, "2.0.0": 1},
        2,
        3,
        0,
    )
    assert dict(total(heard, "keep-alive", 2.5).versions) == {"2.0.0": 1}
    assert (total(heard, "fresh").failed, dict(total(heard, "fresh").versions)) == (1, {"?": 1})


def test_all_three_are_asked_until_closed_and_leave_no_thread(servers: tuple[Server, Server]) -> None:
    """A Service without a ready Pod is told by the forwarded client; the others go on."""
    clients = Clients(None, "n", lambda: servers[0].address, lambda: [], ScaledClock.start(20))  # type: ignore[arg-type]
    found: dict[str, Heard] = {}
    pause = threading.Event()
    for _ in range(600):
        found = {one.connection.value: one for one in clients.heard()}
        if len(found) == 3:
            break
        pause.wait(0.05)
    clients.close()
    assert (found["fresh"].version, found["keep-alive"].version) == ("1.0.0", "1.0.0")
    assert found["port-forward"].reason == "no ready Pod"
    assert not [t for t in threading.enumerate() if t.name.startswith("client-")]
    clients.restart()
    assert clients.heard() == ()
    forwarded = Forwarded(None, "n", lambda: [])  # type: ignore[arg-type]
    forwarded.close()
