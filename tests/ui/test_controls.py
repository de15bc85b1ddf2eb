"""Buttons: off with a reason, one next sensible thing, and commands that say the same."""

from __future__ import annotations

from typing import Any

from rollout_lab.ui.controls import controls
from tests.ui import examples

Json = dict[str, Any]


def by_key(picture: Json, lang: str = "ko") -> dict[str, Json]:
    return {entry["key"]: entry for entry in controls(lang, picture)}


def test_a_button_that_would_do_nothing_is_off_and_says_why() -> None:
    """The reason names the button, because the bar shows it apart from it."""
    retry = by_key(examples.blue_green_waiting())["retry"]
    assert not retry["ok"]
    assert retry["reason"] == "Retry: 중단된 뒤에만 할 일이 있습니다."


def test_the_next_sensible_thing_is_marked_once() -> None:
    """Waiting: promote. Aborted: retry. At rest: a new version. While it works by itself: nothing."""
    waiting = examples.blue_green_waiting()
    assert [k for k, e in by_key(waiting).items() if e["main"]] == ["promote"]
    aborted = examples.canary_waiting()
    aborted["rollout"] |= {"aborted": True, "phase": "Degraded"}
    aborted["actions"] |= examples.actions("x", retry=(True, "retry-update", {}))
    assert [k for k, e in by_key(aborted).items() if e["main"]] == ["retry"]
    rest = examples.promoted(examples.canary_waiting())
    assert [k for k, e in by_key(rest).items() if e["main"]] == []
    rest["rollout"]["stableHash"] = rest["rollout"]["currentHash"]
    assert [k for k, e in by_key(rest).items() if e["main"]] == ["set-image"]


def test_new_versions_offer_the_next_one_the_earlier_ones_and_each_fault() -> None:
    """The good next version is first; what runs already is not offered."""
    menu = by_key(examples.blue_green_waiting(), "en")["set-image"]["menu"]
    assert [item["key"] for item in menu[:3]] == ["3.0.0", "1.0.0", "3.0.0-slow"]
    assert "2.0.0" not in [item["key"] for item in menu]
    assert menu[0]["command"].endswith("api-tester=1pro/api-tester:3.0.0 -n anotherclass-223")


def test_the_missing_image_has_a_command_too() -> None:
    """Every action shows its command, the broken ones as well."""
    missing = by_key(examples.blue_green_waiting())["set-image"]["menu"][-1]
    assert missing["args"] == {"images": {"*": "1pro/no-such-image:3.0.0"}}
    assert "'*=1pro/no-such-image:3.0.0'" in missing["command"]


def test_every_choice_has_a_command_with_and_without_the_plugin() -> None:
    """Whoever has no plugin learns what it does: the patch behind it."""
    picture = examples.canary_waiting()
    for key, plain in (
        ("set-image", 'kubectl patch rollout x --type=json -p \'[{"value":"1pro/a:VERSION"}]\''),
        ("undo", "kubectl patch x $(kubectl get rs old -n ns)"),
        ("scale", "kubectl scale rollout x --replicas=N"),
    ):
        picture["actions"][key]["kubectl"] = plain
    found = by_key(picture, "en")
    assert found["set-image"]["menu"][0]["kubectl"].endswith('[{"value":"1pro/a:3.0.0"}]\'')
    assert '"value":"1pro/no-such-image:3.0.0"' in found["set-image"]["menu"][-1]["kubectl"]
    assert f"get rs api-tester-2234-{examples.V1} " in found["undo"]["menu"][0]["kubectl"]
    assert found["scale"]["menu"][0]["kubectl"] == "kubectl scale rollout x --replicas=1"
    assert "<tag>" in found["set-image"]["kubectl"]


def test_sizes_other_than_the_present_one_are_offered() -> None:
    """Two replicas are there: two more would do nothing."""
    menu = by_key(examples.blue_green_waiting())["scale"]["menu"]
    assert [item["args"]["replicas"] for item in menu] == [1, 3, 4, 5, 10, 20, 60]


def test_pause_and_resume_take_turns() -> None:
    """One button, and it says what it would do."""
    picture = examples.canary_waiting()
    assert "pause" in by_key(picture) and "resume" not in by_key(picture)
    picture["rollout"]["paused"] = True
    assert "resume" in by_key(picture) and "pause" not in by_key(picture)


def test_nothing_can_be_done_while_looking_at_the_past() -> None:
    """A promote pressed on an old picture would hit the present one."""
    found = controls("en", examples.blue_green_waiting(), past=True)
    assert not any(entry["ok"] or entry["main"] or entry["menu"] for entry in found)
    assert {entry["reason"] for entry in found} == {"You look at the past. Go back to live to act."}


def test_undo_offers_revisions_with_their_command() -> None:
    """Back to a revision by its number, never to the one that runs."""
    menu = by_key(examples.blue_green_waiting())["undo"]["menu"]
    assert [item["args"] for item in menu] == [{"to_revision": 1}]
    assert (
        menu[0]["command"] == "kubectl argo rollouts undo api-tester-2233 --to-revision=1 -n anotherclass-223"
    )


def test_a_menu_is_closed_to_a_button_that_is_off() -> None:
    """No menu hangs from a button that would do nothing."""
    picture = examples.promoted(examples.blue_green_waiting())
    assert by_key(picture)["undo"]["menu"] is None


def test_before_anything_is_applied_every_button_is_off() -> None:
    """An empty cluster has a page as well."""
    found = controls("en", {"rollout": None, "actions": {}, "replicaSets": []})
    assert not any(entry["ok"] for entry in found)
    assert found[0]["reason"] == "New version: There is no Rollout yet."
