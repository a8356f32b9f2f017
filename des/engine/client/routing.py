"""Which leg of several takes a call, and in which order groups are tried."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from des.rules import routing as rules
from des.scenario import plan

if TYPE_CHECKING:
    from des.engine.client.leg import ClientLeg
    from des.engine.client.luck import ClientLuck
    from des.engine.client.request import ClientRequest

INFINITY = float("inf")


class Router:
    """Picks by one policy, with a uniform of the request for each pick."""

    def __init__(self, routing: plan.Routing, luck: "ClientLuck", name: str) -> None:
        self._routing = routing
        self._luck = luck
        self._name = name
        self._last = -1  # the leg that took the pick before, in turn

    def pick(self, request: "ClientRequest", nth: int, legs: Sequence["ClientLeg"], now_s: float) -> int:
        """The place of the leg that takes the n-th pick of a request; -1 where every one is at its bounds."""
        routing = self._routing
        if routing.kind == "ordered" or (len(legs) == 1 and routing.kind not in ("usage_based", "round_robin")):
            return 0
        if routing.kind == "round_robin":
            place = rules.next_in_turn([leg.index for leg in legs], self._last)
            self._last = legs[place].index
            return place
        if routing.kind == "cheapest":
            costs = [leg.statistics.cost_per_success(leg.price(request, now_s)) for leg in legs]
            return costs.index(min(costs))
        u = self._luck.stream("route", self._name, nth).at(request.luck)
        if routing.kind == "weighted":
            return rules.weighted([leg.plan.weight for leg in legs], u)
        if routing.kind == "least_latency":
            return rules.lowest_latency([leg.statistics.mean_latency_s() for leg in legs], routing.buffer, u)
        if routing.kind == "least_busy":
            busy = [leg.statistics.busy for leg in legs]
            return rules.least(busy, u) if routing.choices is None else rules.best_of_choices(busy, routing.choices, u)
        for leg in legs:
            leg.statistics.turn(now_s)
        return rules.usage_based(
            [leg.statistics.tokens for leg in legs],
            [leg.statistics.requests for leg in legs],
            request.input_tokens,
            [INFINITY if leg.plan.tpm is None else leg.plan.tpm for leg in legs],
            [INFINITY if leg.plan.rpm is None else leg.plan.rpm for leg in legs],
            u,
        )
