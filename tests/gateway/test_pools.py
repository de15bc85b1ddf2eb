"""Which endpoints a backend has: ready ones; those that leave only where none is left; by the port's name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.test_ingress import ingress
from tests.gateway.worlds import compiled

READY = {"ready": True, "serving": True, "terminating": False}
NOT_YET = {"ready": False, "serving": False, "terminating": False}
LEAVING = {"ready": False, "serving": True, "terminating": True}
GONE = {"ready": False, "serving": False, "terminating": True}


def there(endpoints: list[dict[str, Any] | None], port: Any = 80, names: tuple[str, ...] = ("http",)) -> Any:
    """The endpoints of an Ingress's backend whose slice has Pods in these conditions."""
    service = {
        "metadata": {"name": "web"},
        "spec": {"ports": [{"name": name, "port": 80 + n} for n, name in enumerate(names)]},
    }
    piece = {
        "metadata": {"name": "web-x", "labels": {"kubernetes.io/service-name": "web"}},
        "endpoints": [
            {"addresses": [f"10.0.0.{n}"], **({} if found is None else {"conditions": found})}
            for n, found in enumerate(endpoints)
        ],
        "ports": [{"name": name, "port": 8080 + n} for n, name in enumerate(names)],
    }
    web = ingress("web", ("Prefix", "/", "web"))
    path = web["spec"]["rules"][0]["http"]["paths"][0]  # type: ignore[index]
    path["backend"]["service"]["port"] = {"name" if isinstance(port, str) else "number": port}
    found = compiled((), Ingress=[web], Service=[service], EndpointSlice=[piece])
    (pool,) = found.table.pools.values()
    return [f"{host.rpartition('.')[2]}:{number}" for host, number in pool]


@pytest.mark.parametrize(
    ("conditions", "wanted"),
    [
        ([READY, NOT_YET, LEAVING, GONE], ["0:8080"]),
        ([READY, READY], ["0:8080", "1:8080"]),
        ([NOT_YET, LEAVING, GONE], ["1:8080"]),
        ([NOT_YET, GONE], []),
        ([None, {}], ["0:8080", "1:8080"]),
        ([], []),
    ],
)
def test_only_pods_that_can_answer(conditions: list[dict[str, Any] | None], wanted: list[str]) -> None:
    """Protects users from Pods that are not ready, and from a 503 while the last ones still serve."""
    assert there(conditions) == wanted


@pytest.mark.parametrize(("port", "wanted"), [(80, "0:8080"), (81, "0:8081"), ("admin", "0:8081")])
def test_the_port_is_the_services(port: int | str, wanted: str) -> None:
    """Protects Services with several ports: by number or name, the slice's port of that name."""
    assert there([READY], port, ("http", "admin")) == [wanted]
