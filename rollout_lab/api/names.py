"""Every name that crosses the API server: groups, labels, annotations, reasons, kinds of status values.

Only constants live here. They are the peer's own, so that kubectl, the plugin and Argo CD find
what they look for; nothing here decides anything.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

GROUP: Final = "argoproj.io"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "Rollout"
PLURAL: Final = "rollouts"

# Labels and selector keys
ROLLOUT_HASH_LABEL: Final = "rollouts-pod-template-hash"
INSTANCE_ID_LABEL: Final = "argo-rollouts.argoproj.io/controller-instance-id"

# Annotations
LAST_APPLIED_ANNOTATION: Final = "kubectl.kubernetes.io/last-applied-configuration"
REVISION_ANNOTATION: Final = "rollout.argoproj.io/revision"
REVISION_HISTORY_ANNOTATION: Final = "rollout.argoproj.io/revision-history"
DESIRED_REPLICAS_ANNOTATION: Final = "rollout.argoproj.io/desired-replicas"
WORKLOAD_GENERATION_ANNOTATION: Final = "rollout.argoproj.io/workload-generation"
EPHEMERAL_METADATA_ANNOTATION: Final = "rollout.argoproj.io/ephemeral-metadata"
SCALE_DOWN_DEADLINE_ANNOTATION: Final = "scale-down-deadline"
MANAGED_BY_ANNOTATION: Final = "argo-rollouts.argoproj.io/managed-by-rollouts"
NOTIFIED_ANNOTATION_PREFIX: Final = "notified.notifications.argoproj.io"

# Where Events come from
EVENT_SOURCE: Final = "rollouts-controller"


class Strategy(StrEnum):
    """The two ways of `spec.strategy`."""

    BLUE_GREEN = "blueGreen"
    CANARY = "canary"


class Phase(StrEnum):
    """`status.phase`."""

    HEALTHY = "Healthy"
    DEGRADED = "Degraded"
    PROGRESSING = "Progressing"
    PAUSED = "Paused"


class PauseReason(StrEnum):
    """`status.pauseConditions[].reason`."""

    CANARY_STEP = "CanaryPauseStep"
    BLUE_GREEN = "BlueGreenPause"
    INCONCLUSIVE_ANALYSIS = "InconclusiveAnalysisRun"
    INCONCLUSIVE_EXPERIMENT = "InconclusiveExperiment"


class ConditionType(StrEnum):
    """`status.conditions[].type`."""

    PROGRESSING = "Progressing"
    AVAILABLE = "Available"
    PAUSED = "Paused"
    HEALTHY = "Healthy"
    COMPLETED = "Completed"
    INVALID_SPEC = "InvalidSpec"
    REPLICA_FAILURE = "ReplicaFailure"


class ConditionReason(StrEnum):
    """`status.conditions[].reason`."""

    NEW_REPLICA_SET = "NewReplicaSetCreated"
    FOUND_NEW_REPLICA_SET = "FoundNewReplicaSet"
    REPLICA_SET_UPDATED = "ReplicaSetUpdated"
    NEW_REPLICA_SET_AVAILABLE = "NewReplicaSetAvailable"
    REPLICA_SET_NOT_AVAILABLE = "ReplicaSetNotAvailable"
    PAUSED = "RolloutPaused"
    RESUMED = "RolloutResumed"
    RETRY = "RolloutRetry"
    TIMED_OUT = "ProgressDeadlineExceeded"
    ABORTED = "RolloutAborted"
    REPLICA_SET_CREATE_ERROR = "ReplicaSetCreateError"
    AVAILABLE = "AvailableReason"
    HEALTHY = "RolloutHealthy"
    COMPLETED = "RolloutCompleted"
    INVALID_SPEC = "InvalidSpec"


class EventReason(StrEnum):
    """`reason` of the Events about a Rollout; clients compare the exact ordered list."""

    ADDED_TO_INFORMER = "RolloutAddedToInformer"
    UPDATED = "RolloutUpdated"
    NEW_REPLICA_SET = "NewReplicaSetCreated"
    NOT_COMPLETED = "RolloutNotCompleted"
    SCALING = "ScalingReplicaSet"
    STEP_COMPLETED = "RolloutStepCompleted"
    PAUSED = "RolloutPaused"
    RESUMED = "RolloutResumed"
    ABORTED = "RolloutAborted"
    COMPLETED = "RolloutCompleted"
    SWITCH_SERVICE = "SwitchService"
    SKIP_STEPS = "SkipSteps"
    TRAFFIC_WEIGHT_UPDATED = "TrafficWeightUpdated"
    TRAFFIC_ROUTING_ERROR = "TrafficRoutingError"
    RECONCILIATION_ERROR = "ReconciliationError"
    REPLICA_SET_CREATE_ERROR = "ReplicaSetCreateError"
    DELETED = "RolloutDeleted"
