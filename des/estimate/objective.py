"""The chance that a month, or another window, meets the availability that a scenario asks of it.

A window meets its objective if the requests that arrive in it and are answered are at least that share of them. So
does a window without requests. Where the whole chain is down at once or not at all, in a Poisson process or after
exponential up times, the chance has a closed form (Takacs); elsewhere windows of simulated requests are counted.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import reduce
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.distributions import Exponential
from des.estimate.availability import Choice
from des.estimate.conservation import is_lost
from des.estimate.estimate import EXACT, Estimate, Inapplicable
from des.estimate.intervals import binomial_bounds, mean_of
from des.estimate.sources import POISSON, RENEWAL, Source, sources_of
from des.faults.marginals import chain_endpoints
from des.scenario.plan import Plan, PoissonArrivals
from des.scenario.schema.objective import MONTH, Objective
from des.scenario.text.units import DAY_S
from des.theory.windows import Outages, ledger_outages, met, renewal_outages, served_enough
from des.vocabulary import REQUEST_IN_FLIGHT

MONTH_S: Final = 30.0 * DAY_S
_FEW_MISSED: Final = 20
"""With fewer windows on either side, the interval is the exact one of a binomial share."""
_LEAST_CHANCE: Final = 1e-9

_Edges = NDArray[np.float64]
_Block = Mapping[str, NDArray[Any]]


def window_edges(plan: Plan, per: float | str) -> _Edges:
    """The bounds in seconds of the consecutive whole windows within the horizon; empty where there is no whole one.

    A month is a calendar month where the scenario is pinned to the calendar, else 30 days.
    """
    return whole_windows(plan.horizon_s, None if plan.start is None else datetime.fromisoformat(plan.start), per)


def whole_windows(horizon_s: float, start: datetime | None, per: float | str) -> _Edges:
    """Like `window_edges`, from the calendar time at which the run starts, None if it has none."""
    if per == MONTH and start is not None:
        edges = _calendar_months(start, horizon_s)
    else:
        length_s = MONTH_S if isinstance(per, str) else per
        edges = np.arange(int(horizon_s / length_s * (1.0 + 1e-12)) + 1, dtype=np.float64) * length_s
    return edges if len(edges) > 1 else np.empty(0)


def window_words(plan: Plan, per: float | str) -> str:
    """`calendar month`, `30 days`, `12 hours`: what a window is called."""
    if per == MONTH and plan.start is not None:
        return "calendar month"
    length_s = MONTH_S if isinstance(per, str) else per
    if length_s >= 2.0 * DAY_S:
        return f"{length_s / DAY_S:g} days"
    return f"{length_s / 3600.0:g} hours"


def _calendar_months(start: datetime, horizon_s: float) -> _Edges:
    year, month = start.year, start.month
    edges: list[float] = []
    while True:
        begins = start.replace(year=year, month=month, day=1, hour=0, minute=0, second=0, microsecond=0)
        at_s = (begins - start).total_seconds()
        if at_s > horizon_s:
            return np.array(edges)
        if at_s >= 0.0:
            edges.append(at_s)
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def exact_objective(plan: Plan, choice: Choice, objective: Objective) -> Estimate:
    """The chance in the long run, without simulation. Raises Inapplicable, saying why, where it has no closed form."""
    arrivals = plan.workload.arrivals
    closed = choice.exact
    if closed is None or choice.estimator != EXACT:
        raise Inapplicable(choice.reason)
    if not isinstance(arrivals, PoissonArrivals) or arrivals.weekly is not None:
        raise Inapplicable("requests do not arrive at a constant rate")
    assert closed.lost is not None
    classes = _whole_chain_classes(plan)
    broken = max(0.0, (closed.lost - closed.all_down) / (1.0 - closed.all_down))  # lost while the chain is up
    edges = window_edges(plan, objective.per)
    one_s = MONTH_S if isinstance(objective.per, str) else objective.per
    lengths_s, counts = np.unique(np.diff(edges) if len(edges) else np.array([one_s]), return_counts=True)
    chances = [_chance(classes, arrivals.rate_per_s, broken, each_s, objective) for each_s in lengths_s.tolist()]
    chance = math.fsum(each * int(count) for each, count in zip(chances, counts, strict=True)) / int(counts.sum())
    return Estimate(chance, estimator=f"{EXACT} (Takacs)")


def _whole_chain_classes(plan: Plan) -> tuple[Source, ...]:
    """The classes of outages that take down the whole chain, each with the rate of those that do."""
    sources = sources_of(plan)
    mask = reduce(int.__or__, (1 << endpoint for endpoint in chain_endpoints(plan)))
    if sources.recorded or sources.mixtures:
        raise Inapplicable("incidents are recorded, or shared in some replications only")
    found = []
    for source in sources.always:
        hitting = [(hits & mask, share) for hits, share in source.sets if hits & mask]
        if not hitting:
            continue
        if not source.outage:
            raise Inapplicable(f"{source.component} has brownouts")
        if any(hits != mask for hits, _ in hitting):
            raise Inapplicable(f"{source.component} takes down a part of the chain")
        found.append((source, sum(share for _, share in hitting)))
    if any(source.kind != POISSON for source, _ in found):
        (first, share), *others = found
        if others or first.kind != RENEWAL or share < 1.0 or not isinstance(first.up, Exponential):
            raise Inapplicable("outages neither come in a Poisson process nor after exponential times up")
    return tuple(replace(source, rate_per_s=source.rate_per_s * share) for source, share in found)


def _chance(
    classes: Sequence[Source], rate_per_s: float, broken: float, window_s: float, objective: Objective
) -> float:
    share = objective.availability

    def meets(down_s: float) -> float:
        arrived = rate_per_s * (window_s - down_s)
        return served_enough(share, arrived * (1.0 - broken), arrived * broken + rate_per_s * down_s)

    if not classes:
        return meets(0.0)
    most_s = _hopeless_from(meets, window_s)
    if most_s <= 0.0:
        return 0.0
    return met(_outages(classes, most_s), window_s, meets, most_s)


def _outages(classes: Sequence[Source], longest_s: float) -> Outages:
    first = classes[0]
    if first.up is not None:
        return renewal_outages(first.up.mean, first.duration, longest_s)
    return ledger_outages([(source.rate_per_s, source.duration) for source in classes], longest_s)


def _hopeless_from(meets: Callable[[float], float], window_s: float) -> float:
    """The least time down, about, that leaves no chance."""
    if meets(0.0) < _LEAST_CHANCE:
        return 0.0
    low, high = 0.0, window_s
    for _ in range(50):
        middle = (low + high) / 2.0
        low, high = (low, middle) if meets(middle) < _LEAST_CHANCE else (middle, high)
    return high


class WindowCounter:
    """Takes blocks of requests and counts those answered and lost in each window of one replication."""

    def __init__(self, edges: _Edges) -> None:
        self._edges = edges
        self._served = np.zeros(max(0, len(edges) - 1), np.int64)
        self._lost = np.zeros_like(self._served)

    def requests(self, block: _Block) -> None:
        outcome = block["outcome"]
        ended = outcome != REQUEST_IN_FLIGHT
        lost = is_lost(outcome)
        place = np.searchsorted(self._edges, block["arrival_s"], side="right") - 1
        within = ended & (place >= 0) & (place < len(self._served))
        size = len(self._served)
        self._lost += np.bincount(place[within & lost], minlength=size)
        self._served += np.bincount(place[within & ~lost], minlength=size)

    def met(self, share: float) -> tuple[int, int]:
        """(windows that meet the objective, windows)."""
        whole = self._served + self._lost
        return int(np.count_nonzero(self._served >= share * whole - 1e-9)), len(whole)


def counted_objective(counts: Sequence[tuple[int, int]]) -> Estimate:
    """The share of windows that met it, with an interval over replications; `counts` are (met, windows) of each.

    Where few windows missed it, or few met it, the interval is that of independent windows, or of the replications if
    that is wider.
    """
    whole, good = sum(windows for _, windows in counts), sum(good for good, _ in counts)
    found = mean_of([good / windows for good, windows in counts if windows], share=True)
    if whole and min(good, whole - good) < _FEW_MISSED:
        low, high = binomial_bounds(good, whole)
        if found.low is not None and found.high is not None:
            low, high = min(low, found.low), max(high, found.high)
        return Estimate(good / whole, low, high, found.n, interval="Clopper-Pearson")
    return found
