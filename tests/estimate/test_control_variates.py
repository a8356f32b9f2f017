"""Control variates narrow intervals without moving them."""

import numpy as np
import pytest

from des.estimate.intervals import with_controls


def test_what_follows_a_control_with_a_known_mean_is_taken_off() -> None:
    rng = np.random.default_rng(1)
    covered, reductions = 0, []
    for _ in range(400):
        control = rng.exponential(2.0, 20)
        values = 5.0 + 3.0 * control + rng.normal(0.0, 1.0, 20)
        got = with_controls(values, [control], [2.0])
        covered += got.low <= 11.0 <= got.high
        reductions.append(got.variance_reduction or 1.0)
    assert 0.92 <= covered / 400 <= 0.98
    assert np.median(reductions) > 15.0


def test_a_control_of_no_use_leaves_the_plain_mean() -> None:
    values = [1.0, 2.0, 4.0, 3.0, 2.5, 1.5, 3.5, 2.2]
    got = with_controls(values, [[7.0] * 8], [7.0])
    assert got.variance_reduction is None
    assert got.mean == pytest.approx(np.mean(values))


def test_too_few_values_leave_the_plain_mean() -> None:
    got = with_controls([1.0, 2.0, 3.0], [[1.0, 2.0, 3.0]], [2.5])
    assert got.mean == pytest.approx(2.0)
