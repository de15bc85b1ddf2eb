"""A real cluster on this machine by `kind`: make it, find it again, take it away.

`versions` chooses the node image, `config` writes what kind is asked for, `machine` asks docker and
kind what there is, `create` makes or reuses the cluster and deletes it. Nothing here knows rollouts.
"""
