"""Bursty arrivals: clients who each send in bursts, superposed."""

from collections.abc import Iterator

import numpy as np

from des.distributions import Constant, Distribution, Gamma, sample, sample_residual
from des.draws import generator
from des.engine.arrivals.profile import OperationalClock
from des.scenario.plan import BurstyArrivals, FloatArray

BLOCK = 256  # gaps drawn at once for a client: what thousands of clients can hold
WINDOW_REQUESTS = 4096
WINDOW_GAPS = 32  # at least so many of a client's gaps in a window, so that merging is worth its call


def bursty_times(law: BurstyArrivals, seed: int, replication: int, horizon_s: float) -> Iterator[FloatArray]:
    """Sorted arrival times below the horizon: gamma renewal processes, in equilibrium from the start.

    Clients are drawn apart from each other, in units of their mean gap, and merged window by window, so what is
    held depends on the number of clients and not on the horizon. A profile changes the clock: its rate is exact
    at every instant, and bursts are dense where it is high.
    """
    if law.rate_per_s <= 0.0:
        return
    mean_gap_s = law.clients / law.rate_per_s
    gap: Distribution = Constant(1.0) if law.cv == 0.0 else Gamma(1.0 / law.cv**2, law.cv**2)
    clients = [_Client(gap, seed, replication, f"workload/client {number}") for number in range(law.clients)]
    clock = OperationalClock(law.profile)
    window_gaps = max(WINDOW_REQUESTS / law.clients, WINDOW_GAPS)
    window = 1
    while True:
        end = window * window_gaps
        merged = np.concatenate([client.until(end) for client in clients])
        merged.sort()
        times = clock.time_s(merged * mean_gap_s)
        if clock.time_s(np.array([end * mean_gap_s]))[0] >= horizon_s:
            yield times[: times.searchsorted(horizon_s)]
            return
        yield times
        window += 1


class _Client:
    """One renewal process, read forward; times in units of its mean gap."""

    __slots__ = ("_ahead", "_block", "_gap", "_name", "_reached", "_replication", "_seed")

    def __init__(self, gap: Distribution, seed: int, replication: int, name: str) -> None:
        self._gap = gap
        self._seed = seed
        self._replication = replication
        self._name = name
        self._block = 0
        self._reached = 0.0
        self._ahead = np.empty(0)

    def until(self, end: float) -> FloatArray:
        """The renewals before `end` that no earlier call returned."""
        parts = [self._ahead]
        while self._reached < end:
            parts.append(self._draw())
        times = np.concatenate(parts) if len(parts) > 1 else self._ahead
        cut = int(times.searchsorted(end))
        self._ahead = times[cut:]
        return times[:cut]

    def _draw(self) -> FloatArray:
        rng = generator(self._seed, self._replication, self._name, self._block)
        gaps = sample(self._gap, rng, BLOCK)
        if self._block == 0:  # observed from an instant inside a gap, not from a renewal
            gaps[0] = sample_residual(self._gap, rng, 1)[1][0]
        gaps[0] += self._reached
        times: FloatArray = np.cumsum(gaps)
        self._reached = float(times[-1])
        self._block += 1
        return times
