"""Layers that repeat: how many calls, when, and what a layer's timeout makes of them."""

import pytest

from des.scenario import plan
from engine.clients import grouped, timeline, with_client, with_legs, with_rule
from engine.traced import at, plan_of, provider, scenario, trace

FAILING = {"errors": {"server_error": {"rate": 1, "latency": 0}}}
FAILURES = ["server_error", "overloaded", "rate_limited", "timeout", "connection_error"]


def one_request(*providers: object, **rest: object) -> plan.Plan:
    named = dict(zip("abcdef", providers, strict=False))
    return plan_of(scenario(named, arrivals=at("0s"), **rest))  # type: ignore[arg-type]


def exponential(base_s: float, cap_s: float = float("inf")) -> plan.Backoff:
    return plan.Backoff(kind="exponential", base_s=base_s, cap_s=cap_s)


def retry(of: plan.Plan, retries: int, **rest: object) -> plan.RetryRule:
    return plan.RetryRule(retries=retries, retry_on=tuple(FAILURES), **rest)  # type: ignore[arg-type]


def test_litellm_makes_three_calls_in_each_of_three_groups_and_sleeps_after_each() -> None:
    of = one_request(*[provider(**FAILING)] * 3)
    of = with_rule(of, retries=2, backoff=exponential(0.5, 8.0), waits_after_last=True)
    traced = trace(of)
    assert traced.legs() == ["a/m"] * 3 + ["b/m"] * 3 + ["c/m"] * 3
    assert [call.start_s for call in traced.calls()] == [0.0, 0.5, 1.5, 3.5, 4.0, 5.0, 7.0, 7.5, 8.5]
    request = traced.request()
    assert (request.outcome, request.end_s, request.backoff_s) == ("failed", 10.5, 10.5)


def test_no_wait_while_the_group_has_another_leg_that_admits() -> None:
    of = one_request(*[provider(**FAILING)] * 2)
    of = with_rule(of, retries=2, backoff=exponential(0.5), waits_after_last=True, waits_with_healthy_peer=False)
    assert trace(of).request().end_s == 7.0  # each group has one leg: it waits
    assert trace(grouped(of, [[0, 1]])).request().end_s == 0.0


def test_layers_multiply_calls() -> None:
    of = one_request(provider(**FAILING))
    of = with_rule(of, retries=2)
    of = with_legs(of, inner=(retry(of, 1),))
    of = with_client(of, application=plan.RetryRule(retries=2, retry_on=("failed",)))
    traced = trace(of)
    assert len(traced.calls()) == 3 * 3 * 2
    assert traced.request().rounds == 3
    assert [call.attempt for call in traced.calls()] == list(range(18))


def test_each_layer_waits_by_its_own_back_off() -> None:
    of = one_request(provider(**FAILING))
    of = with_rule(of, retries=1, backoff=exponential(10.0))
    of = with_legs(of, inner=(retry(of, 2, backoff=exponential(1.0)),))
    assert [call.start_s for call in trace(of).calls()] == [0.0, 1.0, 3.0, 13.0, 14.0, 16.0]


def test_a_layer_s_timeout_bounds_its_retries_and_ends_it_as_a_timeout() -> None:
    failing = provider(errors={"server_error": {"rate": 1, "latency": "2s"}})
    of = one_request(failing, provider("1s"))
    client = of.client
    of = with_legs(of, inner=(retry(of, 5, timeout_s=5.0),))
    traced = trace(of)
    assert timeline(traced) == [("a/m", 0.0, 2.0), ("a/m", 2.0, 4.0), ("a/m", 4.0, 5.0), ("b/m", 5.0, 6.0)]
    assert traced.outcomes() == ["server_error", "server_error", "timeout", "ok"]
    assert client.groups[0].fallback_on == (*FAILURES, "invalid_output")


@pytest.mark.parametrize(("fallback_on", "outcome"), [(["timeout"], "ok"), (["server_error"], "failed")])
def test_what_falls_back_on_a_layer_s_timeout_is_the_timeout(fallback_on: list[str], outcome: str) -> None:
    failing = provider(errors={"server_error": {"rate": 1, "latency": "2s"}})
    chain = [{"provider": "a", "fallback_on": fallback_on}, {"provider": "b"}]
    of = one_request(failing, provider("1s"), chain=chain)
    of = with_legs(of, inner=(retry(of, 5, timeout_s=5.0),))
    assert trace(of).request().outcome == outcome


def test_a_timeout_that_strikes_in_a_wait_ends_the_layer_too() -> None:
    of = one_request(provider(**FAILING), provider("1s"))
    of = with_legs(of, inner=(retry(of, 5, backoff=plan.Backoff(kind="constant", base_s=3.0), timeout_s=5.0),))
    traced = trace(of)
    assert [call.start_s for call in traced.calls()] == [0.0, 3.0, 5.0]
    assert traced.request().backoff_s == 5.0


def test_an_attempt_timeout_is_repeated_by_its_own_layer() -> None:
    of = one_request(provider("10s"))
    of = with_legs(of, inner=(retry(of, 2, attempt_timeout_s=1.5),))
    traced = trace(of)
    assert timeline(traced) == [("a/m", 0.0, 1.5), ("a/m", 1.5, 3.0), ("a/m", 3.0, 4.5)]
    assert set(traced.outcomes()) == {"timeout"}
    assert {call.cause for call in traced.calls()} == {None}


def test_the_innermost_of_nested_timeouts_is_unwound_to_the_layer_that_struck() -> None:
    of = one_request(provider("10s"))
    inner = (retry(of, 9, timeout_s=7.0), retry(of, 9, attempt_timeout_s=3.0))
    traced = trace(with_legs(of, inner=inner))
    assert timeline(traced) == [("a/m", 0.0, 3.0), ("a/m", 3.0, 6.0), ("a/m", 6.0, 7.0)]
    assert traced.request().outcome == "failed"


def test_of_bounds_that_end_together_the_outermost_strikes() -> None:
    of = one_request(provider("10s"), provider("1s"), policy={"deadline": "3s"})
    traced = trace(with_legs(of, inner=(retry(of, 9, timeout_s=3.0),)))
    assert [(call.leg, call.outcome, call.cause) for call in traced.calls()] == [("a/m", "cancelled", "deadline")]
    assert traced.request().outcome == "deadline"


def test_three_times_600_s_of_an_sdk_that_waits_for_a_hang() -> None:
    of = one_request(provider(errors={"hang": 1}), provider("1s"))
    traced = trace(with_legs(of, inner=(retry(of, 2, attempt_timeout_s=600.0),)))
    assert [call.start_s for call in traced.calls()] == [0.0, 600.0, 1200.0, 1800.0]


def test_the_deadline_holds_in_every_layer() -> None:
    of = one_request(provider("10s"), policy={"deadline": "4s"})
    of = with_legs(of, inner=(retry(of, 9, attempt_timeout_s=3.0),))
    traced = trace(with_client(of, application=plan.RetryRule(retries=3, retry_on=("failed", "rejected", "deadline"))))
    assert timeline(traced) == [("a/m", 0.0, 3.0), ("a/m", 3.0, 4.0)]
    assert (traced.request().outcome, traced.outcomes()) == ("deadline", ["timeout", "cancelled"])


@pytest.mark.parametrize(
    ("retry_on", "calls"),
    [
        (("failed",), [("a/m", 0.0, 2.0)]),
        (("deadline",), [("a/m", 0.0, 2.0), ("a/m", 2.0, 4.0)]),
    ],
)
def test_an_application_repeats_a_walk_it_cut_off_only_on_deadline(
    retry_on: tuple[str, ...], calls: list[tuple[str, float, float]]
) -> None:
    of = one_request(provider("10s"))
    rule = plan.RetryRule(retries=1, retry_on=retry_on, attempt_timeout_s=2.0)
    traced = trace(with_client(of, application=rule))
    assert timeline(traced) == calls
    assert (traced.request().outcome, traced.request().error_type) == ("failed", "timeout")


def test_the_whole_timeout_of_an_application_ends_it_as_failed() -> None:
    rule = plan.RetryRule(retries=3, retry_on=("failed", "deadline"), timeout_s=3.0, attempt_timeout_s=2.0)
    traced = trace(with_client(one_request(provider("10s")), application=rule))
    assert timeline(traced) == [("a/m", 0.0, 2.0), ("a/m", 2.0, 3.0)]
    assert traced.request().outcome == "failed"


def limited(**rule: object) -> plan.Plan:
    """A request that finds the only token of 10 s taken by another just before."""
    slow = provider("1s", limits={"requests": "6/min", "burst": 1, "refusal_latency": 0})
    of = plan_of(scenario({"a": slow}, arrivals=at("0s", size=2)))
    retry_after = plan.RetryAfter(honours=True, on=("rate_limited",), **rule)  # type: ignore[arg-type]
    return with_rule(of, retries=1, backoff=plan.Backoff(kind="constant", base_s=1.0), retry_after=retry_after)


@pytest.mark.parametrize(
    ("rule", "starts"),
    [
        ({}, [0.0, 10.0]),
        ({"cap_s": 4.0}, [0.0, 4.0]),
        ({"cap_s": 4.0, "above": "ignore"}, [0.0, 1.0]),
        ({"cap_s": 4.0, "above": "refuse"}, [0.0]),
        ({"total_s": 3.0}, [0.0, 3.0]),
    ],
)
def test_retry_after_is_honoured_clipped_ignored_or_ends_the_retries(rule: dict, starts: list[float]) -> None:
    traced = trace(limited(**rule))
    assert [call.start_s for call in traced.calls(1)] == pytest.approx(starts)


def test_an_outcome_that_is_not_retried_leaves_the_layer_at_once() -> None:
    of = one_request(provider(errors={"client_error": 1}), provider())
    assert len(trace(with_rule(of, retries=5)).calls()) == 1


def test_a_call_given_up_before_its_layer_is_leaves_the_layer_the_rest_of_its_time() -> None:
    hung = provider(errors={"hang": 1})
    of = one_request(hung, provider("1s"), chain=[{"provider": "a", "timeout": "2s"}, {"provider": "b"}])
    of = with_legs(of, inner=(retry(of, 5, timeout_s=5.0),))
    assert timeline(trace(of)) == [("a/m", 0.0, 2.0), ("a/m", 2.0, 4.0), ("a/m", 4.0, 5.0), ("b/m", 5.0, 6.0)]


@pytest.mark.parametrize(("outcome", "waited_s"), [("server_error", 1.0), ("rate_limited", 7.0), ("overloaded", 7.0)])
def test_throttled_calls_wait_by_a_back_off_of_their_own(outcome: str, waited_s: float) -> None:
    plain, throttled = (plan.Backoff(kind="constant", base_s=base_s) for base_s in (1.0, 7.0))
    of = one_request(provider(errors={outcome: {"rate": 1, "latency": 0}}))
    of = with_rule(of, retries=2, backoff=plain, throttled_backoff=throttled)
    assert [call.start_s for call in trace(of).calls()] == [0.0, waited_s, 2.0 * waited_s]
