"""A port on loopback that leads to one Pod through the API server, as `kubectl port-forward` does.

Every connection is a WebSocket of its own to the one Pod it leads to: whatever Service was meant, all
answers come from that Pod. Which Pod, and when to lead to another, is decided by the caller.

# upstream: k8s.io/kubelet pkg/cri/streaming/portforward/websocket.go (channel 0 data, channel 1 errors)
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from typing import Any, Final

from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import PODS
from rollout_lab.errors import LabError

PROTOCOL: Final = "v4.channel.k8s.io"
CHUNK: Final = 65536
IDLE: Final = 30.0  # wall seconds a connection may say nothing
_DATA: Final = b"\x00"
_ERROR: Final = 1


class PortForward:
    """Listens on `address` (``127.0.0.1:PORT``, a free port) until closed.

    `pod` is where new connections lead to; `failed` tells what the last failure said.
    """

    def __init__(self, client: KubeClient, namespace: str, pod: str, port: int) -> None:
        self.failed = ""
        self._client = client
        self._namespace = namespace
        self._target = (pod, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        host, number = self._listener.getsockname()[:2]
        self.address = f"{host}:{number}"
        self._closed = threading.Event()
        self._accepting = threading.Thread(target=self._accept, name=f"port-forward-{pod}", daemon=True)
        self._accepting.start()

    @property
    def pod(self) -> str:
        return self._target[0]

    def lead(self, pod: str, port: int) -> None:
        """New connections go to this port of this Pod; those that are open stay where they are."""
        self._target = (pod, port)

    def close(self) -> None:
        """Stop listening. Connections in flight end by themselves."""
        self._closed.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(2.0)

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                pod, port = self._target
                path = PODS.path(self._namespace, pod, "portforward")
                web = self._client.websocket(path, {"ports": str(port)}, PROTOCOL)
                try:
                    self._pump(connection, web)
                finally:
                    with contextlib.suppress(Exception):
                        web.close()
        except LabError as problem:
            self.failed = str(problem)
        except Exception as problem:  # the library raises what its transport raises
            self.failed = type(problem).__name__

    def _pump(self, connection: socket.socket, web: Any) -> None:
        """Copy both ways until either side ends. The first frame of each channel only names the port."""
        opened: set[int] = set()
        while True:
            readable = [web] if _pending(web) else select.select([web.sock, connection], [], [], IDLE)[0]
            if not readable:
                return
            if connection in readable:
                data = connection.recv(CHUNK)
                if not data:
                    return
                web.send_binary(_DATA + data)
            if web in readable or web.sock in readable:
                frame = web.recv()
                if not frame:
                    return
                channel = frame[0]
                if channel not in opened:
                    opened.add(channel)
                elif channel == _ERROR:
                    self.failed = frame[1:].decode("utf-8", "replace").strip()
                    return
                else:
                    connection.sendall(frame[1:])


def _pending(web: Any) -> bool:
    """Whether TLS holds bytes that `select` does not see."""
    pending = getattr(web.sock, "pending", None)
    return bool(pending and pending())
