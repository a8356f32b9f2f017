"""Which leg of several takes a call, and in which order groups are tried."""

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from des.rules import routing as rules
from des.scenario import plan
from des.vocabulary import OK, TIMEOUT

if TYPE_CHECKING:
    from des.model.call import Call
    from des.model.client.leg import ClientLeg
    from des.model.client.luck import ClientLuck
    from des.model.client.request import ClientRequest

TIMED_OUT_S = 1000.0
"""What a call that timed out counts in the latencies (litellm 1.109, lowest latency)."""
INFINITY = float("inf")


class Statistics:
    """What a client has seen of a leg: calls under way, latencies, costs, and usage in the clock minute."""

    __slots__ = ("_costs", "_latencies", "_minute", "_samples", "busy", "requests", "tokens")

    def __init__(self, samples: int) -> None:
        self._samples = samples
        self._latencies: deque[float] = deque(maxlen=samples)
        self._costs: deque[tuple[bool, int]] = deque(maxlen=samples)
        self._minute = -1
        self.busy = 0
        self.requests = 0
        self.tokens = 0

    def begin(self, now_s: float) -> None:
        self.turn(now_s)
        self.busy += 1
        self.requests += 1

    def end(self, call: "Call") -> None:
        """Latency is by output token where there is any; failures have none, but a timeout counts long."""
        self.turn(call.end_s)
        self.busy -= 1
        self._costs.append((call.outcome == OK, call.cost))
        if call.outcome == OK:
            self.tokens += call.input_tokens + call.output_tokens
            self._latencies.append((call.end_s - call.start_s) / max(1, call.output_tokens))
        elif call.outcome == TIMEOUT:
            self._latencies.append(TIMED_OUT_S)

    def turn(self, now_s: float) -> None:
        """Usage starts again with every clock minute."""
        minute = int(now_s / 60.0)
        if minute != self._minute:
            self._minute, self.requests, self.tokens = minute, 0, 0

    def mean_latency_s(self) -> float:
        """0 without samples, so that every leg gets some."""
        return sum(self._latencies) / len(self._latencies) if self._latencies else 0.0

    def cost_per_success(self, price: float) -> float:
        """What a success will cost at this price of one, by how often calls failed of late and what they cost then."""
        failures = [cost for served, cost in self._costs if not served]
        if not failures:
            return price
        served = len(self._costs) - len(failures) + 1  # one more than seen: no leg is written off for good
        return rules.cost_per_success(served / (served + len(failures)), price, sum(failures) / len(failures))


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
