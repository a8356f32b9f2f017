"""What a client lets through of the calls that turn to a leg: a growing share, or fewer than would be refused."""

from collections import deque
from math import inf

from des.rules.adaptive_throttling import rejection_probability
from des.rules.ramp import admitted_share, begins_anew
from des.scenario import plan


class RampUp:
    """A failover that grows: it begins with the first call after a while without one, admitted or not."""

    __slots__ = ("_asked_s", "_begun_s", "_law")

    def __init__(self, law: plan.Ramp) -> None:
        self._law = law
        self._asked_s = -inf
        self._begun_s = 0.0

    def admits(self, now_s: float, u: float) -> bool:
        """A call turns to the leg now, of which the share is admitted."""
        law = self._law
        if begins_anew(self._asked_s, now_s, law.reset_after_s):
            self._begun_s = now_s
        self._asked_s = now_s
        return u < admitted_share(self._begun_s, now_s, law.start, law.over_s)


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
