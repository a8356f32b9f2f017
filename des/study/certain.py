"""Figures of an arm that are certain, whatever simulated requests say of them."""

from collections.abc import Mapping

from des.estimate.estimate import EXACT, Estimate
from des.scenario.plan import Plan

_Figures = Mapping[str, Estimate | Mapping[str, Estimate]]


def certain_figures(plan: Plan, figures: _Figures) -> dict[str, Estimate | Mapping[str, Estimate]]:
    """Of those given, the ones that the shape of the chain decides, where any request was answered.

    Without an entry after the first none falls back. The only leg serves all, but what a response cache answers.
    """
    found: dict[str, Estimate | Mapping[str, Estimate]] = {}
    fallbacks, served = figures.get("fallback_share"), figures.get("served_share")
    if len({leg.position for leg in plan.chain}) == 1 and isinstance(fallbacks, Estimate) and fallbacks.mean == 0.0:
        found["fallback_share"] = Estimate(0.0, estimator=EXACT)
    if len(plan.chain) == 1 and plan.policy.response_cache is None and isinstance(served, Mapping):
        found["served_share"] = {
            leg: Estimate(1.0, estimator=EXACT) if share.mean == 1.0 else share for leg, share in served.items()
        }
    return found
