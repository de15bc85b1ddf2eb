"""The aiohttp application: who may ask, which handler answers, how errors look. No rules of objects here."""

from __future__ import annotations

import asyncio
import hmac
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from rollout_lab.clusters.embedded import statuses
from rollout_lab.clusters.embedded.api import Api
from rollout_lab.clusters.embedded.http import discovery, openapi, verbs
from rollout_lab.clusters.embedded.http.negotiation import TEXT, Form, choose, dump, missing, wishes
from rollout_lab.clusters.embedded.http.paths import target
from rollout_lab.errors import ApiError

log = logging.getLogger(__name__)

OPEN_PATHS = ("/version", "/healthz", "/livez", "/readyz")
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
BODY_LIMIT = 3 * 1024 * 1024

Logs = Callable[..., Any]


@dataclass(slots=True)
class Server:
    """What the HTTP side needs: the API, the token, and the parts other packages bring.

    `key` is a second secret: a path that starts with it needs no header. Go clients (kubectl) never send
    a token to an address without TLS, so the kubeconfig's server address ends in the key.
    `addresses()` answers `/lab/v1/addresses`; `logs(ns, pod, **options)` is an async iterator of bytes.
    """

    api: Api
    token: str
    key: str = ""
    addresses: Callable[[], Any] | None = None
    logs: Logs | None = None
    address: str = "127.0.0.1"
    extra: dict[str, Callable[[], Any]] = field(default_factory=dict)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def application(self) -> web.Application:
        """The aiohttp application; every path goes through one handler."""
        app = web.Application(client_max_size=BODY_LIMIT)
        app.router.add_route("*", "/{path:.*}", self.handle)
        return app

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; errors become Status objects."""
        headers = {"Audit-Id": str(uuid.uuid4()), "Cache-Control": "no-cache, private"}
        try:
            if not _loopback(request):
                text = "the Host header must name a loopback address (127.0.0.1 or localhost)"
                return web.Response(status=403, text=text + "\n")
            return await self._route(request, self._authenticate(request), headers)
        except ApiError as error:
            return _failure(request, error, headers)
        except web.HTTPRequestEntityTooLarge:
            text = f"limit is {BODY_LIMIT}"
            large = statuses.error(413, "RequestEntityTooLarge", f"Request entity is too large: {text}")
            return _failure(request, large, headers)
        except (ConnectionError, asyncio.CancelledError, web.HTTPException):
            raise
        except Exception as error:  # a mistake of ours: the client learns so, the process goes on
            shown = request.path.replace(self.key or "/", "…", 1)
            log.error("%s %s failed", request.method, shown, exc_info=error)
            text = f"Internal error occurred: {type(error).__name__}: {error}"
            return _failure(request, statuses.error(500, "InternalError", text), headers)

    def _authenticate(self, request: web.Request) -> str:
        """The path without the key. Raises 401."""
        path, known = request.path, False
        first, _, rest = path[1:].partition("/")
        if self.key and hmac.compare_digest(first.encode(), self.key.encode()):
            path, known = "/" + rest, True
        given = request.headers.get("Authorization", "")
        kind, _, token = given.partition(" ")
        if given:
            if kind.lower() != "bearer" or not hmac.compare_digest(
                token.strip().encode(), self.token.encode()
            ):
                raise statuses.unauthorized()
            known = True
        if not known and path not in OPEN_PATHS and not path.startswith(("/livez/", "/readyz/", "/healthz/")):
            raise statuses.unauthorized()
        return path

    async def _route(self, request: web.Request, path: str, headers: dict[str, str]) -> web.StreamResponse:
        path = path.rstrip("/") or "/"
        parts = path.split("/")
        if parts[1] in ("api", "apis"):
            found = target(path)
            if found is None or not found.resource:
                return self._discovery(request, path, headers)
            return await verbs.serve(self, request, found, headers)
        if parts[1] in ("healthz", "livez", "readyz"):
            return self._health(parts)
        if path == "/version":
            _only_get(request)
            return _json(request, discovery.VERSION, headers)
        if path.startswith("/openapi/v3"):
            return self._openapi(request, path, headers)
        if path == "/":
            return _json(request, {"paths": self._paths()}, headers)
        if path.startswith("/lab/v1/"):
            return self._lab(request, path, headers)
        return missing()

    @staticmethod
    def _health(parts: list[str]) -> web.Response:
        if len(parts) > 2 and parts[2:] not in (["ping"], ["etcd"], ["log"]):
            return missing()
        return web.Response(text="ok", headers=TEXT)

    def _discovery(self, request: web.Request, path: str, headers: dict[str, str]) -> web.StreamResponse:
        registry, parts = self.api.registry, path.split("/")[2:]
        answer: Any = None
        if not parts:
            core = path == "/api"
            _only_get(request)
            form = choose(request.headers.get("Accept", ""), ("APIGroupDiscoveryList",))
            if form.kind:
                return _aggregated(request, discovery.aggregated(registry, core=core), form, headers)
            address = f"{self.address}"
            answer = discovery.api_versions(address) if core else discovery.group_list(registry)
        elif path.startswith("/apis/") and len(parts) == 1:
            answer = discovery.group(registry, parts[0])
        elif path.startswith("/apis/") and len(parts) == 2:
            answer = discovery.resource_list(registry, parts[0], parts[1])
        elif path.startswith("/api/") and len(parts) == 1:
            answer = discovery.resource_list(registry, "", parts[0])
        if answer is None:
            return missing()
        _only_get(request)
        return _json(request, answer, headers)

    def _openapi(self, request: web.Request, path: str, headers: dict[str, str]) -> web.StreamResponse:
        registry, customs = self.api.registry, self.api.customs
        if path == "/openapi/v3":
            answer = openapi.index(registry, customs)
            return web.Response(body=dump(answer, Form()), headers={**headers, **TEXT})
        found = openapi.document(path.removeprefix("/openapi/v3/"), registry, customs)
        if found is None:
            return web.Response(status=404, headers=headers)
        return web.Response(body=found, headers={**headers, "Content-Type": "application/json"})

    def _lab(self, request: web.Request, path: str, headers: dict[str, str]) -> web.StreamResponse:
        _only_get(request)
        name = path.removeprefix("/lab/v1/")
        if name == "clock":
            clock = self.api.clock
            answer: Any = {"now": clock.now(), "spec": getattr(clock, "spec", "")}
        elif name == "addresses":
            answer = self.addresses() if self.addresses else {"services": {}, "pods": {}}
        elif name in self.extra:
            answer = self.extra[name]()
        else:
            return missing()
        return _json(request, answer, headers)

    def _paths(self) -> list[str]:
        groups = discovery.groups(self.api.registry)
        out = ["/api", "/api/v1", "/apis"]
        for name, found in groups.items():
            if name:
                out += [f"/apis/{name}", *(f"/apis/{name}/{v}" for v in found)]
        return sorted([*out, "/healthz", "/livez", "/openapi/v3", "/readyz", "/version"])


def _only_get(request: web.Request) -> None:
    if request.method not in ("GET", "HEAD"):
        raise statuses.method_not_allowed()


def _json(request: web.Request, value: Any, headers: dict[str, str]) -> web.Response:
    form = choose(request.headers.get("Accept", ""))
    body = dump(value, form)
    return web.Response(body=body, headers={**headers, "Content-Type": form.content_type})


def _aggregated(request: web.Request, value: Any, form: Form, headers: dict[str, str]) -> web.Response:
    tag = f'"{discovery.digest([value])}"'
    headers = {**headers, "ETag": tag, "Vary": "Accept"}
    if request.headers.get("If-None-Match") == tag:
        return web.Response(status=304, headers=headers)
    kind = f"{form.content_type};g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    return web.Response(body=dump(value, form), headers={**headers, "Content-Type": kind})


def _failure(request: web.Request, error: ApiError, headers: dict[str, str]) -> web.Response:
    body = statuses.of_error(error)
    token = error.details.get("continue")
    if token:
        body.pop("details", None)
        body["metadata"] = {"continue": token}
    retry = error.details.get("retryAfterSeconds")
    if retry:
        headers = {**headers, "Retry-After": str(retry)}
    accepts_yaml = wishes(request.headers.get("Accept", ""))[:1]
    form = Form(yaml=bool(accepts_yaml) and "yaml" in accepts_yaml[0].media)
    return web.Response(
        status=error.code, body=dump(body, form), headers={**headers, "Content-Type": form.content_type}
    )


def _loopback(request: web.Request) -> bool:
    try:
        host = urlsplit(f"//{request.host}").hostname
    except ValueError:
        return False
    return host in LOOPBACK_HOSTS
