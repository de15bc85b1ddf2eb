"""What the tests of the page share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import streamlit as st

from rollout_lab.ui import session
from tests.ui.replayed_lab import ReplayedLab


@pytest.fixture
def lab() -> Iterator[ReplayedLab]:
    """A replaying lab behind the page, and the real opener put back."""
    replayed = ReplayedLab()
    st.cache_resource.clear()
    session.use(lambda: replayed)
    yield replayed
    st.cache_resource.clear()
    session.use(session._real_lab)
