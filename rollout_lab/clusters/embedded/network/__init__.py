"""Services that are real: listeners on loopback that hand each connection to a ready Pod."""
