"""Aggregates of a run's traces, made a row group at a time: memory does not grow with the number of requests."""
