"""Chooses the estimator of a plan's availability, says why, and runs it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from des.errors import DesError
from des.estimate.binding import Binding
from des.estimate.estimate import EXACT, RARE, REQUEST_LEVEL, TIMELINE, Estimate, Inapplicable, as_json
from des.estimate.exact import ExactAnswer, exact
from des.estimate.interaction import needs_whole_horizons, relieved, relieved_and_interactions
from des.estimate.rare import rare, why_not_rare
from des.estimate.timeline import incidents_per_year, timeline
from des.pool import Where
from des.scenario.plan import Plan
from des.scenario.text.units import YEAR_S

YEARS: Final = 10_000.0
_LEAST_YEARS: Final = 0.01
_MOST_YEARS: Final = 1e8
"""A small chain takes about a day for this many."""
_MOST_HORIZONS: Final = 400
"""Drawn by default where each horizon is a timeline of its own."""
_RECORDED: Final = 40
"""Horizons drawn by default where all have the same incidents."""
_FEWEST_EPISODES: Final = 200.0
"""With fewer total outages expected, a plain timeline says little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An estimator and the reason for it.

    `exact` holds every figure with a closed form. It is None where there is none, and `why_not_exact` says why.
    `limits_left_out` are limits, capacities and queues that are known never to matter, so that requests do not interact
    by them.
    """

    estimator: str
    reason: str
    exact: ExactAnswer | None
    why_not_exact: str
    limits_left_out: tuple[Binding, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The limits left out only where there are any."""
        found = {"estimator": self.estimator, "reason": self.reason}
        found |= {"exact": as_json(self.exact), "why_not_exact": self.why_not_exact}
        return found | ({"limits_left_out": as_json(self.limits_left_out)} if self.limits_left_out else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailabilityAnswer:
    """Figures of one arm.

    Exact figures have no interval. `availability` is None where requests interact, since only `des run` answers then.
    `lost` is 1 - availability, with full precision where that difference would round to 1. `years` are the years of
    incidents drawn; `all_down_episodes_seen` counts total outages in them.
    """

    choice: Choice
    availability: Estimate | None
    lost: Estimate | None
    all_down: Estimate | None
    all_down_episodes_per_year: Estimate | None
    years: float | None
    all_down_episodes_seen: int | None
    wall_s: float


def choose(plan: Plan, years: float = YEARS, other: Choice | None = None) -> Choice:
    """The exact estimator where each leg is called once, else one that sees enough total outages in `years`.

    A choice already made for the same plan can be given as `other`; its closed form is then reused.
    """
    plan, left_out, against = relieved_and_interactions(plan)
    closed, why_not = _closed(plan) if other is None else (other.exact, other.why_not_exact)

    def chosen(estimator: str, reason: str) -> Choice:
        return Choice(estimator=estimator, reason=reason, exact=closed, why_not_exact=why_not, limits_left_out=left_out)

    if closed is not None and closed.availability is not None and not closed.differs:
        return chosen(EXACT, "a request calls each leg once, and every class has a closed form")
    if against:
        return chosen(REQUEST_LEVEL, "; ".join(against))
    if closed is not None:
        beyond = closed.availability_reason or ", ".join(closed.differs)
        episodes = closed.all_down_episodes_per_year * years
        if episodes < _FEWEST_EPISODES and not why_not_rare(plan):
            return chosen(RARE, f"{beyond}; {episodes:.3g} total outages to be expected in {years:,.0f} years")
    else:
        beyond = why_not
    return chosen(TIMELINE, beyond)


def availability(
    plan: Plan,
    years: float = YEARS,
    *,
    estimator: str | None = None,
    workers: Where = 1,
    progress: Callable[[float], None] | None = None,
) -> AvailabilityAnswer:
    """The answer of the estimator that `choose` names, or of the one given.

    Raises Inapplicable where the estimator given does not cover the plan, DesError where its name is unknown.
    """
    check_years(years)
    return of_years(plan, years, estimator=estimator, workers=workers, progress=progress)


def of_years(
    plan: Plan,
    years: float,
    *,
    estimator: str | None = None,
    workers: Where = 1,
    progress: Callable[[float], None] | None = None,
) -> AvailabilityAnswer:
    """Like `availability`, but any number of years is accepted, such as those of a few short horizons."""
    started = time.perf_counter()
    choice = choose(plan, years)
    if estimator is not None and estimator != choice.estimator:
        if estimator not in (EXACT, TIMELINE, RARE):
            raise DesError(f"unknown estimator '{estimator}': expected {EXACT}, {TIMELINE} or {RARE}")
        choice = replace(choice, estimator=estimator, reason="asked for")
    plan, _ = relieved(plan)
    closed = choice.exact
    served, lost, years_drawn, seen = None, None, None, None
    down = None if closed is None else _known(closed.all_down)
    episodes = None if closed is None else _known(closed.all_down_episodes_per_year)
    if choice.estimator == EXACT:
        served, lost = map(_known, _one_call(choice))
    elif choice.estimator == TIMELINE:
        drawn = timeline(plan, years, workers=workers, progress=progress)
        served, years_drawn, seen = drawn.availability, drawn.years, drawn.all_down_episodes
        lost = served.complement()
        down, episodes = down or drawn.all_down, episodes or drawn.all_down_episodes_per_year
    elif choice.estimator == RARE:
        tilted = rare(plan, progress=progress)
        served, lost, down = tilted.availability, tilted.lost, down or tilted.all_down
    return AvailabilityAnswer(
        choice=choice,
        availability=served,
        lost=lost,
        all_down=down,
        all_down_episodes_per_year=episodes,
        years=years_drawn,
        all_down_episodes_seen=seen,
        wall_s=time.perf_counter() - started,
    )


def years_for(plan: Plan, years: float | None) -> float:
    """The years that are asked for, or by default `YEARS`; fewer where each horizon is a timeline of its own."""
    if years is not None:
        return years
    if not needs_whole_horizons(plan):
        return YEARS
    most = _MOST_HORIZONS if incidents_per_year(plan) > 0.0 else _RECORDED
    return min(YEARS, most * plan.horizon_s / YEAR_S)


def check_years(years: float) -> None:
    """Raises DesError for a number of years out of range."""
    if not _LEAST_YEARS <= years <= _MOST_YEARS:
        raise DesError(f"--years {years:g}: expected {_LEAST_YEARS:g} to {_MOST_YEARS:,.0f}, such as {YEARS:,.0f}")


def _one_call(choice: Choice) -> tuple[float, float]:
    """(served, lost) as shares of requests.

    Raises Inapplicable where they have no closed form.
    """
    if choice.exact is None:
        raise Inapplicable(choice.why_not_exact)
    if choice.exact.availability is None or choice.exact.lost is None:
        raise Inapplicable(choice.exact.availability_reason)
    if choice.exact.differs:
        beyond = ", ".join(choice.exact.differs)
        raise Inapplicable(
            f"the closed form is for requests that call each leg once, at their arrival, without {beyond}: "
            f"leave out --estimator {EXACT}"
        )
    return choice.exact.availability, choice.exact.lost


def _closed(plan: Plan) -> tuple[ExactAnswer | None, str]:
    try:
        return exact(plan), ""
    except Inapplicable as reason:
        return None, str(reason)


def _known(value: float) -> Estimate:
    return Estimate(value, estimator=EXACT)
