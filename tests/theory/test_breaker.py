"""A breaker's cycle against simulated calls through one."""

import math

import numpy as np
import pytest

from des.theory.breaker import breaker_cycle


@pytest.mark.parametrize("failures", [1, 3])
def test_the_means_of_a_cycle_agree_with_calling_through_a_breaker(failures: int) -> None:
    rng = np.random.default_rng(59)
    mttf, mttr, rate, open_s = 20.0, 6.0, 1.5, 4.0
    lam, mu = 1.0 / mttf, 1.0 / mttr
    s, u = lam + mu, mttr / (mttf + mttr)
    cycles: list[tuple[int, int, int]] = []
    down, streak, open_until, now = False, 0, -1.0, 0.0
    counts = [1, 0, 0]  # the cycle starts with the successful probe that closed the breaker
    gaps, draws = iter(rng.exponential(1.0 / rate, 400_000).tolist()), iter(rng.random(400_000).tolist())
    probing = False
    for gap, draw in zip(gaps, draws, strict=True):
        now += gap
        stays = math.exp(-s * gap)
        down = draw < (u + (1.0 - u) * stays if down else u * (1.0 - stays))
        if now < open_until:
            counts[2] += 1
        elif down:
            counts[1] += 1
            streak += 1
            if probing or streak == failures:
                open_until, probing, streak = now + open_s, True, 0
        else:
            streak = 0
            if probing:
                cycles.append((counts[0], counts[1], counts[2]))
                counts, probing = [1, 0, 0], False
            else:
                counts[0] += 1
    table = np.array(cycles, dtype=float)
    exact = breaker_cycle(mttf, mttr, rate, failures, open_s)
    errors = table.std(axis=0, ddof=1) / math.sqrt(len(table))
    means = np.array([exact.successes, exact.failures, exact.refusals])
    assert (np.abs(table.mean(axis=0) - means) <= 4.0 * errors).all()
    assert exact.availability == pytest.approx(exact.successes / means.sum())
