"""Image names, tags, faults and variables."""

from __future__ import annotations

import pytest

from rollout_lab.clusters.embedded.kubelet.apps.app import Surroundings
from rollout_lab.clusters.embedded.kubelet.apps.faults import (
    SUFFIXES,
    VARIABLES,
    Faults,
    from_environment,
    split_tag,
)
from rollout_lab.clusters.embedded.kubelet.catalogue import find, not_found_message, parse


@pytest.mark.parametrize(
    ("text", "program", "version"),
    [
        ("1pro/api-tester:1.0.0", "ApiTester", "1.0.0"),
        ("1pro/api-tester:v1.0.0", "ApiTester", "1.0.0"),
        ("rollout-lab/api-tester:2.1", "ApiTester", "2.1"),
        ("ghcr.io/rollout-lab/api-tester:3.0.0-slow", "ApiTester", "3.0.0-slow"),
        ("localhost:5000/me/api-tester", "ApiTester", "latest"),
        ("api-tester:v2.0.0-never-ready", "ApiTester", "2.0.0-never-ready"),
        ("nginx:1.19-alpine", "Nginx", "1.19-alpine"),
        ("docker.io/library/nginx", "Nginx", "latest"),
        ("argoproj/rollouts-demo:blue", "RolloutsDemo", "blue"),
    ],
)
def test_images_lead_to_programs(text: str, program: str, version: str) -> None:
    """Protects the catalogue: the course's image, ours and the peer's examples all run."""
    image = parse(text)
    assert image is not None
    found = find(image)
    assert found is not None
    assert (found.factory.__name__, found.version) == (program, version)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "text", ["alpine:3.8", "busybox", "me/nginx-like:1", "nginx/other:1", "api-testers:1"]
)
def test_other_images_are_not_there(text: str) -> None:
    """Protects ErrImagePull: a near name is no name."""
    image = parse(text)
    assert image is not None
    assert find(image) is None


@pytest.mark.parametrize(
    "text", ["", "me/UPPER:1", "a b:1", "nginx:", "nginx:-x", "nginx::1", "/nginx", "a//b"]
)
def test_misspelt_references_are_refused(text: str) -> None:
    """Protects InvalidImageName: what the runtime cannot parse, we do not either."""
    assert parse(text) is None


def test_full_names_are_the_runtime_s() -> None:
    """Protects the words of pull errors: registry and library are filled in."""
    names = {"nope": "docker.io/library/nope:latest", "me/x:1": "docker.io/me/x:1", "r.io/x:1": "r.io/x:1"}
    for text, full in names.items():
        image = parse(text)
        assert image is not None
        assert image.full == full
        assert f'resolve reference "{full}"' in not_found_message(image)
        assert image.id.startswith(full.rpartition(":")[0] + "@sha256:")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_suffix_asks_for_a_fault(suffix: str) -> None:
    """Protects the table of suffixes: each stays in the version and changes something."""
    version, found = split_tag(f"v2.0.0{suffix}")
    assert version == f"2.0.0{suffix}"
    assert found != Faults()


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_is_read_or_complained_about(name: str) -> None:
    """Protects the table of variables: a value that cannot be read is named in the log, not swallowed."""
    good, complaints = from_environment(Faults(), {name: "never" if name.endswith("READY") else "7"})
    assert good != Faults()
    assert not complaints
    bad, complaints = from_environment(Faults(), {name: "-1 or so"})
    assert bad == Faults()
    assert name in complaints[0]


def test_a_variable_wins_over_the_suffix() -> None:
    """Protects the rule that the environment can switch a fault of the tag off."""
    image = parse("1pro/api-tester:2.0.0-never-ready")
    assert image is not None
    program = find(image)
    assert program is not None
    around = Surroundings(
        pod="p",
        namespace="n",
        ip="127.10.0.4",
        node="node",
        image=image.text,
        environment={"API_TESTER_READY": "always"},
        shown=(),
        now=lambda: 0.0,
        write=lambda _: None,
        exit=lambda _: None,
    )
    assert not program.build(around)[1].never_ready
