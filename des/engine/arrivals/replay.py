"""Recorded arrivals, once or over and over."""

from collections.abc import Iterator

from des.scenario.plan import FloatArray, ReplayedArrivals

BLOCK = 4096


def replayed_times(law: ReplayedArrivals, horizon_s: float) -> Iterator[FloatArray]:
    """Sorted arrival times below the horizon; pass k over the recording is shifted by k * period_s."""
    recorded = law.arrival_s
    if recorded.size == 0:
        return
    number = 0
    while True:
        shift_s = 0.0 if law.period_s is None else number * law.period_s
        for start in range(0, recorded.size, BLOCK):
            times = recorded[start : start + BLOCK] + shift_s
            if times[-1] >= horizon_s:
                yield times[: times.searchsorted(horizon_s)]
                return
            yield times
        if law.period_s is None:
            return
        number += 1
