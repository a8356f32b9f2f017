"""Sequences of intervals that follow each other in time, drawn block by block until an instant is passed.

Block b has a size and a key of its own, and its times are sums that begin at the last time of block b - 1:
drawing further appends and changes nothing.
"""

from collections.abc import Callable, Iterator

import numpy as np

from des.distributions import Distribution
from des.errors import DesError
from des.faults.intervals import FloatArray, Intervals, none
from des.faults.keys import ClassKeys

FIRST_BLOCK = 32
LARGEST_BLOCK = 1 << 16
MAX_INCIDENTS = 50_000_000
MAX_STALLED = 1_000_000
LEAST_PROGRESS = 1e-6
"""Share of the time simulated that this many incidents in a row must take, lest a law of mostly zeros never ends."""

Block = tuple[Intervals, float]
"""Intervals of a block, and the instant from which the next block goes on."""


def overlapping(
    between: Distribution, duration: Distribution, keys: ClassKeys, first_s: float, until_s: float
) -> Intervals:
    """Starts from `first_s` on, `between` apart, each with a duration of its own: those that start before `until_s`."""

    def block(number: int, size: int, from_s: float) -> Block:
        gaps = between.sample(keys.stream("between", number), size)
        times = _sums(from_s, gaps)
        start_s = times[:-1]
        return Intervals(start_s, start_s + duration.sample(keys.stream("duration", number), size)), float(times[-1])

    refuse_too_many(keys, (until_s - first_s) / between.mean if between.mean > 0.0 else np.inf)
    return _drawn(block, keys, first_s, until_s)


def alternating(down: Distribution, up: Distribution, keys: ClassKeys, first_s: float, until_s: float) -> Intervals:
    """Down times that start before `until_s`, an up time after each; the first starts at `first_s`."""

    def block(number: int, size: int, from_s: float) -> Block:
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
    number, size = 0, FIRST_BLOCK
    while True:
        yield number, size
        number, size = number + 1, min(2 * size, LARGEST_BLOCK)


def refuse_too_many(keys: ClassKeys, expected: float) -> None:
    """Raise DesError where a class would have more incidents than fit into memory."""
    if not expected <= MAX_INCIDENTS:
        raise DesError(
            f"{keys.label}: about {expected:.3g} incidents in the time simulated, at most {MAX_INCIDENTS:,} can be "
            "drawn; make them rarer or the horizon shorter"
        )


def _drawn(block: Callable[[int, int, float], Block], keys: ClassKeys, from_s: float, until_s: float) -> Intervals:
    blocks = [none()]
    least_step_s = (until_s - from_s) * LEAST_PROGRESS
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
        if stalled > MAX_STALLED:
            raise DesError(
                f"{keys.label}: {stalled:,} incidents in a row take next to no time; give its laws longer times"
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
