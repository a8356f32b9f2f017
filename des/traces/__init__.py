"""Traces: the Arrow schemas of a run's tables, their streaming writer and their reader."""

from des.traces.reader import Run, load

__all__ = ["Run", "load"]
