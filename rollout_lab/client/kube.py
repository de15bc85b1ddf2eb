"""One API server, spoken to in raw JSON: requests, watches and what a refusal means.

The `kubernetes` package gives kubeconfig, authentication, TLS and the connection pool; its models
are never loaded, because they drop or reject fields they do not know. Deciding anything about
rollouts, caching and retrying belong to the callers.
"""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote, urlencode, urlsplit

import urllib3
from kubernetes import config as _kubernetes_config
from kubernetes.client.configuration import Configuration
from kubernetes.client.rest import RESTClientObject

from rollout_lab.client.difference import merge_patch
from rollout_lab.client.resources import PODS, Resource, of_object
from rollout_lab.client.watch import Watch
from rollout_lab.errors import AlreadyExists, ApiError, ClusterUnavailable, NotFound

_config: Any = _kubernetes_config  # its functions carry no types
PatchKind = Literal["merge", "strategic", "json"]
JsonObject = dict[str, Any]

_PATCH_TYPES: Mapping[str, str] = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
}
_TIMEOUT = (5.0, 30.0)  # seconds: to connect, to be answered
_POOL = 32  # connections kept: watches hold one each, workers and the probe share the rest


class KubeClient:
    """A thread-safe client of one API server. Objects go in and come out as raw JSON dicts.

    Every method raises the fitting `ApiError` when the server says no and `ClusterUnavailable`
    when nobody answers. Neither ever carries a header, so never a token.
    """

    def __init__(self, configuration: Configuration, context_name: str = "") -> None:
        self.context_name = context_name
        self._base = str(configuration.host).rstrip("/")
        parts = urlsplit(self._base)
        # What messages may show: the embedded cluster keeps a secret in the path.
        self.server = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        if _is_loopback(parts.hostname or ""):
            configuration.proxy = None
        configuration.connection_pool_maxsize = _POOL
        # A request is sent again only when it cannot have been carried out: it never left, or it only reads.
        # An answer with Retry-After (429: a new kind is not served yet) is an answer for the caller.
        configuration.retries = urllib3.Retry(
            total=1,
            redirect=0,
            status=0,
            allowed_methods=frozenset({"GET"}),
            respect_retry_after_header=False,
        )
        self._configuration = configuration
        self._rest: Any = RESTClientObject(configuration)

    @staticmethod
    def from_kubeconfig(path: str | None = None, context: str | None = None) -> KubeClient:
        """The cluster of a kubeconfig (default: $KUBECONFIG, ~/.kube/config, then the Pod's own)."""
        configuration = Configuration()
        files = path or os.environ.get("KUBECONFIG") or None  # the package looks only when it is imported
        try:
            _config.load_kube_config(
                files, context=context, client_configuration=configuration, persist_config=False
            )
            name = context or str(_config.list_kube_config_contexts(files)[1]["name"])
            return KubeClient(configuration, name)
        except _config.ConfigException as problem:
            if path is None and context is None and "KUBERNETES_SERVICE_HOST" in os.environ:
                return KubeClient.in_cluster()
            where = f"in {path}" if path else "in $KUBECONFIG or ~/.kube/config"
            raise ClusterUnavailable(
                f"no usable cluster {where}: {problem}. Start one with `rollout-lab cluster start`, or name "
                "a kubeconfig with --kubeconfig and a context with --context."
            ) from None
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise ClusterUnavailable(
                f"the kubeconfig {path or ''} cannot be read: {type(problem).__name__}"
            ) from None

    @staticmethod
    def in_cluster() -> KubeClient:
        """The cluster this Pod runs in, as its ServiceAccount; the token is read again as it is renewed.

        Raises ClusterUnavailable outside of a Pod.
        """
        configuration = Configuration()
        try:
            _config.load_incluster_config(client_configuration=configuration)
        except _config.ConfigException as problem:
            raise ClusterUnavailable(
                f"this is no Pod with a ServiceAccount ({problem}): name a kubeconfig with --kubeconfig, or "
                "leave automountServiceAccountToken on"
            ) from None
        return KubeClient(configuration, "in-cluster")

    def get(self, res: Resource, ns: str | None, name: str) -> JsonObject:
        return self._json("GET", res.path(ns, name))

    def list(
        self, res: Resource, ns: str | None = None, label_selector: str = "", field_selector: str = ""
    ) -> JsonObject:
        """The whole list object: `items` and `metadata.resourceVersion`."""
        query = {"labelSelector": label_selector, "fieldSelector": field_selector}
        return self._json("GET", res.path(ns), query)

    def create(self, res: Resource, ns: str | None, body: Mapping[str, Any]) -> JsonObject:
        return self._json("POST", res.path(ns), body=body)

    def replace(
        self, res: Resource, ns: str | None, name: str, body: Mapping[str, Any], subresource: str = ""
    ) -> JsonObject:
        return self._json("PUT", res.path(ns, name, subresource), body=body)

    def patch(
        self,
        res: Resource,
        ns: str | None,
        name: str,
        body: Any,
        kind: PatchKind = "merge",
        subresource: str = "",
    ) -> JsonObject:
        """`body` is a dict, for ``json`` a list of RFC 6902 operations."""
        path = res.path(ns, name, subresource)
        return self._json("PATCH", path, body=body, content_type=_PATCH_TYPES[kind])

    def delete(self, res: Resource, ns: str | None, name: str, propagation: str | None = None) -> JsonObject:
        """`propagation` is Foreground, Background or Orphan."""
        query = {"propagationPolicy": propagation or ""}
        return self._json("DELETE", res.path(ns, name), query)

    def evict(self, ns: str, name: str) -> JsonObject:
        """Ask for a Pod to go through the eviction API, so that disruption budgets hold."""
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": ns}}
        return self._json("POST", PODS.path(ns, name, "eviction"), body=body)

    def apply(self, obj: Mapping[str, Any]) -> JsonObject:
        """Create `obj`, or merge-patch what differs from the one that is there.

        A namespaced object without a namespace goes to ``default``. Leaves no annotation behind.
        """
        res = of_object(obj)
        meta = obj.get("metadata") or {}
        name = str(meta.get("name") or "")
        ns = str(meta.get("namespace") or "default") if res.namespaced else None
        try:
            live = self.get(res, ns, name)
        except NotFound:
            try:
                return self.create(res, ns, obj)
            except AlreadyExists:
                live = self.get(res, ns, name)
        difference = merge_patch(live, obj)
        return self.patch(res, ns, name, difference) if difference else live

    def watch(
        self,
        res: Resource,
        ns: str | None = None,
        resource_version: str = "",
        label_selector: str = "",
        field_selector: str = "",
        timeout_seconds: int = 290,
    ) -> Watch:
        """An iterator of ``(type, object)``; ends when the server ends it or `Watch.close` is called.

        Bookmarks come as type BOOKMARK; an ERROR event (410 among them) is raised as `ApiError`.
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
            "timeoutSeconds": str(timeout_seconds),
        }
        response = self._send("GET", res.path(ns), query, timeout=(_TIMEOUT[0], timeout_seconds + 30.0))
        if response.status != 200:
            raise self._refusal(response)
        return Watch(response, self.server)

    def logs(self, ns: str, pod: str, container: str = "", tail_lines: int | None = None) -> str:
        query = {"container": container, "tailLines": "" if tail_lines is None else str(tail_lines)}
        response = self._send("GET", PODS.path(ns, pod, "log"), query)
        if response.status != 200:
            raise self._refusal(response)
        return self._body(response).decode("utf-8", "replace")

    def raw_get(self, path: str) -> JsonObject:
        """The JSON at any path of the server, such as ``/version``."""
        return self._json("GET", path)

    def websocket(self, path: str, query: Mapping[str, str], protocol: str) -> Any:
        """An open WebSocket (of the `websocket` package) to a path of the server, such as portforward."""
        from kubernetes.stream import ws_client

        create_websocket: Any = ws_client.create_websocket  # carries no types
        headers = {"sec-websocket-protocol": protocol}
        settings: dict[str, Any] = dict(self._configuration.auth_settings())
        for setting in settings.values():
            if setting["in"] == "header" and setting["value"]:
                headers[setting["key"].lower()] = setting["value"]
        scheme, _, rest = self._base.partition("://")
        url = f"{'wss' if scheme == 'https' else 'ws'}://{rest}{path}?{urlencode(query)}"
        try:
            return create_websocket(self._configuration, url, headers)
        except Exception as problem:  # the package raises its own kinds beside those of the transport
            code = getattr(problem, "status_code", None)
            if code:
                raise ApiError(int(code), "", f"the API server answered {code} to {path}") from None
            raise self._unreachable(problem) from None

    def close(self) -> None:
        self._rest.close()

    def _json(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> JsonObject:
        response = self._send(method, path, query, body, content_type)
        if not 200 <= response.status < 300:
            raise self._refusal(response)
        data = self._body(response)
        try:
            found: JsonObject = json.loads(data)
        except ValueError:
            raise ApiError(
                response.status, "NotJSON", f"{self.server}{path} did not answer in JSON; is it a cluster?"
            ) from None
        return found

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        timeout: tuple[float, float] = _TIMEOUT,
    ) -> urllib3.BaseHTTPResponse:
        headers = {"Accept": "application/json", "User-Agent": "rollout-lab"}
        if body is not None:
            headers["Content-Type"] = content_type
        settings: dict[str, Any] = dict(self._configuration.auth_settings())
        for setting in settings.values():
            if setting["in"] == "header" and setting["value"]:
                headers[setting["key"]] = setting["value"]
        url = self._base + path
        asked = {key: value for key, value in (query or {}).items() if value}
        if asked:
            url += "?" + urlencode(asked, quote_via=quote)
        try:
            answer = self._rest.request(method, url, headers=headers, body=body, _request_timeout=timeout)
        except Exception as problem:
            if not isinstance(problem, urllib3.exceptions.HTTPError | OSError) and (
                type(problem).__name__ != "ApiException"
            ):
                raise
            raise self._unreachable(problem) from None
        response: urllib3.BaseHTTPResponse = answer.response
        return response

    def _body(self, response: urllib3.BaseHTTPResponse) -> bytes:
        try:
            return response.data
        except (urllib3.exceptions.HTTPError, OSError) as problem:
            raise self._unreachable(problem) from None

    def _refusal(self, response: urllib3.BaseHTTPResponse) -> ApiError:
        data = self._body(response)
        try:
            status = json.loads(data)
        except ValueError:
            status = None
        if not isinstance(status, dict):
            text = data.decode("utf-8", "replace").strip()[:200]
            status = {"code": response.status, "message": text or f"HTTP {response.status}"}
        return ApiError.of(status, response.status)

    def _unreachable(self, problem: BaseException) -> ClusterUnavailable:
        reason = getattr(problem, "reason", None) or problem
        return ClusterUnavailable(
            f"no API server answers at {self.server} ({type(reason).__name__}). "
            "Is the cluster running? `rollout-lab cluster start` starts the built-in one."
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
