"""Protobuf bodies of real clients."""

from __future__ import annotations

import base64
import contextlib
import importlib.resources
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollout_lab.clusters.embedded.http import protobuf

DATA = Path(__file__).parents[2] / "data" / "transcripts"
SAMPLES = [json.loads(line) for line in (DATA / "protobuf-samples.jsonl").read_text().splitlines()]


def without_zeros(value: Any) -> Any:
    """Without what Go writes for empty structs and we leave to decoding."""
    if isinstance(value, dict):
        pairs = ((k, without_zeros(v)) for k, v in value.items())
        return {k: v for k, v in pairs if v is not None and v != {} and v != [] and v != "" and v != 0}
    return [without_zeros(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("sample", SAMPLES, ids=[s["id"] for s in SAMPLES])
def test_recorded_bodies_decode_to_the_recorded_objects(sample: dict[str, Any]) -> None:
    """What kubectl, the controller manager and the scheduler really send."""
    found = protobuf.decode(base64.b64decode(sample["b64"]))
    assert without_zeros(found) == without_zeros(sample["json"])


@given(st.binary(max_size=200))
def test_no_bytes_break_the_decoder(noise: bytes) -> None:
    """Anything else a client sends is Malformed, never another exception."""
    with contextlib.suppress(protobuf.Malformed):
        protobuf.decode(protobuf.MAGIC + noise)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(SAMPLES), st.data())
def test_cut_and_bent_bodies_are_malformed_or_objects(sample: dict[str, Any], data: st.DataObject) -> None:
    """A body that breaks in the middle never takes the server with it."""
    raw = bytearray(base64.b64decode(sample["b64"]))
    at = data.draw(st.integers(4, len(raw) - 1))
    raw[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(protobuf.Malformed):
        assert isinstance(protobuf.decode(bytes(raw[: data.draw(st.integers(4, len(raw)))])), dict)


def test_the_table_is_the_recorded_one() -> None:
    """The package ships a copy of the recorded table; they must not drift apart."""
    shipped = importlib.resources.files(protobuf.__package__) / "data" / "protobuf-fields.json.gz"
    assert shipped.read_bytes() == (DATA / "protobuf-fields.json.gz").read_bytes()
