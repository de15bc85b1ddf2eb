"""What objects look like: typed decoding, defaulting, validation and tables, all pure, on plain JSON objects.

Take the modules one by one: `builtin`, `decode`, `defaults`, `validate` for the built-in kinds, `crd` for
custom resources, `tables` for both. This package knows no store, no HTTP and no clock.
"""
