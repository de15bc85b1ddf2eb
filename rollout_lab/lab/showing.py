"""How a lab and its rollouts look in a notebook and at a prompt: the picture of this moment.

Drawing is `observe.sketch`; nothing is decided here.
"""

from __future__ import annotations

from typing import Any

from rollout_lab.observe import sketch

Json = dict[str, Any]


class Shown:
    """Something with a picture: `_picture` gives it. `lang`: of the words beside it, ``ko`` or ``en``."""

    lang: str = "en"

    def _picture(self) -> Json:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {sketch.summary(self._picture())}>"

    def _repr_html_(self) -> str:
        return sketch.svg(self._picture(), self.lang)
