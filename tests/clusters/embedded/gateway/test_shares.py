"""The measured share of real requests follows the configured weight, for each kind of object that routes."""

from __future__ import annotations

import asyncio

from rollout_lab.clusters.embedded.resources import INGRESSES
from tests.clusters.embedded.gateway.scenes import ask, ingress, routed, two_versions
from tests.gateway.bounds import bounds

REQUESTS = 5000


def test_an_ingress_sends_its_canary_the_weight_it_was_given() -> None:
    """Protects the lesson "5 % with ten Pods" for NGINX: 5,000 real requests at each weight."""

    async def scene() -> None:
        async with two_versions() as b:
            b.api.create(INGRESSES, "default", ingress("web", "stable"))
            notes = {"canary": "true", "canary-weight": "0"}
            b.api.create(INGRESSES, "default", ingress("web-canary", "canary", notes))
            for weight in (1, 5, 25, 50, 99):
                change = {"nginx.ingress.kubernetes.io/canary-weight": str(weight)}
                patch = {"metadata": {"annotations": change}}
                b.api.patch(INGRESSES, "default", "web-canary", patch, "merge")
                await routed(b, "web", [100 - weight, weight])
                found = await ask(b, REQUESTS)
                low, high = bounds(REQUESTS, weight / 100)
                assert found.failures == []
                assert low <= found.canaries <= high, f"{weight} %: {found.canaries} of {REQUESTS}"

    asyncio.run(scene())
