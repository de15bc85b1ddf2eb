"""SPDY/3.1 frames as bytes, as far as port-forward needs them: streams, data, resets, pings. No sockets.

kubectl sends such frames inside the messages of a WebSocket; who reads and answers them is `portforward`.
Settings and windows are read and passed over: neither side of Kubernetes uses them.

# source: the SPDY Protocol, draft 3.1 (frame layouts in 2.2 and 2.6, the dictionary in 2.6.10.1)
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

FIN: Final = 1
CANCEL: Final = 5
VERSION: Final = 3
HEADER_LIMIT: Final = 65536
"""Bytes one frame's headers may have once they are inflated."""
_CONTROL: Final = 0x80000000
_STREAM: Final = 0x7FFFFFFF
_WORDS: Final = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges "
    "age allow authorization cache-control connection content-base content-encoding content-language "
    "content-length content-location content-md5 content-range content-type date etag expect expires from "
    "host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified location "
    "max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer "
    "transfer-encoding upgrade user-agent vary via warning www-authenticate method get status |200 OK| "
    "version HTTP/1.1 url public set-cookie keep-alive origin"
)
_TAIL: Final = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized"
    "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,"
    "text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


def _dictionary() -> bytes:
    words = _WORDS.replace("|200 OK|", "200|OK").split(" ")
    named = (word.replace("200|OK", "200 OK").encode() for word in words)
    return b"".join(struct.pack(">I", len(word)) + word for word in named) + _TAIL.encode()


DICTIONARY: Final = _dictionary()


class Kind(IntEnum):
    """What a frame is; DATA has no number on the wire."""

    DATA = 0
    SYN_STREAM = 1
    SYN_REPLY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PING = 6
    GOAWAY = 7
    HEADERS = 8
    WINDOW_UPDATE = 9


class FrameError(ValueError):
    """Bytes that are no SPDY/3.1; the session cannot go on."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. `data`: the bytes of a stream, or a ping's number; `headers` have small letters."""

    kind: Kind
    stream: int = 0
    flags: int = 0
    data: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def fin(self) -> bool:
        """Whether the sender says no more on this stream."""
        return bool(self.flags & FIN) and self.kind in (Kind.DATA, Kind.SYN_STREAM, Kind.SYN_REPLY)


class Decoder:
    """Bytes in whatever pieces they come -> frames. One for each session: headers share one history."""

    def __init__(self) -> None:
        self._rest = b""
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole now. Raises FrameError."""
        self._rest += data
        while len(self._rest) >= 8:
            first, second = struct.unpack_from(">II", self._rest)
            end = 8 + (second & 0xFFFFFF)
            if len(self._rest) < end:
                return
            body, self._rest = self._rest[8:end], self._rest[end:]
            found = self._frame(first, second >> 24, body)
            if found is not None:
                yield found

    def _frame(self, first: int, flags: int, body: bytes) -> Frame | None:
        if not first & _CONTROL:
            return Frame(Kind.DATA, first & _STREAM, flags, body)
        if (first >> 16) & 0x7FFF != VERSION:
            raise FrameError("a frame of another version than SPDY/3")
        try:
            kind = Kind(first & 0xFFFF)
            number = struct.unpack_from(">I", body)[0] if body else 0
        except (ValueError, struct.error):
            return None  # a kind we do not know is to be passed over
        match kind:
            case Kind.SYN_STREAM:
                return Frame(kind, number & _STREAM, flags, headers=self._headers(body[10:]))
            case Kind.SYN_REPLY | Kind.HEADERS:
                return Frame(kind, number & _STREAM, flags, headers=self._headers(body[4:]))
            case Kind.PING:
                return Frame(kind, 0, flags, body)
            case _:
                return Frame(kind, number & _STREAM, flags, body[4:])

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            plain = self._inflate.decompress(block, HEADER_LIMIT)
            if self._inflate.unconsumed_tail:
                raise FrameError("the headers of a stream are too long")
            count, at, words = struct.unpack_from(">I", plain)[0], 4, list[str]()
            for _ in range(2 * count):
                size = struct.unpack_from(">I", plain, at)[0]
                words.append(plain[at + 4 : at + 4 + size].decode("latin-1"))
                at += 4 + size
        except (zlib.error, struct.error):
            raise FrameError("the headers of a stream cannot be read") from None
        return {name.lower(): value for name, value in zip(words[::2], words[1::2], strict=True)}


class Encoder:
    """Frames as bytes, in the order in which they are sent."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def stream(self, stream: int, headers: dict[str, str], flags: int = 0) -> bytes:
        """Opens a stream (SYN_STREAM)."""
        return _control(Kind.SYN_STREAM, flags, struct.pack(">IIH", stream, 0, 0) + self._headers(headers))

    def reply(self, stream: int) -> bytes:
        """Accepts a stream (SYN_REPLY)."""
        return _control(Kind.SYN_REPLY, 0, struct.pack(">I", stream) + self._headers({}))

    def data(self, stream: int, data: bytes, *, fin: bool = False) -> bytes:
        """Bytes of a stream, at most 16 MB; `fin`: the last."""
        return struct.pack(">II", stream, (FIN if fin else 0) << 24 | len(data)) + data

    def reset(self, stream: int, status: int = CANCEL) -> bytes:
        """Ends a stream at once."""
        return _control(Kind.RST_STREAM, 0, struct.pack(">II", stream, status))

    def ping(self, number: bytes) -> bytes:
        """A ping, or its answer."""
        return _control(Kind.PING, 0, number)

    def _headers(self, headers: dict[str, str]) -> bytes:
        words = [word.encode("latin-1") for pair in headers.items() for word in pair]
        plain = struct.pack(">I", len(headers)) + b"".join(struct.pack(">I", len(w)) + w for w in words)
        return self._deflate.compress(plain) + self._deflate.flush(zlib.Z_SYNC_FLUSH)


def _control(kind: Kind, flags: int, body: bytes) -> bytes:
    return struct.pack(">II", _CONTROL | VERSION << 16 | kind, flags << 24 | len(body)) + body
