"""Shock ledgers: incidents of Poisson classes that may overlap, each hitting a set of members.

The number of open incidents of a class is Poisson with mean rate x mean duration for any distribution of durations (the
M/G/infinity queue). So all functions hold for any durations and any overlap of the hit sets.
"""

import decimal
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

DIGITS = 60


@dataclass(frozen=True, slots=True)
class Shock:
    """A class of outages: rate, mean duration (in the same unit of time), and the members it takes down."""

    rate: float
    mean_duration: float
    hits: frozenset[int]

    @property
    def load(self) -> float:
        """Mean number of incidents of the class that are open."""
        return self.rate * self.mean_duration


def split_by_hits(rate: float, mean_duration: float, hit_shares: Sequence[float]) -> tuple[Shock, ...]:
    """A class that hits member i with probability `hit_shares[i]`, independently, as classes with fixed hit sets.

    Thinning a Poisson process by marks gives independent Poisson processes. The class that hits no member is left out.
    """
    shocks = []
    for hits in _subsets(range(len(hit_shares))):
        share = math.prod(p if i in hits else 1.0 - p for i, p in enumerate(hit_shares))
        if hits and share > 0.0:
            shocks.append(Shock(rate * share, mean_duration, hits))
    return tuple(shocks)


def all_up(shocks: Iterable[Shock], members: Iterable[int]) -> float:
    """P(every one of the members is up) = exp(-sum of the loads of the classes that hit any of them)."""
    wanted = frozenset(members)
    return math.exp(-math.fsum(shock.load for shock in shocks if shock.hits & wanted))


def all_down(shocks: Sequence[Shock], members: Iterable[int]) -> float:
    """P(every one of the members is down), by inclusion and exclusion over the sets of members that are up.

    2^n terms of alternating sign, summed with 60 digits, so that even tiny results are correct to float precision.
    """
    return float(_all_down(shocks, frozenset(members)))


def episode_rate(shocks: Iterable[Shock], member: int) -> float:
    """Episodes per unit of time of one member: Lambda exp(-sum of loads), Lambda the rate of all that hit it."""
    hitting = [shock for shock in shocks if member in shock.hits]
    return math.fsum(s.rate for s in hitting) * math.exp(-math.fsum(s.load for s in hitting))


def all_down_episode_rate(shocks: Sequence[Shock], members: Iterable[int]) -> float:
    """Episodes of total outage per unit of time, summed over classes.

    Each class's rate is multiplied by the chance that all members it does not hit are down while not all members are.
    """
    wanted = frozenset(members)
    with decimal.localcontext() as context:
        context.prec = DIGITS
        all_down_share = _all_down(shocks, wanted)
        total = sum(
            (
                decimal.Decimal(shock.rate) * (_all_down(shocks, wanted - shock.hits) - all_down_share)
                for shock in shocks
                if shock.hits & wanted
            ),
            decimal.Decimal(0),
        )
    return float(total)


def ledger_for(availability: float, episodes: float) -> tuple[float, float]:
    """(rate, mean duration) of one class of outages with the given availability and episodes per unit of time.

    exp(-rate x duration) = A and rate x A = E, so rate = E / A and duration = -ln A / rate.
    """
    rate = episodes / availability
    return rate, -math.log(availability) / rate


def _all_down(shocks: Sequence[Shock], members: frozenset[int]) -> decimal.Decimal:
    with decimal.localcontext() as context:
        context.prec = DIGITS
        loads = [(shock.hits, decimal.Decimal(shock.rate) * decimal.Decimal(shock.mean_duration)) for shock in shocks]
        total = decimal.Decimal(0)
        for up in _subsets(sorted(members)):
            exponent = sum((load for hits, load in loads if hits & up), decimal.Decimal(0))
            total += (-1) ** len(up) * (-exponent).exp()
        return total


def _subsets(members: Iterable[int]) -> Iterator[frozenset[int]]:
    pool = tuple(members)
    for size in range(len(pool) + 1):
        yield from map(frozenset, combinations(pool, size))
