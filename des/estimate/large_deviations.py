"""Chances that many independent requests overflow a bucket, a window or a number of places: bounds, never estimates.

The setting of every bound: requests are independent of each other, each makes at most `most` calls, and the calls of
all of them in any window of h seconds number at most rate x h + burst on average. They may come as a Poisson process or
at given times. A call has a size (1, or its tokens), which all calls of a request share. Call n_i the calls of request
i in the window and X_i their size. Since e^(t n X) - 1 is convex in n, it is at most (n / most) (e^(t most X) - 1), so

    log E exp(t sum n_i X_i) <= (rate x h + burst) / most x (E e^(t most X) - 1).

Then P(sum > room) <= E exp(t (sum - room)) for every t > 0 (Chernoff 1952), of which the least over a grid is taken:
each t gives a bound, so the grid costs sharpness and never validity. The request whose call is asked about is added as
one more request with all its calls: to it the others look as they do to anybody (Slivnyak's theorem; Last and Penrose,
Lectures on the Poisson Process, theorem 4.1). An unlimited look back is cut into cells, and their bounds are added: the
waiting time of a queue exceeds a value where the work of some past stretch does (Kingman 1970, Inequalities in the
theory of queues).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from des.distributions import Constant, Distribution, FloatArray
from des.estimate.linear import weighted_sum, weighted_sums

_TILTS: Final = np.geomspace(1e-4, 600.0, 241)
"""Of the largest size that a request can come to: the grid of t."""
_CELLS: Final = (1.0, 0.5, 0.25, 0.125, 0.0625)
"""Lengths of a cell, as shares of the time in which a bucket fills."""
_MOST_CELLS: Final = 4096
_FLAT: Final = 1e-9
_HUGE: Final = 700.0
_EDGES: Final = 400
_DOUBLINGS: Final = 200


@dataclass(frozen=True, slots=True)
class Curve:
    """At most rate_per_s x h + burst on average in any window of h seconds, wherever it lies."""

    rate_per_s: float
    burst: float = 0.0

    def within(self, window_s: float) -> float:
        return self.rate_per_s * window_s + self.burst


@dataclass(frozen=True, slots=True)
class Size:
    """What a call counts for, from above: independent parts that add up, each with values and their chances.

    A share `beyond` of requests may count for more.
    """

    parts: tuple[tuple[FloatArray, FloatArray], ...]
    beyond: float = 0.0

    @property
    def largest(self) -> float:
        return math.fsum(float(values[-1]) for values, _ in self.parts)

    @property
    def mean(self) -> float:
        return math.fsum(weighted_sum(values, chances) for values, chances in self.parts)

    def excess(self, exponents: FloatArray, known: dict[int, FloatArray]) -> FloatArray:
        """E exp(t X) - 1 for each t. What is worked out of a part is kept in `known`, for sizes that share it."""
        whole = np.zeros(len(exponents))
        for values, chances in self.parts:
            if id(values) not in known:
                known[id(values)] = weighted_sums(np.expm1(np.multiply.outer(exponents, values)), chances)
            part = known[id(values)]
            whole = whole + part + whole * part
        return whole

    def plus(self, value: float) -> "Size":
        """With a part that is the same for all."""
        return Size((*self.parts, (np.array([value]), np.ones(1))), self.beyond)


ONE: Final = Size(((np.ones(1), np.ones(1)),))
"""Of a call that counts as one."""


NOTHING: Final = Size(())
"""Of a call that counts for nothing by itself."""


def size_of(tokens: Distribution, beyond: float) -> Size:
    """Whole numbers, at least 1, drawn from this, cut where a share `beyond` lies above; nothing where its mean is 0.

    A value is rounded up to the next edge of its cell, so that the size is never understated.
    """
    if tokens.mean <= 0.0:
        return NOTHING
    cells, above = _cells(tokens, beyond)
    return Size((cells,), above)


def _cells(part: Distribution, beyond: float) -> tuple[tuple[FloatArray, FloatArray], float]:
    """((upper ends, chances) of cells, the chance above all of them)."""
    if isinstance(part, Constant):
        return (np.array([max(1.0, part.value + 0.5)]), np.ones(1)), 0.0
    top = max(2.0, part.mean)
    for _ in range(_DOUBLINGS):
        if float(part.survival(top)) <= beyond:
            break
        top *= 1.5
    edges = np.concatenate(([0.0], np.geomspace(min(0.5, top / 2.0), top, _EDGES)))
    above = np.asarray(part.survival(edges), np.float64)
    above[0] = 1.0
    chances = np.maximum(0.0, above[:-1] - above[1:])
    return (np.maximum(1.0, edges[1:] + 0.5), chances), float(above[-1])


@dataclass(frozen=True, slots=True)
class Part:
    """Requests of one sort, a share of all: the calls that they would make if all were of it, and the calls' size."""

    share: float
    curve: Curve
    size: Size = ONE


@dataclass(frozen=True, slots=True)
class Load:
    """Calls that meet one limiter, for the bounds above.

    `most` is the largest number of calls of one request, and `least_gap_s` the least time between two of them.
    """

    parts: tuple[Part, ...]
    most: int
    least_gap_s: float = 0.0

    @property
    def curve(self) -> Curve:
        """Of the calls."""
        rates = [part.share * part.curve.rate_per_s for part in self.parts]
        return Curve(math.fsum(rates), math.fsum(part.share * part.curve.burst for part in self.parts))

    @property
    def size_per_s(self) -> float:
        """What the calls come to, on average."""
        return math.fsum(part.share * part.curve.rate_per_s * part.size.mean for part in self.parts)

    @property
    def beyond(self) -> float:
        """The share of requests whose calls may be larger than is said."""
        return max(part.size.beyond for part in self.parts)

    @property
    def tilts(self) -> FloatArray:
        """The grid of t."""
        return _TILTS / (self.most * max(part.size.largest for part in self.parts))

    def most_within(self, window_s: float) -> int:
        """The largest number of calls of one request within a window."""
        if self.least_gap_s <= 0.0 or window_s >= self.least_gap_s * self.most:
            return self.most
        return min(self.most, 1 + int(window_s / self.least_gap_s))

    def exponents(self, most: int) -> "_Exponents":
        """For requests that make at most `most` calls."""
        known: dict[int, FloatArray] = {}
        excess = [part.size.excess(self.tilts * most, known) for part in self.parts]

        def summed(weight_of: Callable[[Part], float]) -> FloatArray:
            terms = [weight_of(part) * each for part, each in zip(self.parts, excess, strict=True)]
            whole: FloatArray = np.sum(terms, axis=0)
            return whole

        return _Exponents(
            per_s=summed(lambda part: part.share * part.curve.rate_per_s / most),
            at_once=summed(lambda part: part.share * part.curve.burst / most),
            own=np.log1p(summed(lambda part: part.share)),
        )


@dataclass(frozen=True, slots=True)
class _Exponents:
    """log E exp(t sum) by t: for each second of a window, for any window, and for the request asked about."""

    per_s: FloatArray
    at_once: FloatArray
    own: FloatArray

    def of(self, window_s: float) -> FloatArray:
        summed: FloatArray = self.per_s * window_s + self.at_once + self.own
        return summed


def bucket_overflow(load: Load, room: float, refill_per_s: float) -> float:
    """At least the chance that a call finds too little in a bucket of `room` that refills continuously.

    Too little is found where for some s the calls of the last s seconds, this one included, come to more than room +
    refill_per_s x s.
    """
    if load.size_per_s >= refill_per_s:
        return 1.0
    cells_s = [share * room / refill_per_s for share in _CELLS]
    known: dict[int, _Exponents] = {}
    with np.errstate(over="ignore", invalid="ignore"):
        return min(1.0, *(_by_cells(load, room, refill_per_s, cell_s, known) for cell_s in cells_s))


def window_overflow(load: Load, room: float, window_s: float) -> float:
    """At least the chance that the calls of a window, the one asked about included, come to more than `room`."""
    if all(part.size is ONE for part in load.parts):
        room = math.floor(room) + 1.0  # the fewest whole calls that are too many
    with np.errstate(over="ignore", invalid="ignore"):
        return _least(load.exponents(load.most_within(window_s)).of(window_s) - load.tilts * room)


def places_overflow(mean: float, most: int, room: float) -> float:
    """The same for calls that number `mean` on average at an instant, beside those of the request asked about."""
    return window_overflow(Load((Part(1.0, Curve(0.0, mean)),), most), room, 0.0)


def _by_cells(load: Load, room: float, refill_per_s: float, cell_s: float, known: dict[int, _Exponents]) -> float:
    """The sum over looks back of n to n + 1 cells, whose calls come to more than room + refill_per_s x n cells.

    `known` keeps exponents by the most calls of a request.
    """
    tilts = load.tilts
    several = min(_MOST_CELLS, math.ceil(load.least_gap_s * load.most / cell_s))
    total = np.zeros(len(tilts))
    for cell in range(several + 1):
        window_s = (cell + 1) * cell_s
        most = load.most_within(window_s) if cell < several else load.most
        if most not in known:
            known[most] = load.exponents(most)
        if cell < several:
            total += np.exp(_finite(known[most].of(window_s) - tilts * (room + refill_per_s * cell * cell_s)))
    exponents = known[load.most]
    first = exponents.of((several + 1) * cell_s) - tilts * (room + refill_per_s * several * cell_s)
    step = np.minimum((exponents.per_s - tilts * refill_per_s) * cell_s, -_FLAT)
    total += np.where(step < -_FLAT, np.exp(_finite(first)) / -np.expm1(step), np.inf)
    return float(total.min())


def _finite(exponents: FloatArray) -> FloatArray:
    """With a large number for what is beyond all floats, or not known."""
    finite: FloatArray = np.fmin(exponents, _HUGE)
    return finite


def _least(exponents: FloatArray) -> float:
    """The least of the bounds with these logarithms, at most 1."""
    return math.exp(min(0.0, float(_finite(exponents).min())))
