"""The head of the pages beside the lab page, and the links from page to page. Streamlit calls only.

Which pages there are is told by `navigation`; a page of a test that offers none shows no links.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from functools import cache
from typing import Any

import streamlit as st

from rollout_lab.messages import LANGUAGES, say, section
from rollout_lab.ui.style import PAGE
from rollout_lab.ui.url import carried, language, viewer

LANGUAGE_NAMES = {"ko": "한국어", "en": "English"}
FOR_VIEWERS = ("lab", "projector", "replay", "compare")
"""Pages a viewer's links lead to: those on which nothing of the lab can be changed."""
_pages: dict[str, Any] = {}


def offer(pages: Mapping[str, Any]) -> None:
    """The pages links may lead to, in their order."""
    _pages.clear()
    _pages.update(pages)


def menu(lang: str, current: str) -> None:
    """All other pages behind one small button, each with a word about it; for a full head."""
    if not _pages:
        return
    with st.popover(say(lang, "nav.menu"), key="pages"):
        for name in _names():
            if name != current:
                page = _pages[name]
                label = f"**{say(lang, f'nav.{name}')}**  \n{say(lang, f'nav.about.{name}')}"
                st.page_link(page, label=label, query_params=carried(lang=lang), width="stretch")


@cache
def _theme() -> Any:
    return st.components.v2.component(
        "rollout-lab.theme", html='<div id="theme"></div>', css="theme.css", js="theme.js"
    )


def shade(lang: str) -> None:
    """The button that turns all pages dark or light, in this browser."""
    paths = [page.url_path for page in _pages.values()]
    data = {"lang": lang, "paths": sorted({"", *paths}), "label": section(lang, "shade")}
    _theme()(key="theme", data=data, width=40)


def head(current: str, title: str = "") -> str:
    """The head of a page: its name, links to the others, the language switch. Returns the language."""
    st.html(PAGE)
    lang = language()
    with st.container(horizontal=True, vertical_alignment="center", key="top"):
        name = html.escape(title or say(lang, f"nav.{current}"))
        st.html(f'<div><span class="lab-name">rollout-lab</span><b>{name}</b></div>', width="stretch")
        for other in (other for other in _names() if other != current):
            st.page_link(_pages[other], label=say(lang, f"nav.{other}"), query_params=carried(lang=lang))
        chosen = st.segmented_control(
            say(lang, "page.language"),
            LANGUAGES,
            default=lang,
            required=True,
            format_func=LANGUAGE_NAMES.__getitem__,
            key=f"lang-{current}",
            label_visibility="collapsed",
            on_change=_language_to_url,
            args=(f"lang-{current}",),
        )
        shade(lang)
    return str(chosen or lang)


def link(lang: str, name: str, **more: str) -> None:
    """A link to a page, where it was offered; `more` goes over the parameters it carries."""
    if name in _names():
        st.page_link(_pages[name], label=say(lang, f"nav.{name}"), query_params=carried(lang=lang, **more))


def go(name: str, query: Mapping[str, str]) -> None:
    """Show another page instead; does nothing where no pages were offered."""
    if name in _pages:
        st.switch_page(_pages[name], query_params=dict(query))


def _names() -> list[str]:
    return [name for name in _pages if not viewer() or name in FOR_VIEWERS]


def _language_to_url(key: str) -> None:
    st.query_params["lang"] = str(st.session_state[key])
