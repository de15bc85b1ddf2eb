"""Lessons on a real cluster: the same text, the same checks, the same answers as on the embedded one.

At one lab second a second some lessons take minutes. ROLLOUT_LAB_KIND_LESSONS names which are walked:
numbers with commas, or ``all``; without it three, which between them touch plain Deployments' Services, all
three kinds of connections, and a Rollout behind the gateway with testers, copies and weights.
"""

from __future__ import annotations

import os

import pytest

from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import NAMESPACES
from rollout_lab.clusters.kind.create import Wanted
from rollout_lab.course import Walk
from rollout_lab.course.lesson import lesson_folders, load_lesson
from rollout_lab.errors import NotFound
from rollout_lab.lab import Lab
from tests.course.walking import LESSONS, Student, follow
from tests.kind.test_images import until

pytestmark = [pytest.mark.kind, pytest.mark.timeout(900)]
ASKED = os.environ.get("ROLLOUT_LAB_KIND_LESSONS", "2,9,12")
FOLDERS = [f for f in lesson_folders(LESSONS) if ASKED == "all" or str(int(f.name[:2])) in ASKED.split(",")]


def there(client: KubeClient, namespace: str) -> bool:
    try:
        client.get(NAMESPACES, None, namespace)
    except NotFound:
        return False
    return True


@pytest.mark.parametrize("number", [int(f.name[:2]) for f in FOLDERS])
def test_a_lesson_can_be_done_on_kind_by_its_text_alone(number: int, cluster: str) -> None:
    """Checks look at the cluster and not at what a button was meant to do, so they hold on any cluster."""
    folder = next(f for f in FOLDERS if f.name.startswith(f"{number:02}"))
    about = load_lesson(folder, "en")
    scenario = None if about.namespace else about.scenario
    with Lab.start("kind", scenario=scenario, kind=Wanted(cluster)) as lab:
        walk = Walk(folder, lab)
        walk.begin()
        try:
            follow(Student(walk))
        finally:
            walk.close()
            space = walk.namespace
            if there(lab.client, space):
                lab.client.delete(NAMESPACES, None, space)
            until(f"{space} is gone", lambda: not there(lab.client, space), 150)
