"""The embedded cluster's gateway: `rollout_lab.gateway` fed from the API, listening on loopback.

`feed` follows objects, `run` compiles and swaps tables, `telling` writes statuses and Events. What the
objects mean is decided in `rollout_lab.gateway` only.
"""

from rollout_lab.clusters.embedded.gateway.run import GATEWAY_PORT, EmbeddedGateway

__all__ = ["GATEWAY_PORT", "EmbeddedGateway"]
