"""The values a Rollout has when its manifest says nothing. Numbers only; seconds and Pods.

# upstream: utils/defaults/defaults.go
"""

from __future__ import annotations

from typing import Final

REPLICAS: Final = 1
REVISION_HISTORY_LIMIT: Final = 10
PROGRESS_DEADLINE_SECONDS: Final = 600
MIN_READY_SECONDS: Final = 0
MAX_SURGE: Final = "25%"
MAX_UNAVAILABLE: Final = "25%"
SCALE_DOWN_DELAY_SECONDS: Final = 30
ABORT_SCALE_DOWN_DELAY_SECONDS: Final = 30
AUTO_PROMOTION_ENABLED: Final = True
MAX_TRAFFIC_WEIGHT: Final = 100
