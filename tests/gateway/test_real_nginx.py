"""The gateway beside a real NGINX: the same Ingresses, the same Pods, the same choices."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rollout_lab.api.rollout import Rollout
from rollout_lab.clusters.embedded.resources import CRDS, ENDPOINTSLICES, INGRESSES
from rollout_lab.lab.scenario import rollout_crd
from rollout_lab.routers import table
from rollout_lab.routers.model import Ref, Traffic
from rollout_lab.routers.nginx import INGRESS
from tests.clusters.embedded.gateway.scenes import (
    CANARY,
    STABLE,
    Load,
    ask,
    create,
    ingress,
    routed,
    two_versions,
)
from tests.clusters.embedded.kubelet.bench import Bench
from tests.gateway.bounds import bounds
from tests.gateway.real_nginx import ABSENT, BINARY, nginx

pytestmark = pytest.mark.skipif(BINARY is None, reason=ABSENT)
REQUESTS = 5000
EACH = 20
WEIGHTS = ((1, 100), (5, 100), (25, 100), (50, 100), (99, 100), (35, 1000))
Json = dict[str, Any]


class Routed:
    """A Rollout whose nginx router has written its Ingresses into the cluster."""

    def __init__(self, b: Bench, annotations: Mapping[str, str] | None = None, maximum: int = 100) -> None:
        routing = {"nginx": {"stableIngress": "web", "additionalIngressAnnotations": dict(annotations or {})}}
        if maximum != 100:
            routing["maxTrafficWeight"] = maximum  # type: ignore[assignment]
        services = {"stableService": "stable", "canaryService": "canary"}
        canary = {**services, "trafficRouting": routing}
        spec = {"strategy": {"canary": canary}, **POD}
        body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "web"}}
        self.rollout = Rollout(create(b, {**body, "spec": spec}))
        self.bench, self.maximum = b, maximum

    async def to(self, weight: int) -> None:
        """Write what the router wants for this weight, until the gateway works by it."""
        traffic = Traffic(self.rollout, weight, self.maximum, "stable", "canary", "v1", "v2")
        objects = {Ref(INGRESS, "default", one["metadata"]["name"]): one for one in self.ingresses}
        for _, change in table.changes(traffic, objects):
            write = self.bench.api.update if change.ref in objects else self._create
            write(INGRESSES, "default", change.ref.name, change.body)
        share = 100 * weight / self.maximum
        await routed(self.bench, "web", [100 - share, share])
        assert len(self.ingresses) == 2

    def _create(self, res: Any, namespace: str, _: str, body: Json) -> None:
        self.bench.api.create(res, namespace, body)

    @property
    def ingresses(self) -> list[Json]:
        return self.bench.api.list(INGRESSES, "default")[0]

    @property
    def servers(self) -> dict[str, list[str]]:
        """The addresses of both Services' Pods, as the node tells them."""
        found: dict[str, list[str]] = {"stable": [], "canary": []}
        for piece in self.bench.api.list(ENDPOINTSLICES, "default")[0]:
            name = piece["metadata"]["labels"]["kubernetes.io/service-name"]
            if name in found:
                pods = [endpoint["targetRef"]["name"] for endpoint in piece["endpoints"]]
                found[name] += [self.bench.pod_address(pod) for pod in pods]
        return found


POD: Json = {
    "selector": {"matchLabels": {"app": "none"}},
    "template": {
        "metadata": {"labels": {"app": "none"}},
        "spec": {"containers": [{"name": "app", "image": "1pro/api-tester:1.0.0"}]},
    },
}


@pytest.mark.parametrize("maximum", sorted({total for _, total in WEIGHTS}))
def test_both_split_by_the_weight(maximum: int, tmp_path: Path) -> None:
    """Protects the gateway's word for a real one: 5,000 requests each, in a 99.9 % binomial bound.

    NGINX's numbers of chance are its own, so what is outside is measured once more: one time in a
    million chance alone is outside twice.
    """

    async def scene() -> None:
        async with two_versions() as b:
            b.api.create(CRDS, None, rollout_crd())
            b.api.create(INGRESSES, "default", ingress("web", "stable"))
            router = Routed(b, maximum=maximum)
            for weight in [weight for weight, total in WEIGHTS if total == maximum]:
                await router.to(weight)
                low, high = bounds(REQUESTS, weight / maximum)
                ours = await ask(b, REQUESTS)
                async with nginx(router.ingresses, router.servers, tmp_path) as address:
                    theirs = await ask(b, REQUESTS, address=address)
                    if not low <= theirs.canaries <= high:
                        theirs = await ask(b, REQUESTS, address=address)
                print(f"{weight} of {maximum}: gateway {ours.canaries}, NGINX {theirs.canaries}")
                for found in (ours, theirs):
                    assert found.failures == []
                    assert found.answers.total() == REQUESTS
                    assert low <= found.canaries <= high, f"{weight} of {maximum}: {ours}, {theirs}"

    asyncio.run(scene())


BY_HEADER = {"canary-by-header": "X-Tester"}
BY_VALUE = {**BY_HEADER, "canary-by-header-value": "kim"}
BY_PATTERN = {**BY_HEADER, "canary-by-header-pattern": "^k.m"}
BY_COOKIE = {"canary-by-cookie": "tester"}
ASKED: tuple[dict[str, str], ...] = (
    {},
    {"X-Tester": "always"},
    {"X-Tester": "never"},
    {"X-Tester": "Always"},
    {"x-tester": "kim"},
    {"X-Tester": "kimchi"},
    {"X-Tester": "akim"},
    {"X-Tester": "lee", "Cookie": "tester=always"},
    {"X-Tester": "never", "Cookie": "tester=always"},
    {"X-Tester": "always", "Cookie": "tester=never"},
    {"Cookie": "a=b; tester=always"},
    {"Cookie": "tester=never; a=b"},
    {"Cookie": "tester=1"},
    {"Cookie": "testers=always"},
)


@pytest.mark.parametrize(
    "annotations",
    [BY_HEADER, BY_VALUE, BY_PATTERN, BY_COOKIE, {**BY_HEADER, **BY_COOKIE}, {**BY_VALUE, **BY_COOKIE}],
    ids="+".join,
)
def test_both_choose_by_header_and_cookie(annotations: dict[str, str], tmp_path: Path) -> None:
    """Protects "only the testers": header before cookie before weight, the same answer to every request."""

    async def scene() -> None:
        async with two_versions(1) as b:
            b.api.create(CRDS, None, rollout_crd())
            b.api.create(INGRESSES, "default", ingress("web", "stable"))
            router = Routed(b, annotations)
            for weight, otherwise in ((0, STABLE), (100, CANARY)):
                await router.to(weight)
                plain = Load()
                async with nginx(router.ingresses, router.servers, tmp_path) as address:
                    for headers in ASKED:
                        ours = await ask(b, EACH, headers=headers, parallel=2)
                        theirs = await ask(b, EACH, headers=headers, parallel=2, address=address)
                        assert ours.failures + theirs.failures == []
                        assert EACH in ours.answers.values(), f"{weight} %, {headers}: {ours}"
                        assert ours.answers == theirs.answers, f"{weight} %, {headers}: {ours}, {theirs}"
                        plain.answers += ours.answers
                assert plain.answers[otherwise] > 0, "no request was left to the weight"
                if weight == 0:
                    assert plain.answers[CANARY] > 0, "no request was chosen by its header or cookie"

    asyncio.run(scene())
