"""The hashes that name ReplicaSets and detect changed steps, byte for byte those of the peer. Pure.

FNV-1a (32 bit) over the Go JSON of the typed value, written in decimal, each digit replaced by a
letter or digit that spells no words. Equal hashes let this engine take over a Rollout the peer
started, and hand it back.

# upstream: utils/hash/hash.go::ComputePodTemplateHash, utils/conditions ComputeStepHash
# upstream: k8s.io/apimachinery pkg/util/rand::SafeEncodeString
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from rollout_lab.api import gojson

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_OFFSET, _PRIME, _MASK = 2166136261, 16777619, 0xFFFFFFFF


def fnv1a(data: bytes) -> int:
    """FNV-1a, 32 bit."""
    found = _OFFSET
    for byte in data:
        found = ((found ^ byte) * _PRIME) & _MASK
    return found


def safe_encode(text: str) -> str:
    """`text` with each character mapped into an alphabet without vowels."""
    return "".join(_ALPHABET[ord(c) % len(_ALPHABET)] for c in text)


def pod_template_hash(template: Mapping[str, Any] | None, collision_count: int | None = None) -> str:
    """The hash of a pod template as it stands in the manifest.

    >>> pod_template_hash({"metadata": {"labels": {"app": "demo"}},
    ...                    "spec": {"containers": [{"name": "c", "image": "demo:1"}]}})
    '7b56f6cd64'

    `collision_count` is `status.collisionCount`, None where that is absent (0 is not the same).
    """
    return _pod_template_hash(json.dumps(template), collision_count)


@lru_cache(maxsize=512)
def _pod_template_hash(template: str, collision_count: int | None) -> str:
    written = gojson.encode(json.loads(template), "core/v1.PodTemplateSpec").encode()
    if collision_count is not None:
        written += struct.pack("<II", collision_count & _MASK, 0)
    return safe_encode(str(fnv1a(written)))


def step_hash(steps: Sequence[Any] | None) -> str:
    """The hash of `spec.strategy.canary.steps`; None (no steps at all) and [] differ.

    >>> step_hash(None), step_hash([]), step_hash([{"setWeight": 10}])
    ('5ffbfbbd64', '5f8cb5778f', '54b5fccf74')
    """
    value = None if steps is None else list(steps)
    return safe_encode(str(fnv1a(gojson.encode(value, "[]Step").encode())))
