"""Many requests at once, counted: to a Service, or to the gateway before it as users ask it."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from rollout_lab.client.kube import KubeClient
from rollout_lab.errors import UsageError
from rollout_lab.lab.gateways import one_host, there
from rollout_lab.observe.gateways import Place
from rollout_lab.observe.probe import Count, burst
from rollout_lab.observe.recorder import Recorder


class Measuring:
    """What can be asked of a lab that has a client, a recorder, and a gateway (`gateway`)."""

    client: KubeClient
    recorder: Recorder
    namespace: str

    def gateway(self) -> Place | None:
        """Where the gateway of the lab's cluster is; None where there is none."""
        raise NotImplementedError

    def measure(
        self,
        service: str,
        n: int,
        concurrency: int = 8,
        stop: threading.Event | None = None,
        count: Count | None = None,
        per_second: float = 0.0,
        headers: Mapping[str, str] | None = None,
    ) -> Count:
        """`n` requests to a Service, a new connection each, by version and failure (`probe.burst`)."""
        address = self.recorder.address(service)
        if not address:
            raise UsageError(f'no address is known for the Service "{service}"')
        return burst(address, n, concurrency, stop=stop, count=count, per_second=per_second, headers=headers)

    def measure_gateway(
        self,
        n: int,
        concurrency: int = 8,
        *,
        host: str = "",
        rollout: str = "",
        headers: Mapping[str, str] | None = None,
        stop: threading.Event | None = None,
        count: Count | None = None,
        per_second: float = 0.0,
    ) -> Count:
        """`n` requests through the gateway, as `measure`.

        `host`: to ask for; default: the one that the routes of `rollout` (``""``: of the namespace's) name.
        Raises LabError where there is no gateway, UsageError where no host or more than one is known.
        """
        address = there(self.gateway()).address
        asked = {"Host": one_host(self.client, self.namespace, host, rollout), **(headers or {})}
        return burst(address, n, concurrency, stop=stop, count=count, per_second=per_second, headers=asked)
