"""Which estimator answers for the availability of a plan, why, and its answer."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from des.errors import DesError
from des.estimate.estimate import EXACT, RARE, REQUEST_LEVEL, TIMELINE, Estimate, Inapplicable
from des.estimate.exact import ExactAnswer, exact
from des.estimate.interaction import interactions
from des.estimate.rare import rare, why_not_rare
from des.estimate.timeline import timeline
from des.scenario.plan import Plan

YEARS: Final = 10_000.0
_LEAST_YEARS: Final = 0.01
_MOST_YEARS: Final = 1e8
"""Of which a small chain takes about a day."""
_FEWEST_EPISODES: Final = 200.0
"""Total outages to be expected below which a plain timeline would say little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An estimator and the reason for it; `exact` is the closed form of what it covers, or None and why not."""

    estimator: str
    reason: str
    exact: ExactAnswer | None
    why_not_exact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailabilityAnswer:
    """Figures of one arm; a closed form has no interval.

    `availability` is None where requests interact: `des run` simulates them. `lost` is 1 - availability, also where so
    little that this rounds to 1. `years` are those of incidents drawn.
    """

    choice: Choice
    availability: Estimate | None
    lost: Estimate | None
    all_down: Estimate | None
    all_down_episodes_per_year: Estimate | None
    years: float | None
    all_down_episodes_seen: int | None  # in those years
    wall_s: float


def choose(plan: Plan, years: float = YEARS, other: Choice | None = None) -> Choice:
    """Exact where a request calls each leg once, else what sees enough total outages in this number of years.

    The closed form is that of an `other` choice for the same plan, if there is one.
    """
    closed, why_not = _closed(plan) if other is None else (other.exact, other.why_not_exact)
    against = interactions(plan)

    def chosen(estimator: str, reason: str) -> Choice:
        return Choice(estimator=estimator, reason=reason, exact=closed, why_not_exact=why_not)

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
    workers: int = 1,
    progress: Callable[[float], None] | None = None,
) -> AvailabilityAnswer:
    """The answer of the estimator that `choose` names, or of the one asked for.

    Raises Inapplicable where the one asked for does not cover the plan, DesError for a name that is none.
    """
    check_years(years)
    return of_years(plan, years, estimator=estimator, workers=workers, progress=progress)


def of_years(
    plan: Plan,
    years: float,
    *,
    estimator: str | None = None,
    workers: int = 1,
    progress: Callable[[float], None] | None = None,
) -> AvailabilityAnswer:
    """Like `availability`, for years that nobody asked for: those of some short horizons, say."""
    started = time.perf_counter()
    choice = choose(plan, years)
    if estimator is not None and estimator != choice.estimator:
        if estimator not in (EXACT, TIMELINE, RARE):
            raise DesError(f"unknown estimator '{estimator}': {EXACT}, {TIMELINE} or {RARE}")
        choice = Choice(estimator=estimator, reason="asked for", exact=choice.exact, why_not_exact=choice.why_not_exact)
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


def check_years(years: float) -> None:
    """Raises DesError for a number of years that cannot be drawn, whatever the estimator."""
    if not _LEAST_YEARS <= years <= _MOST_YEARS:
        raise DesError(f"--years {years:g}: a number from {_LEAST_YEARS:g} to {_MOST_YEARS:,.0f}, such as {YEARS:,.0f}")


def _one_call(choice: Choice) -> tuple[float, float]:
    """(served, lost), shares of requests."""
    if choice.exact is None:
        raise Inapplicable(choice.why_not_exact)
    if choice.exact.availability is None or choice.exact.lost is None:
        raise Inapplicable(choice.exact.availability_reason)
    if choice.exact.differs:
        beyond = ", ".join(choice.exact.differs)
        raise Inapplicable(
            f"the closed form is of requests that call each leg once, at their arrival, which leaves out {beyond}: "
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
