"""Time down within a window, and the chance that a window meets an objective, against simulation and closed forms."""

import math

import numpy as np
import pytest

from des.distributions import Constant, Distribution, Exponential, Lognormal
from des.theory.availability import no_downtime
from des.theory.windows import ledger_outages, met, renewal_outages, served_enough

DAY = 86_400.0
MONTH = 30.0 * DAY
CLASSES: list[tuple[float, Distribution]] = [
    (4.0 / MONTH, Lognormal(math.log(1800.0), 1.3)),
    (2.0 / MONTH, Constant(3_000.0)),
]


def covered(rng: np.random.Generator, classes: list[tuple[float, Distribution]]) -> float:
    """Time of a month in which an incident is open, in equilibrium."""
    before = 30.0 * DAY
    spans = []
    for rate, duration in classes:
        count = rng.poisson(rate * (MONTH + before))
        start = rng.uniform(-before, MONTH, count)
        spans += list(zip(start.tolist(), (start + duration.sample(rng, count)).tolist(), strict=True))
    total, reached = 0.0, 0.0
    for start_s, end_s in sorted(spans):
        total += max(0.0, min(end_s, MONTH) - max(start_s, reached, 0.0))
        reached = max(reached, end_s)
    return total


@pytest.fixture(scope="module")
def months() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    rng = np.random.default_rng(20_000)
    return np.array([covered(rng, CLASSES) for _ in range(4_000)])


@pytest.mark.parametrize("down", [0.0, 3_600.0, 10_000.0, 40_000.0])
def test_time_covered_by_overlapping_incidents_is_as_drawn(
    down: float, months: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> None:
    share = ledger_outages(CLASSES, 100_000.0).cdf(down, MONTH)
    error = math.sqrt(share * (1.0 - share) / len(months))
    assert abs(np.mean(months <= down) - share) < 4.0 * error + 1e-4


def test_no_outage_in_a_window_is_exponential() -> None:
    """P(none open at the start) times P(none starts)."""
    load = sum(rate * duration.mean for rate, duration in CLASSES)
    rate = sum(rate for rate, _ in CLASSES)
    assert ledger_outages(CLASSES, 1_000.0).cdf(0.0, MONTH) == pytest.approx(math.exp(-load - rate * MONTH), rel=1e-3)
    assert renewal_outages(5.0 * DAY, Exponential(2_700.0), 1_000.0).cdf(0.0, MONTH) == pytest.approx(
        no_downtime(5.0 * DAY, 2_700.0, MONTH), rel=2e-3
    )


def test_rare_incidents_without_overlap_are_alternating_renewal() -> None:
    """At a load of a millionth, up times and durations of either form are the same."""
    duration = Lognormal(math.log(600.0), 1.0)
    rate = 1e-6 / duration.mean
    for down in (0.0, 600.0, 2_000.0):
        ledger = ledger_outages([(rate, duration)], 10_000.0).cdf(down, 100.0 * MONTH)
        renewal = renewal_outages(1.0 / rate, duration, 10_000.0).cdf(down, 100.0 * MONTH)
        assert 1.0 - ledger == pytest.approx(1.0 - renewal, rel=1e-3)


def test_an_objective_in_time_is_the_chance_of_little_downtime() -> None:
    """With very many requests the objective is one of time."""
    outages = ledger_outages(CLASSES, 0.02 * MONTH)
    chance = met(outages, MONTH, lambda down: served_enough(0.99, 100.0 * (MONTH - down), 100.0 * down), 0.015 * MONTH)
    assert chance == pytest.approx(outages.cdf(0.01 * MONTH, MONTH), abs=2e-3)


def test_an_objective_of_few_requests_is_that_none_is_lost(
    months: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> None:
    rate = 4.0 / DAY
    most = 8.0 * DAY
    chance = met(
        ledger_outages(CLASSES, most),
        MONTH,
        lambda down: served_enough(0.9995, rate * (MONTH - down), rate * down),
        most,
    )
    none_lost = np.exp(-rate * months)
    assert abs(none_lost.mean() - chance) < 4.0 * none_lost.std() / math.sqrt(len(months)) + 2e-3


@pytest.mark.parametrize(("answered", "lost"), [(40.0, 1.0), (300.0, 3.0), (5_000.0, 20.0)])
def test_served_enough_is_the_share_of_poisson_months(answered: float, lost: float) -> None:
    rng = np.random.default_rng(5)
    good, bad = rng.poisson(answered, 100_000), rng.poisson(lost, 100_000)
    drawn = np.mean(good >= 0.99 * (good + bad) - 1e-9)
    assert abs(served_enough(0.99, answered, lost) - drawn) < 4.0 * 0.5 / math.sqrt(100_000)


def test_all_requests_answered_is_none_lost() -> None:
    assert served_enough(1.0, 1e6, 0.5) == pytest.approx(math.exp(-0.5))
