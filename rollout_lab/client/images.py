"""Versions and image references: what tag a workload runs, the same image with another tag. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollout_lab.api import fields


def image_tag(image: str) -> str:
    """The version an image reference names: its tag without a leading ``v`` before a digit.

    >>> image_tag("1pro/api-tester:v1.0.0"), image_tag("localhost:5000/app"), image_tag("a:2.0.0@sha256:0")
    ('1.0.0', 'latest', '2.0.0')
    """
    last = image.partition("@")[0].rpartition("/")[2]
    tag = last.partition(":")[2] or "latest"
    return tag[1:] if tag[:1] == "v" and tag[1:2].isdigit() else tag


def with_tag(image: str, tag: str) -> str:
    """`image` with another tag.

    >>> with_tag("localhost:5000/1pro/api-tester:1.0.0", "2.0.0")
    'localhost:5000/1pro/api-tester:2.0.0'
    """
    head, slash, last = image.partition("@")[0].rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}:{tag}"


def version_of(workload: Mapping[str, Any]) -> str:
    """The version of a Rollout or ReplicaSet: the tag of its first container's image."""
    containers = fields.objects(workload, "spec", "template", "spec", "containers")
    return image_tag(fields.text(containers[0], "image")) if containers else ""
