"""What a client lets through of the calls that turn to a leg: a growing share."""

from math import inf

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
