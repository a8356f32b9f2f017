"""The availability of an arm in the long run without simulated requests, with as little work as its precision takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from des.errors import DesError
from des.estimate.availability import YEARS, Choice, choose
from des.estimate.estimate import EXACT, RARE, TIMELINE, Estimate
from des.estimate.interaction import needs_whole_horizons, relieved
from des.estimate.rare import rare
from des.estimate.timeline import incidents_per_year, timeline
from des.pool import Report, Workers
from des.scenario.plan import Plan
from des.scenario.text.units import YEAR_S

_ENOUGH: Final = 0.05
"""Relative half-width of the share lost at which no more incidents are drawn."""
_TIMELINES: Final = ((YEARS / 10.0, 1_500), (YEARS, 12_000))
"""Years and samples in a block of the first and of the second attempt."""
_SAMPLES: Final = (100_000, 400_000)
"""Samples of rare events in the first and in the second attempt."""
_MOST_HORIZONS: Final = 400
"""Drawn where each horizon is a timeline of its own."""
_RECORDED: Final = 40
"""Horizons drawn where all have the same incidents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LongRun:
    """`lost` and `all_down` are None where requests interact, or where the last has no closed form and is not drawn.

    `years` are those of the incidents drawn, `samples` the arrivals of the rare-event estimator.
    """

    choice: Choice
    lost: Estimate | None = None
    all_down: Estimate | None = None
    years: float | None = None
    samples: int | None = None
    all_down_seen: int | None = None


def long_runs(plans: Mapping[str, Plan], workers: int) -> dict[str, LongRun]:
    """By arm, the same for any number of workers."""
    with Workers(_long_run, workers) as pool:
        return dict(zip(plans, pool.map(list(plans.values())), strict=True))


def _long_run(plan: Plan, report: Report | None = None) -> LongRun:
    choice = choose(plan)
    plan, _ = relieved(plan)
    closed = choice.exact
    down = None if closed is None else Estimate(closed.all_down, estimator=EXACT)
    if choice.estimator == EXACT:
        assert closed is not None
        return LongRun(choice=choice, lost=Estimate(closed.lost, estimator=EXACT), all_down=down)
    found = LongRun(choice=choice, all_down=down)
    try:
        for attempt in range(2):
            if choice.estimator == TIMELINE:
                found = _by_timeline(plan, choice, attempt, down)
            elif choice.estimator == RARE:
                drawn = rare(plan, samples=_SAMPLES[attempt])
                found = LongRun(choice=choice, lost=drawn.lost, all_down=down or drawn.all_down, samples=drawn.samples)
            if found.lost is None or _half_width(found.lost) <= _ENOUGH:
                break
    except DesError:  # such as recorded incidents that cannot be set apart; simulating it says why
        return found
    return found


def _half_width(lost: Estimate) -> float:
    """Over the share lost; 0 where there is no interval, which more incidents would not change."""
    if lost.low is None or lost.high is None or not lost.mean:
        return 0.0
    return max(lost.high - lost.mean, lost.mean - lost.low) / lost.mean


def _by_timeline(plan: Plan, choice: Choice, attempt: int, down: Estimate | None) -> LongRun:
    years, samples = _TIMELINES[attempt]
    if needs_whole_horizons(plan):
        most = _MOST_HORIZONS if incidents_per_year(plan) > 0.0 else _RECORDED
        years = min(years, most * plan.horizon_s / YEAR_S)
    drawn = timeline(plan, years, samples=samples)
    return LongRun(
        choice=choice,
        lost=drawn.availability.complement(),
        all_down=down or drawn.all_down,
        years=drawn.years,
        all_down_seen=drawn.all_down_episodes,
    )
