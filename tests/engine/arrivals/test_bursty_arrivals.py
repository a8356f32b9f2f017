import numpy as np
import pytest
from scipy import stats

from des.engine.arrivals import arrival_times
from des.scenario.plan import BurstyArrivals, Profile

HOUR_S = 3600.0


def times(plan, replication=0):
    return np.concatenate(list(arrival_times(plan, replication)))


@pytest.mark.parametrize("cv", [0.0, 0.5, 3.0])
def test_the_mean_rate_holds_from_the_first_instant(cv, plan_of):
    """A process started at a renewal instead sends 0, 0.29 and 5.6 times as much in the first half gap."""
    clients = 400
    plan = plan_of(BurstyArrivals(rate_per_s=clients / 100.0, cv=cv, clients=clients), horizon_s=50.0)
    counts = np.array([times(plan, replication).size for replication in range(12)])
    # Variance of one client's count: measured over replications of all of them, at least a coin's.
    standard_error = np.sqrt(max(counts.var(ddof=1), 0.25 * clients) / counts.size)
    assert counts.mean() == pytest.approx(0.5 * clients, abs=4 * standard_error)


@pytest.mark.parametrize("clients", [1, 20])
@pytest.mark.parametrize("cv", [0.6, 2.0])
def test_counts_have_the_variance_of_an_equilibrium_renewal_process(cv, clients, plan_of):
    """Var N(t) = cv^2 t + (1 - cv^4) / 6 for gamma gaps of mean 1 (Cox 1962, section 4.5), a client."""
    gaps, windows = 100.0, 1000
    per_window = 20 // clients
    arrivals = BurstyArrivals(rate_per_s=float(clients), cv=cv, clients=clients)
    window_s = gaps * per_window
    arrival_s = times(plan_of(arrivals, horizon_s=windows * window_s))
    counts = np.bincount((arrival_s // window_s).astype(int), minlength=windows)
    mean = clients * window_s
    variance = clients * (cv**2 * window_s + (1.0 - cv**4) / 6.0)
    assert counts.mean() == pytest.approx(mean, abs=4 * np.sqrt(variance / windows))
    assert counts.var(ddof=1) == pytest.approx(variance, rel=4 * np.sqrt(2.0 / windows))
    assert variance / mean == pytest.approx(cv**2, rel=0.01)


@pytest.mark.parametrize("cv", [0.5, 1.0, 2.5])
def test_gaps_of_a_client_are_gamma(cv, plan_of):
    arrival_s = times(plan_of(BurstyArrivals(rate_per_s=4.0, cv=cv), horizon_s=5000.0))
    gamma = stats.gamma(1.0 / cv**2, scale=cv**2 / 4.0)
    assert stats.kstest(np.diff(arrival_s), gamma.cdf).pvalue > 1e-3


def test_one_more_client_moves_no_arrival_of_the_others(plan_of):
    three, four = (
        set(times(plan_of(BurstyArrivals(rate_per_s=float(clients), cv=2.0, clients=clients)))) for clients in (3, 4)
    )
    assert three < four


def test_thousands_of_clients_merge_into_nearly_a_poisson_process(plan_of):
    arrivals = BurstyArrivals(rate_per_s=50.0, cv=1.5, clients=3000)
    arrival_s = times(plan_of(arrivals, horizon_s=60.0))
    assert stats.kstest(np.diff(arrival_s), "expon", args=(0.0, 0.02)).pvalue > 1e-3


def test_every_hour_of_the_week_gets_its_share(plan_of):
    weights = np.tile([0.0] * 6 + [2.0] * 8 + [1.0] * 4 + [2.0 / 3.0] * 6, 7)
    profile = Profile(tuple(weights * 168 / weights.sum()), offset_s=50.25 * HOUR_S)
    weeks = 40
    arrivals = BurstyArrivals(rate_per_s=0.02, cv=2.0, clients=5, profile=profile)
    arrival_s = times(plan_of(arrivals, horizon_s=weeks * 168 * HOUR_S))
    hours = ((arrival_s + profile.offset_s) // HOUR_S).astype(int)
    counts = np.zeros((weeks + 1, 168))
    np.add.at(counts, (hours // 168, hours % 168), 1)
    assert counts[:, weights == 0].sum() == 0
    for weight in (2.0, 1.0, 2.0 / 3.0):
        chosen = weights == weight
        expected = arrivals.rate_per_s * weight * 168 / weights.sum() * HOUR_S * chosen.sum() * weeks
        # Under the profile's clock counts keep an index of dispersion of at most cv^2.
        standard_error = arrivals.cv * np.sqrt(expected)
        assert counts[:, chosen].sum() == pytest.approx(expected, abs=4 * standard_error)


def test_bursts_follow_the_profile(plan_of):
    """Where the rate is ten times as high, the gaps within a burst are a tenth as long."""
    profile = Profile(tuple(np.repeat([20.0 / 11.0, 2.0 / 11.0], 84)))
    arrival_s = times(plan_of(BurstyArrivals(rate_per_s=0.1, cv=3.0, profile=profile), horizon_s=168 * HOUR_S))
    gaps, busy = np.diff(arrival_s), arrival_s[1:] < 84 * HOUR_S
    ratio = np.quantile(gaps[~busy], [0.5, 0.9]) / np.quantile(gaps[busy], [0.5, 0.9])
    assert ratio == pytest.approx([10.0, 10.0], rel=0.35)
