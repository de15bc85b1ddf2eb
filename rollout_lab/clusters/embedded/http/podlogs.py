"""A Pod's log over HTTP, and what Pods do not offer yet. The lines come from the kubelet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from aiohttp import web

from rollout_lab.api.times import parse_time
from rollout_lab.clusters.embedded import statuses
from rollout_lab.clusters.embedded.http.queries import truthy
from rollout_lab.clusters.embedded.resources import Resource
from rollout_lab.errors import ApiError

Object = dict[str, Any]
Lines = Callable[..., AsyncIterator[bytes]]
OPTIONS = Resource("", "v1", "podlogoptions", "PodLogOptions")


async def serve(
    request: web.Request, lines: Lines | None, pod: Object, headers: dict[str, str], now: float
) -> web.StreamResponse:
    """The log as text, followed when asked. `lines(ns, pod, container, **options)` gives it.

    Raises 400 for a container that is not there and 422 for bad options.
    """
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    wanted = options(request.query, name, now)
    left = wanted.pop("limit", None)
    container = container_of(pod, request.query.get("container", ""))
    if lines is None or not (pod.get("spec") or {}).get("nodeName"):
        return web.Response(status=204, headers=headers)
    found = lines(namespace, name, container, **wanted)
    response = web.StreamResponse(headers={**headers, "Content-Type": "text/plain"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    try:
        async for chunk in found:
            if left is not None:
                chunk, left = chunk[:left], left - len(chunk)
            await response.write(chunk)
            if left is not None and left <= 0:
                break
        await response.write_eof()
    except ConnectionError:
        pass  # the reader went away
    return response


def options(query: Any, name: str, now: float) -> dict[str, Any]:
    """The query of a log request: follow, previous, timestamps, tail (lines), since (lab seconds ago),
    limit (bytes). Raises 422."""
    out: dict[str, Any] = {key: truthy(query.get(key)) for key in ("follow", "previous", "timestamps")}
    causes = []
    for key, least in (("tailLines", 0), ("sinceSeconds", 1), ("limitBytes", 1)):
        if key not in query:
            continue
        try:
            value = int(query[key])
        except ValueError:
            raise statuses.bad_request(f'strconv.ParseInt: parsing "{query[key]}": invalid syntax') from None
        if value < least:
            text = f"must be greater than {'or equal to 0' if least == 0 else '0'}"
            causes.append(statuses.invalid_value(key, str(value), text))
        out[_NAMES[key]] = value
    if causes:
        raise statuses.invalid(OPTIONS, name, causes)
    if query.get("sinceTime"):
        try:
            out["since"] = now - parse_time(query["sinceTime"])
        except ValueError:
            raise statuses.bad_request(f"invalid sinceTime {query['sinceTime']}") from None
    return out


_NAMES = {"tailLines": "tail", "sinceSeconds": "since", "limitBytes": "limit"}


def container_of(pod: Object, asked: str) -> str:
    """The container that is meant. Raises 400 when there is no such, or several and none is named."""
    spec, name = pod.get("spec") or {}, pod["metadata"]["name"]
    plain = [c["name"] for c in spec.get("containers") or []]
    if not asked:
        if len(plain) > 1:
            text = f"a container name must be specified for pod {name}, choose one of: [{' '.join(plain)}]"
            raise statuses.bad_request(text)
        return plain[0] if plain else ""
    if asked not in [*plain, *(c["name"] for c in spec.get("initContainers") or [])]:
        raise statuses.bad_request(f"container {asked} is not valid for pod {name}")
    return asked


def refuse(pod: Object, what: str) -> ApiError:
    """What `exec`, `attach` and `proxy` are told."""
    name = pod["metadata"]["name"]
    if not (pod.get("spec") or {}).get("nodeName"):
        return statuses.bad_request(f"pod {name} does not have a host assigned")
    text = f"{what} is not there yet in the embedded cluster; reach the Pod at the address `get pods` shows"
    return statuses.error(501, "NotImplemented", text)
