"""The rules of a pod template that people get wrong. Pure.

Not all of Kubernetes' rules: the API server has the last word when the ReplicaSet makes its Pods.
Values the API server fills in by itself (protocol, restartPolicy …) may be absent.

# upstream: k8s.io/kubernetes pkg/apis/apps/validation::ValidatePodTemplateSpecForReplicaSet
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rollout_lab.api import fields, labels
from rollout_lab.api.problems import FieldError, duplicate, forbidden, invalid, required
from rollout_lab.api.validate_container import container_errors

_DNS_POLICIES = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"]
_KNOWN_RESTARTS = ["Always", "OnFailure", "Never"]
_RESTARTS = ["Always"]


def pod_template_errors(template: Mapping[str, Any], at: str) -> list[FieldError]:
    """Every mistake of a pod template that a ReplicaSet is to use."""
    metadata, spec = fields.mapping(template, "metadata"), fields.mapping(template, "spec")
    errors = labels.label_errors(metadata.get("labels"), f"{at}.labels")
    errors += labels.annotation_errors(metadata.get("annotations"), f"{at}.annotations")
    return [*errors, *_spec(spec, f"{at}.spec")]


def _spec(spec: Mapping[str, Any], at: str) -> Iterator[FieldError]:
    volumes = fields.objects(spec, "volumes")
    yield from _volumes(volumes, f"{at}.volumes")
    mountable = {fields.text(volume, "name") for volume in volumes}
    taken: set[str] = set()
    containers = fields.objects(spec, "containers")
    if not containers:
        yield required(f"{at}.containers", "a Pod needs at least one container with a name and an image")
    for index, container in enumerate(containers):
        yield from container_errors(container, f"{at}.containers[{index}]", mountable, taken)
    for index, container in enumerate(fields.objects(spec, "initContainers")):
        yield from container_errors(container, f"{at}.initContainers[{index}]", mountable, taken, init=True)
    yield from labels.choice(spec.get("restartPolicy"), _KNOWN_RESTARTS, f"{at}.restartPolicy")
    yield from labels.choice(spec.get("dnsPolicy"), _DNS_POLICIES, f"{at}.dnsPolicy")
    yield from labels.label_errors(spec.get("nodeSelector"), f"{at}.nodeSelector")
    yield from _names(spec, at)
    deadline = fields.integer(spec, "activeDeadlineSeconds")
    if deadline is not None and deadline < 1:
        yield invalid(f"{at}.activeDeadlineSeconds", deadline, "must be 1 or more")
    yield from labels.choice(spec.get("restartPolicy"), _RESTARTS, f"{at}.restartPolicy")
    if spec.get("activeDeadlineSeconds") is not None:
        detail = "Pods of a Rollout run until they are replaced; remove it"
        yield forbidden(f"{at}.activeDeadlineSeconds", detail)


def _names(spec: Mapping[str, Any], at: str) -> Iterator[FieldError]:
    for name, allowed in (
        ("serviceAccountName", labels.is_dns_name),
        ("nodeName", labels.is_dns_name),
        ("hostname", labels.is_dns_label),
        ("subdomain", labels.is_dns_label),
    ):
        given = fields.text(spec, name)
        if given and not allowed(given):
            yield invalid(f"{at}.{name}", given, "a name is small letters, digits and hyphens")


def _volumes(volumes: list[dict[str, Any]], at: str) -> Iterator[FieldError]:
    taken: set[str] = set()
    for index, volume in enumerate(volumes):
        name, where = fields.text(volume, "name"), f"{at}[{index}]"
        sources = [key for key, source in volume.items() if key != "name" and source is not None]
        for extra in sources[1:]:
            yield forbidden(f"{where}.{extra}", f"a volume is one thing; this one is already a {sources[0]}")
        for source, key in (("configMap", "name"), ("secret", "secretName")):
            if volume.get(source) is not None and not fields.text(volume, source, key):
                yield required(f"{where}.{source}.{key}", f"name the {source} to read")
        if not name:
            yield required(f"{where}.name", "name the volume, so that containers can mount it")
        elif not labels.is_dns_label(name):
            yield invalid(f"{where}.name", name, "a name is small letters, digits and hyphens")
        elif name in taken:
            yield duplicate(f"{where}.name", name, "two volumes with one name; rename one")
        taken.add(name)
