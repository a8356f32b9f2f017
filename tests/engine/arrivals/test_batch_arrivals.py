import pytest

from des.engine.arrivals import open_arrivals
from des.scenario.plan import BatchArrivals


def times(plan):
    return [time_s for block in open_arrivals(plan, 0) for time_s in block.arrival_s]


def test_every_batch_comes_whole_at_its_time(plan_of):
    found = times(plan_of(BatchArrivals(every_s=14_400.0, size=20, first_s=600.0), horizon_s=365 * 86_400.0))
    assert len(found) == 365 * 6 * 20
    assert found == [600.0 + 14_400.0 * k for k in range(365 * 6) for _ in range(20)]


def test_times_are_multiplied_not_accumulated(plan_of):
    found = times(plan_of(BatchArrivals(every_s=0.1, size=1), horizon_s=1000.0))
    assert found == [0.1 * k for k in range(10_000)]


@pytest.mark.parametrize(("horizon_s", "batches"), [(30.0, 3), (30.5, 4), (0.5, 1)])
def test_a_batch_at_the_horizon_is_left_out(horizon_s, batches, plan_of):
    assert len(times(plan_of(BatchArrivals(every_s=10.0, size=7), horizon_s=horizon_s))) == 7 * batches


def test_a_batch_may_be_larger_than_a_block(plan_of):
    found = times(plan_of(BatchArrivals(every_s=10.0, size=10_001), horizon_s=20.0))
    assert found == [0.0] * 10_001 + [10.0] * 10_001
