"""Pods that are real: built-in programs that answer HTTP, started, probed, restarted as a kubelet does."""

from rollout_lab.clusters.embedded.kubelet.logs import LogOptions
from rollout_lab.clusters.embedded.kubelet.node import Node
from rollout_lab.clusters.embedded.kubelet.runtime import KubeletOptions

__all__ = ["KubeletOptions", "LogOptions", "Node"]
