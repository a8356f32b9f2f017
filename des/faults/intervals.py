"""Half-open time intervals as columns, the random streams of a class, and draws of successive intervals.

Successive intervals are drawn block by block until an instant is passed. Block b has its own size and key, and its
times are sums that begin at the last time of block b - 1. So drawing further only appends.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from des.distributions import Distribution
from des.draws import generator
from des.errors import DesError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


class Intervals(NamedTuple):
    """`[start_s, end_s)` of n intervals, sorted by start: two float64[n] in seconds since the scenario's start."""

    start_s: FloatArray
    end_s: FloatArray

    def where(self, kept: BoolArray) -> "Intervals":
        """The intervals that `kept`, bool[n], selects."""
        return Intervals(self.start_s[kept], self.end_s[kept])

    def starting_before(self, until_s: float) -> "Intervals":
        count = int(np.searchsorted(self.start_s, until_s, side="left"))
        return Intervals(self.start_s[:count], self.end_s[:count])

    def lasting(self) -> "Intervals":
        """The intervals of more than zero length."""
        return self.where(self.end_s > self.start_s)


def joined(first: Intervals, second: Intervals) -> Intervals:
    """Both, where no interval of `second` starts before the last of `first`."""
    return Intervals(*(np.concatenate(pair) for pair in zip(first, second, strict=True)))


def none() -> Intervals:
    return Intervals(np.empty(0), np.empty(0))


@dataclass(frozen=True, slots=True)
class ClassKeys:
    """The random streams of an incident class; `number` counts the classes of its component from 0.

    A stream depends on its names only, so a component or class added or removed leaves the incidents of all others as
    they are. `endpoint` names the member for which a copy of the class is drawn.
    """

    seed: int
    replication: int
    component: str
    number: int
    endpoint: str | None = None

    @property
    def label(self) -> str:
        """The class's name in messages."""
        return f"{self.component}: incidents[{self.number}]"

    def copy_for(self, endpoint: str) -> "ClassKeys":
        return replace(self, endpoint=endpoint)

    def stream(self, purpose: str, block: int = 0) -> np.random.Generator:
        return self._named(f"incidents\x1f{self.component}\x1f{self.number}\x1f{purpose}", block)

    def marks(self, dependent: str, dependency: str) -> np.random.Generator:
        """One uniform per incident, in order, for the edge `dependent` -> `dependency`."""
        return self._named(f"marks\x1f{self.component}\x1f{self.number}\x1f{dependent}\x1f{dependency}", 0)

    def _named(self, name: str, block: int) -> np.random.Generator:
        if self.endpoint is not None:
            name = f"for\x1f{self.endpoint}\x1f{name}"
        return generator(self.seed, self.replication, name, block)


_FIRST_BLOCK = 32
_LARGEST_BLOCK = 1 << 16
MAX_INCIDENTS = 50_000_000
_MAX_STALLED = 1_000_000
_LEAST_PROGRESS = 1e-6
"""Share of the time simulated that `_MAX_STALLED` incidents in a row must take, lest draws of zero never end."""

_Block = tuple[Intervals, float]
"""Intervals of a block, and the instant at which the next block begins."""


def overlapping(
    between: Distribution, duration: Distribution, keys: ClassKeys, first_s: float, until_s: float
) -> Intervals:
    """Starts from `first_s` on, `between` apart, each with its own duration: those that start before `until_s`."""

    def block(number: int, size: int, from_s: float) -> _Block:
        gaps = between.sample(keys.stream("between", number), size)
        times = _sums(from_s, gaps)
        start_s = times[:-1]
        return Intervals(start_s, start_s + duration.sample(keys.stream("duration", number), size)), float(times[-1])

    refuse_too_many(keys, (until_s - first_s) / between.mean if between.mean > 0.0 else np.inf)
    return _drawn(block, keys, first_s, until_s)


def alternating(down: Distribution, up: Distribution, keys: ClassKeys, first_s: float, until_s: float) -> Intervals:
    """Down times that start before `until_s`, each followed by an up time; the first starts at `first_s`."""

    def block(number: int, size: int, from_s: float) -> _Block:
        spells = np.empty(2 * size)
        spells[0::2] = down.sample(keys.stream("down", number), size)
        spells[1::2] = up.sample(keys.stream("up", number), size)
        times = _sums(from_s, spells)
        return Intervals(times[0:-1:2], times[1::2]), float(times[-1])

    cycle_s = down.mean + up.mean
    refuse_too_many(keys, (until_s - first_s) / cycle_s if cycle_s > 0.0 else np.inf)
    return _drawn(block, keys, first_s, until_s)


def block_sizes() -> Iterator[tuple[int, int]]:
    """(number, size) of successive blocks: small at first, so that a short run draws little."""
    number, size = 0, _FIRST_BLOCK
    while True:
        yield number, size
        number, size = number + 1, min(2 * size, _LARGEST_BLOCK)


def refuse_too_many(keys: ClassKeys, expected: float) -> None:
    """Raises DesError where a class would have more incidents than fit into memory."""
    if not expected <= MAX_INCIDENTS:
        raise DesError(
            f"{keys.label}: about {expected:.3g} incidents in the simulated time; at most {MAX_INCIDENTS:,} can be "
            "drawn; make them rarer or the horizon shorter"
        )


def _drawn(block: Callable[[int, int, float], _Block], keys: ClassKeys, from_s: float, until_s: float) -> Intervals:
    blocks = [none()]
    least_step_s = (until_s - from_s) * _LEAST_PROGRESS
    total, stalled, progress_s = 0, 0, from_s
    for number, size in block_sizes():
        if from_s >= until_s:
            break
        intervals, from_s = block(number, size, from_s)
        blocks.append(intervals.lasting())
        total += size
        stalled += size
        if from_s - progress_s > least_step_s:
            stalled, progress_s = 0, from_s
        if stalled > _MAX_STALLED:
            raise DesError(
                f"{keys.label}: {stalled:,} incidents in a row take almost no time; give its distributions longer times"
            )
        if total > MAX_INCIDENTS:
            refuse_too_many(keys, total)
    drawn = Intervals(*(np.concatenate(columns) for columns in zip(*blocks, strict=True)))
    return drawn.starting_before(until_s)


def _sums(from_s: float, steps: FloatArray) -> FloatArray:
    """from_s, from_s + steps[0], from_s + steps[0] + steps[1], ...: one element more than `steps`."""
    times = np.empty(len(steps) + 1)
    times[0] = 0.0
    np.cumsum(steps, out=times[1:])
    times += from_s
    return times
