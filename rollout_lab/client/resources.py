"""The Kubernetes resources this package talks to: names and addresses, nothing that sends.

A `Resource` says where the objects of one kind live on an API server. It does not describe their
fields: objects are raw JSON everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from rollout_lab.errors import UsageError


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of object. `group` is empty for the core group; `plural` is the path word."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str = "", subresource: str = "") -> str:
        """The URL path of the collection, of one object, or of its subresource.

        No `namespace` on a namespaced resource means the collection of all namespaces.
        """
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts += [part for part in (self.plural, name, subresource) if part]
        return "/" + "/".join(quote(part, safe="") for part in parts)


ROLLOUTS = Resource("argoproj.io", "v1alpha1", "rollouts", "Rollout")
REPLICASETS = Resource("apps", "v1", "replicasets", "ReplicaSet")
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
SERVICES = Resource("", "v1", "services", "Service")
PODS = Resource("", "v1", "pods", "Pod")
EVENTS = Resource("", "v1", "events", "Event")
CONFIGMAPS = Resource("", "v1", "configmaps", "ConfigMap")
SECRETS = Resource("", "v1", "secrets", "Secret")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
NODES = Resource("", "v1", "nodes", "Node", namespaced=False)
ENDPOINTS = Resource("", "v1", "endpoints", "Endpoints")
ENDPOINTSLICES = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
CRDS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)
SERVICEACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")
DAEMONSETS = Resource("apps", "v1", "daemonsets", "DaemonSet")
_RBAC = "rbac.authorization.k8s.io"
ROLES = Resource(_RBAC, "v1", "roles", "Role")
ROLEBINDINGS = Resource(_RBAC, "v1", "rolebindings", "RoleBinding")
CLUSTERROLES = Resource(_RBAC, "v1", "clusterroles", "ClusterRole", namespaced=False)
CLUSTERROLEBINDINGS = Resource(_RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False)
INGRESSES = Resource("networking.k8s.io", "v1", "ingresses", "Ingress")
INGRESSCLASSES = Resource("networking.k8s.io", "v1", "ingressclasses", "IngressClass", namespaced=False)
_GATEWAY_API, _ISTIO = "gateway.networking.k8s.io", "networking.istio.io"
GATEWAYCLASSES = Resource(_GATEWAY_API, "v1", "gatewayclasses", "GatewayClass", namespaced=False)
GATEWAYS = Resource(_GATEWAY_API, "v1", "gateways", "Gateway")
HTTPROUTES = Resource(_GATEWAY_API, "v1", "httproutes", "HTTPRoute")
VIRTUALSERVICES = Resource(_ISTIO, "v1", "virtualservices", "VirtualService")
DESTINATIONRULES = Resource(_ISTIO, "v1", "destinationrules", "DestinationRule")
ISTIO_GATEWAYS = Resource(_ISTIO, "v1", "gateways", "Gateway")

KNOWN: tuple[Resource, ...] = (
    ROLLOUTS,
    REPLICASETS,
    DEPLOYMENTS,
    SERVICES,
    PODS,
    EVENTS,
    CONFIGMAPS,
    SECRETS,
    NAMESPACES,
    NODES,
    ENDPOINTS,
    ENDPOINTSLICES,
    LEASES,
    CRDS,
    INGRESSES,
    INGRESSCLASSES,
    GATEWAYCLASSES,
    GATEWAYS,
    HTTPROUTES,
    VIRTUALSERVICES,
    DESTINATIONRULES,
    ISTIO_GATEWAYS,
    SERVICEACCOUNTS,
    ROLES,
    ROLEBINDINGS,
    CLUSTERROLES,
    CLUSTERROLEBINDINGS,
)
_BY_KIND = {(r.api_version, r.kind): r for r in KNOWN}


def of_object(obj: Mapping[str, Any]) -> Resource:
    """The resource an object belongs to, by its apiVersion and kind. Raises UsageError."""
    api_version, kind = str(obj.get("apiVersion") or ""), str(obj.get("kind") or "")
    found = _BY_KIND.get((api_version, kind))
    if found is None:
        known = ", ".join(sorted({r.kind for r in KNOWN}))
        raise UsageError(
            f"no known resource has apiVersion {api_version!r} and kind {kind!r}; known kinds are {known}"
        )
    return found
