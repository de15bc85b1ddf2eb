"""Which resources the API server serves: names, verbs, subresources. Values only: nothing here reads or
writes objects, and custom resources are added to a `Registry` by `crds.py`, not here."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
CUSTOM_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
READ_WRITE = ("get", "patch", "update")


@dataclass(frozen=True, slots=True)
class Subresource:
    """A path below an object (`status`, `scale`, `log`) and the kind it speaks.

    An empty `group` and `version` means: the same kind as the parent's group and version.
    """

    name: str
    kind: str
    verbs: tuple[str, ...] = READ_WRITE
    group: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """One served resource of one version. Two resources with the same `bucket` share their objects."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    singular: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = VERBS
    subresources: tuple[Subresource, ...] = ()
    list_kind: str = ""
    custom: bool = False
    storage: str = ""  # the API version objects are kept in, when it is not this one
    keep: str = ""  # the bucket, when it is not "plural.group"

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def bucket(self) -> str:
        """The name its objects are stored under; equal for all versions of a kind."""
        return self.keep or self.qualified

    @property
    def qualified(self) -> str:
        """`deployments.apps`, `pods`: how error messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def list_of(self) -> str:
        return self.list_kind or self.kind + "List"

    @property
    def singular_name(self) -> str:
        return self.singular or self.kind.lower()

    @property
    def storage_hash(self) -> str:
        """`storageVersionHash` of legacy discovery.

        # upstream: apiserver/pkg/endpoints/discovery/storageversionhash.go::StorageVersionHash
        """
        text = f"{self.group}/{self.version}/{self.kind}"
        if self.storage:
            text = f"{self.storage if '/' in self.storage else '/' + self.storage}/{self.kind}"
        return base64.b64encode(hashlib.sha256(text.encode()).digest()[:8]).decode()

    def subresource(self, name: str) -> Subresource | None:
        return next((s for s in self.subresources if s.name == name), None)

    def has(self, subresource: str) -> bool:
        return self.subresource(subresource) is not None


ALL = ("all",)
_SCALE = Subresource("scale", "Scale", group="autoscaling", version="v1")


def _status(kind: str) -> Subresource:
    return Subresource("status", kind)


def _core(plural: str, kind: str, short: str = "", *more: Subresource, **kw: object) -> Resource:
    names = tuple(short.split()) if short else ()
    return Resource("", "v1", plural, kind, short_names=names, subresources=more, **kw)  # type: ignore[arg-type]


PODS = _core(
    "pods",
    "Pod",
    "po",
    Subresource("attach", "PodAttachOptions", ("create", "get")),
    Subresource("binding", "Binding", ("create",)),
    Subresource("ephemeralcontainers", "Pod"),
    Subresource("eviction", "Eviction", ("create",), "policy", "v1"),
    Subresource("exec", "PodExecOptions", ("create", "get")),
    Subresource("log", "Pod", ("get",)),
    Subresource("portforward", "PodPortForwardOptions", ("create", "get")),
    Subresource("proxy", "PodProxyOptions", ("create", "delete", "get", "patch", "update")),
    Subresource("resize", "Pod"),
    _status("Pod"),
    categories=ALL,
)
SERVICES = _core(
    "services",
    "Service",
    "svc",
    Subresource("proxy", "ServiceProxyOptions", ("create", "delete", "get", "patch", "update")),
    _status("Service"),
    categories=ALL,
)
ENDPOINTS = _core("endpoints", "Endpoints", "ep")
EVENTS = _core("events", "Event", "ev")
CONFIGMAPS = _core("configmaps", "ConfigMap", "cm")
SECRETS = _core("secrets", "Secret")
SERVICEACCOUNTS = _core(
    "serviceaccounts",
    "ServiceAccount",
    "sa",
    Subresource("token", "TokenRequest", ("create",), "authentication.k8s.io", "v1"),
)
NAMESPACES = _core(
    "namespaces",
    "Namespace",
    "ns",
    Subresource("finalize", "Namespace", ("update",)),
    _status("Namespace"),
    namespaced=False,
    verbs=tuple(v for v in VERBS if v != "deletecollection"),
)
NODES = _core(
    "nodes",
    "Node",
    "no",
    Subresource("proxy", "NodeProxyOptions", ("create", "delete", "get", "patch", "update")),
    _status("Node"),
    namespaced=False,
)
BINDINGS = _core("bindings", "Binding", verbs=("create",))
COMPONENTSTATUSES = _core(
    "componentstatuses", "ComponentStatus", "cs", namespaced=False, verbs=("get", "list")
)
LIMITRANGES = _core("limitranges", "LimitRange", "limits")
PVCS = _core("persistentvolumeclaims", "PersistentVolumeClaim", "pvc", _status("PersistentVolumeClaim"))
PVS = _core("persistentvolumes", "PersistentVolume", "pv", _status("PersistentVolume"), namespaced=False)
PODTEMPLATES = _core("podtemplates", "PodTemplate")
REPLICATIONCONTROLLERS = _core(
    "replicationcontrollers",
    "ReplicationController",
    "rc",
    _SCALE,
    _status("ReplicationController"),
    categories=ALL,
)
RESOURCEQUOTAS = _core("resourcequotas", "ResourceQuota", "quota", _status("ResourceQuota"))


def _apps(plural: str, kind: str, short: str, *more: Subresource) -> Resource:
    subs = (*more, _status(kind))
    return Resource("apps", "v1", plural, kind, short_names=(short,), categories=ALL, subresources=subs)


DEPLOYMENTS = _apps("deployments", "Deployment", "deploy", _SCALE)
REPLICASETS = _apps("replicasets", "ReplicaSet", "rs", _SCALE)
STATEFULSETS = _apps("statefulsets", "StatefulSet", "sts", _SCALE)
DAEMONSETS = _apps("daemonsets", "DaemonSet", "ds")
CONTROLLERREVISIONS = Resource("apps", "v1", "controllerrevisions", "ControllerRevision")
JOBS = Resource("batch", "v1", "jobs", "Job", categories=ALL, subresources=(_status("Job"),))
CRONJOBS = Resource(
    "batch",
    "v1",
    "cronjobs",
    "CronJob",
    short_names=("cj",),
    categories=ALL,
    subresources=(_status("CronJob"),),
)
ENDPOINTSLICES = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
EVENTS_V1 = Resource(
    "events.k8s.io", "v1", "events", "Event", short_names=("ev",), keep="events", storage="v1"
)
INGRESSES = Resource(
    "networking.k8s.io",
    "v1",
    "ingresses",
    "Ingress",
    short_names=("ing",),
    subresources=(_status("Ingress"),),
)
INGRESSCLASSES = Resource("networking.k8s.io", "v1", "ingressclasses", "IngressClass", namespaced=False)
IPADDRESSES = Resource(
    "networking.k8s.io", "v1", "ipaddresses", "IPAddress", namespaced=False, short_names=("ip",)
)
NETWORKPOLICIES = Resource(
    "networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", short_names=("netpol",)
)
SERVICECIDRS = Resource(
    "networking.k8s.io",
    "v1",
    "servicecidrs",
    "ServiceCIDR",
    namespaced=False,
    subresources=(_status("ServiceCIDR"),),
)
PDBS = Resource(
    "policy",
    "v1",
    "poddisruptionbudgets",
    "PodDisruptionBudget",
    short_names=("pdb",),
    subresources=(_status("PodDisruptionBudget"),),
)
PRIORITYCLASSES = Resource(
    "scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", namespaced=False, short_names=("pc",)
)


def _hpa(version: str) -> Resource:
    return Resource(
        "autoscaling",
        version,
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        short_names=("hpa",),
        categories=ALL,
        subresources=(_status("HorizontalPodAutoscaler"),),
        storage="autoscaling/v2",
    )


HPAS = _hpa("v2")
HPAS_V1 = _hpa("v1")
CRDS = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
    short_names=("crd", "crds"),
    categories=("api-extensions",),
    subresources=(_status("CustomResourceDefinition"),),
    storage="apiextensions.k8s.io/v1beta1",
)


def _review(group: str, plural: str, kind: str, namespaced: bool = False) -> Resource:
    return Resource(group, "v1", plural, kind, namespaced=namespaced, verbs=("create",))


REVIEWS = (
    _review("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview"),
    _review("authentication.k8s.io", "tokenreviews", "TokenReview"),
    _review("authorization.k8s.io", "localsubjectaccessreviews", "LocalSubjectAccessReview", True),
    _review("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview"),
    _review("authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview"),
    _review("authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview"),
)

BUILTIN: tuple[Resource, ...] = (
    BINDINGS,
    COMPONENTSTATUSES,
    CONFIGMAPS,
    ENDPOINTS,
    EVENTS,
    LIMITRANGES,
    NAMESPACES,
    NODES,
    PVCS,
    PVS,
    PODS,
    PODTEMPLATES,
    REPLICATIONCONTROLLERS,
    RESOURCEQUOTAS,
    SECRETS,
    SERVICEACCOUNTS,
    SERVICES,
    EVENTS_V1,
    *REVIEWS,
    HPAS,
    HPAS_V1,
    CONTROLLERREVISIONS,
    DAEMONSETS,
    DEPLOYMENTS,
    REPLICASETS,
    STATEFULSETS,
    CRONJOBS,
    JOBS,
    INGRESSCLASSES,
    INGRESSES,
    IPADDRESSES,
    NETWORKPOLICIES,
    SERVICECIDRS,
    PDBS,
    PRIORITYCLASSES,
    LEASES,
    ENDPOINTSLICES,
    CRDS,
)


@dataclass(slots=True)
class Registry:
    """The resources served now, by (group, version, plural). Changes when CRDs come and go."""

    resources: dict[tuple[str, str, str], Resource] = field(default_factory=dict)

    @staticmethod
    def builtin() -> Registry:
        return Registry({(r.group, r.version, r.plural): r for r in BUILTIN})

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        return self.resources.get((group, version, plural))

    def by_kind(self, api_version: str, kind: str) -> Resource | None:
        return next((r for r in self if r.kind == kind and r.api_version == api_version), None)

    def add(self, resources: Iterable[Resource]) -> None:
        for r in resources:
            self.resources[(r.group, r.version, r.plural)] = r

    def remove(self, group: str, plural: str) -> None:
        """Forget a custom resource in all its versions."""
        for key in [k for k in self.resources if k[0] == group and k[2] == plural]:
            del self.resources[key]

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources.values())
