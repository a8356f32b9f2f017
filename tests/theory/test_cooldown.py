"""Blackouts by cooldowns against a walk of the group."""

import math

import numpy as np
import pytest

from des.theory import cooldown


@pytest.mark.parametrize(("deployments", "refusal"), [(2, 0.05), (2, 0.2), (3, 0.2)])
def test_a_group_is_out_as_often_as_servers_are_all_busy(deployments: int, refusal: float) -> None:
    rng = np.random.default_rng(83)
    rate, cools_s, calls = 2.0, 5.0, 100_000
    cools_until = [0.0] * deployments
    now, lost, batches = 0.0, 0, []
    gaps, refused = rng.exponential(1.0 / rate, calls).tolist(), (rng.random(calls) < refusal).tolist()
    for number, (gap, refuses) in enumerate(zip(gaps, refused, strict=True), start=1):
        now += gap
        left = [one for one in range(deployments) if cools_until[one] <= now]
        if not left or refuses:
            lost += 1
        if left and refuses:
            cools_until[left[number % len(left)]] = now + cools_s
        if number % 2000 == 0:
            batches.append(lost / 2000)
            lost = 0
    error = np.std(batches, ddof=1) / math.sqrt(len(batches))
    assert abs(np.mean(batches) - cooldown.lost_share(deployments, rate, refusal, cools_s)) <= 4.0 * error


def test_one_refusal_in_twenty_blacks_two_busy_deployments_out_half_of_the_time() -> None:
    """10 calls a second, cooldowns of 5 s: a load of 2.5 on two servers."""
    assert cooldown.blackout_share(2, 10.0, 0.05, 5.0) == pytest.approx(0.4717, abs=1e-4)
    assert cooldown.lost_share(2, 10.0, 0.05, 5.0) == pytest.approx(0.4981, abs=1e-4)
    assert cooldown.lost_share(2, 10.0, 0.05, 0.0) == 0.05
