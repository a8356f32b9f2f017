"""How many calls a provider serves at once, first come, first served, and the bounded queue before it.

The wait is known when a call comes. Work that its client gives up, and work that an incident kills, keeps its place
until its natural end; failures (refusals, errors, hangs) take none.
"""

from heapq import heapreplace

from des.distributions import Distribution
from des.rules.capacity import is_full, start_s, waiting
from des.scenario import plan

PRUNED = 64  # starts gone by that are kept at most


class Capacity:
    """Servers that are all free at the start, shared by every endpoint that names them."""

    __slots__ = ("_free_at_s", "_queue", "_starts_s", "index", "refusal_latency")

    def __init__(self, capacity: plan.Capacity) -> None:
        self.index = capacity.index
        self.refusal_latency: Distribution = capacity.refusal_latency
        self._queue = capacity.queue
        self._free_at_s = [0.0] * capacity.concurrent
        self._starts_s: list[float] = []

    def admits(self, now_s: float) -> bool:
        """Whether a call that comes now is served, at once or after waiting."""
        if start_s(self._free_at_s, now_s) <= now_s:
            return True
        queued = waiting(self._starts_s, now_s)
        gone = len(self._starts_s) - queued
        if gone > PRUNED:
            del self._starts_s[:gone]
        return not is_full(queued, self._queue)

    def serve(self, now_s: float, service_s: float) -> float:
        """Take a call that `admits` has just been asked for; how long it waits."""
        begins_s = start_s(self._free_at_s, now_s)
        heapreplace(self._free_at_s, begins_s + service_s)
        if begins_s > now_s:
            self._starts_s.append(begins_s)
        return begins_s - now_s
