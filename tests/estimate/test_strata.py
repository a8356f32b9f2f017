"""Strata cover what they part, and arrivals in them stand for all of it."""

import numpy as np
import pytest

from des.estimate.timeline import MOST_STRATA, expected_arrivals, strata, stratified
from des.faults import Intervals
from des.faults.incident_classes import weights_at
from des.scenario.plan import Profile


def _intervals(*pairs: tuple[float, float]) -> Intervals:
    return Intervals(np.array([start for start, _ in pairs]), np.array([end for _, end in pairs]))


def _length(windows: Intervals) -> float:
    return float((windows.end_s - windows.start_s).sum())


def test_time_is_parted_by_which_hold_and_cut_at_its_ends() -> None:
    found = strata([_intervals((-5.0, 2.0), (8.0, 20.0)), _intervals((1.0, 3.0))], 10.0)
    assert [list(zip(each.start_s.tolist(), each.end_s.tolist(), strict=True)) for each in found] == [
        [(0.0, 1.0), (8.0, 10.0)],
        [(2.0, 3.0)],
        [(1.0, 2.0)],
    ]


def test_nothing_that_holds_makes_no_strata() -> None:
    assert strata([_intervals((12.0, 13.0))], 10.0) == []


def test_too_many_combinations_are_parted_by_how_many_hold() -> None:
    several = [_intervals(*((float(at), at + 1.0) for at in range(64) if at >> bit & 1)) for bit in range(6)]
    found = strata(several, 64.0)
    assert len(found) == 6 < MOST_STRATA
    assert [_length(each) for each in found] == [6.0, 15.0, 20.0, 15.0, 6.0, 1.0]


def test_each_equal_part_of_the_windows_has_one_instant() -> None:
    windows = _intervals((0.0, 1.0), (10.0, 13.0))
    measure, at_s = stratified(windows, 8, np.random.default_rng(1))
    assert measure == 4.0
    along = np.where(at_s < 1.0, at_s, at_s - 9.0)
    assert (np.floor(along / 0.5) == np.arange(8)).all()


@pytest.mark.parametrize("until_s", [600.0, 5 * 3600.0, 30.5 * 3600.0, 2.3 * 604_800.0])
@pytest.mark.parametrize("offset_s", [37 * 3600.0, 37.75 * 3600.0])
def test_expected_arrivals_are_the_integral_of_the_weights(until_s: float, offset_s: float) -> None:
    profile = Profile(tuple(0.5 + hour % 24 / 23.0 for hour in range(168)), offset_s)
    middles_s = (np.arange(200_000) + 0.5) * (until_s / 200_000)
    assert expected_arrivals(profile, until_s) == pytest.approx(
        float(weights_at(profile, middles_s).mean()) * until_s, rel=1e-4
    )
