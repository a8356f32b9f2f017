"""Arrivals of open workloads, with their marks, in blocks: as many at a time as are worth a call."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from des.engine.arrivals.batch import batch_times
from des.engine.arrivals.bursty import bursty_times
from des.engine.arrivals.marks import BLOCK, RequestMarks
from des.engine.arrivals.poisson import poisson_times
from des.engine.arrivals.replay import replayed_times
from des.scenario.plan import (
    BatchArrivals,
    BurstyArrivals,
    ClosedArrivals,
    FloatArray,
    Plan,
    PoissonArrivals,
    ReplayedArrivals,
)


@dataclass(frozen=True, slots=True)
class ArrivalBlock:
    """Consecutive requests, in order of arrival; their ids count up from `first_id`."""

    first_id: int
    arrival_s: list[float]
    input_tokens: list[int]
    output_tokens: list[int]
    units: list[float]
    requirement: list[int]  # index into plan.workload.requirements, -1 for none


def open_arrivals(plan: Plan, replication: int) -> Iterator[ArrivalBlock]:
    """Every arrival in [0, horizon), in blocks of 4096 (the last one may be shorter), drawn as they are asked for."""
    return _marked(arrival_times(plan, replication), RequestMarks(plan, replication))


def arrival_times(plan: Plan, replication: int) -> Iterator[FloatArray]:
    """The same arrivals' times alone: sorted, in chunks of any length."""
    seed, horizon_s = plan.seed, plan.horizon_s
    match plan.workload.arrivals:
        case PoissonArrivals() as law:
            return poisson_times(law, seed, replication, horizon_s)
        case BurstyArrivals() as law:
            return bursty_times(law, seed, replication, horizon_s)
        case BatchArrivals() as law:
            return batch_times(law, horizon_s)
        case ReplayedArrivals() as law:
            return replayed_times(law, horizon_s)
        case ClosedArrivals():
            raise TypeError("a closed workload has no arrivals of its own: its users send when they have thought")


def _marked(chunks: Iterator[FloatArray], marks: RequestMarks) -> Iterator[ArrivalBlock]:
    for block, arrival_s in enumerate(in_blocks(chunks, BLOCK)):
        input_tokens, output_tokens, units, requirement = marks.columns(block)
        present = slice(arrival_s.size)
        yield ArrivalBlock(
            block * BLOCK,
            arrival_s.tolist(),
            input_tokens[present].tolist(),
            output_tokens[present].tolist(),
            units[present].tolist(),
            requirement[present].tolist(),
        )


def in_blocks(chunks: Iterator[FloatArray], size: int) -> Iterator[FloatArray]:
    """The same values, `size` at a time, so that block b starts with request b * size."""
    left = np.empty(0)
    for chunk in chunks:
        values = np.concatenate((left, chunk)) if left.size else chunk
        whole = values.size - values.size % size
        for start in range(0, whole, size):
            yield values[start : start + size]
        left = values[whole:]
    if left.size:
        yield left
