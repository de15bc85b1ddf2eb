"""Runs passed on: as lines, tables, a picture, and a page in one file that is safe to open."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from rollout_lab.errors import UsageError
from rollout_lab.observe import export
from rollout_lab.observe.replay import Recording, load
from rollout_lab.observe.timeline import scenario_object
from tests.observe.runs import predicted, recorded

Json = dict[str, Any]
NASTY = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>\u2028&quot;"


def nasty() -> Recording:
    """A run whose every text tries to be markup."""
    rows = []
    for row in predicted("course-2233").timeline():
        found: Json = dict(row)
        for key in ("message", "action", "reason"):
            if key in found:
                found[key] = f"{found[key]} {NASTY}"
        if found.get("kind") == "Rollout":
            found["status"] = {**found["status"], "message": NASTY}
        rows.append(found)
    return Recording(rows, name=NASTY)


def test_lines_are_what_replay_reads() -> None:
    """What is exported can be dropped on the page again, and is the same."""
    run = recorded("canary-course")
    assert load(export.jsonl(run.timeline())).timeline() == run.timeline()


@pytest.mark.parametrize("table", export.TABLES)
def test_tables_have_a_header_and_rows(table: str) -> None:
    """CSV for a spreadsheet: same columns as the frames, also of a run without answers."""
    found = list(csv.DictReader(io.StringIO(export.csv(predicted("course-2233").timeline(), table))))
    assert found or table == "shares"
    header = export.csv(predicted("course-2233").timeline(), table).splitlines()[0]
    assert header.split(",")[0] in ("t", "service")


def test_a_cell_is_never_a_formula() -> None:
    """A message that begins like a formula is text in every spreadsheet."""
    rows = [
        {"t": 1.0, "kind": "Event", "type": "Warning", "reason": "=1+1", "message": "@SUM(A1)", "name": "x"}
    ]
    found = next(csv.DictReader(io.StringIO(export.csv(rows, "events"))))
    assert (found["reason"], found["text"]) == ("'=1+1", "'@SUM(A1)")


def test_an_unknown_table_is_refused() -> None:
    """The message names those there are."""
    with pytest.raises(UsageError, match="pods, lanes, shares, events"):
        export.csv([], "secrets")


def test_a_picture_is_json() -> None:
    """For a bug report or another program."""
    found = recorded("canary-course").view(at=12.0)
    assert json.loads(export.picture_json(found)) == found


def test_values_of_secrets_are_in_no_recording() -> None:
    """A run is a file people pass on: names of keys stay, values and the applied copy do not."""
    applied = {
        "kubectl.kubernetes.io/last-applied-configuration": '{"stringData": {"p": "hunter2"}}',
        "a": "b",
    }
    secret = {
        "kind": "Secret",
        "metadata": {"name": "s", "annotations": applied},
        "data": {"p": "aHVudGVyMg=="},
        "stringData": {"p": "hunter2"},
    }
    found = scenario_object(secret)
    assert found["data"] == {"p": ""} and found["stringData"] == {"p": ""}
    assert found["metadata"]["annotations"] == {"a": "b"}
    text = export.jsonl(predicted("course-2233").timeline())
    assert "only-an-example" not in text and "datasource_password" in text


def test_text_of_a_run_is_never_markup() -> None:
    """Names, messages and actions come from anybody: they cannot end the script or begin an element."""
    page = export.html(nasty(), "en")
    assert "<img" not in page and "owned'</script>" not in page
    assert page.count("<script") == page.count("</script>") == 2
    data = re.search(r'<script type="application/json" id="run">(.*?)</script>', page, re.S)
    assert data is not None and not set(data.group(1)) & set("<>&\u2028\u2029")
    assert any(NASTY in mark["text"] for mark in json.loads(data.group(1))["marks"])


def test_the_page_needs_no_network_and_may_not_use_any() -> None:
    """No address in it but that of SVG, and a policy that lets only its own script and style in."""
    page = export.html(recorded("canary-course"), "ko")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None and "default-src 'none'" in policy.group(1)
    assert "unsafe" not in policy.group(1)
    assert set(re.findall(r"https?://[^\s\"'<)]+", page)) == {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("name", ["canary-course", "canary-ten-replicas-timed"])
def test_the_page_is_not_larger_than_the_recording_by_much(name: str) -> None:
    """Parts of pictures that repeat are there once; the file can be mailed."""
    run = recorded(name)
    assert len(export.html(run)) < 2 * len(export.jsonl(run.timeline())) + 30_000


def test_a_very_long_run_is_thinned_out_and_keeps_its_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour stays a page: fewer pictures, but one at every stop."""
    run = predicted("course-2234")
    monkeypatch.setattr(export, "MOST_FRAMES", 10)
    times = export.frame_times(run)
    assert len(times) <= 10 + len(run.marks()) + 1
    assert {m["t"] for m in run.marks() if m["t"] >= run.first} <= set(times)


def words_of(lang: str) -> Json:
    found = re.search(r'id="run">(.*?)</script>', export.html(recorded("canary-course"), lang), re.S)
    assert found is not None
    words: Json = json.loads(found.group(1))["words"]
    return words


def test_both_languages_say_everything() -> None:
    """No label is missing in either language."""
    ko, en = words_of("ko"), words_of("en")
    assert ko.keys() == en.keys() and ko["play"] != en["play"]
    assert set(ko["states"]) == set(en["states"]) and all(ko["states"].values())


@pytest.mark.browser
def test_the_page_plays_in_a_browser(tmp_path: Path, browser: Browser) -> None:
    """A real browser: no console error, no request, text as text, keyboard and slider move the picture."""
    files = {"good": predicted("course-2233"), "nasty": nasty()}
    for name, run in files.items():
        (tmp_path / f"{name}.html").write_text(export.html(run, "en"), encoding="utf-8")
    page = browser.new_page(viewport={"width": 390, "height": 844})
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda problem: said.append(str(problem)))
    page.on("request", lambda request: asked.append(request.url))
    for name, run in files.items():
        page.goto((tmp_path / f"{name}.html").as_uri())
        assert page.locator("h1").text_content() == run.name
        begin = page.locator("#clock").text_content()
        for _ in range(8):
            page.keyboard.press("ArrowRight")
        assert page.locator("#clock").text_content() != begin
        assert page.locator("#stage circle").count() >= 2
        assert page.locator("li.now").count() == 2
        page.locator("#t").focus()
        page.keyboard.press("End")
        assert page.locator("#stage rect.box").count() == 3, "two Services, and only the new version"
        width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert width <= 0, f"{width} px too wide"
        assert page.locator("img").count() == 0 and page.title() != "owned"
    assert said == []
    assert all(url.startswith("file:") for url in asked) and len(asked) == len(files)
    page.close()
