"""``/compare``: runs over one time axis, with their figures. Streamlit calls only.

What is compared stands in the URL (``?set=`` or ``?runs=``); uploaded files stay in the session.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import streamlit as st

from rollout_lab.errors import LabError
from rollout_lab.lab.forecast import PROMOTE_AFTER, READY_SECONDS
from rollout_lab.messages import say
from rollout_lab.observe.compare import MOST_RUNS
from rollout_lab.observe.replay import Recording
from rollout_lab.ui import own_runs, runs
from rollout_lab.ui.comparison import comparison
from rollout_lab.ui.header import head
from rollout_lab.ui.payload import plain
from rollout_lab.ui.upload import uploaded, uploader
from rollout_lab.ui.url import of_url

OWN: Final = "own"
FILE: Final = "file-"
_SETS: Final = (*runs.SETS, OWN)


@cache
def component() -> Any:
    return st.components.v2.component(
        "rollout-lab.compare", html='<div id="live"></div>', css="compare.css", js="compare.js"
    )


def page() -> None:
    """The whole page."""
    lang = head("compare")
    chosen = st.segmented_control(
        say(lang, "compare.choose"),
        _SETS,
        default=of_url("set", (OWN,) if "runs" in st.query_params else _SETS),
        required=True,
        format_func=lambda key: say(lang, f"compare.set.{key}"),
        key="compare-set",
        on_change=_set_to_url,
    )
    keys = _own(lang) if chosen == OWN else list(runs.SETS[chosen or "strategies"])
    found = [(key, run) for key in keys if (run := _run(key)) is not None]
    if len(found) < 2:
        st.info(say(lang, "compare.too_few"))
        return
    names = [_title(lang, key) for key, _ in found]
    data = comparison(lang, [run for _, run in found], names, judge=chosen != "peer")
    component()(key="compare", data=plain(data))
    if any(run.predicted for _, run in found):
        st.caption(say(lang, "compare.assumes", ready=READY_SECONDS, wait=PROMOTE_AFTER))


def _own(lang: str) -> list[str]:
    """The runs a person chose, from those that are there and those that were uploaded."""
    uploader(lang, "compare-files", several=True)
    there = [*own_runs.present(), *runs.KEYS, *(FILE + name for name in uploaded())]
    asked = [key for key in st.query_params.get("runs", "").split(",") if key in there]
    return st.multiselect(
        say(lang, "compare.pick"),
        there,
        default=asked or ["bluegreen", "canary"],
        max_selections=MOST_RUNS,
        format_func=lambda key: _title(lang, key),
        key="compare-runs",
        on_change=_runs_to_url,
    )


def _title(lang: str, key: str) -> str:
    if key.startswith(own_runs.PREFIX):
        return say(lang, "compare.name.live", name=own_runs.name_in(key))
    return key.removeprefix(FILE) if key.startswith(FILE) else runs.title(lang, key)


def _run(key: str) -> Recording | None:
    try:
        if key.startswith(own_runs.PREFIX):
            return own_runs.recording(key)
        return uploaded()[key.removeprefix(FILE)] if key.startswith(FILE) else runs.recording(key)
    except (KeyError, LabError):
        return None


def _set_to_url() -> None:
    st.query_params["set"] = str(st.session_state["compare-set"])


def _runs_to_url() -> None:
    st.query_params["runs"] = ",".join(k for k in st.session_state["compare-runs"] if not k.startswith(FILE))
