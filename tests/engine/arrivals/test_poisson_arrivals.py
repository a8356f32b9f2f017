import numpy as np
import pytest
from scipy import stats

from des.draws import generator
from des.engine.arrivals import arrival_times
from des.scenario.plan import PoissonArrivals, Profile

DAILY = np.array([0.2] * 8 + [1.9] * 10 + [0.0] * 2 + [0.85] * 4)
DAILY = DAILY * 24 / DAILY.sum()
HOUR_S = 3600.0


def times(plan, replication=0):
    return np.concatenate(list(arrival_times(plan, replication)))


def test_counts_have_the_mean_and_variance_of_a_poisson_distribution(plan_of):
    plan = plan_of(PoissonArrivals(rate_per_s=0.4), horizon_s=1000.0)
    counts = np.array([times(plan, replication).size for replication in range(500)])
    assert counts.mean() == pytest.approx(400.0, abs=4 * np.sqrt(400.0 / counts.size))
    assert counts.var(ddof=1) == pytest.approx(400.0, rel=4 * np.sqrt(2.0 / counts.size))


def test_gaps_are_exponential(plan_of):
    arrival_s = times(plan_of(PoissonArrivals(rate_per_s=2.0), horizon_s=20_000.0))
    assert stats.kstest(np.diff(arrival_s, prepend=0.0), "expon", args=(0.0, 0.5)).pvalue > 1e-3


def test_times_are_one_running_sum_over_all_blocks(plan_of):
    arrival_s = times(plan_of(PoissonArrivals(rate_per_s=1.0), horizon_s=30_000.0))
    gaps = np.concatenate([generator(11, 0, "workload/gaps", b).standard_exponential(4096) for b in range(9)])
    assert np.array_equal(arrival_s, np.cumsum(gaps)[: arrival_s.size])


def test_a_rate_twice_as_high_halves_every_time(plan_of):
    slow = times(plan_of(PoissonArrivals(rate_per_s=3.0), horizon_s=4000.0))
    fast = times(plan_of(PoissonArrivals(rate_per_s=6.0), horizon_s=2000.0))
    assert np.array_equal(fast, slow / 2.0)


@pytest.mark.parametrize("offset_h", [0.0, 30.5])
def test_every_hour_of_the_week_gets_its_share(offset_h, plan_of):
    weights = np.concatenate((np.tile(DAILY, 5) * 1.2, np.tile(DAILY, 2) * 0.5))
    profile = Profile(tuple(weights), offset_h * HOUR_S)
    rate_per_s, weeks = 0.02, 50
    plan = plan_of(PoissonArrivals(rate_per_s=rate_per_s, profile=profile), horizon_s=weeks * 168 * HOUR_S)
    hours = ((times(plan) / HOUR_S + offset_h) % 168).astype(int)
    counts = np.bincount(hours, minlength=168)
    expected = rate_per_s * HOUR_S * weeks * weights
    assert np.all(counts[expected == 0] == 0)
    kept = expected > 0
    distance = np.sum((counts[kept] - expected[kept]) ** 2 / expected[kept])
    assert stats.chi2.sf(distance, kept.sum()) > 1e-4
    assert counts.sum() == pytest.approx(expected.sum(), abs=4 * np.sqrt(expected.sum()))


def test_a_lower_profile_of_the_same_peak_only_loses_arrivals(plan_of):
    high = Profile((2.0,) * 100 + (1.2,) * 68)
    low = Profile((2.0,) * 100 + (0.4,) * 68)
    kept_high, kept_low = (
        set(times(plan_of(PoissonArrivals(rate_per_s=0.05, profile=profile), horizon_s=2 * 168 * HOUR_S)))
        for profile in (high, low)
    )
    assert kept_low < kept_high


def test_a_flat_profile_changes_nothing(plan_of):
    plain = times(plan_of(PoissonArrivals(rate_per_s=1.0)))
    flat = times(plan_of(PoissonArrivals(rate_per_s=1.0, profile=Profile((1.0,) * 168, 5.0))))
    assert np.array_equal(plain, flat)
