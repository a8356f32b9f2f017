"""What is worked out of a plan once, for all plans of the same parts."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from des.scenario.plan import Plan

Made = TypeVar("Made")


class Kept(Generic[Made]):
    """A function of plans that does not depend on their seeds, with its last values.

    The plans of windows differ in their seeds alone, and to compare plans takes longer than to look at their parts.
    """

    def __init__(self, make: Callable[[Plan], Made], most: int = 16) -> None:
        self._make = make
        self._most = most
        self._made: OrderedDict[object, tuple[Plan, Made]] = OrderedDict()

    def __call__(self, plan: Plan) -> Made:
        parts = (plan.workload, plan.components, plan.endpoints, plan.limits, plan.chain, plan.policy, plan.surges)
        identities = tuple(map(id, (*parts, plan.capacities, plan.statuses, plan.client)))
        key = (identities, plan.shared, plan.horizon_s)
        found = self._made.get(key)  # it holds its plan, so that no other parts have these identities
        if found is None:
            found = self._made[key] = plan, self._make(plan)
            if len(self._made) > self._most:
                self._made.popitem(last=False)
        return found[1]
