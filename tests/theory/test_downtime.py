"""The law of downtime within a window against simulated alternating up and down times."""

import numpy as np
import pytest
from numpy.typing import NDArray

from des.distributions import Constant, Distribution, Exponential, Gamma, Lognormal
from des.theory import downtime

MTTF, WINDOW = 4.0, 10.0


def simulated(down: Distribution, runs: int, *, equilibrium: bool, seed: int = 23) -> NDArray[np.float64]:
    """Downtime within the window of `runs` independent components (in equilibrium: exponential times only)."""
    rng = np.random.default_rng(seed)
    now, spent = np.zeros(runs), np.zeros(runs)
    up = rng.random(runs) >= down.mean / (MTTF + down.mean) if equilibrium else np.ones(runs, dtype=bool)
    while (now < WINDOW).any():
        length = np.where(up, rng.exponential(MTTF, runs), down.sample(rng, runs))
        length = np.minimum(length, WINDOW - now)
        spent += np.where(up, 0.0, length)
        now += length
        up = ~up
    return spent


def test_the_variance_of_the_share_of_downtime_agrees_with_simulation() -> None:
    shares = simulated(Exponential(1.5), 40_000, equilibrium=True) / WINDOW
    exact = downtime.share_variance(MTTF, 1.5, WINDOW)
    error = np.sqrt((((shares - shares.mean()) ** 2 - exact) ** 2).mean() / len(shares))
    assert abs(shares.var() - exact) <= 4.0 * error


def test_the_variance_of_a_short_window_is_that_of_its_state() -> None:
    u = 1.5 / 5.5
    assert downtime.share_variance(MTTF, 1.5, 1e-3) == pytest.approx(u * (1.0 - u), rel=1e-2)


def test_the_chance_of_no_downtime_agrees_with_simulation() -> None:
    spent = simulated(Exponential(1.5), 40_000, equilibrium=True)
    exact = downtime.no_downtime(MTTF, 1.5, WINDOW)
    assert abs((spent == 0.0).mean() - exact) <= 4.0 * np.sqrt(exact * (1.0 - exact) / len(spent))


@pytest.mark.parametrize("down", [Exponential(1.5), Constant(0.8), Gamma(2.5, 0.4), Lognormal(-0.2, 0.9)], ids=repr)
def test_the_law_of_downtime_agrees_with_simulation(down: Distribution) -> None:
    spent = simulated(down, 40_000, equilibrium=False)
    for limit in (0.0, 0.7, 2.1, 5.0):
        exact = downtime.downtime_cdf(MTTF, down, WINDOW, limit)
        error = np.sqrt(exact * (1.0 - exact) / len(spent))
        assert abs((spent <= limit).mean() - exact) <= 4.0 * error


def test_the_grid_agrees_with_the_exact_law_of_gamma_downtimes() -> None:
    down = Gamma(2.5, 0.4)
    for limit in (0.7, 2.1, 5.0):
        on_grid = downtime._compound_poisson_cdf((WINDOW - limit) / MTTF, down, limit, 1 << 14)
        assert on_grid == pytest.approx(downtime.downtime_cdf(MTTF, down, WINDOW, limit), abs=1e-6)


def test_downtime_is_within_the_window() -> None:
    assert downtime.downtime_cdf(MTTF, Lognormal(0.0, 1.0), WINDOW, WINDOW) == 1.0
    assert downtime.downtime_cdf(MTTF, Lognormal(0.0, 1.0), WINDOW, -1.0) == 0.0
