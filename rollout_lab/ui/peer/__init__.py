"""Runs of the peer, recorded once (``tests/data/traces/README.md``): JSON lines, compressed. No code."""
