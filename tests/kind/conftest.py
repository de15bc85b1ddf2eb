"""A real kind cluster for the tests of this folder, made once by the code under test and deleted at the end.

ROLLOUT_LAB_KIND_NODE_IMAGE names the node image (needed where no registry is reachable),
ROLLOUT_LAB_KIND_NAME the cluster; docker, kind and kubectl are found on PATH.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollout_lab.cli.clusters import narrator
from rollout_lab.clusters import commands
from rollout_lab.clusters.kind import create, machine, versions
from rollout_lab.errors import LabError
from rollout_lab.lab.installed import state_folder
from tests.kind.measuring import measured


def why_not() -> str:
    """Why no kind cluster can be made here, ``""`` if it can."""
    try:
        about = machine.docker()
        kind = machine.kind_version()
    except LabError as problem:
        return str(problem).partition(".")[0]
    image = create.choose_image(create.Wanted().image(), kind, about.cgroup, machine.has_image)
    if not image:
        return f"no node image is pinned for kind {versions.spoken(kind)}; set {create.IMAGE_VARIABLE}"
    if not machine.has_image(image):
        return f"docker does not hold the node image {image}; pull it, or set {create.IMAGE_VARIABLE}"
    return ""


@pytest.fixture(scope="session", autouse=True)
def _possible() -> None:
    reason = why_not()
    if reason:
        pytest.skip(f"no kind cluster here: {reason}")


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, _possible: None) -> Iterator[Path]:
    """Files of these labs only, and a user's kubeconfig that nobody may write to."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROLLOUT_LAB_HOME", str(folder))
        patch.setenv("ROLLOUT_LAB_LANG", "en")
        patch.setenv("KUBECONFIG", str(folder / "the-users-own"))
        yield folder
    assert not (folder / "the-users-own").exists(), "the user's kubeconfig was written to"


@pytest.fixture(scope="session")
def cluster(home: Path) -> Iterator[str]:
    """The name of a cluster that `create.ensure` made; it is gone afterwards."""
    name = os.environ.get(create.NAME_VARIABLE) or f"lab-test-{uuid.uuid4().hex[:6]}"
    wanted = create.Wanted(name)
    try:
        made = create.ensure(wanted, home / "kubeconfig", state_folder(), narrator("en"), time.time)
        made.client.close()
        assert made.created, f"a cluster {name} is there already: delete it, or name another one"
        measured("kind: cluster made, one node, until it can be used", made.seconds, "s")
        yield name
    finally:
        create.delete(name)
    assert name not in machine.clusters()
    assert not commands.check("docker", "volume", "ls", "--quiet", "--filter", f"label={name}").strip()
