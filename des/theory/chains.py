"""How long a call takes under a time-out, a kill or a hedge; the cost and success of a fallback chain of calls.

The attempts of a chain are independent of each other.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from des.distributions import Distribution


def mean_under_timeout_s(response: Distribution, timeout_s: float) -> float:
    """E[min(L, t)]: the mean time of an attempt that is abandoned at the time-out."""
    return response.limited_mean(timeout_s)


def success_under_kills(mttf_s: float, mttr_s: float, latency: Distribution) -> float:
    """P(a call is accepted and no outage kills it in flight): exponential up times, any down times, any latency.

    A E[e^{-lambda L}]: the component is up at the start, with no failure (rate lambda = 1/MTTF) during the latency.
    """
    return mttf_s / (mttf_s + mttr_s) * latency.laplace(1.0 / mttf_s)


def hedged_mean_s(response: Distribution, delay_s: float, copies: int = 1) -> float:
    """Mean time until the earliest of a call and its copies answers; each delay without an answer sends a copy.

    The integral of S(t) S(t - h) ... S(t - n h), S the survival of one call's latency (1 before its start). For one
    copy it is int_0^h S(t) dt + int_h^inf S(t) S(t - h) dt.
    """
    from scipy.integrate import quad

    def unanswered(time_s: float) -> float:
        return math.prod(
            float(response.survival(time_s - sent * delay_s)) for sent in range(copies + 1) if sent * delay_s <= time_s
        )

    # in pieces, so that each quadrature has one scale, and without the negligible tail
    total, low, width = response.limited_mean(delay_s), delay_s, max(response.mean, 1e-9)
    for sent in range(1, copies):
        total += float(quad(unanswered, low, (sent + 1) * delay_s, limit=200)[0])
        low = (sent + 1) * delay_s
    while True:
        piece = quad(unanswered, low, low + width, limit=200)[0]
        total += float(piece)
        low += width
        width *= 2.0
        if piece <= 1e-12 * total:
            return total


def hedge_share(response: Distribution, delay_s: float, copies: int = 1) -> float:
    """Mean number of extra calls that hedging after each delay sends: S(h) + S(2h) S(h) + ..., up to the copies."""
    return math.fsum(
        math.prod(float(response.survival(part * delay_s)) for part in range(1, sent + 1))
        for sent in range(1, copies + 1)
    )


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
    """A leg that charges the full cost for every attempt, successful or not."""
    return ChainLeg(success, cost, cost)


def expected_cost(legs: Sequence[ChainLeg], rounds: int = 1, *, cache_hit_rate: float = 0.0) -> float:
    """Mean cost of a request that walks the chain up to `rounds` times and stops at the first success.

    E[C] = sum_r sum_k (p_k s_k + (1 - p_k) f_k) [prod_j (1 - p_j)]^{r-1} prod_{i<k} (1 - p_i); a response-cache hit
    costs nothing.
    """
    reached = _reach(legs, rounds)
    cost = math.fsum(leg.mean_cost * share for row in reached for leg, share in zip(legs, row, strict=True))
    return (1.0 - cache_hit_rate) * cost


def expected_attempts(legs: Sequence[ChainLeg], rounds: int = 1) -> float:
    """Mean number of attempts of a request."""
    return math.fsum(share for row in _reach(legs, rounds) for share in row)


def served_probability(legs: Sequence[ChainLeg], rounds: int = 1) -> float:
    """P(some attempt serves the request) = 1 - [prod_k (1 - p_k)]^R."""
    return 1.0 - math.prod(1.0 - leg.success for leg in legs) ** rounds


def served_by(legs: Sequence[ChainLeg], rounds: int = 1) -> tuple[float, ...]:
    """P(leg k serves the request), all rounds together."""
    reached = _reach(legs, rounds)
    return tuple(leg.success * math.fsum(row[k] for row in reached) for k, leg in enumerate(legs))


def _reach(legs: Sequence[ChainLeg], rounds: int) -> list[list[float]]:
    """[round][leg]: P(the request reaches this leg in this round)."""
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
