"""What a window shows of a service."""

import numpy as np
import pytest

from calibration.histories import DAY, HOUR, MONDAY_S, WEEK, history
from des.faults.calibration import observed, severities


def test_open_time_counts_overlapping_incidents_once() -> None:
    some = history([HOUR, 1.5 * HOUR, 5 * HOUR, 6 * HOUR], [3 * HOUR, HOUR, HOUR, HOUR], 10 * HOUR)
    assert some.open_s() == 5 * HOUR
    assert history([], [], WEEK).open_s() == 0.0


def test_open_time_is_clipped_to_the_window() -> None:
    some = history([-2 * HOUR, 9 * HOUR], [3 * HOUR, np.inf], 10 * HOUR)
    assert some.open_s() == 2 * HOUR
    assert len(some.starts_s) == 1


def test_open_minutes_are_those_between_rounded_ends() -> None:
    some = history([60.0, 100.0, 600.0], [120.0, 29.0, 0.0], 900.0)
    minutes = some.open_minutes(MONDAY_S, MONDAY_S + 900.0)
    assert np.flatnonzero(minutes).tolist() == [1, 2]
    assert history([0.0], [np.inf], 300.0).open_minutes(MONDAY_S, MONDAY_S + 300.0).all()


def test_open_incidents_last_at_least_until_they_were_last_seen() -> None:
    durations, still_open = history([0.0, DAY], [HOUR, np.inf], 3 * DAY).durations_s()
    assert durations.tolist() == [HOUR, 2 * DAY]
    assert still_open.tolist() == [False, True]


def test_a_window_keeps_what_is_open_in_it_and_counts_what_starts_in_it() -> None:
    some = history([0.0, 3 * DAY, 5 * DAY, 9 * DAY], [4 * DAY, HOUR, HOUR, HOUR], 10 * DAY, ids=list("abcd"))
    seen = observed(some, MONDAY_S + 3.5 * DAY, MONDAY_S + 8 * DAY)
    assert seen.incident_id == ("a", "c")
    assert len(seen.starts_s) == 1
    assert seen.open_s() == 0.5 * DAY + HOUR
    assert (seen.from_s, seen.until_s) == (MONDAY_S + 3.5 * DAY, MONDAY_S + 8 * DAY)


def test_a_window_never_reaches_beyond_what_was_recorded() -> None:
    some = history([2 * DAY], [HOUR], 10 * DAY, from_s=2 * DAY)
    assert observed(some, MONDAY_S, MONDAY_S + WEEK * 9) == some


def test_severities_share_counts_and_durations() -> None:
    some = history(
        [0.0, DAY, 2 * DAY, 3 * DAY], [HOUR, HOUR, 2 * HOUR, 4 * HOUR], 5 * DAY, severity=["1", "1", "2", "1"]
    )
    minor, major = severities(some)
    assert (minor.severity, minor.count, minor.share) == ("1", 3, 0.75)
    assert minor.share_of_duration == pytest.approx(6 / 8)
    assert (major.median_duration_s, minor.median_duration_s) == (2 * HOUR, HOUR)
    assert severities(history([0.0], [HOUR], DAY)) == ()
