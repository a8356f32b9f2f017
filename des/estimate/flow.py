"""What a step of a request's walk makes of the stream of requests that come to it: see `offered_load`."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from des.estimate.large_deviations import Curve


class Flow(NamedTuple):
    """What becomes of a process of at most rate x h + burst points a window of h seconds, on average.

    It turns into one of at most (keeps x rate) x h + (keeps_burst x burst + adds x rate).
    """

    keeps: float
    keeps_burst: float
    adds_s: float = 0.0

    def then(self, after: "Flow") -> "Flow":
        """This, and what comes out of it through `after`."""
        return Flow(
            self.keeps * after.keeps,
            self.keeps_burst * after.keeps_burst,
            after.keeps_burst * self.adds_s + after.adds_s * self.keeps,
        )

    def plus(self, other: "Flow") -> "Flow":
        return Flow(self.keeps + other.keeps, self.keeps_burst + other.keeps_burst, self.adds_s + other.adds_s)

    def of(self, curve: Curve) -> Curve:
        return Curve(self.keeps * curve.rate_per_s, self.keeps_burst * curve.burst + self.adds_s * curve.rate_per_s)


NOTHING: Final = Flow(0.0, 0.0)
EVERYTHING: Final = Flow(1.0, 1.0)


def share(of: float) -> Flow:
    """A share that is picked at random."""
    return Flow(of, of)


def total(flows: Iterable[Flow]) -> Flow:
    result = NOTHING
    for flow in flows:
        result = result.plus(flow)
    return result
