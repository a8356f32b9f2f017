"""What a fallback chain costs and how often it serves, its attempts independent of each other."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

from des.distributions import Distribution


@dataclass(frozen=True, slots=True)
class ChainLeg:
    """A leg that serves with probability `success` and costs what its outcome costs."""

    success: float
    success_cost: float
    failure_cost: float

    @property
    def mean_cost(self) -> float:
        """Mean cost of one attempt: p s + (1 - p) f."""
        return self.success * self.success_cost + (1.0 - self.success) * self.failure_cost


def paid_per_attempt(success: float, cost: float) -> ChainLeg:
    """A leg whose every attempt is paid in full, whatever comes of it."""
    return ChainLeg(success, cost, cost)


def expected_cost(legs: Sequence[ChainLeg], rounds: int = 1, *, cache_hit_rate: float = 0.0) -> float:
    """Mean cost of a request that walks the chain up to `rounds` times and stops at the first success.

    E[C] = sum_r sum_k (p_k s_k + (1 - p_k) f_k) [prod_j (1 - p_j)]^{r-1} prod_{i<k} (1 - p_i); a response-cache hit
    costs nothing.
    """
    reached = reach(legs, rounds)
    cost = math.fsum(leg.mean_cost * share for row in reached for leg, share in zip(legs, row, strict=True))
    return (1.0 - cache_hit_rate) * cost


def expected_attempts(legs: Sequence[ChainLeg], rounds: int = 1) -> float:
    """Mean number of attempts of a request."""
    return math.fsum(share for row in reach(legs, rounds) for share in row)


def served_probability(legs: Sequence[ChainLeg], rounds: int = 1) -> float:
    """P(some attempt serves the request) = 1 - [prod_k (1 - p_k)]^R."""
    return 1.0 - math.prod(1.0 - leg.success for leg in legs) ** rounds


def served_by(legs: Sequence[ChainLeg], rounds: int = 1) -> tuple[float, ...]:
    """P(leg k serves the request), all rounds together."""
    reached = reach(legs, rounds)
    return tuple(leg.success * math.fsum(row[k] for row in reached) for k, leg in enumerate(legs))


def reach(legs: Sequence[ChainLeg], rounds: int) -> list[list[float]]:
    """[round][leg]: P(the request comes to this leg in this round)."""
    rows, open_share = [], 1.0
    for _ in range(rounds):
        row = []
        for leg in legs:
            row.append(open_share)
            open_share *= 1.0 - leg.success
        rows.append(row)
    return rows


def cheapest_order(legs: Sequence[ChainLeg]) -> tuple[int, ...]:
    """Indices of the legs in the order of least mean cost: ascending s + f (1 - p)/p.

    An exchange argument (Mitten 1960) for independent legs and the mean alone: ascending c/p where every attempt is
    paid, ascending c where failures are free. Under dependence, deadlines, percentiles or load, enumerate instead. A
    leg that never serves goes last, or anywhere (here: first) where even its failures are free.
    """

    def index(k: int) -> float:
        leg = legs[k]
        if leg.success > 0.0:
            return leg.success_cost + leg.failure_cost * (1.0 - leg.success) / leg.success
        return math.inf if leg.failure_cost > 0.0 else -math.inf

    return tuple(sorted(range(len(legs)), key=index))


def cheapest_order_by_enumeration(legs: Sequence[ChainLeg], rounds: int = 1) -> tuple[int, ...]:
    """Indices of the legs in the order of least mean cost, trying every one of the n! orders."""
    return min(permutations(range(len(legs))), key=lambda order: expected_cost([legs[k] for k in order], rounds))


@dataclass(frozen=True, slots=True)
class DeadlineLeg:
    """A leg that refuses a share of its calls after a fixed time and answers the others after `latency`."""

    refused: float
    refusal_latency_s: float
    latency: Distribution


def served_before_deadline(legs: Sequence[DeadlineLeg], deadline_s: float) -> tuple[float, ...]:
    """P(leg k serves the request within its deadline); a later leg inherits the time that refusals spent."""
    served, open_share, spent_s = [], 1.0, 0.0
    for leg in legs:
        left_s = deadline_s - spent_s
        in_time = float(leg.latency.cdf(left_s)) if left_s > 0.0 else 0.0
        served.append(open_share * (1.0 - leg.refused) * in_time)
        open_share *= leg.refused
        spent_s += leg.refusal_latency_s
    return tuple(served)
