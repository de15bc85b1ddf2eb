"""A real NGINX on loopback that obeys Ingresses and their canary annotations by its own means.

NGINX splits with `split_clients` on its own number of chance for each request, and tells headers and
cookies apart with `map`, in the order ingress-nginx documents: header before cookie before weight. No
code of the gateway is used: the two are compared.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import socket
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any

Json = dict[str, Any]
Servers = Mapping[str, Iterable[str]]
"""The Pods' addresses (``host:port``) of each Service."""

PREFIX = "nginx.ingress.kubernetes.io/"
BINARY = shutil.which(
    "nginx", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
)
ABSENT = "no nginx on this machine: install one (apt-get install nginx, brew install nginx)"
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def config(ingresses: Iterable[Json], servers: Servers, listen: str, folder: Path) -> str:
    """An nginx.conf for Ingresses: one `server` for each host, one `location` for each path."""
    listed = list(ingresses)
    canaries = {place: (one, path) for one in listed if _notes(one) for place, path in _paths(one)}
    lines, hosts = [_upstream(name, found) for name, found in servers.items()], dict[str, list[str]]()
    for place, path in (row for one in listed if not _notes(one) for row in _paths(one)):
        host, where = place
        target = _service(path)
        if place in canaries:
            ingress, other = canaries[place]
            number = len(lines)
            lines += _choice(number, _notes(ingress), target, _service(other))
            target = f"$chosen_{number}"
        hosts.setdefault(host or "_", []).append(f"location {where} {{ proxy_pass http://{target}; }}")
    for host, locations in hosts.items():
        lines.append(f"server {{ listen {listen}; server_name {host}; {' '.join(locations)} }}")
    temporary = "".join(f"  {name}_temp_path {folder / name};\n" for name in _TEMPORARY)
    return (
        f"daemon off;\nworker_processes 1;\npid {folder / 'pid'};\nevents {{ worker_connections 512; }}\n"
        f"http {{\n{temporary}  access_log off;\n  keepalive_requests 1000000;\n"
        "  proxy_http_version 1.1;\n  proxy_set_header Connection '';\n  proxy_set_header Host $host;\n  "
        + "\n  ".join(lines)
        + "\n}\n"
    )


def _choice(number: int, notes: Mapping[str, str], stable: str, canary: str) -> list[str]:
    """`$chosen_N`: the upstream of a request, from a chain of one variable for each annotation.

    `map` compares plain words without case, so every word is a pattern; "" is a header that is not there.
    """
    weight, total = int(notes.get("canary-weight", 0)), int(notes.get("canary-weight-total", 100))
    share = f"{weight * 100 / total:.2f}% {canary}; " if weight else ""
    found = [f"split_clients $request_id $weighed_{number} {{ {share}* {stable}; }}"]
    decided = f"$weighed_{number}"
    if cookie := notes.get("canary-by-cookie"):
        words = f"~^always$ {canary}; ~^never$ {stable};"
        found.append(f"map $cookie_{cookie} $baked_{number} {{ default {decided}; {words} }}")
        decided = f"$baked_{number}"
    words = ""
    if header := notes.get("canary-by-header"):
        wanted = notes.get("canary-by-header-pattern", "")
        if value := notes.get("canary-by-header-value"):
            wanted = f"^{re.escape(value)}$"
        words = f"'~{wanted}' {canary};" if wanted else f"~^always$ {canary}; ~^never$ {stable};"
        header = header.lower().replace("-", "_")
    source = f"$http_{header}" if header else "''"
    return [*found, f"map {source} $chosen_{number} {{ default {decided}; '' {decided}; {words} }}"]


def _notes(ingress: Json) -> dict[str, str]:
    """The canary annotations without their prefix; {} for an Ingress that is no canary."""
    given = ingress["metadata"].get("annotations") or {}
    found = {key.removeprefix(PREFIX): value for key, value in given.items() if key.startswith(PREFIX)}
    return found if found.get("canary") == "true" else {}


def _paths(ingress: Json) -> list[tuple[tuple[str, str], Json]]:
    return [
        ((rule.get("host") or "", path["path"]), path)
        for rule in ingress["spec"]["rules"]
        for path in rule["http"]["paths"]
    ]


def _service(path: Json) -> str:
    return str(path["backend"]["service"]["name"])


def _upstream(name: str, addresses: Iterable[str]) -> str:
    listed = " ".join(f"server {address};" for address in addresses)
    return f"upstream {name} {{ {listed} keepalive 16; }}"


@contextlib.asynccontextmanager
async def nginx(ingresses: Iterable[Json], servers: Servers, folder: Path) -> AsyncIterator[str]:
    """The address (``127.0.0.1:port``) of a real NGINX, which ends with the block.

    It inherits a listening socket (nginx reads descriptors from its environment variable NGINX), so no
    other program can take the port in between, and a request may come before NGINX has started.
    """
    assert BINARY is not None
    errors = folder / "stderr"
    with socket.create_server(("127.0.0.1", 0)) as door, errors.open("wb") as stderr:
        address = f"127.0.0.1:{door.getsockname()[1]}"
        file = folder / "nginx.conf"
        file.write_text(config(ingresses, servers, address, folder), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            *(BINARY, "-p", str(folder), "-e", "stderr", "-c", str(file)),
            pass_fds=[door.fileno()],
            env={**os.environ, "NGINX": f"{door.fileno()};"},
            stderr=stderr,
        )
    try:
        yield address
    except (OSError, EOFError) as problem:
        raise AssertionError(errors.read_text(encoding="utf-8")) from problem
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
