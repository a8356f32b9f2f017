"""Retries, fallbacks, rounds and the waits between them, against walks worked out by hand."""

import numpy as np
import pytest

from engine.traced import at, provider, run, scenario

FAILING = {"errors": {"server_error": {"rate": 1, "latency": 0}}}
REFUSING = {"errors": {"client_error": {"rate": 1, "latency": 0}}}


def starts(traced: object) -> list[tuple[str, float]]:
    return [(call.provider, call.start_s) for call in traced.calls()]  # type: ignore[attr-defined]


def test_the_count_of_retries_starts_again_with_every_leg_and_round() -> None:
    chain = [{"provider": "a", "retries": 2}, {"provider": "b", "retries": 2}]
    policy = {"rounds": 3, "backoff": {"kind": "linear", "base": "1s"}}
    traced = run(
        scenario({"a": provider(**FAILING), "b": provider(**FAILING)}, arrivals=at("0s"), chain=chain, policy=policy)
    )
    assert starts(traced) == [
        ("a", 0.0), ("a", 1.0), ("a", 3.0), ("b", 3.0), ("b", 4.0), ("b", 6.0),
        ("a", 7.0), ("a", 8.0), ("a", 10.0), ("b", 10.0), ("b", 11.0), ("b", 13.0),
        ("a", 15.0), ("a", 16.0), ("a", 18.0), ("b", 18.0), ("b", 19.0), ("b", 21.0),
    ]  # fmt: skip
    request = traced.request()
    assert (request.outcome, request.end_s, request.backoff_s) == ("failed", 21.0, 21.0)
    assert (request.rounds, request.attempts, request.chain_position) == (3, 18, -1)
    assert [call.round for call in traced.calls()] == [0] * 6 + [1] * 6 + [2] * 6
    assert [call.attempt for call in traced.calls()] == list(range(18))


def test_rounds_and_retries_have_waits_of_their_own() -> None:
    policy = {
        "rounds": 3,
        "retry_backoff": {"kind": "exponential", "base": "1s", "factor": 3, "cap": "5s"},
        "round_backoff": {"kind": "exponential", "base": "10s"},
    }
    chain = [{"provider": "a", "retries": 3}]
    traced = run(scenario({"a": provider(**FAILING)}, arrivals=at("0s"), chain=chain, policy=policy))
    waits = np.diff([call.start_s for call in traced.calls()]).tolist()
    assert waits == [1.0, 3.0, 5.0, 10.0, 1.0, 3.0, 5.0, 20.0, 1.0, 3.0, 5.0]


def test_there_is_no_wait_before_the_next_leg_and_none_after_the_last_attempt() -> None:
    failing = provider(errors={"server_error": {"rate": 1, "latency": "2s"}})
    traced = run(scenario({"a": failing, "b": failing}, arrivals=at("0s"), policy={"backoff": "30s"}))
    assert starts(traced) == [("a", 0.0), ("b", 2.0)]
    assert (traced.request().end_s, traced.request().backoff_s) == (4.0, 0.0)


def test_a_served_request_stops_where_it_was_served() -> None:
    traced = run(scenario({"a": provider(**FAILING), "b": provider("3s"), "c": provider()}, arrivals=at("0s")))
    assert traced.legs() == ["a/m", "b/m"]
    request = traced.request()
    assert (request.outcome, request.provider, request.model, request.chain_position) == ("ok", "b", "m", 1)
    assert (request.error_type, request.lost_to, request.end_s) == (None, None, 3.0)


def test_an_outcome_that_is_not_retried_falls_back_at_once() -> None:
    chain = [{"provider": "a", "retries": 5, "retry_on": ["timeout"]}, {"provider": "b"}]
    traced = run(scenario({"a": provider(**FAILING), "b": provider()}, arrivals=at("0s"), chain=chain))
    assert starts(traced) == [("a", 0.0), ("b", 0.0)]


def test_an_outcome_that_does_not_fall_back_ends_the_request_at_once() -> None:
    chain = [{"provider": "a", "retries": 1, "fallback_on": ["timeout"]}, {"provider": "b"}]
    traced = run(
        scenario({"a": provider(**FAILING), "b": provider()}, arrivals=at("0s"), chain=chain, policy={"rounds": 4})
    )
    assert traced.legs() == ["a/m", "a/m"]
    request = traced.request()
    assert (request.outcome, request.rounds, request.error_type) == ("failed", 1, "server_error")
    assert (request.end_s, request.backoff_s) == (0.0, 0.0)


def test_client_errors_neither_retry_nor_fall_back_by_default() -> None:
    chain = [{"provider": "a", "retries": 3}, {"provider": "b"}]
    traced = run(scenario({"a": provider(**REFUSING), "b": provider()}, arrivals=at("0s"), chain=chain))
    assert traced.outcomes() == ["client_error"]
    assert traced.request().outcome == "failed"


@pytest.mark.parametrize(
    "outcome", ["server_error", "overloaded", "rate_limited", "connection_error", "invalid_output"]
)
def test_every_other_failure_is_retried_and_falls_back_by_default(outcome: str) -> None:
    errors = {"invalid_output": 1} if outcome == "invalid_output" else {outcome: 1}
    chain = [{"provider": "a", "retries": 1}, {"provider": "b"}]
    traced = run(scenario({"a": provider(errors=errors), "b": provider()}, arrivals=at("0s"), chain=chain))
    assert traced.outcomes() == [outcome, outcome, "ok"]


def test_timeouts_are_retried_and_fall_back_by_default() -> None:
    chain = [{"provider": "a", "retries": 1, "timeout": "2s"}, {"provider": "b"}]
    traced = run(scenario({"a": provider("5s"), "b": provider()}, arrivals=at("0s"), chain=chain))
    assert traced.outcomes() == ["timeout", "timeout", "ok"]


def test_a_chain_may_use_one_endpoint_twice() -> None:
    chain = [{"provider": "a", "timeout": "1s"}, {"provider": "a"}]
    traced = run(scenario({"a": provider("5s")}, arrivals=at("0s"), chain=chain))
    assert traced.legs() == ["a/m", "a/m#2"]
    assert traced.outcomes() == ["timeout", "ok"]
    assert traced.request().chain_position == 1


def test_full_jitter_is_uniform_below_the_wait() -> None:
    chain = [{"provider": "a", "retries": 2}]
    policy = {"backoff": {"kind": "constant", "base": "4s", "jitter": "full"}}
    traced = run(scenario({"a": provider(**FAILING)}, arrivals=at("0s", size=3000), chain=chain, policy=policy))
    waits = waits_of(traced)
    assert waits.min() >= 0.0
    assert waits.max() < 4.0
    assert waits.mean() == pytest.approx(2.0, abs=4 * 4.0 / np.sqrt(12 * waits.size))
    assert abs(np.corrcoef(waits.T)[0, 1]) < 4 / np.sqrt(len(waits))  # each wait has a draw of its own


def test_equal_and_additive_jitter_keep_to_their_ranges() -> None:
    chain = [{"provider": "a", "retries": 1}]
    for jitter, low, high in (
        ({"jitter": "equal"}, 2.0, 4.0),
        ({"jitter": "additive", "spread": "3s"}, 4.0, 7.0),
    ):
        policy = {"backoff": {"kind": "constant", "base": "4s", **jitter}}
        traced = run(scenario({"a": provider(**FAILING)}, arrivals=at("0s", size=2000), chain=chain, policy=policy))
        waits = waits_of(traced)
        assert waits.min() == pytest.approx(low, abs=0.02)
        assert waits.max() == pytest.approx(high, abs=0.02)


def test_decorrelated_jitter_grows_from_the_base_again_for_every_leg() -> None:
    providers = {"a": provider(**FAILING), "b": provider(**FAILING)}
    chain = [{"provider": name, "retries": 3} for name in providers]
    policy = {"retry_backoff": {"kind": "exponential", "base": "1s", "cap": "6s", "jitter": "decorrelated"}}
    traced = run(scenario(providers, arrivals=at("0s", size=2000), chain=chain, policy=policy))
    waits = waits_of(traced)
    assert (waits[:, 3] == 0.0).all()  # from the last of one leg to the first of the next
    for leg in (waits[:, :3], waits[:, 4:]):
        assert leg.min() >= 1.0 - 1e-9
        assert leg[:, 0].max() == pytest.approx(3.0, abs=0.02)
        assert (leg[:, 1] <= np.minimum(6.0, 3.0 * leg[:, 0]) + 1e-9).all()
        assert (leg[:, 2] <= np.minimum(6.0, 3.0 * leg[:, 1]) + 1e-9).all()
        assert leg[:, 2].max() == pytest.approx(6.0)


def waits_of(traced: object) -> np.ndarray:
    """Gaps between the attempts of each request, float64[requests, attempts - 1]."""
    attempts = traced.attempts.sort_values(["request_id", "attempt"])  # type: ignore[attr-defined]
    count = int(attempts.attempt.max()) + 1
    start_s = attempts.start_s.to_numpy().reshape(-1, count)
    end_s = attempts.end_s.to_numpy().reshape(-1, count)
    return start_s[:, 1:] - end_s[:, :-1]
