"""A strategy that was tried out, while it runs and after: its stage, the run beside its prediction, its Pods.

Streamlit calls only. The trial lives in the lab, so that a reload, or another browser, sees the same one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import streamlit as st

from rollout_lab.errors import LabError
from rollout_lab.lab.forecast import predict
from rollout_lab.messages import say
from rollout_lab.observe import export
from rollout_lab.observe.figures import ready_seconds
from rollout_lab.observe.replay import Recording
from rollout_lab.ui import header, live
from rollout_lab.ui.comparison import comparison
from rollout_lab.ui.lessons_live import plain_component
from rollout_lab.ui.lessons_plain import plain as plain_picture
from rollout_lab.ui.pages.compare import FILE, component
from rollout_lab.ui.payload import plain
from rollout_lab.ui.recipe import NEVER_READY, SLOW_START, Character, Recipe, objects, read
from rollout_lab.ui.session import Source, TrialLike, running, source
from rollout_lab.ui.upload import uploaded
from rollout_lab.ui.url import viewer

REFRESH: Final = 0.5
"""Seconds between two refreshes while a trial runs."""
WAIT: Final = 30.0
"""Seconds after which a prediction supposes that a person promotes."""
STARTS: Final = 0.3
"""Seconds a container takes to start."""
TRIED: Final = "try-"
_OTHERS: Final = ("bluegreen",)  # what a first trial is compared with
_STAGES: Final = ("clearing", "starting", "updating", "done")
_COMPARED: Final = ("updating", "done", "failed")
_OVER: Final = ("done", "failed", "broken")
_TAKEN: Final = ("done", "failed")
_RUN: Final = "trial-run"
_TICK: Final = "trial-tick"


def name_of(recipe: Recipe) -> str:
    """What a recipe is applied as: one name for each strategy, so that manifests of two never mix."""
    return f"{TRIED}{recipe.kind.lower()}"


@lru_cache(maxsize=128)
def predicted(recipe: Recipe) -> Recording:
    """What the recipe's update will look like. Raises LabError."""
    slow = recipe.new is Character.SLOW_START  # readiness is not asked for while it starts
    return predict(
        objects(recipe, name_of(recipe)),
        [f"set image {recipe.version}"],
        ready_seconds=recipe.ready + STARTS,
        promote_after=WAIT,
        never_ready=(recipe.image,) if recipe.new in NEVER_READY else (),
        slower={recipe.image: max(0.0, SLOW_START - recipe.ready)} if slow else {},
        name=name_of(recipe),
    )


def trial() -> TrialLike | None:
    """The trial of this session's lab; a page that only predicts starts no lab. Raises LabError."""
    return source().lab.trial() if running() else None


@st.fragment(run_every=REFRESH, key="trial")
def trial_live(lang: str, now: str) -> None:
    """The trial as it is now. `now`: the sliders' recipe (`recipe.written`); its prediction is drawn here
    as long as the trial is of the same and has no run to lie beside it."""
    try:
        lab = source()
        found = lab.lab.trial()
        if found is not None:
            _show(lang, lab, found, now)
    except LabError as problem:
        st.error(str(problem))


def _show(lang: str, lab: Source, found: TrialLike, now: str) -> None:
    recipe = read(found.about)
    stage = str(found.stage)
    title = say(lang, "trial.title", kind=say(lang, f"strategy.{recipe.kind}"), n=recipe.replicas)
    with st.container(horizontal=True, vertical_alignment="center", key="trial-head"):
        st.subheader(title, anchor=False, width="stretch")
        if stage in _TAKEN:
            _take(lang, found)
    st.markdown(_stages(lang, stage))
    if stage == "broken":
        st.error(say(lang, "trial.broken", error=found.trouble))
        return
    if stage in _COMPARED:
        _beside(lang, found, recipe)
        if stage == "failed":
            st.warning(say(lang, "trial.failed"))
    elif found.about == now:
        draw(lang, recipe, "trial-alone")
    if stage != "clearing":
        _live(lang, lab, found)


def draw(lang: str, recipe: Recipe, key: str = "playground") -> None:
    """The prediction of a recipe alone. Raises LabError."""
    data = comparison(lang, [predicted(recipe)], [say(lang, f"strategy.{recipe.kind}")])
    component()(key=key, data=plain(data))


def _beside(lang: str, found: TrialLike, recipe: Recipe) -> None:
    run, going = _recorded(found), str(found.stage) not in _OVER
    names = [say(lang, "trial.predicted"), say(lang, "trial.real")]
    data = comparison(lang, [predicted(recipe), run], names, judge=False, table=False, running=going)
    component()(key="trial-compare", data=plain(data))
    rows = run.timeline()
    took = ready_seconds([row for row in rows if row["t"] < (run.figures()["t0"] or 0.0)])  # version 1's
    if took is not None:
        st.caption(say(lang, "trial.took", took=round(took, 1), ready=recipe.ready))


def _live(lang: str, lab: Source, found: TrialLike) -> None:
    """The Pods as they are now: with the buttons of a Rollout, or those of a Deployment, which has none."""
    picture = found.picture()
    if picture is not None:
        st.session_state[_TICK] = st.session_state.get(_TICK, 0) + 1
        data = plain_picture(lang, found.name, picture, found.rows(), st.session_state[_TICK])
        plain_component()(key=f"trial-{found.name}", data=plain(data))
    elif found.name in lab.lab.rollouts():
        if not viewer() and st.session_state.get("shown") != found.name:
            lab.shown = st.session_state["shown"] = found.name
        live.show(lab, lang, found.name, buttons=not viewer(), name="trial")


def _take(lang: str, found: TrialLike) -> None:
    """What leads on: all trials of the session compared, the lab page for a Rollout, the record as a file."""
    kept = uploaded()
    kept[found.name] = _recorded(found)
    tried = [FILE + name for name in kept if name.startswith(TRIED)]
    header.link(lang, "compare", runs=",".join([*tried, *_OTHERS][: max(2, len(tried))]))
    if not found.plain:
        header.link(lang, "lab", rollout=found.name)
    st.download_button(
        say(lang, "trial.take"),
        lambda: export.jsonl(found.rows()),
        f"{found.name}.jsonl",
        "application/jsonl",
        key="trial-file",
    )


def _recorded(found: TrialLike) -> Recording:
    """The run so far; made again only when there are more rows."""
    rows = found.rows()
    kept = st.session_state.get(_RUN)
    if kept is None or kept[:2] != (found, len(rows)):
        kept = st.session_state[_RUN] = (found, len(rows), Recording(rows, name=found.name))
    run: Recording = kept[2]
    return run


def _stages(lang: str, stage: str) -> str:
    """The stages in a line, the present one in bold."""
    shown = [*_STAGES[:-1], stage if stage in _OVER else _STAGES[-1]]
    words = [say(lang, f"trial.stage.{one}") for one in shown]
    return " → ".join(f"**{w}**" if one == stage else w for one, w in zip(shown, words, strict=True))
