"""Sending probes: HTTP GETs and TCP connects to the Pods, on the data plane's loop.

Here: one question, one `Reply`, with the kubelet's words for what went wrong. Time-outs are wall
time at every speed of the lab, because a request takes as long as it takes.
# upstream: pkg/probe/http/http.go, pkg/probe/tcp/tcp.go
"""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import quote

from rollout_lab.clusters.embedded.kubelet.probes import Probe, Reply
from rollout_lab.clusters.embedded.network.portmap import Address, PortMap

USER_AGENT = "kube-probe/1.34"
MAX_REPLY = 10 * 1024


async def ask(probe: Probe, target: Address, ports: PortMap) -> Reply:
    """Send `probe` to the address `target` has in the cluster."""
    if probe.handler not in ("httpGet", "tcpSocket"):
        return Reply(
            False, f"this cluster runs no {probe.handler} probes; use httpGet or tcpSocket", known=False
        )
    if probe.handler == "httpGet" and probe.scheme.upper() != "HTTP":
        return Reply(False, "this cluster sends no HTTPS probes; use scheme: HTTP", known=False)
    path = quote(probe.path if probe.path.startswith("/") else f"/{probe.path}", safe="/?&=%+:;,@!$'()*~#")
    asked = f'Get "http://{target}{path}": ' if probe.handler == "httpGet" else ""
    actual = ports.actual(target)
    if actual is None:
        return Reply(False, f"{asked}dial tcp {target}: connect: connection refused")
    try:
        async with asyncio.timeout(probe.timeout):
            reader, writer = await asyncio.open_connection(actual.host, actual.port)
            try:
                return await _get(probe, path, target, reader, writer) if asked else Reply(True)
            finally:
                writer.close()
    except TimeoutError:
        late = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        return Reply(False, f"{asked}{late}" if asked else f"dial tcp {target}: i/o timeout")
    except ConnectionRefusedError:
        return Reply(False, f"{asked}dial tcp {target}: connect: connection refused")
    except (OSError, EOFError, ValueError):
        return Reply(False, f"{asked}EOF" if asked else f"dial tcp {target}: connection reset by peer")


async def _get(
    probe: Probe, path: str, target: Address, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Reply:
    headers = {"Host": str(target), "User-Agent": USER_AGENT, "Accept": "*/*"} | dict(probe.headers)
    lines = [f"{name}: {value}" for name, value in headers.items() if not {"\r", "\n"} & set(name + value)]
    writer.write("\r\n".join([f"GET {path} HTTP/1.1", *lines, "Connection: close", "", ""]).encode())
    first = await reader.readline()
    if not first.startswith(b"HTTP/1."):
        raise ValueError("no HTTP answer")
    code = int(first.split()[1])
    with contextlib.suppress(OSError):
        await reader.read(MAX_REPLY)
    if 200 <= code < 400:
        return Reply(True)
    return Reply(False, f"HTTP probe failed with statuscode: {code}")
