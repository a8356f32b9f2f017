"""What of a plan the compiled engine leaves to SimPy."""

from collections.abc import Iterator

from des.scenario.extensions import own_classes
from des.scenario.plan import ClosedArrivals, Plan

_MOST_KINDS = 62
"""Outcome kinds: tables by kind are bits of an integer."""


def reasons_against(plan: Plan) -> list[str]:
    """The features of a plan that only the SimPy engine has, by their names in a scenario; none if it has no such."""
    return list(dict.fromkeys(_reasons(plan)))


def _reasons(plan: Plan) -> Iterator[str]:
    yield from (f"kind: {name}" for name in own_classes(plan))
    if isinstance(plan.workload.arrivals, ClosedArrivals):
        yield "arrivals: closed"
    if plan.policy.response_cache is not None:
        yield "response_cache"
    if plan.surges:
        yield "surge"
    if len(plan.statuses) > _MOST_KINDS - 11:
        yield f"more than {_MOST_KINDS} kinds of outcome"
    client = plan.client
    if client.order.kind != "ordered":
        yield "order"
    if client.fallback_depth is not None:
        yield "fallback_depth"
    if client.retry_budgets:
        yield "retry_budget"
    if client.shapings:
        yield "shaping"
    for group in client.groups:
        if len(group.legs) > 1:
            yield "groups"
    for leg in client.legs:
        for name in ("guards", "hedge", "probes", "bulkhead", "throttle", "ramp"):
            if getattr(leg, name):
                yield name
    for called in plan.chain:
        if called.silent_rot is not None:
            yield "silent_rot"
        if called.prompt_cache is not None:
            yield "prompt_cache"
