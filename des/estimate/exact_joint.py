"""How likely everybody fails at one instant: sums over the states of what is shared.

A leg succeeds with its own chance times the product, over the open incidents that hit its endpoint, of each one's
survival. Sources are independent, so for every set S of legs E[product of the successes in S] is a product over the
sources, exact for any number of open incidents; inclusion and exclusion over S gives the chance that all fail.
Endpoints without a common source form clusters whose chances multiply. A larger cluster is conditioned on the states of
its shared outages where those are fewer: sums without differences, that need no extra digits.
"""

import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from itertools import combinations

import numpy as np

from des.estimate.exact_sources import MARKED, POISSON, RENEWAL, Source
from des.estimate.hit_sets import union
from des.estimate.inapplicable import Inapplicable
from des.estimate.open_incidents import open_factor

DIGITS = 50
SMALL_EXPANSION = 4
LARGEST_EXPANSION = 12
"""Legs of a cluster up to which all 2^n sets are summed: always, or where conditioning cannot be done."""
MOST_BITS = 62
MOST_SHARED_STATES = 1 << 20
"""Joint states of shared outages up to which a cluster is conditioned on them."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One call made at the instant: its endpoint, and its chance of success while no incident is open there."""

    endpoint: int
    success: float = 1.0


class Joint:
    """Chances over the joint state of some sources; results are floats right to nearly their last digit."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = tuple(sources)
        self._kept: dict[tuple[tuple[Caller, ...], int], float] = {}
        self._alone: dict[tuple[Caller, tuple[int, ...], int], float] = {}
        self._spared: dict[tuple[tuple[int, ...], tuple[int, ...], int], Decimal] = {}

    def all_fail(self, callers: Sequence[Caller], starting: Source | None = None) -> float:
        """P(every caller fails); of nobody, 1.

        With `starting`, at an instant at which an incident of that source starts, itself not counted.
        """
        ordered = tuple(sorted(callers, key=lambda caller: (caller.endpoint, caller.success)))
        key = (ordered, id(starting))
        if key not in self._kept:
            self._kept[key] = reduce(
                lambda product, cluster: product * self._cluster_fails(cluster, starting), self._clusters(ordered), 1.0
            )
        return self._kept[key]

    def _clusters(self, callers: tuple[Caller, ...]) -> list[tuple[Caller, ...]]:
        """Callers that no common source links stand apart."""
        groups = [(1 << endpoint) for endpoint in {caller.endpoint for caller in callers}]
        for source in self._sources:
            touched = union(source.sets)
            linked = [group for group in groups if group & touched]
            if len(linked) > 1:
                groups = [group for group in groups if not group & touched] + [reduce(int.__or__, linked)]
        return [tuple(c for c in callers if group >> c.endpoint & 1) for group in groups]

    def _cluster_fails(self, callers: tuple[Caller, ...], starting: Source | None) -> float:
        everybody = reduce(int.__or__, (1 << caller.endpoint for caller in callers))
        sources = [source for source in self._sources if union(source.sets) & everybody]
        if len(callers) > SMALL_EXPANSION:
            shared = [source for source in sources if _is_shared(source, everybody)]
            obstacle = _why_not_conditioned(shared, starting)
            if not obstacle and len(callers) <= MOST_BITS:
                return self._conditioned(callers, shared, [s for s in sources if s not in shared], starting)
            if len(callers) > LARGEST_EXPANSION:
                raise Inapplicable(f"{len(callers)} legs share what fails: {obstacle or 'too many'}")
        with decimal.localcontext() as context:
            context.prec = DIGITS
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
        """E[product over the open incidents of what they leave of the callers' chances]."""
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
        """Sum over the states of shared outages of P(state) x product of what each caller then does by itself."""
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
                context.prec = DIGITS
                self._alone[key] = float(1 - self._all_succeed((caller,), sources, starting))
        return self._alone[key]


def _is_shared(source: Source, everybody: int) -> bool:
    hit = union(source.sets) & everybody
    return hit & (hit - 1) != 0


def _why_not_conditioned(shared: Sequence[Source], starting: Source | None) -> str:
    states = 1
    for source in shared:
        if source.kind == MARKED:
            return f"those of {source.component} are a marked renewal class"
        if source.survival > 0.0:
            return f"those of {source.component} are no plain outages"
        for part in _states(source, source is starting):
            states *= len(part)
    return "" if states <= MOST_SHARED_STATES else f"they have more than {MOST_SHARED_STATES:,} joint states"


def _survival(source: Source, hits: int, callers: Sequence[Caller]) -> Decimal:
    met = sum(hits >> caller.endpoint & 1 for caller in callers)
    return Decimal(source.survival) ** met if met else Decimal(1)


def _mean_factor(source: Source, kept: Decimal, starting: bool) -> Decimal:
    """E[kept^(open incidents of the source)]; `starting` sees the others at the start of one."""
    if kept == 1:
        return Decimal(1)
    if source.kind == POISSON:
        return (-Decimal(source.rate_per_s) * Decimal(source.duration.mean) * (1 - kept)).exp()
    if source.kind == RENEWAL:
        return Decimal(1) if starting else 1 - Decimal(source.load) * (1 - kept)
    assert source.between is not None
    return Decimal(open_factor(source.between, source.duration, float(kept), at_start=starting))


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
