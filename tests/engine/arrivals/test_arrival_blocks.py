"""What holds for every open workload, however its requests arrive."""

import tracemalloc
from itertools import islice, pairwise

import numpy as np
import pytest

from des.distributions import Constant, Lognormal
from des.engine.arrivals import ArrivalBlock, in_blocks, open_arrivals
from des.scenario.plan import (
    BatchArrivals,
    BurstyArrivals,
    ClosedArrivals,
    PoissonArrivals,
    Profile,
    ReplayedArrivals,
    Requirement,
)

WEEKDAYS = Profile(weights=(0.5,) * 84 + (1.5,) * 84, offset_s=84 * 3600.0 - 700.0)
RECORDED = ReplayedArrivals(
    arrival_s=np.array([0.0, 0.5, 0.5, 1.75]),
    input_tokens=np.array([10, 20, 30, 40]),
    output_tokens=None,
    period_s=2.25,
)
ARRIVALS = {
    "poisson": PoissonArrivals(rate_per_s=5.0),
    "poisson under a profile": PoissonArrivals(rate_per_s=5.0, profile=WEEKDAYS),
    "bursty": BurstyArrivals(rate_per_s=5.0, cv=3.0, clients=4),
    "bursty under a profile": BurstyArrivals(rate_per_s=5.0, cv=3.0, clients=4, profile=WEEKDAYS),
    "regular": BurstyArrivals(rate_per_s=5.0, cv=0.0, clients=3),
    "batch": BatchArrivals(every_s=40.0, size=200, first_s=3.0),
    "replay": RECORDED,
}
MARKS = {
    "input_tokens": Lognormal(7.0, 0.5),
    "output_tokens": Lognormal(5.0, 0.5),
    "units": Lognormal(0.0, 1.0),
    "requirements": (Requirement(share=0.4, tags={"region": "eu"}),),
}
every_kind = pytest.mark.parametrize("arrivals", ARRIVALS.values(), ids=ARRIVALS.keys())


def rows(blocks: list[ArrivalBlock]) -> list[tuple[float, int, int, float, int]]:
    return [
        row
        for block in blocks
        for row in zip(
            block.arrival_s, block.input_tokens, block.output_tokens, block.units, block.requirement, strict=True
        )
    ]


@every_kind
def test_arrivals_are_sorted_and_below_the_horizon(arrivals, plan_of):
    arrival_s = [row[0] for row in rows(list(open_arrivals(plan_of(arrivals, 3000.0), 0)))]
    assert len(arrival_s) > 4000
    assert all(earlier <= later for earlier, later in pairwise(arrival_s))
    assert arrival_s[0] >= 0.0
    assert arrival_s[-1] < 3000.0


@every_kind
def test_a_longer_horizon_only_appends(arrivals, plan_of):
    short = rows(list(open_arrivals(plan_of(arrivals, 900.0, **MARKS), 0)))
    long = rows(list(open_arrivals(plan_of(arrivals, 4100.0, **MARKS), 0)))
    assert long[: len(short)] == short
    assert len(long) > len(short) > 0
    assert long[len(short)][0] >= 900.0


@every_kind
def test_blocks_are_full_and_their_ids_consecutive(arrivals, plan_of):
    blocks = list(open_arrivals(plan_of(arrivals, 3000.0), 0))
    sizes = [len(block.arrival_s) for block in blocks]
    assert sizes[:-1] == [4096] * (len(sizes) - 1)
    assert 0 < sizes[-1] <= 4096
    assert [block.first_id for block in blocks] == [4096 * number for number in range(len(blocks))]


@every_kind
def test_values_are_plain_python_numbers(arrivals, plan_of):
    for row in rows(list(open_arrivals(plan_of(arrivals, 100.0, **MARKS), 0))):
        assert [type(value) for value in row] == [float, int, int, float, int]


@every_kind
def test_a_replication_repeats_exactly(arrivals, plan_of):
    first, second = (rows(list(open_arrivals(plan_of(arrivals, **MARKS), 3))) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("name", ["poisson", "poisson under a profile", "bursty", "regular"])
def test_replications_and_seeds_differ(name, plan_of):
    first, replication, seed = (
        next(open_arrivals(plan_of(ARRIVALS[name], seed=seed), replication)).arrival_s
        for seed, replication in [(1, 0), (1, 1), (2, 0)]
    )
    assert not set(first) & set(replication)
    assert not set(first) & set(seed)


@every_kind
def test_arrivals_are_drawn_only_as_they_are_asked_for(arrivals, plan_of):
    blocks = list(islice(open_arrivals(plan_of(arrivals, 1e15), 0), 3))
    assert sum(len(block.arrival_s) for block in blocks) == 3 * 4096


@every_kind
def test_memory_does_not_grow_with_the_number_of_requests(arrivals, plan_of):
    peaks = []
    for requests in (20_000, 80_000):
        tracemalloc.start()
        for _ in open_arrivals(plan_of(arrivals, requests / 5.0), 0):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] + 100_000


@every_kind
def test_a_horizon_before_the_first_arrival_has_none(arrivals, plan_of):
    assert list(open_arrivals(plan_of(arrivals, 0.0), 0)) == []


@pytest.mark.parametrize("arrivals", [PoissonArrivals(rate_per_s=0.0), BurstyArrivals(rate_per_s=0.0, cv=2.0)])
def test_a_rate_of_zero_sends_nothing(arrivals, plan_of):
    assert list(open_arrivals(plan_of(arrivals), 0)) == []


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
def test_the_size_of_chunks_and_blocks_moves_no_value(size):
    values = np.arange(523) / 7.0
    for cuts in ([], [0, 1, 1, 260], [100, 200, 523]):
        blocks = list(in_blocks(iter(np.split(values, cuts)), size))
        assert np.array_equal(np.concatenate(blocks), values)
        assert {block.size for block in blocks[:-1]} <= {size}


def test_a_closed_workload_has_no_arrivals_of_its_own(plan_of):
    with pytest.raises(TypeError, match="closed"):
        open_arrivals(plan_of(ClosedArrivals(users=2, think=Constant(1.0))), 0)
