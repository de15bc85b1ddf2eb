"""``/playground``: a strategy and its numbers as sliders, the predicted run beside them, and "run it".

Streamlit calls only. All numbers live in the URL and the trial in the lab, so that a reload or a link
shows the same.
"""

from __future__ import annotations

from typing import Any, Final

import streamlit as st
import yaml

from rollout_lab.errors import LabError
from rollout_lab.messages import say
from rollout_lab.ui import header
from rollout_lab.ui.recipe import (
    CANARIES,
    MOST_REPLICAS,
    MOST_STEPS,
    PROMOTE,
    ROLLOUTS,
    Character,
    Kind,
    Recipe,
    objects,
    written,
)
from rollout_lab.ui.session import running, source
from rollout_lab.ui.trial_panel import WAIT, draw, name_of, trial, trial_live
from rollout_lab.ui.url import bound, viewer

WEIGHTS: Final = (25, 50, 75, 90, 95, 97, 98, 99)
"""Where the weights of a canary's steps begin, in order."""
PAUSES: Final = tuple(str(s) for s in (PROMOTE, 5, 10, 15, 20, 30, 45, 60, 90, 120))
_KINDS: Final = tuple(
    str(k) for k in (Kind.CANARY, Kind.ROUTED, Kind.BLUE_GREEN, Kind.ROLLING, Kind.RECREATE)
)
_NEW: Final = tuple(str(one) for one in Character)


def page() -> None:
    """The whole page."""
    lang = header.head("playground")
    inputs, shown = st.columns([33, 67], gap="medium")
    with inputs:
        recipe = _recipe(lang)
    with shown:
        now = written(recipe)
        try:
            tried = trial()
            if tried is None or tried.about != now:
                draw(lang, recipe)
        except LabError as problem:
            st.error(say(lang, "play.failed", error=str(problem)))
            return
        _notes(lang, recipe)
        _run_it(lang, recipe, now)
        with st.expander(say(lang, "play.yaml")):
            st.code(_yaml(recipe), language="yaml")
        if running():  # whoever starts one: every browser of the seat sees it
            trial_live(lang, now)


def _recipe(lang: str) -> Recipe:
    """The strategy, and what there is to choose of it."""
    kind = Kind(
        st.pills(
            say(lang, "play.strategy"),
            _KINDS,
            required=True,
            format_func=lambda one: say(lang, f"strategy.{one}"),
            **bound("kind", _KINDS),
        )
        or Kind.CANARY
    )
    recipe: dict[str, Any] = {"replicas": _slider(lang, "replicas", 1, MOST_REPLICAS, 4)}
    if kind in CANARIES:
        recipe["steps"] = _steps(lang)
    if kind in (Kind.CANARY, Kind.ROLLING):
        recipe["surge"] = _slider(lang, "surge", 0, 100, 25, 5)
        recipe["unavailable"] = _slider(lang, "unavailable", 0, 100, 0, 5)
    if kind is Kind.BLUE_GREEN:
        recipe["auto"] = st.toggle(say(lang, "play.auto"), key="auto", bind="query-params")
        if recipe["auto"]:
            recipe["pause"] = _slider(lang, "pause", 0, 120, 0, 5)
    if kind in (Kind.BLUE_GREEN, Kind.ROUTED):
        recipe["delay"] = _slider(lang, "delay", 0, 120, 30, 5)
    new = st.selectbox(
        say(lang, "play.new"),
        _NEW,
        format_func=lambda one: say(lang, f"version.{one}"),
        filter_mode=None,
        **bound("new", _NEW),
    )
    recipe["ready"] = _slider(lang, "ready", 1, 30, 3)
    return Recipe(kind, new=Character(new), **recipe)


def _steps(lang: str) -> tuple[tuple[int, int], ...]:
    """Each step's weight and the pause after it, side by side."""
    count = int(
        st.number_input(say(lang, "play.steps"), 0, MOST_STEPS, 2, 1, key="steps", bind="query-params")
    )
    found = []
    for i in range(count):
        left, right = st.columns(2, gap="small")
        with left:
            weight = st.slider(
                say(lang, "play.weight", n=i + 1), 0, 100, WEIGHTS[i], 1, key=f"w{i + 1}", bind="query-params"
            )
        with right:
            pause = st.select_slider(
                say(lang, "play.then", n=i + 1),
                PAUSES,
                format_func=lambda s: _pause(lang, s),
                **bound(f"p{i + 1}", PAUSES),
            )
        found.append((int(weight), int(pause)))
    return tuple(found)


def _pause(lang: str, seconds: str) -> str:
    return say(lang, "play.until") if int(seconds) == PROMOTE else say(lang, "figure.seconds", s=seconds)


def _slider(lang: str, key: str, low: int, high: int, value: int, step: int = 1) -> int:
    return int(st.slider(say(lang, f"play.{key}"), low, high, value, step, key=key, bind="query-params"))


def _notes(lang: str, recipe: Recipe) -> None:
    """What the prediction supposes, and what it cannot know."""
    if not recipe.surge and not recipe.unavailable and recipe.kind in (Kind.CANARY, Kind.ROLLING):
        st.caption(say(lang, "play.note.zero"))
    if recipe.new in (Character.FAILING, Character.SLOW):
        st.caption(say(lang, "play.note.answers"))
    if recipe.new is Character.CRASHING:
        st.caption(say(lang, "play.note.crashing"))
    st.caption(say(lang, "compare.assumes", ready=recipe.ready, wait=WAIT))


def _yaml(recipe: Recipe) -> str:
    return yaml.safe_dump_all(objects(recipe, name_of(recipe)), sort_keys=False, allow_unicode=True)


def _run_it(lang: str, recipe: Recipe, now: str) -> None:
    """The button that tries the recipe in the lab, off with its reason where it cannot."""
    reason = say(lang, "play.run.viewer") if viewer() else ""
    told = say(lang, "play.run.help" if recipe.kind in ROLLOUTS else "play.run.deployment")
    pressed = st.button(
        say(lang, "play.run"), type="primary", disabled=bool(reason), help=reason or told, key="run-it"
    )
    if reason:
        st.caption(reason)
    if not pressed:
        return
    try:
        with st.spinner(say(lang, "play.starting")):
            name = name_of(recipe)
            source().lab.try_out(objects(recipe, name), name, recipe.image, now)
    except LabError as problem:
        st.error(say(lang, "trial.broken", error=str(problem)))
        return
    st.rerun()
