"""The gateway as a Pod of any cluster: `rollout_lab.gateway` fed from an API server by list and watch.

`feed` follows objects, `telling` writes statuses and Events, `process` is the program. What the objects
mean is decided in `rollout_lab.gateway` only, as in the embedded cluster.
"""
