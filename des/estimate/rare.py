"""The rare-event estimator: requests and total outages in equilibrium, by importance sampling of incidents.

No timeline is drawn. A sample is one arrival, with the incidents open at it and those that start within the longest
walk after it. They are drawn from tilted distributions: sets of classes that can take down endpoints together are open
about half of the time, and a weight corrects for it. Requests that meet no incident are estimated separately, so
samples that meet none need no walk. The walk is exact and sampled in the same places as in the timeline estimator.

The estimate is unbiased for Poisson ledgers and alternating renewal classes in equilibrium, with arrivals independent
of them. Refused by name are incidents that follow the time of week, marked renewal classes (the number open has no
distribution to tilt) and recorded windows. Where P(all down) has a closed form, the weights' own figure for it is the
control variate of the loss.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from des.draws import generator
from des.estimate.conditions import Part, Undisturbed, parts_of, sampled_conditions
from des.estimate.estimate import RARE, Estimate, Inapplicable
from des.estimate.exact import exact_or_none
from des.estimate.failing_walk import FailingWalk
from des.estimate.interaction import interactions
from des.estimate.intervals import mean_of, with_controls
from des.estimate.sources import MARKED, sources_of, union
from des.estimate.timeline import reach_s
from des.faults.marginals import chain_endpoints
from des.scenario.plan import Effect, Plan

SAMPLES: Final = 400_000
"""Over all batches and tilts."""
_BATCHES: Final = 40
_MOST_TILTS: Final = 48
_MOST_ENDPOINTS: Final = 6
"""Up to this number of endpoints, each set of them has tilts that make it fail together."""

_IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RareAnswer:
    """Figures with 95 % intervals over 40 batches; `lost` is 1 - availability.

    `all_down` is from the samples even where it has a closed form. `variance_reduction` is what this closed form, as a
    control variate, gains for `lost`.
    """

    estimator: str
    samples: int
    availability: Estimate
    variance_reduction: float
    lost: Estimate
    all_down: Estimate
    wall_s: float

    @property
    def relative_half_width(self) -> float:
        """Of `lost`; infinite where nothing was lost, or all batches lost the same."""
        mean, high = self.lost.known, self.lost.high
        return math.inf if high is None or mean == 0.0 else (high - mean) / mean


def rare(
    plan: Plan,
    samples: int | None = None,
    seed: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> RareAnswer:
    """With `SAMPLES` samples unless said otherwise. Raises Inapplicable, naming what it does not cover."""
    started = time.perf_counter()
    batches = _Batches.of(plan if seed is None else replace(plan, seed=seed), SAMPLES if samples is None else samples)
    lost, down = [], []
    for number in range(_BATCHES):
        lost_in_batch, down_in_batch = batches.draw(number)
        lost.append(lost_in_batch)
        down.append(down_in_batch)
        if progress is not None:
            progress((number + 1) / _BATCHES)
    closed = exact_or_none(plan)
    known = [] if closed is None else [closed.all_down]
    controlled = with_controls(lost, [down] * len(known), known, share=True, estimator=RARE)
    figure, reduction = replace(controlled, variance_reduction=None), controlled.variance_reduction
    return RareAnswer(
        estimator=RARE,
        samples=batches.each * _BATCHES,
        availability=figure.complement(),
        variance_reduction=1.0 if reduction is None else reduction,
        lost=figure,
        all_down=mean_of(down, share=True, estimator=RARE),
        wall_s=time.perf_counter() - started,
    )


def one_part(plan: Plan, share: float = 1.0) -> tuple[Callable[[], object], int]:
    """A part of `rare` with which to measure its speed, or this share of a part, and the number of such parts."""
    batches = _Batches.of(plan, math.ceil(share * SAMPLES))
    return lambda: batches.draw(0), _BATCHES


@dataclass(frozen=True, slots=True)
class _Batches:
    """What all batches have in common. Each has `each` samples, `counts` of them by tilt."""

    plan: Plan
    parts: tuple[Part, ...]
    effects: tuple[Effect, ...]
    walk: FailingWalk
    reach_s: float
    tilts: tuple[frozenset[int], ...]
    counts: _IntArray
    each: int

    @classmethod
    def of(cls, plan: Plan, samples: int) -> "_Batches":
        parts = tuple(_parts(plan))
        endpoints = chain_endpoints(plan)
        tilts = tuple(_tilts(parts, endpoints))
        counts = _shared_out(max(2 * len(tilts), samples // _BATCHES), parts, tilts, endpoints)
        effects = tuple(dict.fromkeys(part.source.effect for part in parts))
        walk = FailingWalk(plan, effects)
        return cls(plan, parts, effects, walk, reach_s(plan), tilts, counts, int(counts.sum()))

    def draw(self, number: int) -> tuple[float, float]:
        """(share lost, share of time all are down) of one batch."""
        effects, walk, each = self.effects, self.walk, self.each
        endpoints = chain_endpoints(self.plan)
        outage = np.array([*(effect.outage for effect in effects), False])
        rng = generator(self.plan.seed, number, "estimate/rare")
        tilt = rng.permutation(np.repeat(np.arange(len(self.tilts)), self.counts))
        conditions, weight = sampled_conditions(
            self.parts, self.tilts, self.counts / each, tilt, self.reach_s, effects, rng
        )
        clear = float(walk.lost(Undisturbed(), np.zeros(each), rng).mean())
        met = np.flatnonzero(conditions.meets_any(endpoints))
        excess = weight[met] * (walk.lost(conditions.of(met), np.zeros(len(met)), rng) - clear)
        down = float(np.mean(weight * conditions.all_down(endpoints, outage)))
        return clear + float(excess.sum()) / each, down


def why_not_rare(plan: Plan) -> str:
    """Why the estimator does not cover the plan; empty where it does."""
    try:
        _parts(plan)
    except Inapplicable as reason:
        return str(reason)
    return ""


def _parts(plan: Plan) -> list[Part]:
    against = interactions(plan)
    if against:
        raise Inapplicable("; ".join(against))
    sources = sources_of(plan)
    if sources.recorded:
        raise Inapplicable("recorded windows are not in equilibrium")
    if sources.mixtures:
        raise Inapplicable("a shared renewal class at a share between 0 and 1 is a mixture of two models")
    for source in sources.always:
        if source.kind == MARKED:
            why_not = "marked renewal incidents have no distribution of open ones to tilt"
            raise Inapplicable(f"{source.component}: {why_not}")
        if source.load >= 1.0 and source.up is not None:
            raise Inapplicable(f"{source.component}: is never up")
    return [part for source in sources.always for part in parts_of(source)]


def _tilts(parts: Sequence[Part], endpoints: Sequence[int]) -> list[frozenset[int]]:
    """Sets of parts to make common together: covers of each set of endpoints, likeliest first, and the empty set."""
    hit = [union(part.sets) for part in parts]
    chained = sum(1 << endpoint for endpoint in endpoints)
    found: dict[frozenset[int], float] = {}
    sizes = range(1, len(endpoints) + 1) if len(endpoints) <= _MOST_ENDPOINTS else (1,)
    for size in sizes:
        for chosen in combinations(endpoints, size):
            wanted = sum(1 << endpoint for endpoint in chosen)
            for cover in _covers(wanted, hit):
                found[cover] = math.prod(min(1.0, parts[number].load) for number in cover)
    for number, hits in enumerate(hit):
        if hits & chained:
            found.setdefault(frozenset({number}), parts[number].load)
    whole = sorted((cover for cover in found if _union(cover, hit) & chained == chained), key=lambda c: -found[c])
    rest = sorted((cover for cover in found if cover not in set(whole)), key=lambda c: -found[c])
    half = _MOST_TILTS // 2
    kept = whole[: max(half, _MOST_TILTS - len(rest))]
    return [frozenset(), *kept, *rest[: _MOST_TILTS - len(kept)]]


def _shared_out(
    samples: int, parts: Sequence[Part], tilts: Sequence[frozenset[int]], endpoints: Sequence[int]
) -> _IntArray:
    """The number of samples of each tilt. Half of them go to tilts that can take all endpoints down."""
    hit = [union(part.sets) for part in parts]
    chained = sum(1 << endpoint for endpoint in endpoints)
    whole = np.array([_union(tilt, hit) & chained == chained for tilt in tilts])
    shares = np.where(whole, 1.0 / max(1, whole.sum()), 1.0 / max(1, (~whole).sum()))
    counts: _IntArray = np.maximum(1, np.rint(samples * shares / shares.sum())).astype(np.int64)
    return counts


def _covers(wanted: int, hit: Sequence[int], chosen: frozenset[int] = frozenset()) -> Iterator[frozenset[int]]:
    """Sets of parts that together hit all of `wanted`, where each part adds an endpoint that was missing."""
    missing = wanted & ~_union(chosen, hit)
    if not missing:
        yield chosen
        return
    lowest = missing & -missing
    for number, hits in enumerate(hit):
        if hits & lowest:
            yield from _covers(wanted, hit, chosen | {number})


def _union(chosen: frozenset[int], hit: Sequence[int]) -> int:
    together = 0
    for number in chosen:
        together |= hit[number]
    return together
