"""Tables, what ``kubectl get`` prints: column definitions and one row of cells per object.

Lives here: columns of built-in kinds (recorded, or short ones of our own where nothing was recorded),
columns of CRDs and the fallback Name, Created At. The cells of built-in kinds are in `cells` and `pod_table`.
# upstream: pkg/printers/internalversion, apiextensions-apiserver/pkg/registry/customresource/tableconvertor
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol

from . import jsonpath
from .ages import age
from .builtin import package_json
from .cells import CELLS, Cells
from .pod_table import pod_cells, row_conditions

Object = dict[str, Any]


class Kinded(Protocol):
    """What `table` needs to know of a resource."""

    @property
    def group(self) -> str: ...
    @property
    def plural(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def custom(self) -> bool: ...


def table(
    resource: Kinded, objects: Sequence[Object], now: float, columns: Sequence[Object] | None = None
) -> Object:
    """``{"columnDefinitions": [...], "rows": [{"cells": [...]}]}`` for `objects`, one row each.

    `columns` are the ``additionalPrinterColumns`` of a custom resource (None or empty gives Name and Age);
    `now` is in seconds since the epoch. Rows of ended Pods carry ``conditions``; ``object`` is the caller's
    business.
    """
    if resource.custom:
        wanted = list(columns or [_AGE])
        rows = [{"cells": _custom_cells(obj, wanted, now)} for obj in objects]
        return {"columnDefinitions": _custom_definitions(columns), "rows": rows}
    if (resource.group, resource.kind) == ("", "Pod"):
        return {"columnDefinitions": _recorded()["/pods"], "rows": [_pod_row(o, now) for o in objects]}
    definitions = definitions_of(resource.group, resource.plural)
    cells: Cells | None = CELLS.get((resource.group, resource.kind))
    if definitions is None or cells is None:
        rows = [{"cells": [o["metadata"].get("name", ""), _created(o)]} for o in objects]
        return {"columnDefinitions": _recorded()["fallback"], "rows": rows}
    return {"columnDefinitions": definitions, "rows": [{"cells": cells(o, now)} for o in objects]}


@cache
def _recorded() -> dict[str, list[Object]]:
    definitions: dict[str, list[Object]] = package_json("columns.json.gz")
    return definitions


@cache
def definitions_of(group: str, plural: str) -> list[Object] | None:
    """The column definitions of a built-in resource, or None for those that only show Name and Created At."""
    recorded = _recorded()
    found = recorded.get(f"{group}/{plural}")
    if found is None and plural == "events":
        found = recorded["/events"]
    own = _OWN.get(plural)
    if found is None and own is not None:
        name, age_column = recorded["/pods"][0], recorded["/pods"][4]
        found = [name if n == "Name" else age_column if n == "Age" else _column(n, *r) for n, *r in own]
    return found


def _column(name: str, kind: str, priority: int, description: str) -> Object:
    return {"name": name, "type": kind, "format": "", "description": description, "priority": priority}


_WORKLOAD: tuple[tuple[Any, ...], ...] = (
    ("Containers", "string", 1, "The names of the containers of the Pod template."),
    ("Images", "string", 1, "The images of the containers of the Pod template."),
    ("Selector", "string", 1, "The labels by which its Pods are found."),
)
_OWN: dict[str, tuple[tuple[Any, ...], ...]] = {
    "deployments": (
        ("Name",),
        ("Ready", "string", 0, "Pods that are ready, of the Pods asked for."),
        ("Up-to-date", "string", 0, "Pods of the present template."),
        ("Available", "string", 0, "Pods that have been ready for minReadySeconds."),
        ("Age",),
        *_WORKLOAD,
    ),
    "replicationcontrollers": (
        ("Name",),
        ("Desired", "integer", 0, "Pods asked for."),
        ("Current", "integer", 0, "Pods there are."),
        ("Ready", "integer", 0, "Pods that are ready."),
        ("Age",),
        *_WORKLOAD,
    ),
    "jobs": (
        ("Name",),
        ("Status", "string", 0, "Whether the Job runs, is complete, failed or suspended."),
        ("Completions", "string", 0, "Pods that succeeded, of the Pods that must."),
        ("Duration", "string", 0, "Time from start to completion, or until now."),
        ("Age",),
        *_WORKLOAD,
    ),
    "cronjobs": (
        ("Name",),
        ("Schedule", "string", 0, "When Jobs start, in cron form."),
        ("Timezone", "string", 0, "The time zone of the schedule."),
        ("Suspend", "boolean", 0, "Whether no more Jobs are started."),
        ("Active", "integer", 0, "Jobs that run now."),
        ("Last Schedule", "string", 0, "Time since a Job was last started."),
        ("Age",),
        *_WORKLOAD,
    ),
    "leases": (("Name",), ("Holder", "string", 0, "Who holds the lease."), ("Age",)),
}
_AGE: Object = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}


def _pod_row(pod: Object, now: float) -> Object:
    row: Object = {"cells": pod_cells(pod, now)}
    if conditions := row_conditions(pod):
        row["conditions"] = conditions
    return row


def _created(obj: Object) -> Any:
    return obj["metadata"].get("creationTimestamp")


def _custom_definitions(columns: Sequence[Object] | None) -> list[Object]:
    name, created = _recorded()["fallback"]
    if not columns:
        return [name, {**created, "name": "Age"}]
    made = [name]
    for column in columns:
        path = column.get("jsonPath", "")
        default = f"Custom resource definition column (in JSONPath format): {path}"
        made.append(
            {
                "name": column.get("name", ""),
                "type": column.get("type", ""),
                "format": column.get("format", ""),
                "description": column.get("description") or default,
                "priority": column.get("priority", 0),
            }
        )
    return made


def _custom_cells(obj: Object, columns: Sequence[Object], now: float) -> list[Any]:
    cells: list[Any] = [obj["metadata"].get("name", "")]
    for column in columns:
        found = jsonpath.find(obj, column.get("jsonPath", ""))
        cells.append(_custom_cell(column.get("type", ""), found[0], now) if found else None)
    return cells


def _custom_cell(kind: str, value: Any, now: float) -> Any:
    """A value in its column's type; null when it does not fit."""
    if value is None:
        return None
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    match kind:
        case "string":
            return jsonpath.text(value)
        case "integer" if number:
            return int(value)
        case "number" if number:
            return value
        case "boolean" if isinstance(value, bool):
            return value
        case "date" if isinstance(value, str):
            return age(value, now)
        case _:
            return None
