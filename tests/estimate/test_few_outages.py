"""With few total outages the interval of an availability is honest about the requests that outlast one."""

import pytest

from des.estimate.estimate import Estimate
from des.estimate.exact import exact
from des.estimate.few_outages import with_few_outages
from des.estimate.timeline import timeline
from des.theory.retries import all_fail_in_outage
from estimate.exact_plans import plan_of, provider, up_down

SEEDS = 24


@pytest.mark.parametrize("years", [0.5, 2.0])
def test_intervals_over_hardly_any_total_outages_cover_the_closed_form(years: float) -> None:
    """Each provider's chance of failing a call and its retries has a closed form; the product of both is lost.

    In so many years, one and three total outages are to be expected. Student's t over blocks alone covers 11 and 18
    times of 24.
    """
    one = provider(incidents=[{**up_down("99h", "1h"), "error_latency": 0}])
    plan = plan_of(
        providers={"a": one, "b": one},
        chain=[{"provider": name, "retries": 2} for name in "ab"],
        policy={"backoff": {"kind": "exponential", "base": "20min", "factor": 2}},
    )
    lost = all_fail_in_outage(99.0, 1.0, [1 / 3, 2 / 3]) ** 2
    assert lost < 0.5 * exact(plan).all_down  # most requests outlast a total outage
    found = [timeline(plan, years, seed=seed, samples=200).availability for seed in range(SEEDS)]
    covered = sum(each.low <= 1.0 - lost <= each.high for each in found)
    assert covered >= SEEDS - 3


T = Estimate(0.999, 0.9989, 0.9991, 40, "timeline")


def test_without_a_total_outage_all_that_can_outlast_one_may_be_served() -> None:
    found = with_few_outages(T, [5e-5] * 40, [0.0] * 40, at_most=9e-4, from_one=6e-4)
    assert (found.mean, found.low) == (T.mean, T.low)
    assert found.high == pytest.approx(0.999 + 9e-4)  # 3.7 outages would spare more
    short = with_few_outages(T, [5e-5] * 40, [0.0] * 40, at_most=9e-4, from_one=5e-5)
    assert short.high == pytest.approx(0.999 + 3.689 * 5e-5, abs=1e-7)


def test_what_survived_one_outage_may_be_far_from_what_survives_on_average() -> None:
    found = with_few_outages(T, [5e-3] + [0.0] * 39, [2e-2] + [0.0] * 39, at_most=9e-4, from_one=6e-4)
    assert found.low < T.low
    assert found.high > T.high
    assert found.mean == T.mean


def test_outages_that_lost_all_requests_leave_room_for_others_that_do_not() -> None:
    found = with_few_outages(T, [2.1e-2] + [0.0] * 39, [2e-2] + [0.0] * 39, at_most=9e-4, from_one=5e-5)
    assert (found.mean, found.low) == (T.mean, T.low)
    assert found.high == pytest.approx(0.999 + 3.689 * 5e-5, abs=1e-7)


def test_blocks_that_agree_because_none_had_an_outage_have_an_interval() -> None:
    found = with_few_outages(T.without_interval("none: the same throughout"), [0.0] * 40, [0.0] * 40, 9e-4, 6e-4)
    assert found.low == pytest.approx(0.999)
    assert found.high == pytest.approx(0.9999)
    assert found.interval is None
