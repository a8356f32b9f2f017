import math
from datetime import UTC, datetime, timedelta, timezone

import pytest

from des.scenario.schema.profiles import profile

FLAT = [1.0] * 168


def test_weights_are_scaled_to_mean_one() -> None:
    weights = [float(1 + hour % 5) for hour in range(168)]
    scaled = profile(weights, None, None, None).weights
    assert math.fsum(scaled) / 168 == pytest.approx(1.0, rel=1e-15)
    assert scaled[4] / scaled[0] == pytest.approx(5.0)
    assert profile(FLAT, None, None, None).weights == (1.0,) * 168


def test_hours_and_days_multiply_monday_first() -> None:
    hours = [float(hour) for hour in range(24)]
    days = [1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.0]
    weights = profile(None, hours, days, None).weights
    monday_noon, saturday_noon, sunday_noon = weights[12], weights[5 * 24 + 12], weights[6 * 24 + 12]
    assert saturday_noon == pytest.approx(monday_noon / 2)
    assert sunday_noon == 0.0
    assert weights[23] / weights[1] == pytest.approx(23.0)


def test_hours_or_days_alone_leave_the_other_flat() -> None:
    by_hour = profile(None, [2.0] * 12 + [0.0] * 12, None, None).weights
    assert by_hour[:24] == by_hour[144:] == (2.0,) * 12 + (0.0,) * 12
    by_day = profile(None, None, [7.0, 0, 0, 0, 0, 0, 0], None).weights
    assert by_day == (7.0,) * 24 + (0.0,) * 144


@pytest.mark.parametrize(
    ("start", "offset_s"),
    [
        (None, 0.0),
        (datetime(2024, 1, 1, tzinfo=UTC), 0.0),  # a Monday
        (datetime(2024, 1, 3, 4, 5, 6, 500_000, tzinfo=UTC), 2 * 86400 + 4 * 3600 + 5 * 60 + 6.5),
        (datetime(2024, 1, 7, 23, 59, 59, tzinfo=UTC), 7 * 86400 - 1.0),
        (datetime(2024, 1, 1, 1), 3600.0),  # no zone: UTC
        (datetime(2024, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))), 6 * 86400 + 23 * 3600.0),  # Sunday in UTC
    ],
)
def test_the_offset_is_the_start_in_its_utc_week(start: datetime | None, offset_s: float) -> None:
    assert profile(FLAT, None, None, start).offset_s == offset_s


@pytest.mark.parametrize(
    ("weights", "hours", "days", "message"),
    [
        (None, None, None, "needs hours"),
        (FLAT, [1.0] * 24, None, "not both"),
        ([1.0] * 167, None, None, "weights must have 168 numbers, one an hour from Monday 00:00 UTC on, not 167"),
        (None, [1.0] * 25, None, "hours must have 24 numbers, one an hour from 00:00 UTC on, not 25"),
        (None, None, [], "days must have 7 numbers, one a day from Monday on, not 0"),
        (None, [1.0] * 5 + [-0.5] + [1.0] * 18, None, r"hours\[5\] is -0.5"),
        (None, None, [1, 1, math.nan, 1, 1, 1, 1], r"days\[2\] is nan"),
        ([math.inf] + [1.0] * 167, None, None, r"weights\[0\] is inf"),
        (None, None, [0.0] * 7, "days are all zero"),
        ([1e308] * 168, None, None, "too large"),
        (None, [1e-200] * 24, [1e-200] * 7, "too small"),
    ],
)
def test_what_is_no_profile_is_refused(
    weights: list[float] | None, hours: list[float] | None, days: list[float] | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        profile(weights, hours, days, None)
