"""Runs a scenario: arms and replications, the run's key, and a directory that is complete or absent."""
