"""A very small API server for the client's tests: answers what a test told it to, streams watches."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

Answer = tuple[int, Any]


class FakeServer:
    """`answer(method, path, query, body, headers) -> (code, json)`; a watch streams `events` until None."""

    def __init__(self, answer: Callable[..., Answer]) -> None:
        self.answer = answer
        self.requests: list[tuple[str, str, dict[str, str], Any, dict[str, str]]] = []
        self.watches: list[queue.Queue[bytes | None]] = []
        self.watch_opened = threading.Semaphore(0)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: Any) -> None:
                return

            def do(self) -> None:
                parts = urlsplit(self.path)
                query = {k: v[0] for k, v in parse_qs(parts.query).items()}
                length = int(self.headers.get("Content-Length") or 0)
                raw = self.rfile.read(length)
                body = json.loads(raw) if raw else None
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.requests.append((self.command, parts.path, query, body, headers))
                code, data = outer.answer(self.command, parts.path, query, body)
                if query.get("watch") and code == 200:
                    self.stream()
                    return
                payload = data if isinstance(data, bytes) else json.dumps(data).encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def stream(self) -> None:
                lines: queue.Queue[bytes | None] = queue.Queue()
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                outer.watches.append(lines)
                outer.watch_opened.release()
                while (line := lines.get()) is not None:
                    self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
                self.wfile.write(b"0\r\n\r\n")

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def say(self, watch: int, *events: tuple[str, dict[str, Any]]) -> None:
        for kind, obj in events:
            self.watches[watch].put(json.dumps({"type": kind, "object": obj}).encode() + b"\n")

    def end(self, watch: int) -> None:
        self.watches[watch].put(None)

    def close(self) -> None:
        for lines in self.watches:
            lines.put(None)
        self.http.shutdown()
        self.http.server_close()


def kubeconfig(path: Path, server: str, token: str = "sesame") -> str:
    """Write a kubeconfig with one context named `lab`; its path."""
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "lab",
                "clusters": [{"name": "c", "cluster": {"server": server}}],
                "users": [{"name": "u", "user": {"token": token}}],
                "contexts": [{"name": "lab", "context": {"cluster": "c", "user": "u"}}],
            }
        )
    )
    return str(path)


def named(name: str, version: int, ns: str = "n", **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": ns, "resourceVersion": str(version), "uid": name}, **more}
