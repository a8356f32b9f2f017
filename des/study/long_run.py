"""The availability of an arm in the long run without simulated requests, with as little work as its precision takes.

It is found in two attempts: a quick one, and one with about ten times the work where the first is not precise enough.
Where a number of years is asked for, there is one attempt, with the work and the figures of `des availability --years`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from des.errors import DesError
from des.estimate.availability import YEARS, Choice, choose, years_for
from des.estimate.effort import most_calls
from des.estimate.estimate import EXACT, RARE, TIMELINE, Estimate
from des.estimate.interaction import relieved
from des.estimate.rare import rare
from des.estimate.timeline import SAMPLES, incidents_per_year, quick_availability, timeline
from des.pool import Report, Where, Workers
from des.scenario.plan import Plan

_ENOUGH: Final = 0.03
"""Relative half-width of the share lost at which no more incidents are drawn."""
_WORK_OF_SECOND: Final = 8.0
"""Times that of the first attempt."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """`years` of timelines with a number of samples in a block, or a number of samples of rare events.

    None leaves a number to the estimator, as `des availability` does. `as_asked`: all of the years are drawn, by
    default those that `des availability` draws. `quick`: the requests of all timelines walk at once, and no more
    incidents are drawn than that takes a moment.
    """

    years: float | None = None
    in_a_block: int | None = None
    rare: int | None = None
    as_asked: bool = False
    quick: bool = False


_QUICK_INCIDENTS: Final = 60_000.0
QUICK_CALLS: Final = 36
"""Of a request at most, where a quick attempt takes the estimator of rare events: its steps take longer."""
QUICK: Final = Attempt(400.0, 200, 100_000, quick=True)
FIRST: Final = Attempt(YEARS / 10.0, 1_500, 100_000)
_SECOND: Final = Attempt(YEARS)


@dataclass(frozen=True, slots=True, kw_only=True)
class LongRun:
    """`lost` and `all_down` are None where requests interact, or where the last has no closed form and is not drawn.

    `years` are those of the incidents drawn, `samples` the arrivals of the rare-event estimator. `as_asked`: this
    number of years was asked for, so no others are drawn.
    """

    choice: Choice
    lost: Estimate | None = None
    all_down: Estimate | None = None
    years: float | None = None
    samples: int | None = None
    all_down_seen: int | None = None
    as_asked: bool = False

    @property
    def unavailability(self) -> dict[str, Estimate]:
        """By endpoint of the chain; empty where it has no closed form."""
        closed = self.choice.exact
        if closed is None:
            return {}
        return {each.name: Estimate(each.unavailability, estimator=EXACT) for each in closed.endpoints}

    @property
    def is_coarse(self) -> bool:
        """Whether more incidents would narrow it, and should."""
        return self.lost is not None and not self.as_asked and _half_width(self.lost) > _ENOUGH


def long_runs(plans: Mapping[str, Plan], workers: Where, attempt: Attempt = FIRST) -> dict[str, LongRun]:
    """By arm, the first attempt unless said otherwise; the same for any number of workers."""
    with Workers(partial(_long_run, attempt), workers, eager=False) as pool:
        return dict(zip(plans, pool.map(list(plans.values())), strict=True))


def refined(plans: Mapping[str, Plan], known: Mapping[str, LongRun], workers: Where) -> dict[str, LongRun]:
    """With the second attempt in place of the first where that is not precise enough."""
    again = {arm: plan for arm, plan in plans.items() if known[arm].is_coarse}
    with Workers(partial(_long_run, _SECOND), workers) as pool:
        return {**known, **dict(zip(again, pool.map(list(again.values())), strict=True))}


def refining_s(known: Mapping[str, LongRun], first_s: float) -> float:
    """About how long the second attempt will take, where the first took so long."""
    coarse = sum(of.is_coarse for of in known.values())
    return _WORK_OF_SECOND * first_s * coarse / len(known)


def _long_run(attempt: Attempt, plan: Plan, report: Report | None = None) -> LongRun:
    choice = choose(plan, years_for(plan, attempt.years) if attempt.as_asked else YEARS)
    plan, _ = relieved(plan)
    closed = choice.exact
    down = None if closed is None else Estimate(closed.all_down, estimator=EXACT)
    if choice.estimator == EXACT:
        assert closed is not None
        return LongRun(choice=choice, lost=Estimate(closed.lost, estimator=EXACT), all_down=down)
    try:
        if choice.estimator == TIMELINE or (
            choice.estimator == RARE and attempt.quick and most_calls(plan) > QUICK_CALLS
        ):
            choice = replace(choice, estimator=TIMELINE)
            return _by_timeline(plan, choice, attempt, down)
        if choice.estimator == RARE:
            drawn = rare(plan, samples=attempt.rare)
            return LongRun(
                choice=choice,
                lost=drawn.lost,
                all_down=down or drawn.all_down,
                samples=drawn.samples,
                as_asked=attempt.as_asked,
            )
    except DesError:  # such as recorded incidents that cannot be set apart; simulating it says why
        pass
    return LongRun(choice=choice, all_down=down)


def _half_width(lost: Estimate) -> float:
    """Over the share lost; 0 where there is no interval, which more incidents would not change."""
    if lost.low is None or lost.high is None or not lost.mean:
        return 0.0
    return max(lost.high - lost.mean, lost.mean - lost.low) / lost.mean


def _by_timeline(plan: Plan, choice: Choice, attempt: Attempt, down: Estimate | None) -> LongRun:
    years = years_for(plan, attempt.years)
    if not attempt.as_asked:
        years = min(years, years_for(plan, None))
    if attempt.quick:
        years = min(years, _QUICK_INCIDENTS / max(incidents_per_year(plan), 1.0))
        served = quick_availability(plan, years, attempt.in_a_block or SAMPLES, choice.exact)
        return LongRun(choice=choice, lost=served.complement(), all_down=down, years=years)
    drawn = timeline(plan, years, samples=attempt.in_a_block)
    return LongRun(
        choice=choice,
        lost=drawn.availability.complement(),
        all_down=down or drawn.all_down,
        years=drawn.years,
        all_down_seen=drawn.all_down_episodes,
        as_asked=attempt.as_asked,
    )
