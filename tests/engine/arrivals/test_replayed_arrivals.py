import numpy as np
import pytest

from des.distributions import Lognormal
from des.engine.arrivals import open_arrivals
from des.engine.marks import RequestMarks
from des.scenario.plan import ReplayedArrivals

RECORDED_S = np.array([0.0, 0.25, 0.25, 3.5])


def recording(period_s=None, input_tokens=None, output_tokens=None, arrival_s=RECORDED_S):
    return ReplayedArrivals(
        arrival_s=arrival_s, input_tokens=input_tokens, output_tokens=output_tokens, period_s=period_s
    )


def column(plan, name):
    return [value for block in open_arrivals(plan, 0) for value in getattr(block, name)]


def test_a_recording_that_is_not_looped_ends(plan_of):
    assert column(plan_of(recording(), horizon_s=1e6), "arrival_s") == RECORDED_S.tolist()


def test_pass_k_is_shifted_by_k_periods(plan_of):
    found = column(plan_of(recording(period_s=4.1), horizon_s=41_000.0), "arrival_s")
    assert found == [recorded + k * 4.1 for k in range(10_000) for recorded in RECORDED_S.tolist()]


@pytest.mark.parametrize(("horizon_s", "expected"), [(0.25, 1), (3.5, 3), (4.0, 4), (4.26, 7)])
def test_the_horizon_cuts_a_pass(horizon_s, expected, plan_of):
    assert len(column(plan_of(recording(period_s=4.0), horizon_s=horizon_s), "arrival_s")) == expected


def test_recorded_tokens_override_the_distributions_and_repeat(plan_of):
    arrivals = recording(period_s=4.0, input_tokens=np.array([5, 0, 7, 9]), output_tokens=np.array([1, 2, 3, 4]))
    drawn = {"input_tokens": Lognormal(7.0, 1.0), "output_tokens": Lognormal(5.0, 1.0)}
    plan = plan_of(arrivals, horizon_s=4.0 * 3000, **drawn)
    assert column(plan, "input_tokens") == [5, 0, 7, 9] * 3000
    assert column(plan, "output_tokens") == [1, 2, 3, 4] * 3000
    assert RequestMarks(plan, 0)(4001)[:2] == (0, 2)


def test_tokens_that_were_not_recorded_are_drawn(plan_of):
    arrivals = recording(period_s=4.0, input_tokens=np.array([5, 0, 7, 9]))
    plan = plan_of(arrivals, horizon_s=4.0 * 3000, output_tokens=Lognormal(5.0, 1.0))
    drawn = np.array(column(plan, "output_tokens"))
    assert column(plan, "input_tokens")[:4] == [5, 0, 7, 9]
    assert np.log(drawn).mean() == pytest.approx(5.0, abs=4.0 / np.sqrt(drawn.size))


def test_a_recording_of_nothing_sends_nothing(plan_of):
    assert column(plan_of(recording(period_s=4.0, arrival_s=np.empty(0))), "arrival_s") == []


def test_a_recording_longer_than_a_block_keeps_its_order(plan_of):
    recorded_s = np.sort(np.random.default_rng(5).random(10_000)) * 90.0
    found = column(plan_of(recording(period_s=90.0, arrival_s=recorded_s), horizon_s=180.0), "arrival_s")
    assert np.array_equal(found, np.concatenate((recorded_s, recorded_s + 90.0)))
