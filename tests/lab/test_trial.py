"""Strategies tried out on a real lab: Deployments as well, and what their users had of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rollout_lab.client.resources import DEPLOYMENTS, ROLLOUTS
from rollout_lab.errors import NotFound
from rollout_lab.lab import Lab
from rollout_lab.lab.trial import OVER, Stage, Trial
from rollout_lab.observe.replay import Recording
from rollout_lab.ui.recipe import Character, Kind, Recipe, objects
from tests.waiting import poll

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.start("embedded", speed=5, scenario=None) as running:
        yield running


def tried(lab: Lab, recipe: Recipe, promote: bool = False) -> tuple[Trial, Recording]:
    name = f"try-{recipe.kind.lower()}"
    trial = Trial(lab, objects(recipe, name), name, recipe.image, "mine").start()

    def over() -> bool:
        if promote and trial.stage is Stage.UPDATING:
            lab.do("promote", name)
        return trial.stage in OVER

    assert poll(over), trial.stage
    return trial, Recording(trial.rows(), name=name)


def test_a_deployment_is_recorded_like_a_rollout(lab: Lab) -> None:
    """Recreate: real Pods, and requests that really failed while none was there."""
    trial, run = tried(lab, Recipe(Kind.RECREATE, replicas=3))
    assert (trial.stage, trial.trouble, trial.about) == (Stage.DONE, "", "mine")
    figures = run.figures()
    assert (figures["from"], figures["version"], figures["finished"]) == ("1.0.0", "2.0.0", True)
    assert (figures["extraPods"], figures["minAvailable"]) == (0, 0)
    assert figures["downtime"] > 0
    assert figures["failed"] > 0
    assert figures["requests"] > figures["failed"]
    picture = trial.picture()
    assert picture is not None
    assert [pod["version"] for pod in picture["pods"]] == ["2.0.0"] * 3
    assert picture["services"][0]["requests"] >= figures["requests"]
    trial.close()
    with pytest.raises(NotFound):
        lab.client.get(DEPLOYMENTS, lab.namespace, "try-recreate")


def test_a_rolling_update_keeps_its_users(lab: Lab) -> None:
    """maxSurge one more Pod, nobody unserved; a second trial begins with version 1 again."""
    recipe = Recipe(Kind.ROLLING, replicas=3, surge=34)
    for _ in range(2):
        trial, run = tried(lab, recipe)
        figures = run.figures()
        assert (trial.stage, figures["from"], figures["finished"]) == (Stage.DONE, "1.0.0", True)
        assert (figures["downtime"], figures["minAvailable"]) == (0, 3)
        assert 1 <= figures["extraPods"] <= 2
    trial.close()


def test_a_version_that_never_gets_ready_ends_as_failed(lab: Lab) -> None:
    """The progress deadline says so; the old Pods still answer."""
    trial, run = tried(lab, Recipe(Kind.ROLLING, replicas=2, new=Character.NEVER_READY))
    assert trial.stage is Stage.FAILED
    figures = run.figures()
    assert (figures["phase"], figures["finished"], figures["downtime"]) == ("Degraded", False, 0)
    trial.close()


def test_a_rollout_is_tried_with_the_labs_own_recorder(lab: Lab) -> None:
    """A canary waits for a person as it would anywhere, and stays with the lab's rollouts."""
    recipe = Recipe(Kind.CANARY, replicas=2, steps=((50, 0), (80, 5)))
    trial, run = tried(lab, recipe, promote=True)
    assert (trial.stage, trial.picture()) == (Stage.DONE, None)
    assert run.figures()["finished"]
    trial.close()
    assert lab.client.get(ROLLOUTS, lab.namespace, "try-canary")
