"""The catalogue: both languages whole, every code of the other layers with a sentence, and right grammar."""

from __future__ import annotations

import string

import pytest

from rollout_lab.client.verdicts import VERDICT_CODES
from rollout_lab.clusters.doctor.findings import CODES as DOCTOR_CODES
from rollout_lab.clusters.kind.create import STAGES
from rollout_lab.messages import LANGUAGES, explain, has, keys, say, section
from rollout_lab.messages.catalogue import _sentences
from rollout_lab.observe.phases import PHASE_KEYS
from rollout_lab.plan.why import CODES
from rollout_lab.ui.controls import BUTTONS, FAULTS
from rollout_lab.ui.scene import POD_STATES

WANTED = (
    *(f"why.{code}" for code in CODES),
    *(f"verdict.{code}" for code in VERDICT_CODES),
    *(f"phase.{key}" for key in PHASE_KEYS),
    *(f"state.{state}" for state in POD_STATES),
    *(f"action.{action}" for action in BUTTONS),
    *(f"version.{fault}" for fault in FAULTS),
    *(f"stage.{stage}" for stage in STAGES),
    *(f"doctor.{check}.{code}" for check, codes in DOCTOR_CODES.items() for code in codes),
)


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("key", WANTED)
def test_every_code_has_a_sentence(lang: str, key: str) -> None:
    """A code of another layer that has no sentence would reach a student as a code."""
    assert has(lang, key)


def test_both_languages_have_the_same_keys() -> None:
    """A key in one language only is a hole in the other."""
    assert keys("ko") == keys("en")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_reasons_use_only_the_parameters_the_engine_gives(lang: str) -> None:
    """A placeholder the planner never fills would lose the whole sentence."""
    for code, params in CODES.items():
        for prefix in ("why", "formula"):
            if has(lang, f"{prefix}.{code}"):
                assert placeholders(_sentences(lang)[f"{prefix}.{code}"]) <= set(params), code


def test_translations_say_the_same_numbers() -> None:
    """A placeholder in one language only is a fact the other language hides; particles may differ."""
    allowed = {"verdict.promote-all", "why.wait.available"}
    for key in keys("ko") - allowed:
        ko, en = placeholders(_sentences("ko")[key]), placeholders(_sentences("en")[key])
        assert ko == en, key


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_placeholder_can_be_filled(lang: str) -> None:
    """A mistyped format would raise on the page; here each sentence is filled once."""
    for key in keys(lang):
        params = dict.fromkeys(placeholders(_sentences(lang)[key]), 2)
        assert say(lang, key, **params)


@pytest.mark.parametrize(
    ("word", "pair", "said"),
    [
        ("Pod", "을/를", "Pod를"),
        ("2.0.0", "으로/로", "2.0.0으로"),
        ("v2", "이/가", "v2가"),
        ("1", "으로/로", "1로"),
        ("6", "과/와", "6과"),
        ("ReplicaSet", "을/를", "ReplicaSet을"),
        ("Rollout", "이/가", "Rollout이"),
        ("stable", "으로/로", "stable로"),
        ("Promote", "은/는", "Promote는"),
        ("api-tester-2233-preview", "은/는", "api-tester-2233-preview는"),
        ("7884f9b4cd", "으로/로", "7884f9b4cd로"),
        ("57985d486d(v2.0.0)", "이/가", "57985d486d(v2.0.0)이"),
        ("방울", "으로/로", "방울로"),
        ("사람", "이/가", "사람이"),
        ("100 %", "으로/로", "100 %로"),
    ],
)
def test_korean_particles_fit_the_last_sound(word: str, pair: str, said: str) -> None:
    """A wrong particle is the first thing a Korean reader sees."""
    from rollout_lab.messages.grammar import with_particle

    assert with_particle(word, pair) == said


def test_numbers_and_times_are_said_in_each_language() -> None:
    """120.0 is 2 minutes, and one request is not "1 requests"."""
    assert say("ko", "phase.pauseFor", seconds=120.0) == "2분 대기"
    assert say("en", "phase.pauseFor", seconds=125) == "Wait 2 min 5 s"
    assert say("en", "ui.sample", n=1, failed=0) == "1 request · 0 failed"
    assert say("en", "ui.sample", n=2, failed=0) == "2 requests · 0 failed"
    assert say("en", "verdict.same-size", replicas=2.0) == "It has 2 replicas already."


def test_an_unknown_key_is_a_mistake_of_the_program_but_not_of_a_recording() -> None:
    """`say` raises so that a test finds it; `explain` never does, because a run may come from elsewhere."""
    with pytest.raises(KeyError, match="no message"):
        say("ko", "why.of.tomorrow")
    with pytest.raises(KeyError):
        say("fr", "state.ready")
    assert explain("ko", "why.of.tomorrow", {}, "of.tomorrow") == "of.tomorrow"
    assert explain("ko", "why.step.done", {}, "step.done") == "step.done"


def test_a_section_has_its_sentences_by_the_rest_of_their_key() -> None:
    """The labels of the picture travel as one dict."""
    assert section("en", "label")["copy"] == "Copy"


FAMILIES = (
    "state", "role", "strategy", "rollout", "message", "progress", "phase", "timer", "weight", "action",
    "version", "mark", "stage", "install", "down", "doctor", "verdict", "why", "formula", "sum", "lint.Field",
    "lint.Internal", "page.cluster", "figure", "compare", "play", "nav", "short", "replay", "take", "board",
    "shade", "outlook", "trial", "tasks.state", "tasks.spoken", "tasks.busy", "tasks.ran",
    "tasks.given", "tasks.truth", "tasks.right", "tasks.wrong", "tasks.predict", "tasks.quiz", "tasks.failed",
    "tasks.stuck", "tasks.finished",
)  # fmt: skip
"""Keys that are put together from a code; all others stand in the sources as they are."""


def test_no_sentence_is_left_over() -> None:
    """A key nobody says any more is text that nobody keeps true."""
    from pathlib import Path

    import rollout_lab.ui

    folder = Path(rollout_lab.ui.__file__).parents[1]
    sources = "".join(p.read_text(encoding="utf-8") for p in folder.rglob("*") if p.suffix in (".py", ".js"))
    for key in keys("ko"):
        if not key.startswith(FAMILIES):
            used = f'"{key}"' in sources or f"'{key}'" in sources
            drawn = key.startswith(("label.", "tasks."))
            in_drawing = drawn and f".{key.partition('.')[2]}" in sources
            assert used or in_drawing or key in ("label.pods_over_time", "label.lanes", "label.plugin"), key
