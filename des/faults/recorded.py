"""Incidents whose windows are known: written in the scenario or read from a file."""

import numpy as np

from des.faults.intervals import Intervals
from des.scenario.plan import IntArray, RecordedIncidents


def recorded(incidents: RecordedIncidents, until_s: float) -> tuple[Intervals, IntArray]:
    """Windows that start before `until_s`, and the position of each among the class's windows, int64[n].

    Windows of zero length, and those over by time 0, which nobody can meet, are left out.
    """
    start_s = np.asarray(incidents.start_s, dtype=np.float64)
    end_s = np.asarray(incidents.end_s, dtype=np.float64)
    kept = np.flatnonzero((end_s > start_s) & (end_s > 0.0) & (start_s < until_s))
    return Intervals(start_s[kept], end_s[kept]), kept.astype(np.int64)
