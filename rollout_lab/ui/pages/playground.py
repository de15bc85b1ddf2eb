"""``/playground``: a strategy and its numbers as sliders, the predicted run below, and "run it".

Streamlit calls only. All numbers live in the URL, so that a reload or a link shows the same.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import streamlit as st
import yaml

from rollout_lab.errors import LabError
from rollout_lab.lab.forecast import predict
from rollout_lab.messages import say
from rollout_lab.observe.replay import Recording
from rollout_lab.ui import header
from rollout_lab.ui.comparison import comparison
from rollout_lab.ui.pages.compare import component
from rollout_lab.ui.payload import plain
from rollout_lab.ui.recipe import MOST_REPLICAS, Kind, Recipe, objects
from rollout_lab.ui.session import source
from rollout_lab.ui.url import carried, viewer

NAME: Final = "playground"
_WAIT: Final = 30.0


def page() -> None:
    """The whole page."""
    lang = header.head("playground")
    inputs, shown = st.columns([33, 67], gap="medium")
    with inputs:
        recipe, ready = _recipe(lang)
    with shown:
        try:
            run = _predicted(recipe, ready)
        except LabError as problem:
            st.error(say(lang, "play.failed", error=str(problem)))
            return
        kind = say(lang, f"strategy.{recipe.kind}")
        component()(key="playground", data=plain(comparison(lang, [run], [kind])))
        if not recipe.surge and not recipe.unavailable and recipe.kind in (Kind.CANARY, Kind.ROLLING):
            st.caption(say(lang, "play.note.zero"))
        st.caption(say(lang, "compare.assumes", ready=ready, wait=_WAIT))
        _run_it(lang, recipe)
        with st.expander(say(lang, "play.yaml")):
            st.code(_yaml(recipe), language="yaml")


def _recipe(lang: str) -> tuple[Recipe, float]:
    """The sliders of the chosen strategy, and how long a Pod takes."""
    kind = Kind(
        st.pills(
            say(lang, "play.strategy"),
            [str(kind) for kind in (Kind.CANARY, Kind.BLUE_GREEN, Kind.ROLLING, Kind.RECREATE)],
            default=str(Kind.CANARY),
            required=True,
            format_func=lambda one: say(lang, f"strategy.{one}"),
            key="kind",
            bind="query-params",
        )
        or Kind.CANARY
    )
    recipe: dict[str, Any] = {"replicas": _slider(lang, "replicas", 1, MOST_REPLICAS, 4)}
    if kind in (Kind.CANARY, Kind.ROLLING):
        recipe["surge"] = _slider(lang, "surge", 0, 100, 25, 5)
        recipe["unavailable"] = _slider(lang, "unavailable", 0, 100, 0, 5)
    if kind is Kind.CANARY:
        low, high = st.slider(
            say(lang, "play.weights"), 0, 100, (25, 50), 1, key="weights", bind="query-params"
        )
        recipe["weights"] = tuple(sorted({int(low), int(high)}))
    if kind in (Kind.CANARY, Kind.BLUE_GREEN):
        recipe["pause"] = _slider(lang, "pause", 0, 120, 0, 5)
    if kind is Kind.BLUE_GREEN:
        recipe["delay"] = _slider(lang, "delay", 0, 120, 30, 5)
    ready = _slider(lang, "ready", 1, 30, 3)
    return Recipe(kind, **recipe), float(ready)


def _slider(lang: str, key: str, low: int, high: int, value: int, step: int = 1) -> int:
    return int(st.slider(say(lang, f"play.{key}"), low, high, value, step, key=key, bind="query-params"))


@lru_cache(maxsize=128)
def _predicted(recipe: Recipe, ready: float) -> Recording:
    return predict(objects(recipe, NAME), ready_seconds=ready, promote_after=_WAIT, name=NAME)


def _yaml(recipe: Recipe) -> str:
    return yaml.safe_dump_all(objects(recipe, NAME), sort_keys=False, allow_unicode=True)


def _run_it(lang: str, recipe: Recipe) -> None:
    """The button that applies the recipe to the lab, off with its reason where it cannot."""
    reason = ""
    if recipe.kind in (Kind.ROLLING, Kind.RECREATE):
        reason = say(lang, "play.run.deployment")
    elif viewer():
        reason = say(lang, "play.run.viewer")
    pressed = st.button(
        say(lang, "play.run"),
        type="primary",
        disabled=bool(reason),
        help=reason or say(lang, "play.run.help"),
        key="run-it",
    )
    if reason:
        st.caption(reason)
    if not pressed:
        return
    try:
        lab = source()
        name = f"{NAME}-{recipe.kind.lower()}"  # one for each strategy: manifests of two never mix
        lab.shown = lab.lab.run(objects(recipe, name), name)
    except LabError as problem:
        st.error(say(lang, "play.failed", error=str(problem)))
        return
    header.go("lab", carried(lang=lang, rollout=name))
