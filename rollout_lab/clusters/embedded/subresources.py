"""Addresses below an object that are not the object: scale here, what is done to Pods in `podactions`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rollout_lab.clusters.embedded import podactions, statuses
from rollout_lab.clusters.embedded.decoding import Options
from rollout_lab.clusters.embedded.resources import BINDINGS, Resource
from rollout_lab.clusters.embedded.selectors import selector_string

if TYPE_CHECKING:
    from rollout_lab.clusters.embedded.api import Api

Object = dict[str, Any]

_SCALE = Resource("autoscaling", "v1", "scales", "Scale")
_EVICTION = Resource("policy", "v1", "evictions", "Eviction")


class Subresources:
    """Reads and writes of subresources other than status."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def get(self, res: Resource, ns: str | None, name: str, subresource: str) -> Object:
        if not res.has(subresource):
            raise statuses.no_such_path()
        obj = self.api.get(res, ns, name)
        return self.scale_of(res, obj) if subresource == "scale" else obj

    def create(
        self, res: Resource, ns: str | None, name: str, subresource: str, body: Object, options: Options
    ) -> Object:
        if subresource == "binding":
            binding = self.api.decoder.decode(BINDINGS, body, options)
            return podactions.bind(self.api, ns or "", name, binding, options)
        if subresource == "eviction":
            eviction = self.api.decoder.decode(_EVICTION, body, options)
            return podactions.evict(self.api, ns or "", name, eviction, options)
        raise statuses.method_not_allowed()

    def update(
        self, res: Resource, ns: str | None, name: str, subresource: str, body: Object, options: Options
    ) -> Object:
        if subresource != "scale" or not res.has("scale"):
            raise statuses.no_such_path()
        scale = self.api.decoder.decode(_SCALE, body, options)
        other = scale["metadata"].get("name", name)
        if other != name:
            text = f"the name of the object ({other}) does not match the name on the URL ({name})"
            raise statuses.bad_request(text)
        return self._rescale(res, ns, name, scale, options)

    def patch(
        self,
        res: Resource,
        ns: str | None,
        name: str,
        subresource: str,
        patch: Any,
        kind: str,
        options: Options,
    ) -> Object:
        if subresource != "scale" or not res.has("scale"):
            raise statuses.no_such_path()
        current = self.scale_of(res, self.api.get(res, ns, name))
        changed = self.api.decoder.patched(_SCALE, current, patch, kind, options)
        return self._rescale(res, ns, name, changed, options)

    def scale_of(self, res: Resource, obj: Object) -> Object:
        """The `Scale` view of an object."""
        wanted, current, selector = self._paths(res)
        meta = {
            k: obj["metadata"][k]
            for k in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
            if k in obj["metadata"]
        }
        replicas, now = dig(obj, wanted), dig(obj, current)
        status: Object = {"replicas": now or 0}
        found = dig(obj, selector) if selector else None
        text = found if isinstance(found, str) else selector_string(found) if found else ""
        if text:
            status["selector"] = text
        spec = {"replicas": replicas} if replicas else {}
        return {
            "kind": "Scale",
            "apiVersion": "autoscaling/v1",
            "metadata": meta,
            "spec": spec,
            "status": status,
        }

    def _paths(self, res: Resource) -> tuple[str, str, str]:
        if res.custom:
            scale = self.api.customs.version(res)["subresources"]["scale"]
            return scale["specReplicasPath"], scale["statusReplicasPath"], scale.get("labelSelectorPath", "")
        return ".spec.replicas", ".status.replicas", ".spec.selector"

    def _rescale(self, res: Resource, ns: str | None, name: str, scale: Object, options: Options) -> Object:
        old = self.api.get(res, ns, name)
        replicas = (scale.get("spec") or {}).get("replicas") or 0
        if replicas < 0:
            detail = "must be greater than or equal to 0"
            causes = [statuses.invalid_value("spec.replicas", str(replicas), detail)]
            raise statuses.invalid(_SCALE, name, causes)
        wished = (scale.get("metadata") or {}).get("resourceVersion")
        if wished and wished != old["metadata"]["resourceVersion"]:
            raise statuses.conflict(res, name)
        made = put_at(old, self._paths(res)[0], replicas)
        made = {**made, "metadata": {**made["metadata"]}}
        return self.scale_of(res, self.api.write(res, made, old, "", options))


def dig(obj: Any, path: str) -> Any:
    """The value at a dotted path (`.spec.replicas`), or None."""
    for part in path.lstrip(".").split("."):
        obj = obj.get(part) if isinstance(obj, dict) else None
    return obj


def put_at(obj: Object, path: str, value: Any) -> Object:
    """A copy of `obj` with the value at a dotted path."""
    first, _, rest = path.lstrip(".").partition(".")
    inner = put_at(obj.get(first) or {}, rest, value) if rest else value
    return {**obj, first: inner}
