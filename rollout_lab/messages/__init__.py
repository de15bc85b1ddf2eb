"""The words of the lab: one catalogue, Korean first and English second.

Here lives every sentence a person reads on the page or in the terminal, and the small grammar
that fills numbers and names into it (`grammar`). Logic, colours and layout must not.
A code of another layer becomes a sentence by its key: a why-code ``x.y`` is ``why.x.y``, a
verdict code is ``verdict.<code>``, a phase is ``phase.<key>``.
"""

from __future__ import annotations

from rollout_lab.messages.catalogue import LANGUAGES, explain, has, keys, say, section

__all__ = ["LANGUAGES", "explain", "has", "keys", "say", "section"]
