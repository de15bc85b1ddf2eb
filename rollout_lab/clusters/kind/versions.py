"""Which node image a machine gets: by the version of kind and of the machine's cgroups. Pure.

A node image belongs to the release of kind it was built for, so images are pinned per release, with
the digest of the multi-architecture index.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

Version = tuple[int, int, int]

OLDEST: Final[Version] = (0, 30, 0)
"""The oldest kind this was made for."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """Node images of one release of kind: `usual`, and `cgroup1` for machines with cgroup v1."""

    usual: str
    cgroup1: str


# upstream: the "Images pre-built for this release" of each kind release.
# From 1.35 on a kubelet refuses to start under cgroup v1 (KubeletConfiguration failCgroupV1), so such a
# machine gets the last minor before that.
PINNED: Final[dict[tuple[int, int], Pinned]] = {
    (0, 30): Pinned(
        "kindest/node:v1.34.0@sha256:7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a",
        "kindest/node:v1.34.0@sha256:7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a",
    ),
    (0, 31): Pinned(
        "kindest/node:v1.35.0@sha256:452d707d4862f52530247495d180205e029056831160e22870e37e3f6c1ac31f",
        "kindest/node:v1.34.3@sha256:08497ee19eace7b4b5348db5c6a1591d7752b164530a36f855cb0f2bdcbadd48",
    ),
    (0, 32): Pinned(
        "kindest/node:v1.36.1@sha256:3489c7674813ba5d8b1a9977baea8a6e553784dab7b84759d1014dbd78f7ebd5",
        "kindest/node:v1.34.8@sha256:02722c2dedddcfc00febf5d27fbeb9b7b2c14294c82109ff4a85d89ac9ba3256",
    ),
    (0, 33): Pinned(
        "kindest/node:v1.36.4@sha256:099e049362a1526b2db71494e1947aae99bd16290d7c895f2b7ea312e3cbfaed",
        "kindest/node:v1.34.11@sha256:44e222ee2132dab25ff87301682f89eb82c7880ea3a1bf543bfe9708fd08d67d",
    ),
}
NEWER: Final = Pinned("", "kindest/node:v1.34.11")
"""A kind newer than those known: its own default (``""``), and for cgroup v1 a tag without a digest."""


def parse(text: str) -> Version | None:
    """The first version in a text.

    >>> parse("kind v0.33.0 go1.26 linux/amd64"), parse("v1.34.4-alpha"), parse("none")
    ((0, 33, 0), (1, 34, 4), None)
    """
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def spoken(version: Version | None) -> str:
    """``0.33.0``, ``""`` for None."""
    return ".".join(map(str, version)) if version else ""


def node_image(kind: Version | None, cgroup: int) -> str:
    """The node image for this kind and cgroup version (1 or 2); ``""`` leaves it to kind.

    >>> node_image((0, 33, 0), 1).split("@")[0], node_image((0, 99, 0), 2)
    ('kindest/node:v1.34.11', '')
    """
    pinned = PINNED.get(kind[:2], NEWER) if kind and kind >= OLDEST else NEWER
    return pinned.cgroup1 if cgroup == 1 else pinned.usual


def kubernetes_of(image: str) -> Version | None:
    """The Kubernetes version a node image names in its tag.

    >>> kubernetes_of("kindest/node:v1.34.0@sha256:7416a6"), kubernetes_of("localhost:5000/node")
    ((1, 34, 0), None)
    """
    name = image.partition("@")[0].rpartition("/")[2]
    return parse(name.partition(":")[2])


def fits(image: str, cgroup: int) -> bool:
    """Whether the kubelet of a node image starts under this cgroup version (an unknown one may)."""
    version = kubernetes_of(image)
    return cgroup != 1 or version is None or version < (1, 35, 0)
