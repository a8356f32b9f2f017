"""Figures of incidents drawn: no interval where nothing varies."""

import numpy as np
import pytest

from des.estimate.joint_figures import mean_episode_s, p95_episode_s
from des.faults import Downtime

YEAR_S = 365 * 86_400.0


def of(durations_s: list[float]) -> list[Downtime]:
    return [Downtime(YEAR_S, sum(durations_s), np.array(durations_s))]


def test_durations_that_are_all_alike_have_no_interval() -> None:
    rounded = [7_200.0, 7_200.0 + 1e-8] * 200
    for found in (p95_episode_s(of(rounded)), mean_episode_s(of(rounded))):
        assert found is not None
        assert found.mean == pytest.approx(7_200.0)
        assert (found.low, found.high) == (None, None)


def test_durations_that_differ_have_one() -> None:
    found = p95_episode_s(of([float(length) for length in range(1, 401)]))
    assert found is not None
    assert found.low < found.mean < found.high
