"""What failing costs: the total cost of an arm, and from which price of failure the next stage pays.

Minutes down are the expected share of requests lost, as time: an hour in which a tenth of the requests is lost counts
as six minutes. So they are those of the tables, and every estimator of availability gives them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from des.estimate.estimate import Estimate
from des.scenario.schema.objective import Value
from des.scenario.text.units import HOUR_S, YEAR_S


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
    more, None where it loses no less.
    """

    arm: str
    next: str
    spends: Estimate
    saves: Estimate
    worth: Estimate
    from_lost_request: float | None
    from_downtime_per_h: float | None
    per_lost_request: bool = True
    """Whether the scenario prices lost requests, so that its break-even is best said by them."""


def money(cost_per_request: Estimate, lost: Estimate, requests_per_year: float, value: Value) -> Money:
    """`lost` is the share of requests lost."""
    per_share = _usd_per_share_lost(requests_per_year, value)
    answers, failing = scaled(cost_per_request, requests_per_year), scaled(lost, per_share)
    return Money(
        answers=answers,
        failing=failing,
        total=added(answers, failing),
        lost_requests=scaled(lost, requests_per_year),
        hours_down=scaled(lost, YEAR_S / HOUR_S),
    )


def steps(
    of: Mapping[str, Money],
    spends: Mapping[tuple[str, str], Estimate],
    saves: Mapping[tuple[str, str], Estimate],
    *,
    per_lost_request: bool = True,
) -> tuple[Step, ...]:
    """Between successive arms by availability, the least available first.

    `spends` and `saves` have estimates of differences that are known better than from the arms' own, such as paired
    ones, by (arm, next).
    """
    order = sorted(of, key=lambda arm: (-of[arm].lost_requests.known, of[arm].answers.known))
    found = []
    for arm, after in pairwise(order):
        one, other = of[arm], of[after]
        spent = spends.get((arm, after)) or less(other.answers, one.answers)
        saved = saves.get((arm, after)) or less(one.failing, other.failing)
        fewer = one.lost_requests.known - other.lost_requests.known
        hours = one.hours_down.known - other.hours_down.known
        found.append(
            Step(
                arm=arm,
                next=after,
                spends=spent,
                saves=saved,
                worth=less(saved, spent),
                from_lost_request=_from(spent.known, fewer),
                from_downtime_per_h=_from(spent.known, hours),
                per_lost_request=per_lost_request,
            )
        )
    return tuple(found)


def scaled(figure: Estimate, factor: float) -> Estimate:
    """The estimate times a factor of at least 0."""
    mean, low, high = (None if x is None else x * factor for x in (figure.mean, figure.low, figure.high))
    return replace(figure, mean=mean, low=low, high=high, controlled=None)


def added(one: Estimate, other: Estimate) -> Estimate:
    """The sum of two independent estimates; their half-widths add up as squares."""
    return _combined(one, other, one.known + other.known, _below(one), _above(one), _below(other), _above(other))


def less(one: Estimate, other: Estimate) -> Estimate:
    """The difference of two independent estimates."""
    return _combined(one, other, one.known - other.known, _below(one), _above(one), _above(other), _below(other))


def apart(one: Estimate, other: Estimate) -> Estimate:
    """The difference of two estimates that depend on each other; their half-widths add up at most."""
    mean = one.known - other.known
    found = Estimate(mean, n=max(one.n, other.n), estimator=one.estimator)
    if all(each.low is None or each.high is None for each in (one, other)):
        return found
    return replace(found, low=mean - _below(one) - _above(other), high=mean + _above(one) + _below(other))


def _combined(
    one: Estimate, other: Estimate, mean: float, below: float, above: float, below_other: float, above_other: float
) -> Estimate:
    names = dict.fromkeys((one.estimator, other.estimator))
    found = Estimate(mean, n=max(one.n, other.n), estimator=" and ".join(names))
    if all(each.low is None or each.high is None for each in (one, other)):
        return found
    return replace(found, low=mean - math.hypot(below, below_other), high=mean + math.hypot(above, above_other))


def _below(figure: Estimate) -> float:
    return 0.0 if figure.low is None else figure.known - figure.low


def _above(figure: Estimate) -> float:
    return 0.0 if figure.high is None else figure.high - figure.known


def _usd_per_share_lost(requests_per_year: float, value: Value) -> float:
    """USD a year if all were lost."""
    return value.lost_request_usd * requests_per_year + value.downtime_usd_per_s * YEAR_S


def _from(spent: float, fewer: float) -> float | None:
    if fewer <= 0.0:
        return None
    return max(0.0, spent / fewer)
