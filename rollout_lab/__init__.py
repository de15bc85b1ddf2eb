"""rollout-lab: run real blue/green and canary rollouts, and see what they do.

cli, ui       the terminal and the page
course        lessons
lab           cluster + engine + recorder + clock behind one door
controller    the engine: watches, queue, gather -> plan -> apply
clusters      where an API server comes from (embedded, kind, any kubeconfig context)
observe       recorder, probe, timeline, picture
simulate      the same planner in virtual time
client        any API server, raw JSON objects
plan          Snapshot -> Plan: what should happen next, and why     (pure)
api           what a manifest says: views, validation, hashing       (pure)
messages      what is said to people, in Korean and English          (pure)
clock, errors
"""
