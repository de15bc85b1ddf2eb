"""The objects a gateway needs, as copies of what an API server has.

Kinds of CRDs are followed once they are served, Pods only where a DestinationRule may ask for their labels.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from rollout_lab.client.kube import KubeClient
from rollout_lab.client.mirror import Mirror
from rollout_lab.client.resources import (
    ENDPOINTSLICES,
    INGRESSCLASSES,
    INGRESSES,
    NAMESPACES,
    PODS,
    SERVICES,
    Resource,
)
from rollout_lab.errors import ApiError, ClusterUnavailable, LabError
from rollout_lab.gateway.kinds import CUSTOM, VERSIONS, labels_matter
from rollout_lab.gateway.objects import World

Json = dict[str, Any]
BUILTIN: Final[Mapping[str, Resource]] = {
    "Ingress": INGRESSES,
    "IngressClass": INGRESSCLASSES,
    "Service": SERVICES,
    "EndpointSlice": ENDPOINTSLICES,
    "Namespace": NAMESPACES,
}
LOOK: Final = 2.0  # wall seconds between two looks for kinds that are not served yet


class Feed:
    """Calls `changed()`, on any thread, whenever something happens that may change the table."""

    def __init__(
        self, client: KubeClient, changed: Callable[[], None], trouble: Callable[[LabError], None]
    ) -> None:
        """`trouble` hears what the API server refuses; the copies are kept and asked for again."""
        self._client, self._changed, self._trouble = client, changed, trouble
        self._mirrors: dict[str, Mirror] = {}
        self._refused: set[str] = set()
        self._labels: dict[tuple[str, str], Json] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._looking = threading.Thread(target=self._look, name="gateway-kinds", daemon=True)

    def start(self) -> None:
        """Follow everything there is, and go on looking for kinds that come later."""
        for kind, res in BUILTIN.items():
            self._follow(kind, res)
        self._looking.start()

    def stop(self) -> None:
        self._stop.set()
        if self._looking.is_alive():
            self._looking.join(5.0)
        with self._lock:
            mirrors = list(self._mirrors.values())
        for mirror in mirrors:
            mirror.stop()

    @property
    def synced(self) -> bool:
        """Whether all kinds that are followed have been listed once, but CRDs' that are refused us."""
        with self._lock:
            mirrors, refused = dict(self._mirrors), set(self._refused)
        listed = {kind for kind, mirror in mirrors.items() if mirror.synced}
        return BUILTIN.keys() <= listed and mirrors.keys() <= listed | (refused & CUSTOM.keys())

    def resource(self, kind: str) -> Resource | None:
        """Where objects of a kind live; None while it is not followed."""
        with self._lock:
            mirror = self._mirrors.get(kind)
        return mirror.resource if mirror is not None else None

    def find(self, kind: str, namespace: str, name: str) -> Json | None:
        """The copy of one object."""
        with self._lock:
            mirror = self._mirrors.get(kind)
        return mirror.get(namespace or None, name) if mirror is not None else None

    def world(self) -> World:
        """Everything as it is now."""
        with self._lock:
            mirrors = dict(self._mirrors)
        return World.of({kind: mirror.list() for kind, mirror in mirrors.items()})

    def _look(self) -> None:
        """Follow custom kinds as they come to be served, and Pods once subsets may ask for labels."""
        while not self._stop.is_set():
            self.look_again()
            self._stop.wait(LOOK)

    def look_again(self) -> None:
        """One look. A group nobody serves, or a server that is away for a moment, is asked again later."""
        missing = [kind for kind in CUSTOM if self.resource(kind) is None]
        for group in dict.fromkeys(CUSTOM[kind][0] for kind in missing):
            try:
                served = self._served(group)
            except ClusterUnavailable as problem:
                self._trouble(problem)
                continue
            except LabError:  # nobody serves this group
                continue
            for kind in missing:
                if CUSTOM[kind][0] == group and CUSTOM[kind][1] in served:
                    self._follow(kind, served[CUSTOM[kind][1]])

    def _served(self, group: str) -> dict[str, Resource]:
        """Plural -> resource in the best version that has it."""
        offered = {v["version"] for v in self._client.raw_get(f"/apis/{group}")["versions"]}
        found: dict[str, Resource] = {}
        for version in (v for v in VERSIONS if v in offered):
            for row in self._client.raw_get(f"/apis/{group}/{version}")["resources"]:
                res = Resource(group, version, row["name"], row["kind"], bool(row["namespaced"]))
                found.setdefault(res.plural, res)
        return found

    def _follow(self, kind: str, res: Resource) -> None:
        def trouble(problem: LabError) -> None:
            if isinstance(problem, ApiError) and problem.code in (403, 404):
                with self._lock:
                    self._refused.add(kind)
                self._changed()
            self._trouble(problem)

        mirror = Mirror(self._client, res, on_error=trouble, on_list=self._changed)
        mirror.on_event(self._pod if kind == "Pod" else self._event)
        with self._lock:
            if kind in self._mirrors or self._stop.is_set():
                return
            self._mirrors[kind] = mirror
        mirror.start()

    def _event(self, _: str, obj: Json) -> None:
        if obj.get("kind") == "DestinationRule" and self.resource("Pod") is None:
            self._follow("Pod", PODS)
        self._changed()

    def _pod(self, event: str, pod: Json) -> None:
        """On the mirror's thread only."""
        about = pod["metadata"]
        key = str(about.get("namespace") or ""), str(about["name"])
        before = self._labels.pop(key, None)
        if event != "DELETED":
            self._labels[key] = {"metadata": {"labels": about.get("labels")}}
        if event == "DELETED" or labels_matter(pod, before):
            self._changed()
