"""How much work an answer takes: as much as usual, or the bounded work of a quick one.

It is counted in calls, years and incidents, never in seconds: the same scenario has the same figures on any machine.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import fsum, prod
from typing import Final

from des.estimate.estimate import Inapplicable
from des.estimate.exact import ExactAnswer
from des.scenario.plan import Plan

TOO_MUCH: Final = "too much to simulate in a quick answer"
"""What the reason begins with where a quick answer leaves simulation out."""
_CALLED: Final = 0.125
"""Of the calls that a request may take: those that requests in windows of busy time take on average, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowsEffort:
    """Of the windows estimator.

    `pilot` are the draws from each stratum in the first round. A block has `block_requests`, at most
    `most_block_requests`. `pairs` are the least and the most runs in the test of the memory, which simulates about
    `pairs_requests` an arm. Of more than `strata`, all but `common_strata` are merged. `years` and `incidents` are the
    most that are drawn. `calls` are the most that the first round and the tests may take, over all arms.
    """

    pilot: int = 6
    block_requests: float = 300.0
    most_block_requests: float = 2000.0
    pairs: tuple[int, int] = (12, 40)
    pairs_requests: float = 40_000.0
    strata: int = 20
    common_strata: int = 8
    years: float = 20_000.0
    incidents: float = 250_000.0
    calls: float | None = None


USUAL: Final = WindowsEffort()
QUICK_CALLS: Final = 130_000.0
"""Simulated in a quick answer at most, over all arms."""
QUICK: Final = WindowsEffort(
    pilot=4,
    block_requests=100.0,
    most_block_requests=300.0,
    pairs=(6, 12),
    pairs_requests=4_000.0,
    strata=10,
    common_strata=5,
    years=200.0,
    incidents=20_000.0,
    calls=QUICK_CALLS,
)


class Budget:
    """Calls that may still be simulated; without a bound where the effort has none."""

    def __init__(self, effort: WindowsEffort) -> None:
        self._left = effort.calls

    def take(self, requests: float, plans: Iterable[Plan]) -> None:
        """Raises Inapplicable where too few are left."""
        if self._left is None:
            return
        calls = requests * (1.0 + _CALLED * max(map(most_calls, plans)))
        self._left -= calls
        if self._left < 0.0:
            raise Inapplicable(f"{TOO_MUCH}: windows of busy time with about {calls:,.0f} calls more")


def most_calls(plan: Plan) -> int:
    """The calls of a request that fails wherever it can."""
    client = plan.client
    legs = {of.leg: prod(1 + layer.retries for layer in of.inner) for of in client.legs}
    walks = plan.policy.rounds * (1 if client.application is None else 1 + client.application.retries)
    return walks * sum(
        (1 + group.retry.retries) * sum(legs.get(leg, 1) for leg in group.legs) for group in client.groups
    )


def longest_down(closed: ExactAnswer | None) -> float:
    """The share of time in which the endpoint is down that is down longest; 1 where it is not known."""
    return 1.0 if closed is None else max((each.unavailability for each in closed.endpoints), default=0.0)


def calls_of_replications(plan: Plan, down: float, replications: int) -> float:
    """About the calls that whole replications take; no endpoint is down for more than the share `down` of the time."""
    requests = plan.workload.arrivals.expected_requests(plan.horizon_s) or plan.horizon_s
    return replications * requests * (1.0 + down * (most_calls(plan) - 1))


def check_replications(calls: Iterable[float]) -> str:
    """Why so many calls are not simulated in a quick answer; empty where they are."""
    many = fsum(calls)
    return "" if many <= QUICK_CALLS else f"{TOO_MUCH}: whole replications with about {many:,.0f} calls"
