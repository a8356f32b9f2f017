"""Batches: `size` requests at once, every so often."""

from collections.abc import Iterator

import numpy as np

from des.scenario.plan import BatchArrivals, FloatArray

BLOCK = 4096


def batch_times(law: BatchArrivals, horizon_s: float) -> Iterator[FloatArray]:
    """Sorted arrival times below the horizon; batch k comes at first_s + k * every_s, without accumulated error."""
    start = 0
    while True:
        batch = np.arange(start, start + BLOCK) // law.size
        times: FloatArray = law.first_s + batch.astype(np.float64) * law.every_s
        if times[-1] >= horizon_s:
            yield times[: times.searchsorted(horizon_s)]
            return
        yield times
        start += BLOCK
