"""Requests over time, and the calls that were refused."""

from typing import Final

import numpy as np

from des.report.series.rows import Codes, Floats, batches, floats
from des.traces import Run

_REFUSALS: Final = ("refused_by_budget", "refused_by_limit", "refused_by_capacity", "refused_by_client")


def refused_calls(run: Run, arm: str, edges_s: Floats) -> Codes | None:
    """Calls that a budget, limit, capacity or the client refused, by bin; None where the run kept no minutes.

    A minute belongs to the bin in which it begins; so bins are at least as long as minutes.
    """
    found = np.zeros(len(edges_s) - 1, np.int64)
    kept = False
    for batch in batches(run, "minutes", arm, ("time_s", *_REFUSALS)):
        kept = True
        place = np.searchsorted(edges_s, floats(batch, "time_s"), side="right") - 1
        refused = np.sum([floats(batch, name) for name in _REFUSALS], axis=0)
        inside = place < len(found)
        found += np.bincount(place[inside], weights=refused[inside], minlength=len(found)).astype(np.int64)
    return found if kept else None


def even_edges(horizon_s: float, most_bins: int, bin_s: float) -> Floats:
    """Edges of bins of equal length, a multiple of `bin_s`, up to the horizon or a little further."""
    length_s = bin_s * max(1.0, np.ceil(horizon_s / most_bins / bin_s))
    return np.arange(0.0, horizon_s + length_s, length_s)[: int(np.ceil(horizon_s / length_s)) + 1]
