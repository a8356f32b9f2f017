"""What each endpoint suffers by itself, and what the whole chain suffers at once.

Figures add up: `one + other` is over the replications of both, so long times are summed piece by piece. Down means that
an outage is open, as in `episodes`. Impaired means that any incident is open, brownouts included.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from des.faults.episodes import down_share, endpoint_down, intersection, merged
from des.faults.intervals import FloatArray, Intervals
from des.faults.timeline import Timeline, draw_timeline
from des.scenario.plan import Plan
from des.scenario.text.units import YEAR_S


@dataclass(frozen=True, slots=True)
class Downtime:
    """How long and how often something was down (or impaired) in the time observed.

    `durations_s` are those of the episodes that started in that time, cut off where the timeline ends.
    """

    observed_s: float
    down_s: float
    durations_s: FloatArray

    @property
    def unavailability(self) -> float:
        return self.down_s / self.observed_s

    @property
    def episodes(self) -> int:
        return len(self.durations_s)

    @property
    def episodes_per_year(self) -> float:
        return self.episodes / self.observed_s * YEAR_S

    @property
    def mean_episode_s(self) -> float:
        """NaN without an episode."""
        return float(self.durations_s.mean()) if self.episodes else math.nan

    @property
    def p95_episode_s(self) -> float:
        return self.episode_quantile_s(0.95)

    def episode_quantile_s(self, level: float) -> float:
        """NaN without an episode."""
        return float(np.quantile(self.durations_s, level)) if self.episodes else math.nan

    def __add__(self, other: "Downtime") -> "Downtime":
        return _sum([self, other])


@dataclass(frozen=True, slots=True)
class Marginals:
    """Each endpoint by itself, and all endpoints of the chain at once.

    `endpoints` and `impaired` are of all the plan's endpoints, in its order. `chain` are the endpoints that must all be
    down for a total outage.
    """

    endpoints: tuple[Downtime, ...]
    chain: tuple[int, ...]
    all_down: Downtime
    impaired: tuple[Downtime, ...]
    all_impaired: Downtime

    @property
    def all_down_if_independent(self) -> float:
        """The product of the chain's unavailabilities."""
        return math.prod(self.endpoints[endpoint].unavailability for endpoint in self.chain)

    def __add__(self, other: "Marginals") -> "Marginals":
        return total([self, other])


def marginals(timeline: Timeline, horizon_s: float, chain: Sequence[int]) -> Marginals:
    """Over [0, horizon_s), at most what the timeline was drawn for. `chain` are indices of endpoints."""
    every = range(timeline.hits.shape[1])
    downs = [endpoint_down(timeline, endpoint) for endpoint in every]
    impairments = downs
    if not timeline.outage.all():
        impairments = [_open(timeline, endpoint) for endpoint in every]
    return Marginals(
        endpoints=tuple(_observed(down, horizon_s) for down in downs),
        chain=tuple(chain),
        all_down=_observed(intersection([downs[endpoint] for endpoint in chain]), horizon_s),
        impaired=tuple(_observed(impaired, horizon_s) for impaired in impairments),
        all_impaired=_observed(intersection([impairments[endpoint] for endpoint in chain]), horizon_s),
    )


def marginals_over(plan: Plan, replications: Iterable[int], horizon_s: float) -> Marginals:
    """Summed over at least one replication, each drawn for `horizon_s` and then dropped."""
    chain = chain_endpoints(plan)
    return total([marginals(draw_timeline(plan, one, horizon_s), horizon_s, chain) for one in replications])


def total(parts: Sequence[Marginals]) -> Marginals:
    """The sum of at least one part, all of the same chain."""
    return Marginals(
        endpoints=tuple(_sum(several) for several in zip(*(part.endpoints for part in parts), strict=True)),
        chain=parts[0].chain,
        all_down=_sum([part.all_down for part in parts]),
        impaired=tuple(_sum(several) for several in zip(*(part.impaired for part in parts), strict=True)),
        all_impaired=_sum([part.all_impaired for part in parts]),
    )


def chain_endpoints(plan: Plan) -> tuple[int, ...]:
    """The endpoints of the plan's legs, without repetition."""
    return tuple(dict.fromkeys(leg.endpoint for leg in plan.chain))


def _open(timeline: Timeline, endpoint: int) -> Intervals:
    hit = timeline.hits[:, endpoint]
    return merged(Intervals(timeline.start_s[hit], timeline.end_s[hit]))


def _observed(down: Intervals, horizon_s: float) -> Downtime:
    started = down.where((down.start_s >= 0.0) & (down.start_s < horizon_s))
    return Downtime(horizon_s, down_share(down, horizon_s) * horizon_s, started.end_s - started.start_s)


def _sum(several: Sequence[Downtime]) -> Downtime:
    return Downtime(
        math.fsum(one.observed_s for one in several),
        math.fsum(one.down_s for one in several),
        np.concatenate([one.durations_s for one in several]),
    )
