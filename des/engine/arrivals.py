"""Arrivals of requests: Poisson, bursty, in batches, recorded, or from users who think; in blocks, with their marks.

Times and marks come from separate streams, and marks are indexed by request. So another arrival process leaves all
marks as they are, and a longer horizon only appends.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from des.distributions import Constant, Distribution, Gamma, sample, sample_residual
from des.draws import ReusedGenerator, Stream, generator
from des.engine.marks import BLOCK, RequestMarks
from des.errors import RunError
from des.scenario.plan import (
    BatchArrivals,
    BurstyArrivals,
    ClosedArrivals,
    FloatArray,
    OwnArrivals,
    Plan,
    PoissonArrivals,
    Profile,
    ReplayedArrivals,
)
from des.scenario.schema.own_classes import called
from des.scenario.schema.own_rules import Draws

HOUR_S = 3600.0
WEEK_HOURS = 168
WEEK_S = HOUR_S * WEEK_HOURS
_GAPS = 256  # gaps drawn at once for a client, so that memory allows thousands of clients
_WINDOW_REQUESTS = 4096
_WINDOW_GAPS = 32  # least number per client and window, since each merge has a fixed cost


@dataclass(frozen=True, slots=True)
class ArrivalBlock:
    """Consecutive requests in order of arrival, with ids from `first_id` on."""

    first_id: int
    arrival_s: list[float]
    input_tokens: list[int]
    output_tokens: list[int]
    units: list[float]
    requirement: list[int]  # index into plan.workload.requirements, -1 for none


def open_arrivals(
    plan: Plan, replication: int, begin_s: float = 0.0, until_s: float | None = None
) -> Iterator[ArrivalBlock]:
    """Every arrival in [begin, until), in blocks of 4096 (the last one may be shorter), drawn on demand.

    `until_s` is the horizon by default. Ids start from 0. `begin_s` is in the middle of a run: random arrivals are in
    equilibrium there, and those of certain times come when they would.
    """
    return _marked(arrival_times(plan, replication, begin_s, until_s), marks_of(plan, replication, begin_s))


def marks_of(plan: Plan, replication: int, begin_s: float = 0.0) -> RequestMarks:
    """The marks of the arrivals from `begin_s` on."""
    return RequestMarks(plan, replication, _recorded_before(plan, begin_s))


def arrival_times(
    plan: Plan, replication: int, begin_s: float = 0.0, until_s: float | None = None
) -> Iterator[FloatArray]:
    """Only the times of the same arrivals: sorted, in chunks of any length."""
    arrivals = plan.workload.arrivals
    if isinstance(arrivals, ClosedArrivals):
        raise TypeError("a closed workload has no arrivals of its own: its users send when they have thought")
    until_s = plan.horizon_s if until_s is None else until_s
    if isinstance(arrivals, OwnArrivals):
        return _own_times(arrivals, plan.seed, replication, begin_s, until_s)
    return _TIMES[type(arrivals)](arrivals, plan.seed, replication, begin_s, until_s)


def _marked(chunks: Iterator[FloatArray], marks: RequestMarks) -> Iterator[ArrivalBlock]:
    for block, arrival_s in enumerate(in_blocks(chunks, BLOCK)):
        input_tokens, output_tokens, units, requirement = marks.columns(block)
        present = slice(arrival_s.size)
        yield ArrivalBlock(
            block * BLOCK,
            arrival_s.tolist(),
            input_tokens[present].tolist(),
            output_tokens[present].tolist(),
            units[present].tolist(),
            requirement[present].tolist(),
        )


def in_blocks(chunks: Iterator[FloatArray], size: int) -> Iterator[FloatArray]:
    """The same values, `size` at a time, so that block b starts with request b * size."""
    left = np.empty(0)
    for chunk in chunks:
        values = np.concatenate((left, chunk)) if left.size else chunk
        whole = values.size - values.size % size
        for start in range(0, whole, size):
            yield values[start : start + size]
        left = values[whole:]
    if left.size:
        yield left


def _poisson_times(
    settings: PoissonArrivals, seed: int, replication: int, begin_s: float, horizon_s: float
) -> Iterator[FloatArray]:
    """Sorted arrival times from `begin_s` on, below the horizon.

    Gaps are drawn at rate 1 and scaled, so arms with other rates share them. Under a profile, candidates arrive at the
    peak rate and each keeps its own uniform (Lewis and Shedler 1979). Profiles with the same peak share the candidates,
    and a lower weight only removes arrivals.
    """
    profile = settings.profile
    peak = 1.0 if profile is None else max(profile.weights)
    peak_rate_per_s = settings.rate_per_s * peak
    if peak_rate_per_s <= 0.0:
        return
    reached = 0.0
    block = 0
    drawn = ReusedGenerator()
    while True:
        gaps = drawn(seed, replication, "workload/gaps", block).standard_exponential(BLOCK)
        gaps[0] += reached  # one running sum over all blocks, so rounding does not depend on them
        sums = np.cumsum(gaps)
        reached = sums[-1]
        times = sums / peak_rate_per_s + begin_s
        last = times[-1] >= horizon_s
        if last:
            times = times[: times.searchsorted(horizon_s)]
        if profile is not None:
            uniforms = drawn(seed, replication, "workload/thinning", block).random(BLOCK)[: times.size]
            times = times[uniforms * peak < weights_at(profile, times)]
        yield times
        if last:
            return
        block += 1


def _bursty_times(
    settings: BurstyArrivals, seed: int, replication: int, begin_s: float, horizon_s: float
) -> Iterator[FloatArray]:
    """Sorted arrival times from `begin_s` on, below the horizon: gamma renewal processes, in equilibrium at first.

    Each client is drawn independently, in units of its mean gap, and clients are merged window by window. So memory
    depends on the number of clients and not on the horizon. A profile changes the clock: its rate is exact at every
    instant, and bursts are denser where it is high.
    """
    if settings.rate_per_s <= 0.0:
        return
    mean_gap_s = settings.clients / settings.rate_per_s
    gap: Distribution = Constant(1.0) if settings.cv == 0.0 else Gamma(1.0 / settings.cv**2, settings.cv**2)
    clients = [_Client(gap, seed, replication, f"workload/client {number}") for number in range(settings.clients)]
    clock = OperationalClock(settings.profile)
    begun = clock.operational_s(np.array([begin_s]))[0]
    window_gaps = max(_WINDOW_REQUESTS / settings.clients, _WINDOW_GAPS)
    window = 1
    while True:
        end = window * window_gaps
        merged = np.concatenate([client.until(end) for client in clients])
        merged.sort()
        times = np.maximum(clock.time_s(begun + merged * mean_gap_s), begin_s)
        if clock.time_s(np.array([begun + end * mean_gap_s]))[0] >= horizon_s:
            yield times[: times.searchsorted(horizon_s)]
            return
        yield times
        window += 1


class _Client:
    """One renewal process, read forward, with times in units of its mean gap."""

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
        gaps = sample(self._gap, rng, _GAPS)
        if self._block == 0:  # observation starts inside a gap, not at a renewal
            gaps[0] = sample_residual(self._gap, rng, 1)[1][0]
        gaps[0] += self._reached
        times: FloatArray = np.cumsum(gaps)
        self._reached = float(times[-1])
        self._block += 1
        return times


def _batch_times(
    settings: BatchArrivals, seed: int, replication: int, begin_s: float, horizon_s: float
) -> Iterator[FloatArray]:
    """Sorted arrival times from `begin_s` on, below the horizon.

    Batch k comes at first_s + k * every_s, without accumulated error.
    """
    first = max(0, math.ceil((begin_s - settings.first_s) / settings.every_s))
    start = first * settings.size
    while True:
        batch = np.arange(start, start + BLOCK) // settings.size
        times: FloatArray = settings.first_s + batch.astype(np.float64) * settings.every_s
        if times[-1] >= horizon_s:
            yield times[: times.searchsorted(horizon_s)]
            return
        yield times
        start += BLOCK


def _replayed_times(
    settings: ReplayedArrivals, seed: int, replication: int, begin_s: float, horizon_s: float
) -> Iterator[FloatArray]:
    """Sorted arrival times from `begin_s` on, below the horizon. Pass k over the recording comes k * period_s later."""
    recorded = settings.arrival_s
    if recorded.size == 0:
        return
    number, place = _recorded_place(settings, begin_s)
    while True:
        shift_s = 0.0 if settings.period_s is None else number * settings.period_s
        for start in range(place, recorded.size, BLOCK):
            times = recorded[start : start + BLOCK] + shift_s
            if times[-1] >= horizon_s:
                yield times[: times.searchsorted(horizon_s)]
                return
            yield times
        if settings.period_s is None:
            return
        number, place = number + 1, 0


def _recorded_place(settings: ReplayedArrivals, begin_s: float) -> tuple[int, int]:
    """(pass, position in the recording) of the first request from `begin_s` on."""
    number = 0 if settings.period_s is None else int(begin_s // settings.period_s)
    into_s = begin_s - (number * settings.period_s if settings.period_s else 0.0)
    return number, int(settings.arrival_s.searchsorted(into_s))


def _recorded_before(plan: Plan, begin_s: float) -> int:
    """How many recorded requests come before `begin_s`, every pass counted."""
    arrivals = plan.workload.arrivals
    if begin_s <= 0.0 or not isinstance(arrivals, ReplayedArrivals):
        return 0
    number, place = _recorded_place(arrivals, begin_s)
    return number * arrivals.arrival_s.size + place


def _own_times(
    settings: OwnArrivals, seed: int, replication: int, begin_s: float, until_s: float
) -> Iterator[FloatArray]:
    """The times that the class of a user tells. Raises RunError unless they are sorted and in [begin, until)."""

    def keyed(purpose: str, block: int) -> np.random.Generator:
        return generator(seed, replication, f"workload/own/{purpose}", block)

    last_s = begin_s
    chunks = called(settings, iter, settings.called("times", Draws(keyed), begin_s, until_s))
    while (chunk := called(settings, next, chunks, None)) is not None:
        times = called(settings, np.asarray, chunk, np.float64)
        if times.ndim != 1 or not np.isfinite(times).all():
            raise RunError(f"{settings.kind_name()}: times told something else than times: {chunk!r:.100}")
        if not times.size:
            continue
        if times[0] < last_s or times[-1] >= until_s or (np.diff(times) < 0.0).any():
            raise RunError(
                f"{settings.kind_name()}: times are not sorted, or not in [{begin_s:g}, {until_s:g}): "
                f"after {last_s!r} came {float(times[0])!r} to {float(times[-1])!r}"
            )
        last_s = float(times[-1])
        yield times


_TIMES: Final[Mapping[type, Callable[[Any, int, int, float, float], Iterator[FloatArray]]]] = {
    PoissonArrivals: _poisson_times,
    BurstyArrivals: _bursty_times,
    BatchArrivals: _batch_times,
    ReplayedArrivals: _replayed_times,
}
"""For each kind of open arrivals, sorted times by settings, seed, replication, begin and horizon."""


def think_time(plan: Plan, replication: int) -> Stream:
    """Think times in seconds by draw index, n * users + user: the one before the user's n-th request (n from 0)."""
    arrivals = plan.workload.arrivals
    if not isinstance(arrivals, ClosedArrivals):
        raise TypeError(f"only a closed workload has users who think, not {type(arrivals).__name__}")
    return Stream(plan.seed, replication, "workload/think", partial(sample, arrivals.think))


def weights_at(profile: Profile, time_s: FloatArray) -> FloatArray:
    """The profile's weight at each time since the scenario's start."""
    hours = ((time_s + profile.offset_s) // HOUR_S).astype(np.intp) % WEEK_HOURS
    return np.asarray(profile.weights)[hours]


class OperationalClock:
    """Operational time runs at the profile's weight: a process with a constant rate in it follows the profile.

    Without a profile the two clocks agree.
    """

    __slots__ = ("_edges", "_offset_s", "_start", "_week", "_weights")

    def __init__(self, profile: Profile | None) -> None:
        self._weights = np.asarray((1.0,) * WEEK_HOURS if profile is None else profile.weights)
        self._edges = np.concatenate(([0.0], np.cumsum(self._weights * HOUR_S)))
        self._week = float(self._edges[-1])
        self._offset_s = 0.0 if profile is None else profile.offset_s % WEEK_S
        hour = int(self._offset_s // HOUR_S)
        self._start = float(self._edges[hour] + self._weights[hour] * (self._offset_s - hour * HOUR_S))

    def time_s(self, operational_s: FloatArray) -> FloatArray:
        """Seconds since the scenario's start at these operational times. Sorted times stay sorted."""
        reading = self._start + operational_s
        week = np.floor(reading / self._week)
        within = np.maximum(reading - week * self._week, 0.0)
        hour = np.minimum(self._edges.searchsorted(within, side="right") - 1, self._last_hour())
        # Rounding must not pass the hour's end, or the next hour's times might come before it.
        past_hour_s = np.minimum((within - self._edges[hour]) / self._weights[hour], HOUR_S)
        since_monday_s = week * WEEK_S + hour * HOUR_S + past_hour_s
        times: FloatArray = np.maximum(since_monday_s - self._offset_s, 0.0)
        return times

    def operational_s(self, time_s: FloatArray) -> FloatArray:
        """The reading of this clock at these times since the scenario's start: 0 there, and never less later."""
        since_monday_s = np.asarray(time_s) + self._offset_s
        week = np.floor(since_monday_s / WEEK_S)
        within_s = np.maximum(since_monday_s - week * WEEK_S, 0.0)
        hour = np.minimum((within_s // HOUR_S).astype(np.intp), WEEK_HOURS - 1)
        within = self._edges[hour] + self._weights[hour] * (within_s - hour * HOUR_S)
        reading: FloatArray = week * self._week + within - self._start
        return reading

    def _last_hour(self) -> int:
        """The last hour of the week with a weight above 0."""
        return int(np.flatnonzero(self._weights)[-1])
