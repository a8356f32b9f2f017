"""What failing costs, worked out by hand."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from des.estimate.estimate import Estimate
from des.scenario.schema.objective import Value
from des.study.value import Money, Step, cheapest, money, steps

VALUE = Value(lost_request_usd=0.10, downtime_usd_per_s=1000.0 / 3600.0)
REQUESTS = 1_000_000.0


def of(cost: float, lost: float) -> Money:
    return money(Estimate(cost), Estimate(lost), REQUESTS, VALUE)


@dataclass(frozen=True)
class Known:
    """Differences of any two arms."""

    spent: Estimate | None = None
    saved: Estimate | None = None
    together: bool = False

    def spends(self, arm: str, after: str) -> Estimate | None:
        return self.spent

    def saves(self, arm: str, after: str) -> Estimate | None:
        return self.saved

    def worth(self, arm: str, after: str) -> Estimate | None:
        return None

    def depend(self, arm: str, after: str) -> bool:
        return self.together


def stepped(arms: Mapping[str, Money], known: Known = Known()) -> tuple[Step, ...]:
    return steps(arms, known)


def test_a_year_is_answers_lost_requests_and_hours_down() -> None:
    found = of(0.01, 0.001)
    assert found.answers.mean == pytest.approx(10_000.0)
    assert found.lost_requests.mean == pytest.approx(1_000.0)
    assert found.hours_down.mean == pytest.approx(8.76)
    assert found.failing.mean == pytest.approx(100.0 + 8_760.0)
    assert found.total.mean == pytest.approx(18_860.0)


def test_the_next_arm_pays_from_where_its_spending_equals_what_it_saves() -> None:
    (step,) = stepped({"two": of(0.012, 0.0002), "one": of(0.01, 0.001)})
    assert (step.arm, step.next) == ("one", "two")
    assert step.spends.mean == pytest.approx(2_000.0)
    assert step.saves.mean == pytest.approx(0.8 * 8_860.0)
    assert step.worth.mean == pytest.approx(0.8 * 8_860.0 - 2_000.0)
    assert step.from_lost_request == Estimate(pytest.approx(2_000.0 / 800.0))
    assert step.from_downtime_per_h == Estimate(pytest.approx(2_000.0 / (0.8 * 8.76)))


def test_at_its_break_even_price_an_arm_is_worth_nothing() -> None:
    (step,) = stepped({"one": of(0.01, 0.001), "two": of(0.012, 0.0002)})
    assert step.from_lost_request is not None
    priced = Value(lost_request_usd=step.from_lost_request.known)
    one, two = (money(Estimate(c), Estimate(u), REQUESTS, priced) for c, u in ((0.01, 0.001), (0.012, 0.0002)))
    (even,) = stepped({"one": one, "two": two})
    assert even.worth.mean == pytest.approx(0.0, abs=1e-6)


def test_an_arm_that_is_no_dearer_pays_at_any_price_and_one_as_bad_at_none() -> None:
    cheaper, alike = of(0.009, 0.0002), of(0.02, 0.0002)
    first, second = stepped({"one": of(0.01, 0.001), "cheaper": cheaper, "alike": alike})
    assert (first.next, first.from_lost_request) == ("cheaper", Estimate(0.0))
    assert (second.next, second.from_lost_request) == ("alike", None)


def test_paired_differences_stand_in_place_of_those_from_both_arms() -> None:
    spent = Estimate(2_000.0, 1_990.0, 2_010.0, 5)
    (step,) = stepped({"one": of(0.01, 0.001), "two": of(0.012, 0.0002)}, Known(spent=spent))
    assert step.spends is spent
    assert step.worth.low == pytest.approx(0.8 * 8_860.0 - 2_010.0)


def test_the_interval_of_a_break_even_price_covers_what_the_differences_allow() -> None:
    spent, saved = Estimate(2_000.0, 1_900.0, 2_100.0, 5), Estimate(7_000.0, 6_000.0, 8_000.0, 5)
    arms = {"one": of(0.01, 0.001), "two": of(0.012, 0.0002)}
    (apart,) = stepped(arms, Known(spent, saved))
    (together,) = stepped(arms, Known(spent, saved, together=True))
    for step in (apart, together):
        assert step.from_lost_request is not None
        assert step.from_lost_request.mean == pytest.approx(2_000.0 / 800.0)
    assert together.from_lost_request is not None
    assert together.from_lost_request.low == pytest.approx(1_900.0 / (800.0 * 8.0 / 7.0))
    assert together.from_lost_request.high == pytest.approx(2_100.0 / (800.0 * 6.0 / 7.0))
    assert apart.from_lost_request is not None
    assert apart.from_lost_request.low is not None
    assert apart.from_lost_request.low > together.from_lost_request.low
    assert apart.worth.low == pytest.approx(5_000.0 - (1_000.0**2 + 100.0**2) ** 0.5)
    assert together.worth.low == pytest.approx(5_000.0 - 1_100.0)


def test_the_cheapest_arm_has_the_rivals_that_cannot_be_told_from_it() -> None:
    arms = {"one": of(0.01, 0.001), "two": of(0.012, 0.0002), "three": of(0.012, 0.00021)}
    sure = cheapest(arms, Known())
    assert sure is not None
    assert (sure.arm, sure.rivals) == ("two", ())
    blurred = {
        arm: money(Estimate(0.012), Estimate(lost, 0.9 * lost, 1.1 * lost, 9), REQUESTS, VALUE)
        for arm, lost in (("two", 0.0002), ("three", 0.00021))
    }
    found = cheapest({"one": of(0.01, 0.001)} | blurred, Known())
    assert found is not None
    assert (found.arm, found.rivals) == ("two", ("three",))
    assert cheapest({}, Known()) is None
