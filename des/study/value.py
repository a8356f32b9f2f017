"""What failing costs: the total cost of an arm, and from which price of failure the next stage pays.

Minutes down are the expected share of requests lost, as time: an hour in which a tenth of the requests is lost counts
as six minutes. So they are those of the tables, and every estimator of availability gives them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from des.estimate.estimate import Estimate
from des.scenario.schema.objective import Value
from des.scenario.text.units import HOUR_S, YEAR_S
from des.study.uncertain import added, apart, is_resolved, less, quotient, scaled


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """USD a year of one arm; `lost_requests` and `hours_down` a year are what failing is priced by."""

    answers: Estimate
    failing: Estimate
    total: Estimate
    lost_requests: Estimate
    hours_down: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From one arm to the next more available one; USD a year.

    `spends` is by how much its answers cost more, `saves` what failing costs less, `worth` the second less the first:
    what may be spent on keeping the next arm before it no longer pays. `from_lost_request` and `from_downtime_per_h`
    are the prices of failure, each if it were the only one, from which the next arm pays: 0 where its answers cost no
    more, None where it loses no less. One without a high end may have none: whether fewer are lost cannot be told.
    """

    arm: str
    next: str
    spends: Estimate
    saves: Estimate
    worth: Estimate
    from_lost_request: Estimate | None
    from_downtime_per_h: Estimate | None
    per_lost_request: bool = True
    """Whether the scenario prices lost requests, so that its break-even is best said by them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cheapest:
    """The arm of the least total cost, and the `rivals` of which it cannot be told whether they cost less."""

    arm: str
    rivals: tuple[str, ...] = ()


class Differences(Protocol):
    """What one arm costs more and saves beside another, better known than from the figures of both."""

    def spends(self, arm: str, after: str) -> Estimate | None: ...

    def saves(self, arm: str, after: str) -> Estimate | None: ...

    def worth(self, arm: str, after: str) -> Estimate | None:
        """Where both are known by the same requests, which then tell the difference of them too."""

    def depend(self, arm: str, after: str) -> bool:
        """Whether what is spent and what is saved rest on the same requests."""


def money(cost_per_request: Estimate, lost: Estimate, requests_per_year: float, value: Value) -> Money:
    """`lost` is the share of requests lost."""
    per_share = usd_per_share_lost(requests_per_year, value)
    answers, failing = scaled(cost_per_request, requests_per_year), scaled(lost, per_share)
    return Money(
        answers=answers,
        failing=failing,
        total=added(answers, failing),
        lost_requests=scaled(lost, requests_per_year),
        hours_down=scaled(lost, YEAR_S / HOUR_S),
    )


def steps(of: Mapping[str, Money], known: Differences, *, per_lost_request: bool = True) -> tuple[Step, ...]:
    """Between successive arms by availability, the least available first."""
    order = sorted(of, key=lambda arm: (-of[arm].lost_requests.known, of[arm].answers.known))
    return tuple(_step(arm, after, of, known, per_lost_request) for arm, after in pairwise(order))


def cheapest(of: Mapping[str, Money], known: Differences) -> Cheapest | None:
    """None without arms."""
    if not of:
        return None
    least = min(of, key=lambda arm: of[arm].total.known)
    worth = {arm: _worth(arm, least, of, known)[2] for arm in of if arm != least}
    return Cheapest(arm=least, rivals=tuple(arm for arm, found in worth.items() if not is_resolved(found)))


def usd_per_share_lost(requests_per_year: float, value: Value) -> float:
    """USD a year if all were lost."""
    return value.lost_request_usd * requests_per_year + value.downtime_usd_per_s * YEAR_S


def _step(arm: str, after: str, of: Mapping[str, Money], known: Differences, per_lost_request: bool) -> Step:
    spent, saved, worth = _worth(arm, after, of, known)
    one, other = of[arm], of[after]
    depend = known.depend(arm, after)

    def price(units: float) -> Estimate | None:
        """From which a unit of failing pays, where `units` fewer fail; their number is as certain as what they save."""
        if units <= 0.0 or saved.known <= 0.0:
            return None
        return quotient(spent, scaled(saved, units / saved.known), independent=not depend)

    return Step(
        arm=arm,
        next=after,
        spends=spent,
        saves=saved,
        worth=worth,
        from_lost_request=price(one.lost_requests.known - other.lost_requests.known),
        from_downtime_per_h=price(one.hours_down.known - other.hours_down.known),
        per_lost_request=per_lost_request,
    )


def _worth(arm: str, after: str, of: Mapping[str, Money], known: Differences) -> tuple[Estimate, Estimate, Estimate]:
    """(spends, saves, saves less spends) of the second arm beside the first."""
    spent = known.spends(arm, after) or less(of[after].answers, of[arm].answers)
    saved = known.saves(arm, after) or less(of[arm].failing, of[after].failing)
    together = known.worth(arm, after)
    if together is None:
        together = apart(saved, spent) if known.depend(arm, after) else less(saved, spent)
    return spent, saved, together
