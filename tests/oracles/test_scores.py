"""The comparisons of this folder as a whole: their errors are as large as chance makes them, not smaller or larger."""

import numpy as np
import pytest

from oracles.conftest import Scores

ENOUGH = 60


def test_squared_scores_average_what_student_t_predicts(scores: Scores) -> None:
    if len(scores.of) < ENOUGH:
        pytest.skip(f"only {len(scores.of)} comparisons were made")
    # E[z^2] = (n - 1)/(n - 3); a squared score has a variance of about 2, and scores of one test are correlated, so
    # that they are taken as worth half their number
    relative = np.array([score**2 * (n - 3) / (n - 1) for score, n in scores.of.values()])
    error = np.sqrt(2.0 / (len(relative) / 2.0))
    assert abs(relative.mean() - 1.0) <= 4.0 * error, f"mean squared score {relative.mean():.2f} of {len(relative)}"


def test_scores_lie_on_both_sides_of_zero(scores: Scores) -> None:
    if len(scores.of) < ENOUGH:
        pytest.skip(f"only {len(scores.of)} comparisons were made")
    mean = np.mean([score for score, _ in scores.of.values()])
    assert abs(mean) <= 4.0 / np.sqrt(len(scores.of) / 2.0)
