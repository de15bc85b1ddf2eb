"""Replays recorded cases (`tests/data/transcripts/README.md`) against an API server, and compares.

Knows the format of the recordings only; which server, and what may differ, is the business of the test.
"""

from __future__ import annotations

import asyncio
import base64
import copy
import importlib.util
import itertools
import json
import os
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from yarl import URL

Case = dict[str, Any]
Step = dict[str, Any]
Answer = dict[str, Any]
OpRunner = Callable[["Session", Step], Awaitable[Answer | None]]

SHIPPED = Path(__file__).parents[1] / "data" / "transcripts"
SKIPPED_FILES = {"protobuf-samples.jsonl"}
COMPARED = (
    "connectionClosed",
    "status",
    "contentType",
    "warnings",
    "retryAfter",
    "allow",
    "location",
    "body",
    "events",
    "text",
    "empty",
    "snapshot",
    "sizes",
    "affected",
    "closed",
)


def folder() -> Path:
    """Where the cases are: `ROLLOUT_LAB_TRANSCRIPTS`, or the copies in the repository."""
    return Path(os.environ.get("ROLLOUT_LAB_TRANSCRIPTS") or SHIPPED)


def cases() -> Iterator[Case]:
    """All recorded cases of the folder, by file and line."""
    for path in sorted(folder().glob("*.jsonl")):
        if path.name not in SKIPPED_FILES:
            yield from (json.loads(line) for line in path.read_text().splitlines() if line.strip())


def fixtures() -> dict[str, Any]:
    path = folder() / "fixtures.json"
    return json.loads((path if path.exists() else SHIPPED / "fixtures.json").read_text())


def load_normalise() -> Any:
    path = folder() / "normalise.py"
    spec = importlib.util.spec_from_file_location(
        "normalise", path if path.exists() else SHIPPED / "normalise.py"
    )
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.normalise


@dataclass
class Stream:
    """An open watch: the response, the lines read so far and whether the server has ended it."""

    response: aiohttp.ClientResponse
    step: Step
    lines: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    reader: asyncio.Task[None] | None = None

    async def read(self) -> None:
        try:
            async for line in self.response.content:
                if line.strip():
                    await self.lines.put(json.loads(line))
            await self.lines.put(None)
        except aiohttp.ClientError:
            await self.lines.put(None)

    async def take(self, count: int | None, seconds: float) -> tuple[list[Any], bool]:
        """Up to `count` events (None: all until the end or the time is over) and whether the stream ended."""
        out: list[Any] = []
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while count is None or len(out) < count:
            try:
                async with asyncio.timeout(max(0.0, end - loop.time())):
                    event = await self.lines.get()
            except TimeoutError:
                return out, False
            if event is None:
                await self.lines.put(None)
                return out, True
            out.append(event)
        return out, False

    async def close(self) -> None:
        if self.reader:
            self.reader.cancel()
        self.response.close()


class Session:
    """One case being replayed in its own namespace."""

    def __init__(self, http: aiohttp.ClientSession, base: str, token: str, ns: str) -> None:
        self.http, self.base, self.token, self.ns = http, base, token, ns
        self.saved: dict[str, Any] = {}
        self.streams: dict[str, Stream] = {}
        self.state: dict[str, Any] = {}
        self.user_agent = "recorder/1.0"

    def fill(self, value: Any) -> Any:
        """`${ns}`, `${repeat.x.N}` and `${step.path+N}` replaced, in keys too."""
        if isinstance(value, dict):
            return {self.fill(k): self.fill(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.fill(v) for v in value]
        if not isinstance(value, str) or "${" not in value:
            return value
        whole = re.fullmatch(r"\$\{([^}]*)\}", value)
        if whole and not whole[1].startswith(("ns", "repeat.")):
            return str(self.lookup(whole[1]))
        return re.sub(r"\$\{([^}]*)\}", lambda m: str(self.lookup(m[1])), value)

    def lookup(self, name: str) -> Any:
        if name == "ns":
            return self.ns
        if name.startswith("repeat."):
            _, letter, count = name.split(".")
            return letter * int(count)
        name, _, plus = name.partition("+")
        step, *path = name.split(".")
        value = dig(self.saved[step], path)
        return int(value) + int(plus) if plus else value

    async def request(self, step: Step) -> tuple[Answer, Any]:
        """Send the request of a step; the recorded form of the answer and the answer's body."""
        body, content_type = self.body(step)
        headers = {"Accept": "application/json", "User-Agent": self.user_agent}
        headers["Authorization"] = f"Bearer {self.token}"
        if content_type:
            headers["Content-Type"] = content_type
        for key, value in self.fill(step.get("headers") or {}).items():
            if value is None:
                headers.pop(key, None)
            else:
                headers[key] = value
        skip = [h for h in ("User-Agent", "Accept", "Content-Type") if h not in headers]
        url = URL(self.base + self.fill(step["path"])).with_query(self.fill(step.get("query") or {}))
        watch = step.get("watch")
        timeout = aiohttp.ClientTimeout(total=None if watch else 30)
        try:
            response = await self.http.request(
                step["method"], url, data=body, headers=headers, skip_auto_headers=skip, timeout=timeout
            )
        except aiohttp.ServerDisconnectedError:
            return {"connectionClosed": True}, None
        answer = head(response)
        if watch and response.status == 200:
            stream = Stream(response, step)
            stream.reader = asyncio.create_task(stream.read())
            if step.get("background"):
                self.streams[step["id"]] = stream
                return answer, None
            events, ended = await stream.take(watch["events"], watch["maxSeconds"])
            await stream.close()
            return {**answer, "events": events, "closed": ended}, None
        raw = await response.read()
        return read_body(answer, raw, response.content_type)

    def body(self, step: Step) -> tuple[bytes | None, str | None]:
        if "bodyText" in step:
            return self.fill(step["bodyText"]).encode(), None
        if "bodyBase64" in step:
            return base64.b64decode(step["bodyBase64"]), None
        if "bodyFrom" in step:
            value = merge(self.saved[step["bodyFrom"]], self.fill(step.get("bodyMerge") or {}))
            return json.dumps(value).encode(), "application/json"
        if "body" in step:
            return json.dumps(self.fill(step["body"])).encode(), "application/json"
        return None, None

    async def run(self, step: Step, ops: OpRunner | None) -> Answer | None:
        """One step; its answer in the recorded form (None when the recording has none)."""
        if "sleep" in step:
            await asyncio.sleep(step["sleep"])
            return None
        if "collect" in step:
            stream = self.streams[step["collect"]]
            events, ended = await stream.take(step["events"], step["maxSeconds"])
            out = {**head(stream.response), "events": events}
            if step.get("final"):
                out["closed"] = ended
                await stream.close()
            return out
        if "op" in step or step.get("settle"):
            if ops is None:
                raise AssertionError("the case has an op, and nobody runs ops here")
            return await ops(self, step)
        if "until" in step:
            return await self.until(step)
        answer, body = await self.request(step)
        self.keep(step, body)
        return None if step.get("background") else shown(step, answer)

    async def until(self, step: Step) -> Answer:
        wanted = step["until"]
        loop = asyncio.get_running_loop()
        end = loop.time() + wanted.get("maxSeconds", 20)
        while True:
            answer, body = await self.request(step)
            if holds(wanted, answer, body) or loop.time() > end:
                self.keep(step, body)
                return shown(step, answer)
            await asyncio.sleep(0.02)

    def keep(self, step: Step, body: Any) -> None:
        if step.get("id"):
            self.saved[step["id"]] = body

    async def close(self) -> None:
        for stream in self.streams.values():
            await stream.close()


def head(response: aiohttp.ClientResponse) -> Answer:
    """The part of an answer that headers tell."""
    answer: Answer = {"status": response.status, "contentType": response.headers.get("Content-Type")}
    warnings = response.headers.getall("Warning", [])
    if warnings:
        answer["warnings"] = list(warnings)
    for key, name in (("retryAfter", "Retry-After"), ("allow", "Allow"), ("location", "Location")):
        if name in response.headers:
            answer[key] = response.headers[name]
    return answer


def read_body(answer: Answer, raw: bytes, content_type: str) -> tuple[Answer, Any]:
    if not raw:
        return {**answer, "contentType": answer["contentType"], "empty": True}, None
    if "yaml" in content_type:
        body = yaml.safe_load(raw)
        return {**answer, "body": body, "yaml": True}, body
    if "protobuf" in content_type:
        return {**answer, "bodyOmitted": True}, None
    try:
        body = json.loads(raw)
    except ValueError:
        return {**answer, "text": raw.decode()}, raw.decode()
    return {**answer, "body": body}, body


def dig(value: Any, path: list[str]) -> Any:
    for part in path:
        if isinstance(value, list):
            value = value[int(part)] if int(part) < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value


def holds(wanted: dict[str, Any], answer: Answer, body: Any) -> bool:
    if "status" in wanted and answer.get("status") != wanted["status"]:
        return False
    if "path" not in wanted:
        return True
    path = wanted["path"] if isinstance(wanted["path"], list) else wanted["path"].split(".")
    found = dig(body, [str(p) for p in path])
    if "equals" in wanted:
        return bool(found == wanted["equals"])
    if "length" in wanted:
        return len(found or []) == wanted["length"]
    return (found is not None) is wanted.get("exists", True)


def shown(step: Step, answer: Answer) -> Answer:
    """The answer after the recorder's own filter (`only`)."""
    only = step.get("only")
    if not only or "body" not in answer or not isinstance(answer["body"], dict):
        return answer
    body = copy.deepcopy(answer["body"])
    for key, (path, values) in (only.get("list") or {}).items():
        body[key] = [e for e in body.get(key) or [] if dig(e, path) in values]
    for key, keys in (only.get("keys") or {}).items():
        body[key] = {k: v for k, v in (body.get(key) or {}).items() if k in keys}
    return {**answer, "body": body}


def merge(target: Any, patch: Any) -> Any:
    """A JSON merge patch."""
    if not isinstance(patch, dict):
        return patch
    out = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merge(out.get(key), value)
    return out


def differences(expected: list[Answer], got: list[Answer], unstable: list[Any]) -> list[str]:
    """Readable differences, at most a few; `unstable` paths are not compared."""
    skip = {
        tuple(str(p) for p in (u if isinstance(u, list) else u.split(".")) if p != "expect") for u in unstable
    }
    out: list[str] = []
    for index, (want, have) in enumerate(itertools.zip_longest(expected, got)):
        want = {k: v for k, v in (want or {}).items() if k in COMPARED}
        have = {k: v for k, v in (have or {}).items() if k in COMPARED}
        if "closed" not in want:
            have.pop("closed", None)
        if "body" not in want and "events" not in want and "text" not in want and "empty" not in want:
            for key in ("body", "events", "text", "empty", "contentType"):
                if key not in want:
                    have.pop(key, None)
        _compare(want, have, (str(index),), skip, out)
    return out


def _compare(want: Any, have: Any, path: tuple[str, ...], skip: set[tuple[str, ...]], out: list[str]) -> None:
    if len(out) >= 12 or any(path[: len(s)] == s or path[1:][: len(s)] == s for s in skip):
        return
    where = ".".join(path)
    if isinstance(want, dict) and isinstance(have, dict):
        for key in sorted(want.keys() | have.keys()):
            if key not in have:
                out.append(f"{where}.{key}: missing, expected {_short(want[key])}")
            elif key not in want:
                out.append(f"{where}.{key}: unexpected {_short(have[key])}")
            else:
                _compare(want[key], have[key], (*path, key), skip, out)
    elif isinstance(want, list) and isinstance(have, list):
        if len(want) != len(have):
            out.append(
                f"{where}: {len(have)} entries, expected {len(want)}: {_short(have)} vs {_short(want)}"
            )
        for index, (left, right) in enumerate(zip(want, have, strict=False)):
            _compare(left, right, (*path, str(index)), skip, out)
    elif want != have or type(want) is not type(have):
        out.append(f"{where}: {_short(have)}, expected {_short(want)}")


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return text if len(text) < 400 else text[:400] + "…"
