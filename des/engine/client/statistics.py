"""What a client has seen of a leg, for the routings that go by it."""

from collections import deque
from typing import TYPE_CHECKING

from des.rules.routing import cost_per_success
from des.vocabulary import OK, TIMEOUT

if TYPE_CHECKING:
    from des.engine.call import Call

TIMED_OUT_S = 1000.0
"""What a call that timed out counts in the latencies (litellm 1.109, lowest latency)."""


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
        return cost_per_success(served / (served + len(failures)), price, sum(failures) / len(failures))
