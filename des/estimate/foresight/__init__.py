"""Faults of a scenario that can be foretold before it runs: one small function for each, with the figures of a run."""
