"""Poisson arrivals, at a constant rate or thinned to a weekly profile."""

from collections.abc import Iterator

import numpy as np

from des.draws import generator
from des.engine.arrivals.profile import weights_at
from des.scenario.plan import FloatArray, PoissonArrivals

BLOCK = 4096


def poisson_times(law: PoissonArrivals, seed: int, replication: int, horizon_s: float) -> Iterator[FloatArray]:
    """Sorted arrival times below the horizon.

    Gaps are drawn at rate 1 and scaled, so arms that differ in rate share them. Under a profile, candidates
    arrive at the peak rate and each keeps its own uniform (Lewis and Shedler 1979): profiles with one peak share
    the candidates, and where one of them is lower it only loses arrivals.
    """
    profile = law.profile
    peak = 1.0 if profile is None else max(profile.weights)
    peak_rate_per_s = law.rate_per_s * peak
    if peak_rate_per_s <= 0.0:
        return
    reached = 0.0
    block = 0
    while True:
        gaps = generator(seed, replication, "workload/gaps", block).standard_exponential(BLOCK)
        gaps[0] += reached  # one running sum over all blocks, in order: it rounds as if there were none
        sums = np.cumsum(gaps)
        reached = sums[-1]
        times = sums / peak_rate_per_s
        last = times[-1] >= horizon_s
        if last:
            times = times[: times.searchsorted(horizon_s)]
        if profile is not None:
            uniforms = generator(seed, replication, "workload/thinning", block).random(BLOCK)[: times.size]
            times = times[uniforms * peak < weights_at(profile, times)]
        yield times
        if last:
            return
        block += 1
