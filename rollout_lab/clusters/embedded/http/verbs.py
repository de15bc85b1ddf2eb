"""What each method does to a resource: get, list, watch, create, update, patch, delete, deletecollection."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from aiohttp import web
from multidict import CIMultiDict

from rollout_lab.clusters.embedded import statuses
from rollout_lab.clusters.embedded.api import Api, Preconditions
from rollout_lab.clusters.embedded.decoding import Options
from rollout_lab.clusters.embedded.http import lists, podlogs, portforward, queries, reviews, streams, views
from rollout_lab.clusters.embedded.http.negotiation import (
    PROTOBUF,
    Form,
    choose,
    dump,
    load,
    media_type,
    missing,
)
from rollout_lab.clusters.embedded.http.paths import Target
from rollout_lab.clusters.embedded.patching.failures import undecodable
from rollout_lab.clusters.embedded.resources import ENDPOINTS, PODS, REVIEWS, Resource
from rollout_lab.clusters.embedded.schema import wire
from rollout_lab.clusters.embedded.strategies import CREATED_BY_PUT, RETURNS_DELETED
from rollout_lab.errors import ApiError, NotFound

if TYPE_CHECKING:
    from rollout_lab.clusters.embedded.http.app import Server

Object = dict[str, Any]

PATCH_KINDS = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
}
APPLY = ("application/apply-patch+yaml", "application/apply-patch+cbor")
WAIT_SECONDS = 3.0
ORPHAN_WARNING = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove "
    "them or set propagationPolicy=Orphan to suppress this warning"
)


@dataclass(slots=True)
class Call:
    """One request to one resource."""

    server: Server
    request: web.Request
    res: Resource
    target: Target
    headers: dict[str, str]
    warnings: list[str]

    @property
    def api(self) -> Api:
        return self.server.api

    @property
    def namespace(self) -> str | None:
        return self.target.namespace or None

    def answer(self, value: Any, form: Form, status: int = 200) -> web.Response:
        headers: CIMultiDict[str] = CIMultiDict(self.headers)
        headers["Content-Type"] = form.content_type
        for text in self.warnings:
            quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
            headers.add("Warning", f'299 - "{quoted}"')
        return web.Response(status=status, body=dump(value, form), headers=headers)

    def object(self, obj: Object, form: Form, status: int = 200) -> web.Response:
        include = self.request.query.get("includeObject", "")
        return self.answer(views.single(self.api, self.res, obj, form, include), form, status)

    def form(self, *kinds: str) -> Form:
        return choose(self.request.headers.get("Accept", ""), kinds)


async def serve(
    server: Server, request: web.Request, target: Target, headers: dict[str, str]
) -> web.StreamResponse:
    """Answer a request below a resource. Raises the ApiErrors a client is to see."""
    res = server.api.registry.find(target.group, target.version, target.resource)
    if res is None or (target.namespace and not res.namespaced):
        return missing()
    everywhere = res.namespaced and not target.namespace
    if everywhere and target.name:
        return missing()
    call = Call(server, request, res, target, headers, [])
    if res is ENDPOINTS:
        call.warnings.append("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice")
    method = request.method
    if target.subresource:
        return await _subresource(call, method)
    if target.name:
        return await _named(call, method)
    if method in ("GET", "HEAD"):
        _allow(res, "list")
        return await _list(call)
    if everywhere:
        raise statuses.method_not_allowed()  # of all namespaces one can only list and watch
    if method == "POST":
        _allow(res, "create")
        return await _create(call)
    if method == "DELETE":
        _allow(res, "deletecollection")
        return await _delete_collection(call)
    raise statuses.method_not_allowed()


def _allow(res: Resource, verb: str) -> None:
    if verb not in res.verbs:
        raise statuses.method_not_allowed()


async def _named(call: Call, method: str) -> web.StreamResponse:
    verb = {"GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}.get(method)
    if verb is None:
        raise statuses.method_not_allowed()
    _allow(call.res, verb)
    match verb:
        case "get":
            return await _get(call)
        case "update":
            return await _update(call)
        case "patch":
            return await _patch(call)
        case _:
            return await _delete(call)


async def _subresource(call: Call, method: str) -> web.StreamResponse:
    res, name = call.res, call.target.subresource
    sub = res.subresource(name)
    if sub is None:
        if res.custom:
            raise statuses.not_found(res, call.target.name)
        return missing()
    if res is PODS and name in ("log", "exec", "attach", "portforward", "proxy"):
        pod = call.api.get(res, call.namespace, call.target.name)
        if name == "log" and method in ("GET", "HEAD"):
            return await podlogs.serve(
                call.request, call.server.logs, pod, call.headers, call.api.clock.now()
            )
        if name == "portforward" and method in ("GET", "POST"):
            return await portforward.serve(call.request, pod, call.server.addresses, call.server.closing)
        raise podlogs.refuse(pod, name)
    verb = {"GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "POST": "create"}.get(method, "")
    if verb not in sub.verbs:
        raise statuses.method_not_allowed()
    if verb == "get":
        return call.object(
            call.api.subresources.get(res, call.namespace, call.target.name, name), call.form()
        )
    if verb == "update":
        return await _update(call)
    if verb == "patch":
        return await _patch(call)
    return await _create(call)


# -- reading -------------------------------------------------------------------------------------


async def _get(call: Call) -> web.StreamResponse:
    if call.target.watch:
        return await _watch(call, call.target.name)
    form = call.form(*views.OBJECT_FORMS)
    await _not_older(call, call.request.query.get("resourceVersion", ""))
    return call.object(call.api.get(call.res, call.namespace, call.target.name), form)


async def _list(call: Call) -> web.StreamResponse:
    options = queries.list_options(call.request.query, call.target.watch)
    if options.watch:
        return await _watch(call, "")
    form = call.form(*views.LIST_FORMS)
    if not options.token and options.match != "Exact":
        await _not_older(call, options.version)
    page = lists.page(call.api, call.res, call.namespace, options)
    include = call.request.query.get("includeObject", "")
    return call.answer(views.listed(call.api, call.res, page, form, include), form)


async def _watch(call: Call, name: str) -> web.StreamResponse:
    options = queries.list_options(call.request.query, True)
    if name:
        terms = [t for t in (options.fields, f"metadata.name={name}") if t]
        options = replace(options, fields=",".join(terms))
    form = call.form(*views.LIST_FORMS)
    call.api.matcher(call.res, options.labels, options.fields)
    return await streams.serve(
        call.request,
        call.api,
        call.res,
        call.namespace,
        options,
        form,
        call.headers,
        call.server.closing,
    )


async def _not_older(call: Call, version: str) -> None:
    """Wait a little for a resourceVersion from the future. Raises 400 and 504."""
    if version in ("", "0"):
        return
    try:
        wished = int(version)
    except ValueError:
        raise statuses.bad_version(version) from None
    loop = asyncio.get_running_loop()
    end = loop.time() + WAIT_SECONDS
    while call.api.store.rv < wished:
        if loop.time() >= end:
            causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
            text = f"Timeout: Too large resource version: {wished}, current: {call.api.store.rv}"
            raise statuses.error(504, "Timeout", text, {"causes": causes, "retryAfterSeconds": 1})
        await asyncio.sleep(0.05)


# -- writing -------------------------------------------------------------------------------------


def _manager(call: Call, kind: str) -> Options:
    options = queries.write_options(call.request.query, kind, call.request.headers.get("User-Agent", ""))
    options.warnings = call.warnings
    return options


async def _body(call: Call, options: Options, kind: str) -> Any:
    media = media_type(call.request.headers.get("Content-Type", ""))
    raw = await call.request.read()
    body, options.duplicates = load(raw, media, kind)
    if call.res.custom and isinstance(body, dict) and not body.get("kind"):
        text = raw.decode("utf-8", "replace")
        shown = text if len(text) <= 30 else text[:30] + " ..."
        why = f"Object 'Kind' is missing in '{text}'"
        raise statuses.bad_request(
            f"the object provided is unrecognized (must be of type {kind}): {why} ({shown})"
        )
    return body


def _kind(call: Call) -> str:
    sub = call.res.subresource(call.target.subresource) if call.target.subresource else None
    return sub.kind if sub else call.res.kind


async def _create(call: Call) -> web.StreamResponse:
    form = call.form(*views.OBJECT_FORMS)
    options = _manager(call, "CreateOptions")
    body = await _body(call, options, _kind(call))
    if call.res in REVIEWS:
        review = call.api.decoder.decode(call.res, body, options)
        made = reviews.answer(call.res, review, call.api.clock.now())
        return call.answer(made, form, 201)
    target = call.target
    made = call.api.create(
        call.res, call.namespace, body, subresource=target.subresource, name=target.name, options=options
    )
    return call.object(made, form, 201) if made.get("kind") != "Status" else call.answer(made, form, 201)


async def _update(call: Call) -> web.StreamResponse:
    form = call.form(*views.OBJECT_FORMS)
    options = _manager(call, "UpdateOptions")
    body = await _body(call, options, _kind(call))
    target = call.target
    try:
        made = call.api.update(
            call.res, call.namespace, target.name, body, subresource=target.subresource, options=options
        )
    except NotFound:
        if target.subresource or call.res.custom or call.res.kind not in CREATED_BY_PUT:
            raise
        return call.object(call.api.create(call.res, call.namespace, body, options=options), form, 201)
    return call.object(made, form)


async def _patch(call: Call) -> web.StreamResponse:
    form = call.form(*views.OBJECT_FORMS)
    media = media_type(call.request.headers.get("Content-Type", ""))
    kind = PATCH_KINDS.get(media)
    accepted = [m for m, k in PATCH_KINDS.items() if not (call.res.custom and k == "strategic")]
    if media == PROTOBUF:
        raise statuses.error(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})
    if kind is None or (call.res.custom and kind == "strategic"):
        raise statuses.unsupported_media([*accepted, APPLY[0]])
    options = _manager(call, "PatchOptions")
    raw = await call.request.read()
    patch = _patch_body(raw, options)
    target = call.target
    made = call.api.patch(
        call.res,
        call.namespace,
        target.name,
        patch,
        kind,
        subresource=target.subresource,
        options=options,
    )
    return call.object(made, form)


def _patch_body(raw: bytes, options: Options) -> Any:
    try:
        patch, options.duplicates = wire.parse_json(raw)
    except wire.SyntaxProblem as problem:
        raise undecodable(str(problem)) from None
    return patch


async def _deletion(call: Call) -> queries.DeleteOptions:
    raw = await call.request.read()
    body: Any = {}
    if raw:
        media = media_type(call.request.headers.get("Content-Type", ""))
        body, _ = load(raw, media, "DeleteOptions")
    return queries.delete_options(call.request.query, body)


async def _delete(call: Call) -> web.StreamResponse:
    form = call.form(*views.OBJECT_FORMS)
    wish = await _deletion(call)
    res, name = call.res, call.target.name
    done = call.api.remove(
        res,
        call.namespace,
        name,
        propagation=wish.propagation,
        grace=wish.grace,
        preconditions=Preconditions(wish.uid, wish.resource_version),
        options=Options(dry_run=wish.dry_run),
    )
    if res.kind == "Job" and not res.custom and wish.propagation is None:
        call.warnings.append(ORPHAN_WARNING)
    if done.gone and (res.custom or res.kind not in RETURNS_DELETED):
        return call.answer(statuses.deleted(res, name, done.object["metadata"]["uid"]), form)
    return call.object(done.object, form)


async def _delete_collection(call: Call) -> web.StreamResponse:
    form = call.form(*views.LIST_FORMS)
    options = queries.list_options(call.request.query)
    wish = await _deletion(call)
    page = lists.page(call.api, call.res, call.namespace, options)
    for obj in page.items:
        meta = obj["metadata"]
        try:
            call.api.remove(
                call.res,
                meta.get("namespace"),
                meta["name"],
                propagation=wish.propagation,
                grace=wish.grace,
                options=Options(dry_run=wish.dry_run),
            )
        except ApiError as error:
            if error.code != 404:
                raise
    return call.answer(views.listed(call.api, call.res, page, form), form)
