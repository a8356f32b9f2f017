"""What may cut a client's work short: the request's deadline and the timeouts of the layers around it."""

from des.engine.call import AT_DEADLINE, Cut
from des.vocabulary import TIMEOUT

TIMED_OUT: Cut = (TIMEOUT, -1)


class Bound:
    """A moment at which its owner gives up on everything inside it; bounds are told apart by identity."""

    __slots__ = ("cut", "owner", "until_s")

    def __init__(self, until_s: float, cut: Cut, owner: object) -> None:
        self.until_s = until_s
        self.cut = cut
        self.owner = owner


class BoundStruck(Exception):  # noqa: N818 - not an error
    """A bound has struck: everything inside it is over, up to its owner."""

    def __init__(self, bound: Bound) -> None:
        super().__init__()
        self.bound = bound


class NeverEnds(Exception):  # noqa: N818 - not an error
    """A call under way can never end, or a wait for the place of such calls, and nobody gives it up."""


def deadline(until_s: float) -> Bound:
    """The outermost bound, of the request itself."""
    return Bound(until_s, AT_DEADLINE, None)


def within(outer: Bound, now_s: float, timeout_s: float | None, owner: object) -> Bound:
    """The bound of work that starts now: a new one where its timeout comes before what bounds it already."""
    if timeout_s is None or now_s + timeout_s >= outer.until_s:
        return outer
    return Bound(now_s + timeout_s, TIMED_OUT, owner)
