"""Traces: the Arrow schemas of a run's tables, their streaming writer and their reader."""
