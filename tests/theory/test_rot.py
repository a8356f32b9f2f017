"""Silent rot against simulated lives of a leg."""

import math

import numpy as np
import pytest

from des.theory import rot

TIME_TO_ROT, USE_RATE, REPAIR, HORIZON = 12.0, 0.25, 2.0, 60.0


def lives(runs: int, probe_every: float | None, seed: int) -> list[float]:
    """Broken share of [0, horizon] of `runs` legs, life by life."""
    rng = np.random.default_rng(seed)
    shares = []
    for _ in range(runs):
        now = broken = 0.0
        while now < HORIZON:
            rotten = now + rng.exponential(TIME_TO_ROT)
            found = rotten + rng.exponential(1.0 / USE_RATE)
            if probe_every is not None:
                found = min(found, math.ceil(rotten / probe_every) * probe_every)
            now = found + rng.exponential(REPAIR)
            broken += max(0.0, min(now, HORIZON) - min(rotten, HORIZON))
        shares.append(broken / HORIZON)
    return shares


@pytest.mark.parametrize("probe_every", [None, 1.5, 7.0])
def test_the_broken_share_agrees_with_living_it_through(probe_every: float | None) -> None:
    shares = lives(8000, probe_every, seed=71)
    exact = rot.broken_share(TIME_TO_ROT, USE_RATE, REPAIR, HORIZON, probe_every=probe_every)
    assert abs(np.mean(shares) - exact) <= 4.0 * np.std(shares) / math.sqrt(len(shares))


def test_long_run_and_long_horizon_agree() -> None:
    long_run = rot.long_run_broken_share(TIME_TO_ROT, USE_RATE, REPAIR)
    assert rot.broken_share(TIME_TO_ROT, USE_RATE, REPAIR, 1e5) == pytest.approx(long_run, rel=1e-3)


def test_probes_at_every_instant_leave_the_repair_alone() -> None:
    share = rot.broken_share(TIME_TO_ROT, 1e-9, REPAIR, 400.0, probe_every=0.05)
    assert share == pytest.approx(REPAIR / (TIME_TO_ROT + REPAIR), rel=0.05)
