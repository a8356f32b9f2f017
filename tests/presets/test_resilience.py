"""Resilience policies as their sources say, in runs."""

from typing import Any

import pytest

from tests.presets.scripted import MANY, all_gaps, exactly, failing, fill, gaps, hanging, played, serving

PEERS = [{"group": "pool", "legs": [{"provider": "a"}, {"provider": "b"}], "routing": "ordered"}]


def every(seconds: float, horizon_s: float) -> dict[str, Any]:
    return {"horizon": f"{horizon_s}s", "arrivals": {"kind": "batch", "every": f"{seconds}s", "size": 1}}


def times(traced: Any, to: str) -> list[float]:
    """When something became `to`."""
    found: list[float] = traced.transitions[traced.transitions["to"] == to].time_s.to_list()
    return found


def test_envoy_retries_once_within_25_milliseconds() -> None:
    waits = all_gaps(played("envoy-retry@2026", {"a": failing()}, requests=MANY), calls=2)
    fill(waits[:, 0], 0.0, 0.025)


def test_envoys_waits_grow_as_powers_of_two_less_one_to_a_quarter_of_a_second() -> None:
    waits = all_gaps(played("envoy-retry@2026", {"a": failing()}, requests=MANY, retries=5), calls=6)
    for k, most_s in enumerate((0.025, 0.075, 0.175, 0.25, 0.25)):
        fill(waits[:, k], 0.0, most_s)


def test_envoys_route_timeout_includes_the_retries() -> None:
    traced = played("envoy-retry@2026", {"a": hanging()}, retries=3)
    assert traced.request().outcome == "deadline"
    assert traced.request().end_s == pytest.approx(15.0)


@pytest.mark.parametrize(("requests", "retries"), [(5, 3), (100, 20)])
def test_envoys_budget_is_a_fifth_of_what_is_under_way_and_three_at_least(requests: int, retries: int) -> None:
    traced = played("envoy-retry-budget@2026", {"a": failing()}, requests=requests, backoff="none")
    assert len(traced.attempts) - requests <= retries
    assert len(traced.attempts) - requests >= 3


def test_envoy_ejects_after_five_failures_for_thirty_seconds() -> None:
    traced = played("envoy-outlier-detection@2026", {"a": failing(), "b": serving()}, chain=PEERS, **every(2, 60))
    out = times(traced, "ejected")
    assert out[0] == pytest.approx(9.0)  # the fifth call begins at 8 s
    starts = traced.attempts[traced.attempts.leg == "a/m"].start_s.to_numpy()
    back_s = starts[starts > out[0]].min()
    assert 39.0 <= back_s <= 42.0


def test_grpc_stops_retrying_at_half_its_tokens() -> None:
    traced = played("grpc-throttling@A6", {"a": failing("connection_error")}, **every(20, 60))
    assert [len(traced.calls(number)) for number in range(3)] == [4, 1, 1]


def test_finagle_grants_a_hundred_and_a_fifth_of_the_requests() -> None:
    traced = played("finagle-retry-budget@2026", {"a": failing()}, requests=300)
    assert len(traced.attempts) == 300 + 100 + 60


def test_sre_throttling_refuses_nearly_all_where_nothing_is_accepted() -> None:
    traced = played("sre-adaptive-throttling@2016", {"a": failing("overloaded")}, **every(0.1, 60))
    assert len(traced.attempts) < 0.05 * traced.arrived
    assert (traced.requests.outcome == "rejected").mean() > 0.9


def test_sre_throttling_refuses_nothing_where_all_is_accepted() -> None:
    traced = played("sre-adaptive-throttling@2016", {"a": serving()}, **every(2, 200))
    assert set(traced.requests.outcome) == {"ok"}


def test_resilience4j_opens_after_a_hundred_calls_and_probes_with_ten() -> None:
    traced = played("resilience4j-breaker@2", {"a": failing()}, **every(0.5, 130))
    assert times(traced, "open")[0] == pytest.approx(50.5)  # the hundredth call begins at 49.5 s
    assert times(traced, "half_open")[0] == pytest.approx(110.5)
    probes = traced.attempts[(traced.attempts.start_s >= 110.5) & (traced.attempts.start_s < 125.0)]
    assert len(probes) == 10


def test_polly_opens_at_a_tenth_of_a_hundred_calls_for_five_seconds_and_probes_with_one() -> None:
    traced = played("polly-breaker@8", {"a": failing()}, **every(0.25, 40))
    assert times(traced, "open")[0] == pytest.approx(25.75)  # the hundredth call begins at 24.75 s
    assert times(traced, "half_open")[0] == pytest.approx(30.75)
    assert times(traced, "open")[1] == pytest.approx(31.75)  # its probe fails after a second


def test_polly_hedges_after_two_seconds() -> None:
    slow = {"latency": "5s", "models": {"m": {"price": {"per_request": 0}}}}
    traced = played("polly-hedging@8", {"a": slow})
    starts = sorted(call.start_s for call in traced.attempts.itertuples())
    assert starts == exactly([0.0, 2.0])
    assert set(traced.attempts.kind) == {"call", "hedge"}
    assert traced.request().end_s == pytest.approx(5.0)


def test_no_hedge_follows_what_answers_in_time() -> None:
    traced = played("polly-hedging@8", {"a": serving()})
    assert len(traced.attempts) == 1
    assert gaps(traced) == []
