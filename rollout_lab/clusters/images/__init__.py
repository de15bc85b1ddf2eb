"""Container images of our own: Api Tester and the engine, made without a registry, loaded into kind.

`contents` says what is in them, `base` where Python comes from, `archive` packs, `build` puts them
together, `nodes` brings them into a cluster's nodes, `bundle` makes one file of all a classroom needs.
`serve` is the program of the Api Tester image.
"""
