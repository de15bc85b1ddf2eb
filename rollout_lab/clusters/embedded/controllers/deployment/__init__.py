"""The Deployment controller: moves Pods from one template to the next through ReplicaSets."""
