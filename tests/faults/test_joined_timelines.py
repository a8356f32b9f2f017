"""Timelines put one after the other hold what each of them holds, and nothing of one reaches into another."""

import numpy as np
from fault_plans import one_endpoint, shocks

from des.distributions import Exponential
from des.estimate.conditions import TimelineConditions
from des.faults import draw_timeline, one_after_the_other
from des.scenario.plan import Effect

SPAN_S = 5e5
KILLING = Effect(error_rate=0.5, outcome="server_error", kills_in_flight=True)


def test_each_is_in_the_state_of_its_own_timeline() -> None:
    """A fifth of the incidents is open at an end, as they last a fifth of the time."""
    plan = one_endpoint(shocks(1e-5, Exponential(1e5), effect=KILLING))
    several = [draw_timeline(plan, replication, SPAN_S) for replication in range(8)]
    assert any((one.start_s < 0.0).any() for one in several)
    assert any((one.end_s > SPAN_S).any() for one in several)
    joined = TimelineConditions(one_after_the_other(several, SPAN_S), [0])
    at_s = np.linspace(0.0, SPAN_S, 2_000, endpoint=False)
    rows = np.arange(len(at_s))
    for number, one in enumerate(several):
        alone = TimelineConditions(one, [0])
        shift_s = number * SPAN_S
        opened, expected = (found.open_effects(0, t, rows) for found, t in ((joined, at_s + shift_s), (alone, at_s)))
        assert np.array_equal((opened >= 0).sum(axis=1), (expected >= 0).sum(axis=1))
        kill_s, expected_s = joined.next_kill(0, at_s + shift_s, rows)[0] - shift_s, alone.next_kill(0, at_s, rows)[0]
        within = expected_s < SPAN_S
        assert within.any()
        assert np.allclose(kill_s[within], expected_s[within])
        assert (kill_s[~within] >= SPAN_S).all()
