"""A picture and a chart that follow a lab in the cell of a notebook. Shows only; what is asked is not here.

Without a notebook around it nothing is drawn: `follow` then only waits.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Final

Json = dict[str, Any]
POLL: Final = 0.5  # wall seconds between two pictures
EACH: Final = 4  # so many pictures for one chart, which takes a browser longer to draw


def follow(
    picture: Callable[[], Json], chart: Callable[[], Json], done: Callable[[], bool], seconds: float
) -> None:
    """Show `picture` and `chart` (outputs by MIME type) anew until `done` or for `seconds` of the wall.

    Stopping the cell ends it too, and is no error: cells below it go on.
    """
    handles = [handle for make in (picture, chart) for handle in _shown(make())]
    pause = threading.Event()
    with contextlib.suppress(KeyboardInterrupt):
        for turn in range(1, int(seconds / POLL) + 1):
            if done():
                break
            pause.wait(POLL)
            if handles:
                handles[0].update(picture(), raw=True)
            if handles and turn % EACH == 0:
                handles[1].update(chart(), raw=True)
    for handle, make in zip(handles, (picture, chart), strict=True) if handles else ():
        handle.update(make(), raw=True)


def _shown(output: Json) -> Iterator[Any]:
    """The handle of an output that can be changed later; nothing outside of a notebook."""
    try:
        shell = import_module("IPython").get_ipython()
    except ModuleNotFoundError:
        return
    if hasattr(shell, "kernel"):
        yield import_module("IPython.display").display(output, raw=True, display_id=True)
