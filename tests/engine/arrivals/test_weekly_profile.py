import numpy as np
import pytest
from examples import TIMES
from hypothesis import given, settings
from hypothesis import strategies as st

from des.engine.arrivals import WEEK_S, OperationalClock, weights_at
from des.scenario.plan import Profile

weights = st.lists(st.sampled_from([0.0, 0.1, 0.7, 1.0, 3.3]), min_size=168, max_size=168).filter(any)
offsets = st.floats(0.0, WEEK_S, exclude_max=True)


def operational_s(profile: Profile, time_s: float) -> float:
    """The integral of the weights from the scenario's start, hour by hour."""
    total, at = 0.0, profile.offset_s
    end = profile.offset_s + time_s
    while at < end:
        hour = int(at // 3600.0)
        upto = min((hour + 1) * 3600.0, end)
        total += profile.weights[hour % 168] * (upto - at)
        at = upto
    return total


@settings(max_examples=30 * TIMES)
@given(weights, offsets, st.floats(0.0, 3 * WEEK_S))
def test_the_clock_inverts_the_integral_of_the_weights(weights, offset_s, operational):
    profile = Profile(tuple(weights), offset_s)
    time_s = float(OperationalClock(profile).time_s(np.array([operational]))[0])
    assert operational_s(profile, time_s) == pytest.approx(operational, abs=1e-4)


@settings(max_examples=30 * TIMES)
@given(weights, offsets)
def test_the_clock_never_runs_backwards(weights, offset_s):
    clock = OperationalClock(Profile(tuple(weights), offset_s))
    edges = np.cumsum(np.array(weights * 3) * 3600.0)
    around = np.concatenate((edges, np.nextafter(edges, 0.0), np.nextafter(edges, np.inf), np.linspace(0, 1e6, 5000)))
    times = clock.time_s(np.sort(around))
    assert np.all(np.diff(times) >= 0.0)
    assert times[0] >= 0.0
    assert np.all(np.isfinite(times))


def test_the_clock_never_runs_backwards_over_a_week_end_however_it_rounds():
    for seed in range(100):
        weights = np.random.default_rng(seed).random(168) ** 3 + 1e-3
        ends = np.arange(1, 2000) * np.cumsum(weights * 3600.0)[-1]
        around = [ends]
        for towards in (0.0, np.inf):
            near = ends
            for _ in range(3):
                near = np.nextafter(near, towards)
                around.append(near)
        times = OperationalClock(Profile(tuple(weights))).time_s(np.sort(np.concatenate(around)))
        assert np.all(np.diff(times) >= 0.0)


def test_weights_are_those_of_the_hour_of_the_week():
    profile = Profile(tuple(float(hour) for hour in range(168)), offset_s=167 * 3600.0 + 1800.0)
    found = weights_at(profile, np.array([0.0, 1799.0, 1800.0, 5400.0, WEEK_S]))
    assert found.tolist() == [167.0, 167.0, 0.0, 1.0, 167.0]


def test_without_a_profile_the_clocks_agree():
    time_s = np.array([0.0, 1.5, 3600.0, 12_345.678, WEEK_S, 2.5 * WEEK_S])
    assert OperationalClock(None).time_s(time_s) == pytest.approx(time_s, abs=1e-9)
