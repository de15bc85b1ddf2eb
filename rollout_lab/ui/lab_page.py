"""The lab page: the lesson on one side, the live picture on the other.

Streamlit calls only. Language and lesson live in the URL, so that a reload or a link loses nothing.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rollout_lab.course import Lesson, LessonError
from rollout_lab.errors import LabError
from rollout_lab.lab import startup
from rollout_lab.messages import LANGUAGES, say
from rollout_lab.ui import header
from rollout_lab.ui.editor import editor
from rollout_lab.ui.header import LANGUAGE_NAMES, menu
from rollout_lab.ui.lessons import FIRST, course, label
from rollout_lab.ui.lessons_live import plain_live
from rollout_lab.ui.live import live
from rollout_lab.ui.session import Source, source
from rollout_lab.ui.style import PAGE
from rollout_lab.ui.tasks_panel import GO, panel
from rollout_lab.ui.url import language, of_url, viewer

Json = dict[str, Any]


def page() -> None:
    """The whole page; called by `st.navigation` on every full run."""
    st.html(PAGE)
    top = st.container(horizontal=True, vertical_alignment="center", key="top")
    with top:
        facts = st.container(width="stretch", key="facts").empty()
        facts.html(_chips([]))
        menu(language(), "lab")
        lecture, lang = _choices()
        header.shade(lang)
    try:
        known = course(lang)
    except LessonError as problem:
        st.error(say(lang, "page.lessons_missing", error=str(problem)))
        return
    lesson, following = known.lessons[lecture], known.after(lecture)
    for broken in known.broken:
        st.warning(say(lang, "lessons.broken", error=broken))
    text, picture = st.columns([35, 65], gap="small")
    asked = st.query_params.get("rollout", "")
    if not asked:  # the lesson needs no lab: it is there while the lab starts
        _read(text, lang, lesson, following)
    frame = picture.container(key="frame")
    with frame:
        lab = _lab(lang)
    if lab is None:
        return
    facts.html(_facts(lang, lab))
    if lesson.namespace and not asked:
        with frame:
            plain_live(lesson)
        return
    try:
        own = asked if asked in lab.lab.rollouts() else ""
        rollout = own or lab.open(lesson.scenario, look_only=viewer())
        if not viewer() and st.session_state.get("shown") != rollout:
            lab.shown = st.session_state["shown"] = rollout
    except LabError as problem:
        st.error(str(problem))
        return
    if asked:
        _read(text, lang, lesson, following, own)
    with frame:
        live(lang, rollout)
    if not viewer():
        with picture:
            editor(lang, rollout)


def _read(place: DeltaGenerator, lang: str, lesson: Lesson, following: Json | None, own: str = "") -> None:
    """The lesson, or a word about a rollout of one's own."""
    with place, st.container(key="lesson-text"):
        if own:
            st.title(own, anchor=False)
            st.markdown(say(lang, "page.own"))
            header.link(lang, "playground", rollout="")
            st.button(say(lang, "page.to_lesson"), on_click=_to_lesson, key="to-lesson")
        else:
            st.title(f"{lesson.number}. {lesson.title}", anchor=False)
            st.caption(say(lang, "page.lesson_line", lecture=lesson.lecture, minutes=lesson.minutes))
            panel(lesson, following)


def _to_lesson() -> None:
    st.query_params.pop("rollout", None)


def _choices() -> tuple[str, str]:
    """Lesson and language as the URL has them, and the two switches that change it."""
    lang_now = language()
    try:
        known = course(lang_now).lessons
    except LessonError:
        known = {}
    keys = tuple(known) or (FIRST,)
    if GO in st.session_state:
        st.session_state["lesson-choice"] = st.session_state.pop(GO)
    chosen = of_url("lesson", sorted(keys, key=lambda key: key != FIRST))
    finished = _finished()
    lecture = st.selectbox(
        say(lang_now, "page.lesson"),
        keys,
        index=keys.index(chosen),
        format_func=lambda key: label(lang_now, known[key], finished) if key in known else key,
        key="lesson-choice",
        label_visibility="collapsed",
        on_change=_to_url,
        args=("lesson",),
        filter_mode=None,
        width=330,
    )
    lang = st.segmented_control(
        say(lang_now, "page.language"),
        LANGUAGES,
        default=lang_now,
        required=True,
        format_func=LANGUAGE_NAMES.__getitem__,
        key="lang-choice",
        label_visibility="collapsed",
        on_change=_to_url,
        args=("lang",),
    )
    return lecture or keys[0], lang or LANGUAGES[0]


def _finished() -> frozenset[str]:
    """The lessons that are done in this seat; none while there is no lab."""
    try:
        return source().lab.finished() if st.session_state.get("seen_lab") else frozenset()
    except LabError:
        return frozenset()


def _to_url(name: str) -> None:
    st.query_params[name] = str(st.session_state[f"{name}-choice"])
    if name == "lesson":
        st.query_params.pop("rollout", None)


def _lab(lang: str) -> Source | None:
    """The lab, started with a word about it the first time; None (and the reason) if it cannot be."""
    place = st.empty()
    try:
        if st.session_state.get("seen_lab"):
            return source()
        with place.container(), st.status(say(lang, "page.starting"), expanded=True) as status:
            st.write(say(lang, "page.starting.cluster"))
            for stage, words in startup.follow():
                st.write(say(lang, f"stage.{stage}", words=words))
            lab = source()
            status.update(label=say(lang, "page.started"), state="complete", expanded=False)
        st.session_state["seen_lab"] = True
        place.empty()
        return lab
    except LabError as problem:
        place.error(f"**{say(lang, 'page.failed')}**\n\n{problem}\n\n{say(lang, 'page.failed.remedy')}")
        return None


def _facts(lang: str, lab: Source) -> str:
    facts = lab.lab.facts()
    chips = [
        (say(lang, f"page.cluster.{facts['cluster']}"), "ready"),
        (say(lang, "page.engine", name=facts["engine"]), "detail"),
        (facts["namespace"], "detail"),
        (say(lang, "page.speed", factor=facts["speed"]), "detail"),
    ]
    return _chips(chips)


def _chips(chips: Sequence[tuple[str, str]]) -> str:
    """The name of the page and what is known of the lab, in the place it keeps from the start."""
    spans = "".join(f'<span class="lab-chip {kind}">{html.escape(text)}</span>' for text, kind in chips)
    return f'<div><span class="lab-name">rollout-lab</span>{spans}</div>'
