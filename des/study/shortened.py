"""What a short time from the start shows of arms that have no answer: figures between outages."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from des.pool import Where
from des.scenario.plan import Plan
from des.study.answered import Between
from des.study.rounds import Clock, replicated

_REQUESTS: Final = 20_000.0
_ROUNDS: Final = 2


def between_outages(plans: Mapping[str, Plan], clock: Clock, *, workers: Where) -> dict[str, Between]:
    """By arm, the figures of the time in which some ten thousand requests arrive, in a few replications."""
    each = _REQUESTS / len(plans)
    short = {
        arm: replace(plan, horizon_s=plan.workload.arrivals.time_for_s(each, plan.horizon_s), shared=1.0)
        for arm, plan in plans.items()
    }
    made = replicated(short, None, Clock(clock.within_s, _ROUNDS), workers=workers)
    return {
        arm: Between(horizon_s=short[arm].horizon_s, requests=of.requests, figures=of.figures())
        for arm, of in made.arms.items()
    }
