"""What failing costs, worked out by hand."""

import pytest

from des.estimate.estimate import Estimate
from des.scenario.schema.objective import Value
from des.study.value import Money, added, apart, less, money, steps

VALUE = Value(lost_request_usd=0.10, downtime_usd_per_s=1000.0 / 3600.0)
REQUESTS = 1_000_000.0


def of(cost: float, lost: float) -> Money:
    return money(Estimate(cost), Estimate(lost), REQUESTS, VALUE)


def test_a_year_is_answers_lost_requests_and_hours_down() -> None:
    found = of(0.01, 0.001)
    assert found.answers.mean == pytest.approx(10_000.0)
    assert found.lost_requests.mean == pytest.approx(1_000.0)
    assert found.hours_down.mean == pytest.approx(8.76)
    assert found.failing.mean == pytest.approx(100.0 + 8_760.0)
    assert found.total.mean == pytest.approx(18_860.0)


def test_the_next_arm_pays_from_where_its_spending_equals_what_it_saves() -> None:
    (step,) = steps({"two": of(0.012, 0.0002), "one": of(0.01, 0.001)}, {}, {})
    assert (step.arm, step.next) == ("one", "two")
    assert step.spends.mean == pytest.approx(2_000.0)
    assert step.saves.mean == pytest.approx(0.8 * 8_860.0)
    assert step.worth.mean == pytest.approx(0.8 * 8_860.0 - 2_000.0)
    assert step.from_lost_request == pytest.approx(2_000.0 / 800.0)
    assert step.from_downtime_per_h == pytest.approx(2_000.0 / (0.8 * 8.76))


def test_at_its_break_even_price_an_arm_is_worth_nothing() -> None:
    (step,) = steps({"one": of(0.01, 0.001), "two": of(0.012, 0.0002)}, {}, {})
    assert step.from_lost_request is not None
    priced = Value(lost_request_usd=step.from_lost_request)
    one, two = (money(Estimate(c), Estimate(u), REQUESTS, priced) for c, u in ((0.01, 0.001), (0.012, 0.0002)))
    (even,) = steps({"one": one, "two": two}, {}, {})
    assert even.worth.mean == pytest.approx(0.0, abs=1e-6)


def test_an_arm_that_is_no_dearer_pays_at_any_price_and_one_as_bad_at_none() -> None:
    cheaper, alike = of(0.009, 0.0002), of(0.02, 0.0002)
    first, second = steps({"one": of(0.01, 0.001), "cheaper": cheaper, "alike": alike}, {}, {})
    assert (first.next, first.from_lost_request) == ("cheaper", 0.0)
    assert (second.next, second.from_lost_request) == ("alike", None)


def test_paired_differences_stand_in_place_of_those_from_both_arms() -> None:
    spent = Estimate(2_000.0, 1_990.0, 2_010.0, 5)
    (step,) = steps({"one": of(0.01, 0.001), "two": of(0.012, 0.0002)}, {("one", "two"): spent}, {})
    assert step.spends is spent
    assert step.worth.low == pytest.approx(0.8 * 8_860.0 - 2_010.0)


def test_half_widths_add_as_squares_if_independent_and_in_full_if_not() -> None:
    one, other = Estimate(10.0, 7.0, 13.0, 4), Estimate(4.0, 0.0, 8.0, 4)
    assert (added(one, other).low, added(one, other).high) == pytest.approx((9.0, 19.0))
    assert (less(one, other).low, less(one, other).high) == pytest.approx((1.0, 11.0))
    assert (apart(one, other).low, apart(one, other).high) == pytest.approx((-1.0, 13.0))
