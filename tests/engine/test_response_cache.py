"""Responses kept on the client's side."""

import math

import pytest

from engine.traced import at, poisson, provider, run, scenario, tokens

PRICE = {"input_per_mtok": 1, "output_per_mtok": 1}


def cache(**given: object) -> dict[str, object]:
    return {"response_cache": given}


def test_a_share_of_requests_is_answered_without_a_call() -> None:
    priced = provider(price=PRICE)
    policy = cache(kind="share", hit_rate=0.8, latency="20ms")
    traced = run(scenario({"a": priced}, arrivals=at("5s", size=4000), policy=policy, workload=tokens(10, 10)))
    hits = traced.requests[traced.requests.response_cache_hit]
    assert len(hits) / 4000 == pytest.approx(0.8, abs=4 * math.sqrt(0.16 / 4000))
    assert set(hits.outcome) == {"ok"}
    assert set(zip(hits.attempts, hits.rounds, hits.cost_picousd, hits.chain_position, strict=True)) == {(0, 0, 0, -1)}
    assert set(hits.provider) == set(hits.model) == {None}
    assert set(hits.end_s) == {5.02}
    assert set(hits.output_tokens) == {10}
    missed = traced.requests[~traced.requests.response_cache_hit]
    assert set(missed.request_id) == set(traced.attempts.request_id)


def test_hits_are_answered_in_an_outage_of_everything() -> None:
    failing = provider(errors={"server_error": 1})
    traced = run(scenario({"a": failing}, arrivals=at("0s", size=1000), policy=cache(kind="share", hit_rate=0.5)))
    assert (traced.requests.response_cache_hit == (traced.requests.outcome == "ok")).all()


def test_a_response_is_kept_for_its_time_to_live_from_its_end_on() -> None:
    """Answered at 1 s and kept until 26 s: the requests at 10 and 20 s hit, which does not keep it any longer."""
    policy = cache(kind="zipf", keys=1, exponent=1, ttl="25s")
    traced = run(scenario({"a": provider()}, policy=policy))
    hits = traced.requests.sort_values("request_id").response_cache_hit
    assert list(hits) == [False, True, True, False, True, True, False, True, True, False]


def test_the_time_to_live_counts_from_the_end_of_the_response_and_not_from_its_request() -> None:
    """Asked for at 0 s, answered at 5 s and kept until 14 s."""
    policy = cache(kind="zipf", keys=1, exponent=1, ttl="9s")
    traced = run(scenario({"a": provider("5s")}, policy=policy, horizon="40s"))
    hits = traced.requests.sort_values("request_id").response_cache_hit
    assert list(hits) == [False, True, False, True]


def test_a_response_is_not_yet_kept_while_it_is_under_way() -> None:
    policy = cache(kind="zipf", keys=1, exponent=1, ttl="1h")
    traced = run(scenario({"a": provider("25s")}, policy=policy, horizon="50s"))
    hits = traced.requests.sort_values("request_id").response_cache_hit
    assert list(hits) == [False, False, False, True, True]


def test_what_failed_is_not_kept() -> None:
    policy = cache(kind="zipf", keys=1, exponent=1, ttl="1h")
    failing = provider(errors={"server_error": 1})
    traced = run(scenario({"a": failing}, policy=policy))
    assert not traced.requests.response_cache_hit.any()


def test_an_answer_that_expires_at_this_instant_is_gone() -> None:
    policy = cache(kind="zipf", keys=1, exponent=1, ttl="9s")
    traced = run(scenario({"a": provider("1s")}, policy=policy, horizon="15s"))
    assert not traced.requests.response_cache_hit.any()


def test_popular_keys_hit_more_often() -> None:
    """With answers kept for ever and at once, the misses are the distinct keys met."""
    spread = cache(kind="zipf", keys=50, exponent=0, ttl="1000d")
    steep = cache(kind="zipf", keys=50, exponent=3, ttl="1000d")
    misses = {}
    for name, policy in (("spread", spread), ("steep", steep)):
        traced = run(scenario({"a": provider(0)}, arrivals=poisson("1/s"), horizon="1000s", policy=policy))
        misses[name] = int((~traced.requests.response_cache_hit).sum())
    assert misses["spread"] == 50
    assert 5 <= misses["steep"] < 30


def test_the_hit_rate_of_two_keys_is_that_of_their_distribution() -> None:
    """Weights 1 and 1/2; every key's miss starts a window of its time to live: rate x / (1 + rate x ttl) misses."""
    policy = cache(kind="zipf", keys=2, exponent=1, ttl="3s")
    traced = run(scenario({"a": provider(0)}, arrivals=poisson("1/s"), horizon="20000s", policy=policy))
    misses = sum(rate / (1.0 + rate * 3.0) for rate in (2 / 3, 1 / 3))
    assert (~traced.requests.response_cache_hit).mean() == pytest.approx(misses, abs=0.015)


def test_an_answer_that_comes_just_at_the_deadline_comes_in_time() -> None:
    for latency, outcome in (("5s", "ok"), ("5.001s", "deadline")):
        policy = {**cache(kind="share", hit_rate=1, latency=latency), "deadline": "5s"}
        request = run(scenario({"a": provider()}, arrivals=at("0s"), policy=policy)).request()
        assert (request.outcome, request.end_s) == (outcome, 5.0)
