"""Open together: against the product of the marginals, and against every shift by whole weeks."""

import math

import numpy as np
import pytest

from calibration.histories import DAY, HOUR, MONDAY_S, WEEK, history
from des.faults.calibration import Overlap, ServiceHistory, holm, overlap, overlaps


def _overlap(one: ServiceHistory, other: ServiceHistory, permutations: int | None = None) -> Overlap:
    found = overlap(one, other, permutations, np.random.default_rng(1))
    assert found is not None
    return found


def _random(seed: int, weeks: int, count: int = 60) -> ServiceHistory:
    rng = np.random.default_rng(seed)
    return history(rng.random(count) * weeks * WEEK, rng.lognormal(8.0, 1.0, count), weeks * WEEK, service=f"s{seed}")


def test_ratios_by_hand() -> None:
    one = history([0.0, WEEK + 5 * HOUR], [2 * HOUR, 2 * HOUR], 4 * WEEK)
    other = history([HOUR, 2 * WEEK], [2 * HOUR, 2 * HOUR], 4 * WEEK)
    found = _overlap(one, other)
    share = 4 / (4 * 168)
    assert (found.weeks, found.shifts, found.episodes) == (4, 3, 1)
    assert (found.share_first, found.share_second) == pytest.approx((share, share))
    assert found.share_both == pytest.approx(1 / (4 * 168))
    assert found.ratio_to_product == pytest.approx(1 / (4 * 168) / share**2)
    # moved by two weeks the other's second incident lies on the first one's first
    assert found.shifted_share_both == pytest.approx(2 / 3 / (4 * 168))
    assert found.p_value == pytest.approx(2 / 4)


def test_every_shift_is_what_rolling_the_minutes_gives() -> None:
    one, other = _random(1, 9), _random(2, 9)
    found = _overlap(one, other)
    minutes = [each.open_minutes(MONDAY_S, MONDAY_S + 9 * WEEK) for each in (one, other)]
    rolled = [float((minutes[0] & np.roll(minutes[1], 10_080 * shift)).mean()) for shift in range(9)]
    assert found.share_both == pytest.approx(rolled[0])
    assert found.shifted_share_both == pytest.approx(np.mean(rolled[1:]))
    assert found.p_value == pytest.approx(sum(each >= rolled[0] for each in rolled) / 9)


def test_order_of_the_two_does_not_matter() -> None:
    one, other = _random(3, 12), _random(4, 12)
    there, back = _overlap(one, other), _overlap(other, one)
    assert there.ratio_to_shifts == pytest.approx(back.ratio_to_shifts)
    assert (there.p_value, there.common_starts) == (back.p_value, back.common_starts)


def test_only_whole_weeks_common_to_both_count_from_the_first_midnight() -> None:
    one = history([10 * HOUR, 20 * DAY], HOUR, 30 * DAY, from_s=10 * HOUR)
    other = history([0.0], HOUR, 25 * DAY)
    found = _overlap(one, other)
    assert found.from_s == MONDAY_S + DAY
    assert found.weeks == 3
    assert found.starts_first == 1
    assert overlap(one, history([0.0], HOUR, 5 * DAY), None, np.random.default_rng(0)) is None


def test_independent_services_are_seldom_called_dependent() -> None:
    p_values = [_overlap(_random(seed, 26), _random(seed + 1000, 26)).p_value for seed in range(100)]
    assert np.mean([p <= 0.05 for p in p_values]) <= 0.13
    assert 0.35 < np.mean(p_values) < 0.65


def test_a_shared_timetable_is_no_dependence_beyond_the_time_of_week() -> None:
    """Both fail on weekday afternoons: more often together than the product has it, not more than shifts do."""
    rng = np.random.default_rng(12)

    def afternoons(name: str) -> ServiceHistory:
        days = rng.integers(0, 52, 150) * 7 + rng.integers(0, 5, 150)
        return history(days * DAY + (14 + 6 * rng.random(150)) * HOUR, 2 * HOUR, 52 * WEEK, service=name)

    found = _overlap(afternoons("a"), afternoons("b"))
    assert found.ratio_to_product > 2.0
    assert found.ratio_to_shifts == pytest.approx(1.0, abs=0.4)
    assert found.p_value > 0.05


def test_common_starts_are_counted_against_chance() -> None:
    rng = np.random.default_rng(3)
    shared = rng.random(30) * 30 * WEEK
    one = history(np.concatenate((shared, rng.random(20) * 30 * WEEK)), HOUR, 30 * WEEK)
    other = history(shared + 120.0, HOUR, 30 * WEEK)
    found = _overlap(one, other)
    assert (found.starts_first, found.starts_second, found.common_starts) == (50, 30, 30)
    assert found.common_start_share == 1.0
    assert found.shifted_common_starts < 1.0
    assert found.p_value == pytest.approx(1 / 30)


def test_common_incidents_share_their_id() -> None:
    one = history([HOUR, 2 * DAY, 3 * DAY], HOUR, 3 * WEEK, ids=["a", "b", ""])
    other = history([HOUR, 5 * DAY], HOUR, 3 * WEEK, ids=["a", ""])
    assert _overlap(one, other).common_incidents == 1


def test_some_shifts_can_stand_for_all() -> None:
    one, other = _random(5, 40), _random(6, 40)
    assert _overlap(one, other, permutations=10).shifts == 10
    assert _overlap(one, other, permutations=10) == _overlap(one, other, permutations=10)
    assert _overlap(one, other, permutations=500) == _overlap(one, other)


def test_what_the_data_cannot_give_is_nan() -> None:
    found = _overlap(history([0.0], 0.0, 3 * WEEK), history([DAY], HOUR, 3 * WEEK))
    assert math.isnan(found.ratio_to_product)
    assert math.isnan(found.p_value)
    one_week = _overlap(history([0.0], HOUR, WEEK), history([0.0], HOUR, WEEK))
    assert one_week.ratio_to_product == pytest.approx(168.0)
    assert math.isnan(one_week.ratio_to_shifts)
    assert math.isnan(one_week.p_value)


def test_holm_adjusts_in_steps_and_never_falls() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
    with_unknown = holm([0.02, math.nan, 0.03])
    assert with_unknown[0::2] == pytest.approx([0.04, 0.04])
    assert math.isnan(with_unknown[1])


def test_pairs_are_adjusted_for_their_number() -> None:
    pairs = overlaps([_random(seed, 20) for seed in range(4)], None, np.random.default_rng(0))
    assert len(pairs) == 6
    assert [pair.p_adjusted for pair in pairs] == holm([pair.p_value for pair in pairs])
