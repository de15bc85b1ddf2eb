"""`kubectl port-forward`: bytes between a WebSocket and one port of one Pod. Nothing is balanced here.

Two ways of talking, by the WebSocket's protocol: ``SPDY/3.1+portforward.k8s.io`` (kubectl 1.31 and newer:
many connections in one WebSocket, frames of `spdy`) and ``v4.channel.k8s.io`` (the Python client: a pair of
channels for each port, one connection each). A port is reached where the network says the Pod listens.

# upstream: k8s.io/kubelet pkg/cri/streaming/portforward/{httpstream,websocket}.go
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import WSMsgType, web

from rollout_lab.clusters.embedded import statuses
from rollout_lab.clusters.embedded.http.spdy import Decoder, Encoder, Frame, FrameError, Kind

Object = dict[str, Any]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[int], Awaitable[Streams]]
Send = Callable[[bytes], Awaitable[None]]
TUNNEL: Final = "SPDY/3.1+portforward.k8s.io"
CHANNELS: Final = "v4.channel.k8s.io"
CHUNK: Final = 32768
CLOSE_PATIENCE: Final = 1.0  # wall seconds for the other side to say goodbye
MESSAGE_LIMIT: Final = 4 * 1024 * 1024


class Refused(OSError):
    """Nothing answers at that port of the Pod; the text is for the person who asked."""


async def serve(
    request: web.Request,
    pod: Object,
    addresses: Callable[[], Mapping[str, Any]] | None,
    closing: asyncio.Event,
) -> web.StreamResponse:
    """Forward until either side ends, or `closing`. Raises 400 and 501 for what is no port-forward."""
    ports = _ports(request)
    protocol = _protocol(request)
    if not (pod.get("spec") or {}).get("nodeName"):
        raise statuses.bad_request(f"pod {pod['metadata']['name']} does not have a host assigned")
    if protocol == CHANNELS and not ports:
        raise statuses.bad_request('query parameter "ports" is required')
    socket = web.WebSocketResponse(
        protocols=(protocol,), max_msg_size=MESSAGE_LIMIT, compress=False, timeout=CLOSE_PATIENCE
    )
    await socket.prepare(request)
    dial = _dialler(pod, addresses)
    session = Tunnel(socket.send_bytes, dial) if protocol == TUNNEL else Channels(socket.send_bytes, dial)
    waits = [session.talk(socket, ports), session.ended.wait(), closing.wait()]
    tasks = [asyncio.ensure_future(one) for one in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await session.close()
        await socket.close()
    return socket


def _protocol(request: web.Request) -> str:
    wished = [p.strip() for p in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    upgrade = request.headers.get("Upgrade", "").lower()
    if upgrade == "websocket":
        for protocol in (TUNNEL, CHANNELS):
            if protocol in wished:
                return protocol
        raise statuses.bad_request(f"port-forward is spoken as {TUNNEL} or {CHANNELS}")
    if upgrade.startswith("spdy"):
        text = (
            "port-forward to the embedded cluster needs kubectl 1.31 or newer (a WebSocket, not plain SPDY)"
        )
        raise statuses.error(501, "NotImplemented", text)
    raise statuses.bad_request("Upgrade request required")


def _ports(request: web.Request) -> list[int]:
    texts = [part for one in request.query.getall("ports", []) for part in one.split(",")]
    for text in texts:
        if not text.isdigit() or not 0 < int(text) < 65536:
            raise statuses.bad_request(f'unable to parse "{text}" as a port')
    return [int(text) for text in texts]


def _dialler(pod: Object, addresses: Callable[[], Mapping[str, Any]] | None) -> Dial:
    """Connects to a port of the Pod, where the Pod listens at that moment."""
    about = pod["metadata"]
    key = f"{about['namespace']}/{about['name']}"

    async def dial(port: int) -> Streams:
        found = (addresses() if addresses else {}).get("pods", {}).get(key, {}).get(str(port), "")
        host, _, number = found.rpartition(":")
        try:
            if not host:
                raise ConnectionRefusedError
            return await asyncio.open_connection(host, int(number))
        except OSError:
            uid = about.get("uid", "")
            text = f"error forwarding port {port} to pod {about['name']}, uid {uid}: connection refused"
            raise Refused(text) from None

    return dial


class Session:
    """Connections to one Pod over one WebSocket; `ended` is set when nothing more will come."""

    def __init__(self, send: Send, dial: Dial) -> None:
        self.send = send
        self.dial = dial
        self.ended = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def talk(self, socket: web.WebSocketResponse, ports: list[int]) -> None:
        """Take in messages until the other side ends, goes away, or talks nonsense."""
        with contextlib.suppress(FrameError, ConnectionError):
            await self.start(ports)
            async for message in socket:
                if message.type is WSMsgType.BINARY:
                    await self.receive(message.data)

    async def start(self, ports: list[int]) -> None:
        """Before the first message."""

    async def receive(self, data: bytes) -> None:
        """Take in one message."""
        raise NotImplementedError

    async def close(self) -> None:
        """End all connections."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.close()

    def copy(self, reader: asyncio.StreamReader, sender: Send, done: Callable[[], Awaitable[None]]) -> None:
        """Send what the Pod says until it ends, then `done`."""

        async def work() -> None:
            with contextlib.suppress(ConnectionError):
                while data := await reader.read(CHUNK):
                    await sender(data)
            with contextlib.suppress(ConnectionError):
                await done()

        task = asyncio.create_task(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def keep(self, writer: asyncio.StreamWriter) -> asyncio.StreamWriter:
        """Close it with the session."""
        self._writers.add(writer)
        return writer

    def drop(self, writer: asyncio.StreamWriter) -> None:
        """Close it now."""
        self._writers.discard(writer)
        writer.close()


async def deliver(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Hand bytes to the Pod; one that has ended is noticed by its reader."""
    with contextlib.suppress(ConnectionError):
        writer.write(data)
        await writer.drain()


class Channels(Session):
    """``v4.channel.k8s.io``: the first byte of a message is the channel, 2n for data, 2n + 1 for errors."""

    def __init__(self, send: Send, dial: Dial) -> None:
        super().__init__(send, dial)
        self._ports: dict[int, asyncio.StreamWriter] = {}
        self._open = 0

    async def start(self, ports: list[int]) -> None:
        """Name each port on its two channels, and connect."""
        self._open = len(ports)
        for at, port in enumerate(ports):
            for channel in (2 * at, 2 * at + 1):
                await self.send(bytes([channel]) + port.to_bytes(2, "little"))
        for at, port in enumerate(ports):
            try:
                reader, writer = await self.dial(port)
            except Refused as problem:
                await self.send(bytes([2 * at + 1]) + str(problem).encode())
                await self._over()
                continue
            self._ports[at] = self.keep(writer)
            prefix = bytes([2 * at])
            self.copy(reader, lambda data, prefix=prefix: self.send(prefix + data), self._over)  # type: ignore[misc]

    async def receive(self, data: bytes) -> None:
        """Bytes for one port."""
        writer = self._ports.get(data[0] // 2) if data and data[0] % 2 == 0 else None
        if writer is not None:
            await deliver(writer, data[1:])

    async def _over(self) -> None:
        self._open -= 1
        if self._open <= 0:
            self.ended.set()


@dataclass(slots=True)
class Pair:
    """The two streams of one forwarded connection, by their numbers on the wire; 0 where not there yet."""

    port: int = 0
    streams: dict[str, int] = field(default_factory=dict)
    writer: asyncio.StreamWriter | None = None


class Tunnel(Session):
    """SPDY frames in messages: each connection is an error and a data stream with one ``requestid``."""

    def __init__(self, send: Send, dial: Dial) -> None:
        super().__init__(send, dial)
        self._decoder, self._encoder = Decoder(), Encoder()
        self._pairs: dict[str, Pair] = {}
        self._data: dict[int, Pair] = {}

    async def receive(self, data: bytes) -> None:
        """Frames, whole or in part."""
        for frame in self._decoder.feed(data):
            await self._take(frame)

    async def _take(self, frame: Frame) -> None:
        match frame.kind:
            case Kind.SYN_STREAM:
                await self._opened(frame)
            case Kind.DATA:
                await self._bytes(frame)
            case Kind.RST_STREAM:
                self._forget(frame.stream)
            case Kind.PING:
                await self.send(self._encoder.ping(frame.data))
            case Kind.GOAWAY:
                self.ended.set()
            case _:
                pass

    async def _opened(self, frame: Frame) -> None:
        kind, port = frame.headers.get("streamtype", ""), frame.headers.get("port", "")
        if kind not in ("error", "data") or not port.isdigit() or not 0 < int(port) < 65536:
            await self.send(self._encoder.reset(frame.stream, 1))
            return
        pair = self._pairs.setdefault(frame.headers.get("requestid", ""), Pair(int(port)))
        pair.streams[kind] = frame.stream
        await self.send(self._encoder.reply(frame.stream))
        if len(pair.streams) < 2:
            return
        self._pairs = {key: one for key, one in self._pairs.items() if one is not pair}
        data, error = pair.streams["data"], pair.streams["error"]
        try:
            reader, writer = await self.dial(pair.port)
        except Refused as problem:
            await self.send(self._encoder.data(error, str(problem).encode(), fin=True))
            await self.send(self._encoder.reset(data))
            return
        pair.writer, self._data[data] = self.keep(writer), pair

        async def forward(found: bytes) -> None:
            await self.send(self._encoder.data(data, found))

        async def done() -> None:
            for stream in (data, error):
                await self.send(self._encoder.data(stream, b"", fin=True))
            self._forget(data)

        self.copy(reader, forward, done)

    async def _bytes(self, frame: Frame) -> None:
        pair = self._data.get(frame.stream)
        if pair is None or pair.writer is None:
            return
        if frame.data:
            await deliver(pair.writer, frame.data)
        if frame.fin:
            with contextlib.suppress(OSError):
                pair.writer.write_eof()

    def _forget(self, stream: int) -> None:
        pair = self._data.pop(stream, None)
        if pair is not None and pair.writer is not None:
            self.drop(pair.writer)
