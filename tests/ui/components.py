"""The drawings of a page under AppTest, by what their data holds: a page has more than one."""

from __future__ import annotations

import json
from typing import Any

from streamlit.testing.v1 import AppTest

Json = dict[str, Any]


def proto(page: AppTest, holds: str = "tick") -> Any:
    """The component whose data has the key `holds`: ``tick`` the picture, ``questions`` the notes."""
    found = [c.proto for c in page.get("bidi_component") if holds in json.loads(c.proto.json)]
    assert len(found) == 1, f"{len(found)} components hold {holds}"
    return found[0]


def drawings(page: AppTest, holds: str = "tick") -> int:
    """How many components have data with that key."""
    return sum(holds in json.loads(c.proto.json) for c in page.get("bidi_component"))


def data_of(page: AppTest, holds: str = "tick") -> Json:
    data: Json = json.loads(proto(page, holds).json)
    return data


def say_to(page: AppTest, holds: str, state: Json) -> None:
    """What the drawing does when somebody presses: its state goes to the server."""
    states = page._tree.get_widget_states()
    sent = states.widgets.add()
    sent.id = proto(page, holds).id
    sent.json_value = json.dumps(state)
    page._run(states)
