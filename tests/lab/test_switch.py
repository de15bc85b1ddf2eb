"""The engine of a running lab, turned off and on by another program: lesson 4 needs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from rollout_lab.cli.verbs import rollout_lab
from rollout_lab.errors import ClusterUnavailable, LabError
from rollout_lab.lab import Lab

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]


def engine(*words: str) -> dict[str, str]:
    result = CliRunner().invoke(rollout_lab, ["engine", *words, "--json"], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    found: dict[str, str] = json.loads(result.output)
    return found


def test_a_verb_stops_and_starts_the_engine_of_a_running_lab(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who joins a lab sees and turns its engine, and leaves it running when it goes."""
    monkeypatch.setenv("ROLLOUT_LAB_HOME", str(tmp_path))
    with pytest.raises(ClusterUnavailable, match="no lab runs"):
        engine("stop")
    with Lab.start("embedded", speed=10, scenario="course-2233") as lab:
        assert engine() == {"engine": "running"}
        with Lab.attach(lab.kubeconfig, engine=False, clock=lab.clock.spec, observe=False) as guest:
            assert (guest.engine.state, guest.engine.ours) == ("running", False)
            before = lab.engine.pid
            assert engine("stop") == {"engine": "stopped"}
            assert (lab.engine.state, guest.engine.state) == ("stopped", "stopped")
            assert lab.trouble() is None and guest.trouble() is None
            guest.engine.start()
            assert lab.engine.running and lab.engine.pid != before
            lab.engine.stop()  # the owner itself may do so as well
            assert lab.wait_for(lambda picture: guest.engine.state == "stopped", 600)
            assert engine("start") == {"engine": "running"}
        assert lab.engine.running
        assert not list(Path(lab.folder).glob("engine.asked*"))


def test_a_lab_without_an_engine_of_its_own_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody else does the work, nothing is turned off by mistake."""
    monkeypatch.setenv("ROLLOUT_LAB_HOME", str(tmp_path))
    with Lab.start("embedded", scenario=None, engine=False, observe=False):
        assert engine() == {"engine": "none"}
        with pytest.raises(LabError, match="cannot be turned off"):
            engine("stop")
