"""A cluster served over HTTP for tests: in this process, without Pods, on a free loopback port."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from rollout_lab.clusters.embedded.process import Running, running


@dataclass
class Client:
    """Raw HTTP requests with the token."""

    http: aiohttp.ClientSession
    cluster: Running

    async def send(
        self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str | None
    ) -> tuple[int, Any, aiohttp.ClientResponse]:
        """Status, body (JSON or text) and the response of a request."""
        given: dict[str, str] = {"Authorization": f"Bearer {self.cluster.token}"}
        if body is not None:
            given["Content-Type"] = "application/json"
        for key, value in headers.items():
            name = key.replace("_", "-")
            if value is None:
                given.pop(name, None)
            else:
                given[name] = value
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        address = self.cluster.address + path
        async with self.http.request(method, address, data=data, headers=given) as answer:
            text = await answer.text()
            shown = json.loads(text) if text and "json" in answer.headers.get("Content-Type", "") else text
            return answer.status, shown, answer


def served(test: Callable[[Client], Awaitable[None]], **options: Any) -> None:
    """Run `test` against a cluster without controllers and kubelet."""

    async def main() -> None:
        async with (
            asyncio.timeout(30),
            running(controllers=False, kubelet=False, **options) as cluster,
            aiohttp.ClientSession() as http,
        ):
            await test(Client(http, cluster))

    asyncio.run(main())
