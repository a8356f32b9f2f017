"""The self-test: every closed form against a simulation or calculation that does not use it."""
