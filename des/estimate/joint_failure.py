"""The probability that all calls made at one instant fail: sums over the states of what endpoints share.

A leg succeeds with its own chance times the product, over the open incidents that hit its endpoint, of each one's
survival. Sources are independent, so for every set S of legs E[product of the successes in S] is a product over the
sources, exact for any number of open incidents. Inclusion and exclusion over S gives the chance that all fail.
Endpoints without a common source form clusters whose chances multiply. A larger cluster is conditioned on the states of
its shared outages where those are fewer. Such sums have no differences, and so need no extra digits.
"""

import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache, reduce
from itertools import combinations
from typing import Final

import numpy as np

from des.distributions import Distribution, FloatArray
from des.estimate.estimate import Inapplicable
from des.estimate.linear import weighted_sum
from des.estimate.sources import MARKED, POISSON, RENEWAL, Source, union

_DIGITS: Final = 50
_SMALL_EXPANSION: Final = 4
_LARGEST_EXPANSION: Final = 12
"""Largest number of legs of a cluster for which all 2^n sets are summed: always, or where conditioning fails."""
_MOST_BITS: Final = 62
_MOST_SHARED_STATES: Final = 1 << 20
"""Largest number of joint states of shared outages on which a cluster is conditioned."""
_STEPS: Final = 700


@dataclass(frozen=True, slots=True)
class Caller:
    """One call made at the instant: its endpoint, and its chance of success while no incident is open there."""

    endpoint: int
    success: float = 1.0


class Joint:
    """Chances over the joint state of some sources, correct to nearly the last digit of a float."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = tuple(sources)
        self._kept: dict[tuple[tuple[Caller, ...], int], float] = {}
        self._alone: dict[tuple[Caller, tuple[int, ...], int], float] = {}
        self._spared: dict[tuple[tuple[int, ...], tuple[int, ...], int], Decimal] = {}

    def all_fail(self, callers: Sequence[Caller], starting: Source | None = None) -> float:
        """P(every caller fails); 1 without callers.

        With `starting`, the instant is one at which an incident of that source starts; this incident is not counted.
        """
        ordered = tuple(sorted(callers, key=lambda caller: (caller.endpoint, caller.success)))
        key = (ordered, id(starting))
        if key not in self._kept:
            self._kept[key] = reduce(
                lambda product, cluster: product * self._cluster_fails(cluster, starting), self._clusters(ordered), 1.0
            )
        return self._kept[key]

    def _clusters(self, callers: tuple[Caller, ...]) -> list[tuple[Caller, ...]]:
        """Groups of callers without a common source between them."""
        groups = [(1 << endpoint) for endpoint in {caller.endpoint for caller in callers}]
        for source in self._sources:
            touched = union(source.sets)
            linked = [group for group in groups if group & touched]
            if len(linked) > 1:
                groups = [group for group in groups if not group & touched] + [reduce(int.__or__, linked)]
        return [tuple(c for c in callers if group >> c.endpoint & 1) for group in groups]

    def _cluster_fails(self, callers: tuple[Caller, ...], starting: Source | None) -> float:
        endpoints_mask = reduce(int.__or__, (1 << caller.endpoint for caller in callers))
        sources = [source for source in self._sources if union(source.sets) & endpoints_mask]
        if len(callers) > _SMALL_EXPANSION:
            shared = [source for source in sources if _is_shared(source, endpoints_mask)]
            obstacle = _why_not_conditioned(shared, starting)
            if not obstacle and len(callers) <= _MOST_BITS:
                return self._conditioned(callers, shared, [s for s in sources if s not in shared], starting)
            if len(callers) > _LARGEST_EXPANSION:
                raise Inapplicable(f"{len(callers)} legs share what fails: {obstacle or 'too many'}")
        with decimal.localcontext() as context:
            context.prec = _DIGITS
            total = Decimal(0)
            for size in range(len(callers) + 1):
                for chosen in combinations(callers, size):
                    total += (-1) ** size * self._all_succeed(chosen, sources, starting)
            return max(0.0, float(total))

    def _all_succeed(self, callers: Sequence[Caller], sources: Sequence[Source], starting: Source | None) -> Decimal:
        product = Decimal(1)
        for caller in callers:
            product *= Decimal(caller.success)
        return product * self._all_spared(callers, sources, starting)

    def _all_spared(self, callers: Sequence[Caller], sources: Sequence[Source], starting: Source | None) -> Decimal:
        """E[product of the callers' chances of success, given the open incidents]."""
        key = (tuple(caller.endpoint for caller in callers), tuple(map(id, sources)), id(starting))
        if key in self._spared:
            return self._spared[key]
        product = Decimal(1)
        for source in sources:
            kept = sum((Decimal(share) * _survival(source, hits, callers) for hits, share in source.sets), Decimal(0))
            missed = 1 - sum((Decimal(share) for _, share in source.sets), Decimal(0))
            product *= _mean_factor(source, kept + missed, source is starting)
        self._spared[key] = product
        return product

    def _conditioned(
        self,
        callers: tuple[Caller, ...],
        shared: Sequence[Source],
        own: Sequence[Source],
        starting: Source | None,
    ) -> float:
        """Sum over the states of shared outages of P(state) x the product of the callers' chances in that state."""
        likely, down = np.ones(1), np.zeros(1, dtype=np.int64)
        place = {endpoint: bit for bit, endpoint in enumerate({caller.endpoint for caller in callers})}
        for source in shared:
            for states in _states(source, source is starting):
                likely = np.concatenate([likely * share for share, _ in states])
                hit = [sum(1 << bit for endpoint, bit in place.items() if hits >> endpoint & 1) for _, hits in states]
                down = np.concatenate([down | each for each in hit])
        for caller in callers:
            hitting = tuple(source for source in own if union(source.sets) >> caller.endpoint & 1)
            fails = self._fails_alone(caller, hitting, starting if starting in hitting else None)
            likely = likely * np.where(down >> place[caller.endpoint] & 1, 1.0, fails)
        return float(likely.sum())

    def _fails_alone(self, caller: Caller, sources: tuple[Source, ...], starting: Source | None) -> float:
        key = (caller, tuple(map(id, sources)), id(starting))
        if key not in self._alone:
            with decimal.localcontext() as context:
                context.prec = _DIGITS
                self._alone[key] = float(1 - self._all_succeed((caller,), sources, starting))
        return self._alone[key]


def _is_shared(source: Source, endpoints_mask: int) -> bool:
    hit = union(source.sets) & endpoints_mask
    return hit & (hit - 1) != 0


def _why_not_conditioned(shared: Sequence[Source], starting: Source | None) -> str:
    states = 1
    for source in shared:
        if source.kind == MARKED:
            return f"those of {source.component} are a marked renewal class"
        if source.survival > 0.0:
            return f"those of {source.component} are not plain outages"
        for part in _states(source, source is starting):
            states *= len(part)
    return "" if states <= _MOST_SHARED_STATES else f"they have more than {_MOST_SHARED_STATES:,} joint states"


def _survival(source: Source, hits: int, callers: Sequence[Caller]) -> Decimal:
    met = sum(hits >> caller.endpoint & 1 for caller in callers)
    return Decimal(source.survival) ** met if met else Decimal(1)


def _mean_factor(source: Source, kept: Decimal, starting: bool) -> Decimal:
    """E[kept^(open incidents of the source)]. With `starting`, over the other incidents at the start of one."""
    if kept == 1:
        return Decimal(1)
    if source.kind == POISSON:
        return (-Decimal(source.rate_per_s) * Decimal(source.duration.mean) * (1 - kept)).exp()
    if source.kind == RENEWAL:
        return Decimal(1) if starting else 1 - Decimal(source.load) * (1 - kept)
    assert source.between is not None
    return Decimal(_open_factor(source.between, source.duration, float(kept), at_start=starting))


def _states(source: Source, starting: bool) -> list[list[tuple[float, int]]]:
    """Independent parts of a source of outages, each as (probability, endpoints down)."""
    if source.kind == RENEWAL:
        if starting:
            return []
        hit = [(source.load * share, hits) for hits, share in source.sets]
        return [[(1.0 - sum(share for share, _ in hit), 0), *hit]]
    parts = []
    for hits, share in source.sets:
        is_open = float(-np.expm1(-source.load * share))
        parts.append([(1.0 - is_open, 0), (is_open, hits)])
    return parts


@lru_cache(maxsize=4096)
def _open_factor(between: Distribution, duration: Distribution, w: float, *, at_start: bool) -> float:
    """E[w^N], N the open incidents at an instant of the equilibrium, or (`at_start`) just before one starts.

    From the renewal equation, with an error of about 1e-4 of 1 - E[w^N]. Seen backwards from the instant, starts lie a
    residual gap away and then ordinary gaps, and a start of age a is still open with probability S(a), the duration's
    survival. With h(a) = (1 - (1 - w) S(a)) psi(a), psi(a) is the mean of h(a + g) over gaps g, and E[w^N] is the mean
    of h over the residual first gap.
    """
    ages, gaps, residual = _grid(between, duration)
    closing = 1.0 - (1.0 - w) * duration.survival(ages)
    psi = np.ones(len(ages))
    h = np.ones(len(ages))
    for i in range(len(ages) - 2, -1, -1):
        mass = gaps[i, i:]  # P(gap ends in each cell above age i)
        known = 0.5 * float(mass[0] * h[i + 1]) + 0.5 * weighted_sum(mass[1:], h[i + 1 : -1] + h[i + 2 :])
        beyond = 1.0 - float(mass.sum())
        psi[i] = (known + beyond) / (1.0 - 0.5 * mass[0] * closing[i])
        h[i] = closing[i] * psi[i]
    if at_start:
        return float(psi[0])
    return weighted_sum(0.5 * residual, h[:-1] + h[1:]) + 1.0 - float(residual.sum())


@lru_cache(maxsize=16)
def _grid(between: Distribution, duration: Distribution) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Ages from 0 to the longest duration; the chance of a gap from each age to each cell; that of the residual gap."""
    longest_s = duration.tail_quantile()
    least_s = 1e-7 * min(duration.mean, between.mean)
    ages = np.concatenate(([0.0], np.geomspace(least_s, longest_s, _STEPS)))
    reach = between.cdf(np.maximum(ages[None, :] - ages[:, None], 0.0))
    residual = np.diff([between.limited_mean(age) / between.mean for age in ages.tolist()])
    return ages, np.diff(reach, axis=1), residual
