"""How much work an alternative of a chain takes, and which are left out so that an answer comes in a few seconds.

It is counted in calls, which do not depend on the machine: the same body always has the same alternatives.
"""

from collections.abc import Mapping
from math import prod
from typing import Final

from des.scenario.plan import Plan

_MOST_CALLS: Final = 150
"""Of all alternatives that are simulated or walked along drawn incidents, as many as fit into them."""
_SIMULATED: Final = 20
"""Calls that an alternative counts for in addition, where its requests are simulated one by one."""
_KEPT: Final = ("as_modelled", "independent", "first_alone")
"""Alternatives that every answer has."""


def too_long(every: Mapping[str, Plan], *, simulated: bool) -> frozenset[str]:
    """The alternatives beyond the first, by arm, that do not fit; of those without a leg, the last legs come first."""
    names = list(every)
    optional = [arm for arm in names if arm not in _KEPT]
    calls = {arm: calls_of(plan) + (_SIMULATED if simulated else 0) for arm, plan in every.items()}
    spent = sum(calls[arm] for arm in names if arm not in optional)
    left_out = set()
    for arm in sorted(optional, key=lambda arm: (arm.startswith("without"), -names.index(arm))):
        if spent + calls[arm] > _MOST_CALLS:
            left_out.add(arm)
        else:
            spent += calls[arm]
    return frozenset(left_out)


def calls_of(plan: Plan) -> int:
    """The calls of a request that fails wherever it can."""
    client = plan.client
    legs = {of.leg: prod(1 + layer.retries for layer in of.inner) for of in client.legs}
    walks = plan.policy.rounds * (1 if client.application is None else 1 + client.application.retries)
    return walks * sum(
        (1 + group.retry.retries) * sum(legs.get(leg, 1) for leg in group.legs) for group in client.groups
    )
