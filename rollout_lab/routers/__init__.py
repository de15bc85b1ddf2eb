"""How a weight becomes Ingress, VirtualService or HTTPRoute objects: objects and weight in, objects out.

One file per router, all listed in `table`. Nothing here decides a weight (that is `plan.traffic`) or
sends anything; a router of somebody else comes in through the entry point `table.GROUP`.
"""
