"""How a lab reads in a notebook: objects that show themselves, tables and charts, sentences for verdicts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rollout_lab import Lab
from rollout_lab.errors import UsageError
from rollout_lab.lab.timeline import LabTimeline
from tests.observe.runs import recorded

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROLLOUT_LAB_HOME", str(tmp_path_factory.mktemp("home")))
        with Lab.start("embedded", speed=20, scenario="course-2233") as found:
            assert found.rollout().wait_for("Healthy", 900)
            yield found


def test_a_rollout_is_driven_and_shown_by_its_handle(lab: Lab) -> None:
    """The words of the issue: a promote by its handle, a verdict that says itself, a picture as repr."""
    rollout = lab.rollout("api-tester-2233")
    assert repr(rollout.promote()).startswith("✘ "), "nothing to promote is said, not raised"
    assert rollout.set_image("2.0.0").ok
    assert rollout.wait_for("Paused", 900)
    assert "v1.0.0: 2/2 Pods ready" in repr(rollout) and "api-tester-2233-active → v1.0.0 100 %" in repr(lab)
    picture = ElementTree.fromstring(rollout._repr_html_())
    assert picture.tag.endswith("svg") and "2.0.0" in "".join(picture.itertext())
    said = rollout.promote()
    assert said.ok and repr(said).startswith("✔ ")
    assert rollout.wait_for("Healthy", 900)
    pods = lab.timeline().pods()
    assert set(pods["version"]) == {"1.0.0", "2.0.0"} and list(pods.columns) == [
        "t",
        "version",
        "pods",
        "ready",
    ]
    lanes = rollout.timeline().lanes()
    active = lanes[lanes["service"] == "api-tester-2233-active"]
    assert list(active["version"])[-1] == "2.0.0"


class Ids(HTMLParser):
    """The ids of a piece of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value or "" for key, value in attrs if key == "id"]


def test_a_timeline_is_rows_tables_and_a_chart() -> None:
    """Still a tuple of rows for programs; in a notebook a chart, by the kinds of output it knows."""
    rows = recorded("canary-course").timeline()
    found = LabTimeline(rows)
    assert tuple(found) == tuple(rows) and len(found) == len(rows)
    shown = found._repr_mimebundle_()
    spec = shown["application/vnd.vegalite.v6+json"]
    assert "rows" in shown["text/plain"] and "vega-lite/v6" in spec["$schema"]
    parser = Ids()
    parser.feed(shown["text/html"])
    assert parser.ids, "a page that knows no Vega-Lite output still has a place for the chart"
    expected = found.pods_chart({"I expected": 3}).to_dict()
    assert "I expected" in str(expected)
    assert "시간" in str(found.said("ko").pods_chart().to_dict())
    with pytest.raises(UsageError, match="ko, en"):
        found.said("fr")


def test_without_the_charts_extra_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows work without pandas; a table says which extra it needs."""
    found = LabTimeline(recorded("canary-course").timeline())
    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.delitem(sys.modules, "rollout_lab.observe.frames", raising=False)
    monkeypatch.delitem(sys.modules, "rollout_lab.observe.plots", raising=False)
    with pytest.raises(UsageError, match=r'pip install "rollout-lab\[ui\]"'):
        found.pods()
    assert "pip install" in found._repr_mimebundle_()["text/plain"]


def test_lab_is_loaded_only_when_it_is_asked_for() -> None:
    """`import rollout_lab` stays quick: a terminal verb that needs no lab does not pay for it."""
    code = "import sys, rollout_lab; print('rollout_lab.lab' in sys.modules, rollout_lab.Lab.__name__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.split() == ["False", "Lab"]
