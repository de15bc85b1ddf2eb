"""The notes of a lesson as Streamlit runs them: tasks by the observed state, help, predictions, the queue."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest

from tests.ui.components import data_of, say_to
from tests.ui.replayed_lab import ReplayedLab
from tests.waiting import poll

Json = dict[str, Any]
HOLDS = "questions"


def opened(**query: str) -> AppTest:
    """The lab page, once the lab is there: the notes are drawn before it and checked after it."""
    script = "from rollout_lab.ui.lab_page import page\npage()\n"
    page = AppTest.from_string(script, default_timeout=30)
    for name, value in {"lang": "en", **query}.items():
        page.query_params[name] = value
    page.run()
    page.run()
    assert not page.exception
    return page


def ask(page: AppTest, *queue: list[Any], have: str = "") -> None:
    say_to(page, HOLDS, {"queue": queue, "have": have})
    assert not page.exception


def task(page: AppTest, id_: str) -> Json:
    found: Json = next(t for t in data_of(page, HOLDS)["tasks"] if t["id"] == id_)
    return found


def until(page: AppTest, id_: str, state: str) -> Json:
    """Refresh until a task stands so: nobody presses anything for that."""

    def holds() -> bool:
        page.run()
        return bool(task(page, id_)["state"] == state)

    assert poll(holds, 20.0), task(page, id_)
    return task(page, id_)


def test_the_text_is_there_before_the_lab_and_travels_once(lab: ReplayedLab) -> None:
    """A student reads while the cluster starts; afterwards only states are sent."""
    page = AppTest.from_string("from rollout_lab.ui.lab_page import page\npage()\n", default_timeout=30)
    page.run()
    first = data_of(page, HOLDS)
    assert [part["kind"] for part in first["text"]["sections"][1]["parts"]].count("task") == 1
    ask(page, have=first["key"])
    assert data_of(page, HOLDS)["text"] is None
    assert len(data_of(page, HOLDS)["tasks"]) == 7


def test_tasks_turn_green_by_what_is_seen(lab: ReplayedLab) -> None:
    """Skip the first, and the page sees by itself that 2.0.0 waits on preview; a promote does the rest."""
    page = opened()
    assert until(page, "look", "now")["said"].startswith("Another version (2.0.0)")
    ask(page, [1, "skip", {"of": "look"}])
    until(page, "preview", "passed")
    assert until(page, "promote", "now")["said"] == "active still leads to 1.0.0."
    lab.do("promote", "api-tester-2233")
    assert until(page, "promote", "passed")["spoken"] == "Task 4 is done."


def test_hints_come_one_by_one_and_a_press_counts_once(lab: ReplayedLab) -> None:
    """The queue is sent again until it is heard; one press is one hint."""
    page = opened()
    until(page, "look", "now")
    assert task(page, "look")["hint"] == "Hint 1 of 2"
    ask(page, [1, "hint", {"of": "look"}])
    ask(page, [1, "hint", {"of": "look"}])
    assert len(task(page, "look")["hints"]) == 1
    ask(page, [1, "hint", {"of": "look"}], [2, "hint", {"of": "look"}])
    assert len(task(page, "look")["hints"]) == 2
    assert task(page, "look")["hint"] == ""


def test_a_prediction_is_kept_and_shown_against_the_truth(lab: ReplayedLab) -> None:
    """Said before, drawn beside what happened; afterwards it cannot be changed."""
    page = opened(lesson="2234")
    until(page, "look", "now")
    ask(page, [1, "give", {"of": "pods-33", "answer": 2}])
    question = data_of(page, HOLDS)["questions"][0]
    assert (question["given"], question["right"], question["open"]) == (2, None, True)
    for number, id_ in enumerate(("look", "new-version", "third"), start=2):
        ask(page, [number, "skip", {"of": id_}])

    def out() -> bool:
        page.run()
        return data_of(page, HOLDS)["questions"][0]["right"] is not None

    assert poll(out, 20.0)
    question = data_of(page, HOLDS)["questions"][0]
    assert question["right"] is False
    assert [(bar["key"], bar["dots"]) for bar in question["bars"]] == [("given", 2), ("truth", 3)]
    assert question["open"] is False


def test_the_lab_may_do_a_task_and_says_when_it_cannot(lab: ReplayedLab) -> None:
    """Help runs beside the page, which goes on; what went wrong is told until it is read."""
    page = opened()
    until(page, "look", "now")
    ask(page, [1, "solve", {"of": "promote"}])

    def told() -> bool:
        page.run()
        return "a replay can solve nothing" in data_of(page, HOLDS)["trouble"]

    assert poll(told, 20.0)
    assert lab.walks["05-bluegreen-2233"].asked == [("solve", "promote")]
    ask(page, [2, "calm", {}])
    assert data_of(page, HOLDS)["trouble"] == ""


def test_the_page_runs_commands_of_the_text_and_no_others(lab: ReplayedLab) -> None:
    """A browser names a place in the lesson, never a command."""
    page = opened()
    until(page, "look", "now")
    text = data_of(page, HOLDS)["text"]
    place = next(p["place"] for p in text["sections"][5]["parts"] if p.get("run"))
    ask(page, [1, "run", {"of": place, "commands": ["rm -rf /"]}], [2, "run", {"of": "rm -rf /"}])

    def ran() -> bool:
        page.run()
        return bool(data_of(page, HOLDS)["ran"])

    assert poll(ran, 20.0)
    asked = lab.walks["05-bluegreen-2233"].asked
    assert asked == [("run", "kubectl argo rollouts promote api-tester-2233 -n anotherclass-223")]


def test_a_viewer_sees_and_is_not_heard(lab: ReplayedLab) -> None:
    """Who looks on sees the tasks of the seat; presses of such a browser do nothing."""
    until(opened(), "look", "now")
    page = opened(viewer="1")
    assert data_of(page, HOLDS)["buttons"] is False
    ask(page, [1, "skip", {"of": "look"}])
    assert task(page, "look")["state"] == "now"


def test_progress_is_the_seats_own_and_the_second_tab_has_it(lab: ReplayedLab) -> None:
    """A reload or a second tab goes on; another student begins."""
    page = opened(seat="min-ji")
    until(page, "look", "now")
    ask(page, [1, "skip", {"of": "look"}])
    assert task(opened(seat="min-ji"), "look")["state"] == "skipped"
    assert until(opened(seat="07"), "look", "now")


def test_the_lesson_switch_names_all_and_the_next_lesson_follows(lab: ReplayedLab) -> None:
    """Number, title and minutes of every lesson; the button at the end goes on to the next."""
    page = opened()
    switch = page.selectbox(key="lesson-choice")
    assert switch.value == "2233"
    assert "5 · 15 min · Blue/Green: look first, then switch at once" in switch.options
    following = data_of(page, HOLDS)["next"]
    ask(page, [1, "next-lesson", {}])
    assert page.query_params["lesson"] == following["key"]
    assert page.selectbox(key="lesson-choice").value == following["key"]
    assert page.title[0].value in following["text"]


def test_a_lesson_on_plain_deployments_has_a_live_picture(lab: ReplayedLab) -> None:
    """No Rollout is applied for it, and nothing of a Rollout is drawn."""
    page = opened(lesson="1232")
    data = data_of(page)
    assert data["head"]["name"] == "anotherclass-123"
    assert [s["title"] for s in data["services"]] == ["api-tester", "api-tester-2"]
    assert "phases" not in data


def test_the_record_of_a_run_can_be_taken_away_but_not_by_a_viewer(lab: ReplayedLab) -> None:
    """Each student has a file of their own seat; who only looks on has none."""
    page = opened(seat="min-ji")
    until(page, "look", "now")
    names = [one.proto.label for one in page.get("download_button")]
    assert names == ["Download the record of my run"]
    assert not opened(viewer="1", seat="min-ji").get("download_button")
