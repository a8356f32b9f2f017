"""How endpoints of an arm fare by themselves, and how often all of them are down at once, by the best estimator."""

import math
from collections.abc import Callable
from typing import Any, Final

from des.estimate.choice import availability
from des.estimate.drawn_incidents import (
    MOST_HORIZONS,
    DrawnIncidents,
    Figure,
    episodes_per_year,
    figure,
    mean_episode_s,
    p95_episode_s,
    unavailability,
)
from des.estimate.exact_availability import EXACT, ExactAnswer, any_in_a_year, exact, k_eff
from des.estimate.inapplicable import Inapplicable
from des.estimate.intervals import alike
from des.estimate.timeline_refusals import needs_whole_horizons
from des.estimate.uneven import Uneven
from des.faults import sharing
from des.faults.independent_twin import recorded_endpoints
from des.faults.marginals import chain_endpoints
from des.faults.reach import Reach
from des.scenario.plan import Plan
from des.scenario.text.units import YEAR_S

YEARS: Final = 2_000.0
"""Simulated for the share of requests lost, where it has no closed form."""

APPROXIMATION: Final = "Poisson approximation"
MIXED: Final = "mixture: some replications have shared incidents in common and others have not"


def exact_or_none(plan: Plan) -> ExactAnswer | None:
    try:
        return exact(plan)
    except Inapplicable:
        return None


def marginal_figures(answer: ExactAnswer | None, drawn: DrawnIncidents, plan: Plan) -> dict[str, dict[str, Any]]:
    """By endpoint of the chain: unavailability, episodes per year, their mean duration and its 95th percentile."""
    known = {} if answer is None else {endpoint.name: endpoint for endpoint in answer.endpoints}
    figures: dict[str, dict[str, Any]] = {}
    for endpoint in drawn.parts[0].chain:
        of = plan.endpoints[endpoint]
        name = f"{of.provider}/{of.model}"
        downs = [part.endpoints[endpoint] for part in drawn.parts]
        own = known.get(name)
        figures[name] = {
            "unavailability": unavailability(downs) if own is None else _exact(own.unavailability),
            "episodes_per_year": episodes_per_year(downs) if own is None else _exact(own.episodes_per_year),
            "mean_duration_s": mean_episode_s(downs) if own is None else _exact(own.mean_duration_s),
            "p95_duration_s": _exact(own.p95_duration_s)
            if own is not None and own.p95_duration_s is not None
            else p95_episode_s(downs),
            "impaired_share": unavailability([part.impaired[endpoint] for part in drawn.parts]),
        }
    return figures


def joint_figures(answer: ExactAnswer | None, drawn: DrawnIncidents, plan: Plan) -> dict[str, Any]:
    """All endpoints of the chain down at once: how much of the time, how often a year, for how long.

    `any_in_a_year` takes total outages for a Poisson process in the time between them, and its estimator says so where
    they are not one exactly; it is None, for `any_in_a_year_reason`, where that would be far off.
    """
    reason = _why_not_poisson(plan)
    uneven = Uneven.of(plan)
    mixture = sharing(plan).mixture
    if answer is not None:
        down = _exact(answer.all_down)
        per_year = _exact(answer.all_down_episodes_per_year)
        mean_s = _exact(answer.all_down_mean_s)
        redundancy = answer.k_eff
        low, high = answer.frechet_low, answer.frechet_high
    else:
        downs = [part.all_down for part in drawn.parts]
        down, per_year = unavailability(downs, uneven), episodes_per_year(downs, uneven)
        mean_s = mean_episode_s(downs, uneven)
        together = drawn.together
        alone = [together.endpoints[endpoint].unavailability for endpoint in together.chain]
        redundancy = k_eff(down["mean"], alone)
        low, high = max(0.0, math.fsum(alone) - len(alone) + 1.0), min(alone)
    assert down is not None
    assert per_year is not None
    once = None
    if not reason and answer is not None:
        estimator = EXACT if answer.all_down_any_exact else approximate(EXACT)
        once = figure(answer.all_down_any_in_a_year, estimator=estimator)
    elif not reason and not mixture:
        once = _any_in_a_year(down["mean"], per_year)
    return {
        "sharing": sharing(plan).label,
        "estimator": down["estimator"],
        "all_down": down,
        "episodes_per_year": per_year,
        "mean_duration_s": mean_s,
        **_named("any_in_a_year", once, reason or (MIXED if once is None else "")),
        "k_eff": redundancy,
        "frechet_low": low,
        "frechet_high": high,
        "all_impaired": unavailability([part.all_impaired for part in drawn.parts], uneven),
        **_named(
            "any_impaired_in_a_year",
            None if reason or mixture else _impaired_in_a_year(drawn),
            reason or (MIXED if mixture else ""),
        ),
    }


def long_run_years(plan: Plan) -> float:
    """Of incidents drawn for it, where they are; a plan that is drawn by whole horizons gets a bounded number."""
    return min(YEARS, MOST_HORIZONS * plan.horizon_s / YEAR_S) if needs_whole_horizons(plan) else YEARS


def long_run_failure_share(plan: Plan, told: Callable[[float], None] | None = None) -> tuple[Figure | None, str]:
    """The share of requests lost without the noise of a run, or why it takes one."""
    found = availability(plan, long_run_years(plan), progress=told)
    if found.lost is None:
        return None, found.choice.reason
    return figure(*(found.lost[key] for key in ("mean", "low", "high", "estimator"))), ""


def _why_not_poisson(plan: Plan) -> str:
    """Why total outages are no Poisson process at all; empty where they may be taken for one."""
    recorded = recorded_endpoints(plan, Reach.of(plan))
    if plan.shared < 1.0 and len(recorded) > 1:
        return "recorded incidents are shifted by whole weeks, otherwise in every replication"
    if set(chain_endpoints(plan)) <= set(recorded):
        return "all endpoints of the chain have recorded incidents, which do not come at random"
    return ""


def _named(name: str, found: Figure | None, reason: str) -> dict[str, Any]:
    return {name: found, f"{name}_reason": reason}


def approximate(estimator: str) -> str:
    """The estimator of what is reckoned from its figures as if outages came in a Poisson process."""
    return f"{estimator}, {APPROXIMATION}"


def _any_in_a_year(share: float, per_year: Figure) -> Figure:
    """Without ends where they are the same."""
    ends = [None if per_year[key] is None else any_in_a_year(share, per_year[key]) for key in ("low", "high")]
    low, high = ends
    if low is None or high is None or alike((low, high)):
        low = high = None
    return figure(any_in_a_year(share, per_year["mean"]), low, high, approximate(per_year["estimator"]))


def _impaired_in_a_year(drawn: DrawnIncidents) -> Figure:
    """That everybody is impaired at once some time in a year, such times taken for a Poisson process."""
    impaired = [part.all_impaired for part in drawn.parts]
    return _any_in_a_year(unavailability(impaired)["mean"], episodes_per_year(impaired))


def _exact(value: float | None) -> Figure | None:
    return None if value is None else figure(value, estimator=EXACT)
