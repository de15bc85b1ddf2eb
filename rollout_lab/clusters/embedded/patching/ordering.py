"""The order of a merged list: the patch's own order for what the patch names, the server's for the rest.

Items are compared by merge key, or whole where there is none. Pure.
# upstream: apimachinery/pkg/util/strategicpatch/patch.go::normalizeElementOrder
"""

from __future__ import annotations

from typing import Any

from .failures import internal
from .govalue import go_print


def arrange(merged: list[Any], patch_order: list[Any], server_order: list[Any], merge_key: str) -> list[Any]:
    """`merged` with the items of `patch_order` in that order, woven into the items only the server has.

    A patched item the server did not have goes before the server's remaining items.
    """
    named = [_identity(item, merge_key) for item in patch_order]
    known = [_identity(item, merge_key) for item in server_order]
    patched = [item for item in merged if _identity(item, merge_key) in named]
    server = [item for item in merged if _identity(item, merge_key) not in named]
    patched.sort(key=lambda item: named.index(_identity(item, merge_key)))
    server.sort(key=lambda item: _index(known, _identity(item, merge_key)))
    out: list[Any] = []
    while patched and server:
        left, right = (_index(known, _identity(i, merge_key)) for i in (server[0], patched[0]))
        both_known = left < len(known) and right < len(known)
        out.append(server.pop(0) if both_known and left < right else patched.pop(0))
    return out + patched + server


def check(patch: list[Any], order: list[Any], merge_key: str) -> None:
    """Raises ApiError 500 when `order` does not list the items of `patch` in the order `patch` has them."""
    wanted = [_identity(item, merge_key) for item in order]
    position = 0
    for item in patch:
        if isinstance(item, dict) and item.get("$patch") == "delete":
            continue
        identity = _identity(item, merge_key)
        while position < len(wanted) and wanted[position] != identity:
            position += 1
        if position == len(wanted):
            raise internal(
                f"The order in patch list:\n{go_print(patch)}\n"
                f" doesn't match $setElementOrder list:\n{go_print(order)}\n"
            )
        position += 1


def _identity(item: Any, merge_key: str) -> Any:
    return item.get(merge_key) if merge_key and isinstance(item, dict) else item


def _index(items: list[Any], item: Any) -> int:
    return items.index(item) if item in items else len(items)
