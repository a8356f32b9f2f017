"""What a client lets through of the calls that turn to a leg: fewer than would be refused."""

from collections import deque

from des.rules.adaptive_throttling import rejection_probability
from des.scenario import plan


class Throttling:
    """Requests and accepts of a leg over the window."""

    __slots__ = ("_accepts_s", "_law", "_requests_s")

    def __init__(self, law: plan.AdaptiveThrottling) -> None:
        self._law = law
        self._requests_s: deque[float] = deque()
        self._accepts_s: deque[float] = deque()

    def admits(self, now_s: float, u: float) -> bool:
        """A call turns to the leg now; it counts as a request whether it is made or not."""
        for times_s in (self._requests_s, self._accepts_s):
            while times_s and times_s[0] <= now_s - self._law.window_s:
                times_s.popleft()
        refused = rejection_probability(len(self._requests_s), len(self._accepts_s), self._law.k)
        self._requests_s.append(now_s)
        return u >= refused

    def accepted(self, now_s: float) -> None:
        """The leg has accepted a call: it answered, be it with an error of the caller's."""
        self._accepts_s.append(now_s)
