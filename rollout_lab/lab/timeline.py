"""The rows of a run in hand: a tuple as before, and tables and charts of it for a notebook.

    run = lab.timeline()
    run.pods()            # DataFrame: Pods of each version, wherever they change
    run.share()           # DataFrame: measured shares with their 95 % interval
    run.chart()           # Altair: Pods over time, and which version each Service led to

Tables need pandas and charts Altair, which come with the ``ui`` extra; everything else works without.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from rollout_lab.errors import UsageError
from rollout_lab.messages import LANGUAGES
from rollout_lab.observe.replay import Recording

if TYPE_CHECKING:
    from types import ModuleType

    import pandas as pd

Json = dict[str, Any]


def extra(module: str) -> ModuleType:
    """A module that needs the ``ui`` extra. Raises UsageError with the remedy where it is not installed."""
    try:
        return import_module(module)
    except ModuleNotFoundError as problem:
        if (problem.name or "").startswith("rollout_lab"):
            raise
        raise UsageError(
            f'tables and charts need {problem.name}, which is not installed: pip install "rollout-lab[ui]"'
        ) from None


class LabTimeline(tuple[Json, ...]):
    """Rows in the format of the recorded runs (`observe.timeline`), oldest first; never changed.

    Every method but `figures` raises UsageError where the ``ui`` extra is not installed. Times are lab
    seconds since the scenario was applied.
    """

    lang = "en"

    def said(self, lang: str) -> LabTimeline:
        """The same rows, with charts in another language (``ko``, ``en``). Raises UsageError."""
        if lang not in LANGUAGES:
            raise UsageError(f'there is no language "{lang}"; there are {", ".join(LANGUAGES)}')
        found = LabTimeline(self)
        found.lang = lang
        return found

    # -- tables -------------------------------------------------------------------------------

    def pods(self) -> pd.DataFrame:
        """Columns t, version, pods, ready (`frames.pods_over_time`)."""
        return self._frame("pods_over_time")

    def lanes(self) -> pd.DataFrame:
        """Columns service, start, end, hash, version: what each Service selected (`frames.lanes`)."""
        return self._frame("lanes")

    def share(self) -> pd.DataFrame:
        """Columns service, start, end, version, n, total, share, low, high (`frames.shares`)."""
        return self._frame("shares")

    def events(self) -> pd.DataFrame:
        """Columns t, what, reason, text: events, actions and the engine's reasons (`frames.events`)."""
        return self._frame("events")

    def figures(self) -> Json:
        """The update in numbers (`observe.figures`)."""
        return self.recording().figures()

    def recording(self, name: str = "run") -> Recording:
        """The rows as a recorded run: to replay or export them."""
        return Recording(self, name=name)

    # -- charts -------------------------------------------------------------------------------

    def pods_chart(self, expected: Mapping[str, float] | None = None) -> Any:
        """Pods of each version over time. `expected`: label -> Pods somebody expected, as dashed lines."""
        plots = extra("rollout_lab.observe.plots")
        return plots.pods(self.pods(), self._end(), lang=self.lang, expected=expected)

    def lanes_chart(self) -> Any:
        """Which version each Service selected over time; empty where none selects a hash."""
        return extra("rollout_lab.observe.plots").lanes(self.lanes(), lang=self.lang)

    def share_chart(self) -> Any:
        """Measured shares of the versions over time, with their 95 % interval."""
        return extra("rollout_lab.observe.plots").share(self.share(), lang=self.lang)

    def chart(self, expected: Mapping[str, float] | None = None) -> Any:
        """Pods over time, and below it what each Service selected where one selects a version."""
        lanes = self.lanes()
        if not (lanes["version"] != "").any():
            return self.pods_chart(expected)
        return extra("rollout_lab.observe.plots").whole(self.pods_chart(expected), lanes, self.lang)

    # -- in a notebook ------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"<timeline of {len(self)} rows, {self._end():.1f} s>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Json:
        try:
            plots = extra("rollout_lab.observe.plots")
        except UsageError as problem:
            return {"text/plain": f"{self!r}\n{problem}"}
        if not len(self.pods()):
            return {"text/plain": repr(self)}
        found: Json = plots.bundle(self.chart())
        return {**found, "text/plain": repr(self)}

    def _end(self) -> float:
        return max((float(row.get("until") or row.get("t") or 0.0) for row in self), default=0.0)

    def _frame(self, name: str) -> pd.DataFrame:
        make: Callable[[Any], pd.DataFrame] = getattr(extra("rollout_lab.observe.frames"), name)
        return make(self)
