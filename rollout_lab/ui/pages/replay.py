"""``/replay``: a recorded run with the lab page's picture, charts and slider, and files to take away.

Streamlit calls only. Which run is open stands in the URL (``?run=``; an uploaded one cannot), as does the
moment. The lab's own run is there as far as it has come; it is read anew when a person asks for it.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import streamlit as st

from rollout_lab.errors import LabError
from rollout_lab.messages import say, section
from rollout_lab.observe import export
from rollout_lab.observe.replay import Recording
from rollout_lab.ui import own_runs, runs
from rollout_lab.ui.header import head
from rollout_lab.ui.live import MOMENT, show
from rollout_lab.ui.recorded import RecordedLab
from rollout_lab.ui.session import Source
from rollout_lab.ui.upload import uploaded, uploader

SHIPPED: Final = tuple(f"peer-{name}" for name in runs.PEER)
FILE: Final = "file-"
OWN: Final = "replay-own"


@cache
def _taker() -> Any:
    """Buttons that save the picture as SVG or PNG; the browser draws it, the server is not asked."""
    return st.components.v2.component(
        "rollout-lab.take", html='<div id="take"></div>', css="take.css", js="take.js"
    )


def page() -> None:
    """The whole page."""
    lang = head("replay")
    with st.container(horizontal=True, vertical_alignment="bottom", key="replay-choice"):
        place = st.container(width="stretch")
        files = st.container(width=420)
    with files:
        dropped = uploader(lang, "replay-file")
    if dropped and st.session_state.get("replay-last") != dropped:
        st.session_state["replay-last"] = dropped
        st.session_state["replay-run"] = FILE + dropped
    there = [*(FILE + name for name in uploaded()), *own_runs.present(), *SHIPPED]
    with place:
        key = _chosen(lang, there)
        try:
            run = _run(key)
        except LabError as problem:
            st.error(str(problem))
            return
        _take_away(lang, key, run)
    _picture(lang, key)


def _run(key: str) -> Recording:
    """The run of a key; the lab's own is kept for the session until it is asked for anew."""
    if key.startswith(FILE):
        return uploaded()[key.removeprefix(FILE)]
    if not key.startswith(own_runs.PREFIX):
        return runs.recording(key)
    kept: dict[str, Recording] = st.session_state.setdefault(OWN, {})
    if key not in kept:
        kept[key] = own_runs.recording(key)
    return kept[key]


def _again(key: str) -> None:
    st.session_state.get(OWN, {}).pop(key, None)


def _chosen(lang: str, there: list[str]) -> str:
    asked = st.query_params.get("run", "")
    if st.session_state.get("replay-run") not in there:
        st.session_state["replay-run"] = asked if asked in there else there[0]
    return str(
        st.selectbox(
            say(lang, "replay.choose"),
            there,
            format_func=lambda key: _title(lang, key),
            key="replay-run",
            on_change=_to_url,
        )
    )


def _title(lang: str, key: str) -> str:
    if key.startswith(own_runs.PREFIX):
        return say(lang, "compare.name.live", name=own_runs.name_in(key))
    return key.removeprefix(FILE) if key.startswith(FILE) else runs.title(lang, key)


def _to_url() -> None:
    key = str(st.session_state["replay-run"])
    st.query_params.pop(MOMENT, None)
    if not key.startswith(FILE):
        st.query_params["run"] = key
    else:
        st.query_params.pop("run", None)


@st.fragment(key="replay-live")
def _picture(lang: str, key: str) -> None:
    """Drawn again whenever the slider moves; nothing here changes by itself."""
    sources: dict[str, Source] = st.session_state.setdefault("replay-sources", {})
    run = _run(key)
    found = sources.get(key)
    if found is None or not isinstance(found.lab, RecordedLab) or found.lab.run_shown is not run:
        found = sources[key] = Source(RecordedLab(run))
    try:
        show(found, lang, run.current, buttons=False, name=f"replay-{key}")
    except LabError as problem:
        st.error(str(problem))


def _take_away(lang: str, key: str, run: Recording) -> None:
    """The run as files; each is made when it is asked for."""
    name = "".join(c if c.isalnum() or c in "-_." else "-" for c in key.removeprefix(FILE)).removesuffix(
        ".jsonl"
    )
    with st.container(horizontal=True, vertical_alignment="center", key="take-away"):
        with st.popover(say(lang, "replay.take")):
            files: list[tuple[str, str, str, Any]] = [
                ("jsonl", ".jsonl", "application/jsonl", lambda: export.jsonl(run.timeline())),
                ("json", ".json", "application/json", lambda: export.picture_json(run.view())),
                ("html", ".html", "text/html", lambda: export.html(run, lang)),
                *(
                    (
                        f"csv.{table}",
                        f"-{table}.csv",
                        "text/csv",
                        lambda t=table: export.csv(run.timeline(), t),
                    )
                    for table in export.TABLES
                ),
            ]
            for what, ending, mime, make in files:
                st.download_button(
                    say(lang, f"replay.take.{what}"),
                    data=make,
                    file_name=name + ending,
                    mime=mime,
                    key=f"take-{key}-{what}",
                    on_click="ignore",
                    width="stretch",
                )
        if key.startswith(own_runs.PREFIX):
            st.button(say(lang, "replay.again"), on_click=_again, args=(key,), key="again")
        _taker()(key="take", data={"label": section(lang, "take"), "name": name, "lang": lang})
