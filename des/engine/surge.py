"""Everybody else's failover: while one provider is down, another is overloaded by its customers and by us."""

from collections import deque

from des.engine.conditions import EndpointState
from des.rules.overload import turned_away
from des.scenario import plan

WINDOW_S = 60.0  # over which our own rate of attempts is measured


class Surge:
    """A crowd that comes while every endpoint it flees from is down; it meets all our attempts at its destination."""

    __slots__ = ("_capacity_per_s", "_fled", "_load", "_own")

    def __init__(self, surge: plan.Surge, endpoints: list[EndpointState]) -> None:
        self._fled = [endpoints[index] for index in surge.when]
        self._load = surge.load
        self._capacity_per_s = surge.capacity_per_s
        self._own: deque[float] = deque()

    def overload(self, now_s: float) -> float:
        """The probability that an attempt started now is turned away; it counts towards our own load."""
        own = 0.0
        if self._capacity_per_s is not None:
            self._own.append(now_s)
            while self._own[0] <= now_s - WINDOW_S:
                self._own.popleft()
            own = len(self._own) / WINDOW_S / self._capacity_per_s
        if all(endpoint.is_down for endpoint in self._fled):
            return turned_away(self._load + own, 1.0)
        return 0.0
