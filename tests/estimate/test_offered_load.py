"""The load that a chain offers its legs: known where it is simple, and never exceeded by simulated requests."""

from typing import Any

import numpy as np
import pytest
from engine.traced import plan_of, poisson, provider, scenario, trace

from des.estimate.binding import _Offered
from des.estimate.endings import Endings
from des.estimate.estimate import Inapplicable
from des.estimate.large_deviations import Curve
from des.estimate.offered_load import calls_by_leg, gives_up_early, least_gap_s, most_calls
from des.scenario.plan import Plan
from estimate.stressed_chains import stressed

OUTAGES = {"kind": "poisson", "rate": "1/d", "duration": "1h"}


def plan(*legs: dict[str, Any], chain: list[Any] | None = None, **policy: Any) -> Plan:
    providers = dict(zip("abc", legs, strict=False))
    return plan_of(scenario(providers, arrivals=poisson("1/s"), chain=chain, policy=policy))


def calls(of: Plan, *, tokens: float = 0.0) -> list[float]:
    flows = calls_by_leg(of, Endings(of, tokens))
    return [round(flows[leg.index].keeps, 6) for leg in of.chain]


def test_what_never_fails_is_called_once_and_nothing_follows() -> None:
    assert calls(plan(provider(), provider(), retries=3)) == [1.0, 0.0]


def test_in_an_outage_everybody_retries() -> None:
    of = plan(provider(incidents=[OUTAGES]), provider(incidents=[OUTAGES]), retries=2, rounds=2)
    assert calls(of) == [6.0, 6.0]
    assert most_calls(of, frozenset({0})) == 6
    assert most_calls(of, frozenset({0, 1})) == 12


def test_random_errors_are_retried_as_often_as_they_come() -> None:
    of = plan(provider(model={"errors": {"server_error": "10%"}}), provider(), retries=2)
    assert calls(of) == [1.11, 0.001]


def test_failures_of_unlike_lengths_may_meet() -> None:
    """Calls that wait for their time-out, and calls that fail at once, may be repeated at the same instant."""
    slow = {"kind": "poisson", "rate": "1/d", "duration": "1h", "hang": "100%"}
    of = plan(provider(incidents=[OUTAGES, slow]), retries=2, chain=[{"provider": "a", "timeout": "30s"}])
    assert calls(of) == [7.0]


def test_like_failures_of_several_components_are_one() -> None:
    of = plan(provider(incidents=[OUTAGES, OUTAGES], model={"errors": {"server_error": "10%"}}), retries=2)
    assert calls(of) == [3.0]


def test_only_what_is_retried_and_falls_back_goes_on() -> None:
    errors = {"client_error": "20%", "server_error": "10%"}
    of = plan(provider(model={"errors": errors}), provider(), retries=1)
    assert calls(of) == [1.1, 0.01]


def test_long_outputs_time_out_more_often() -> None:
    latency = {"first_token": "1s", "tokens_per_second": 50}
    of = plan(provider(latency), retries=1, chain=[{"provider": "a", "timeout": "10s"}])
    assert calls(of, tokens=100.0) == [1.0]
    assert calls(of, tokens=500.0) == [2.0]


def test_requests_with_a_requirement_go_where_it_is_met() -> None:
    content = scenario(
        {"a": provider(), "b": provider(tags={"region": "eu"})},
        workload={"requirements": [{"share": "30%", "tags": {"region": "eu"}}]},
        arrivals=poisson("1/s"),
    )
    assert calls(plan_of(content)) == [0.7, 0.3]


def test_calls_killed_together_come_again_together() -> None:
    """All that are in flight, 20 on average at 10 a second and 2 s each, besides the errors of the outage."""
    kill = {**OUTAGES, "kills_in_flight": True, "error_latency": "1s"}
    of = plan(provider("2s", incidents=[kill]), retries=1)
    curve = calls_by_leg(of, Endings(of, 0.0))[0].of(Curve(10.0))
    assert curve.rate_per_s == pytest.approx(30.0)
    assert curve.burst == pytest.approx(10.0 * (2.0 + 1.0))
    assert gives_up_early(of, frozenset({0}))


def test_a_killed_call_that_nothing_ends_has_no_bound() -> None:
    kill = {**OUTAGES, "kills_in_flight": True, "error_rate": "50%", "hang": "50%"}
    with pytest.raises(Inapplicable, match="nothing bounds how long a call of a/m is under way"):
        calls(plan(provider("2s", incidents=[kill]), retries=1))


def test_calls_of_a_request_are_as_far_apart_as_the_shortest_failure() -> None:
    of = plan(provider(incidents=[{**OUTAGES, "error_latency": "300ms"}]), retries=2)
    assert least_gap_s(of, Endings(of, 0.0), frozenset({0})) == pytest.approx(0.3)
    assert not gives_up_early(of, frozenset({0}))


@pytest.mark.parametrize("seed", [1, 2, 4, 5, 10, 12, 21])
def test_simulated_requests_never_call_more_often(seed: int) -> None:
    """In any window of half a second to ten seconds, on average over runs under the same incidents."""
    of = plan_of(stressed(seed, horizon_s=60))
    offered = _Offered(of)
    attempts = [trace(of, replication).attempts for replication in range(16)]
    for window_s in (0.5, 2.0, 10.0):
        edges = np.arange(0.0, 300.0, window_s)
        for leg in of.chain:
            counts = np.array(
                [np.histogram(each.start_s[each.leg == leg.name].to_numpy(float), edges)[0] for each in attempts]
            )
            bound = sum(
                cell.share * cell.calls(frozenset({leg.index}), offered.curves[0]).within(window_s)
                for cell in offered.cells
            )
            error = np.maximum(counts.std(axis=0, ddof=1), np.sqrt(bound)) / 4.0
            assert (counts.mean(axis=0) <= bound + 4.5 * error).all()
