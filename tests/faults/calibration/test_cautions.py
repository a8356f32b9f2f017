"""Where a history says little, that is said."""

import numpy as np
import pytest

from calibration.histories import DAY, HOUR, WEEK, YEAR, history, renewal_starts
from des.faults.calibration import ServiceHistory, calibrate, cautions


def _cautions(*services: ServiceHistory, **distributions: str) -> str:
    return "\n".join(cautions(calibrate(services), **distributions))


def _steady(seed: int = 1, name: str = "api", years: float = 3.0) -> ServiceHistory:
    rng = np.random.default_rng(seed)
    starts = renewal_starts(rng, 1.0, 3 * DAY, years * YEAR)
    return history(starts, rng.exponential(HOUR, len(starts)), years * YEAR, service=name)


def test_a_steady_long_history_needs_no_caution() -> None:
    assert _cautions(_steady()) == ""


@pytest.mark.parametrize(
    ("starts", "durations", "said"),
    [
        ([HOUR], HOUR, "api: only one incident"),
        (np.arange(7) ** 2 * DAY, HOUR * np.arange(1, 8), "api: only 7 incidents"),
        (np.arange(30) ** 1.1 * DAY, HOUR, "all times to repair are equal"),
        (np.arange(30) * DAY, HOUR * np.arange(1, 31), "all times between incidents are equal"),
        (
            np.arange(30) ** 1.1 * DAY,
            np.r_[np.zeros(12), np.arange(1.0, 19.0)] * HOUR,
            "12 of 30 incidents have zero len",
        ),
        (np.arange(3) * DAY, HOUR, "too few incidents for a test of growth"),
        (np.arange(8) ** 1.1 * DAY, HOUR * np.arange(1, 9), "too few incidents to compare weekdays or hours"),
        (np.arange(3) * DAY, np.inf, "no completed times to repair"),
    ],
)
def test_too_little_is_told(starts: np.ndarray, durations: np.ndarray, said: str) -> None:
    assert said in _cautions(history(starts, durations, 60 * DAY))


def test_open_incidents_are_told() -> None:
    starts = np.arange(30) * DAY + np.arange(30) ** 2 * 60
    durations = np.where(np.arange(30) == 29, np.inf, HOUR * (1 + np.arange(30)))
    assert "1 still open" in _cautions(history(starts, durations, 60 * DAY))


def test_a_rate_that_moved_is_told_with_the_date_to_fit_from() -> None:
    rng = np.random.default_rng(3)
    starts = np.concatenate((rng.random(20) * YEAR, YEAR + rng.random(150) * YEAR))
    said = _cautions(history(starts, rng.exponential(HOUR, 170), 2 * YEAR))
    assert "the rate changed" in said
    assert "--since 2024-12" in said or "--since 2025-01" in said


def test_a_distribution_that_misses_the_mean_is_told_with_one_that_does_not() -> None:
    rng = np.random.default_rng(3)
    starts = renewal_starts(rng, 1.0, 3 * DAY, 3 * YEAR)
    durations = np.where(rng.random(len(starts)) < 0.3, 1.0, rng.lognormal(8.0, 0.3, len(starts)))
    said = _cautions(history(starts, durations, 3 * YEAR), repair="lognormal")
    assert "the lognormal of the times to repair has" in said
    assert "--repair " in said


def test_few_shifts_are_told() -> None:
    said = _cautions(_steady(1, "a", 0.2), _steady(2, "b", 0.2))
    assert "shifts no p-value can be below" in said


def test_more_comparisons_than_the_weeks_can_bear_are_told() -> None:
    said = _cautions(*(_steady(seed, f"s{seed}", 0.7) for seed in range(5)))
    assert "10 comparisons" in said


def test_services_that_are_hardly_open_together_are_told() -> None:
    one = history(np.arange(30) * WEEK, HOUR, 30 * WEEK, service="a")
    other = history(np.arange(30) * WEEK + DAY, HOUR, 30 * WEEK, service="b")
    assert "open together fewer than 5 times" in _cautions(one, other)
