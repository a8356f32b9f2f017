"""Breakers, cooldowns and ejections: when they open, whom they let through, and when they close."""

from functools import partial
from itertools import pairwise
from typing import Any

from des.scenario import plan
from engine.clients import grouped, timeline, with_client, with_legs, with_rule
from engine.traced import Traced, at, plan_of, poisson, provider, scenario, trace, window

FAILURES = ["server_error", "overloaded", "rate_limited", "timeout", "connection_error"]
GUARDS = ["breaker", "cooldown", "ejection"]
EVERY_SECOND = {"kind": "batch", "every": "1s", "size": 1}


def guarded(guard: Any, *providers: Any, arrivals: Any = None, horizon: str = "60s") -> plan.Plan:
    named = dict(zip("abc", providers, strict=False))
    of = plan_of(scenario(named, arrivals=arrivals or EVERY_SECOND, horizon=horizon))
    return with_legs(of, guards=(guard(tuple(FAILURES)),))


def turns(traced: Traced) -> list[tuple[str, float, str, str]]:
    rows = traced.transitions[traced.transitions.kind.isin(GUARDS)]
    return list(zip(rows.entity, rows.time_s, rows["from"], rows["to"], strict=True))


def down(until: str) -> Any:
    return provider("100ms", incidents=[window("0s", until, error_latency="0s")])


def consecutive(counts: tuple[str, ...], **rest: Any) -> plan.Breaker:
    return plan.ConsecutiveBreaker(
        kind="consecutive", open_s=10.0, counts=counts, **{"failures": 3, "half_open": 1, **rest}
    )


def test_a_breaker_opens_after_so_many_failures_probes_and_closes() -> None:
    traced = trace(guarded(consecutive, down("20s")))
    assert turns(traced) == [
        ("a/m", 2.0, "closed", "open"),
        ("a/m", 12.0, "open", "half_open"),
        ("a/m", 12.0, "half_open", "open"),
        ("a/m", 22.0, "open", "half_open"),
        ("a/m", 22.1, "half_open", "closed"),
    ]
    assert traced.attempts.start_s.tolist()[:6] == [0.0, 1.0, 2.0, 12.0, 22.0, 23.0]


def test_no_call_is_made_on_an_open_breaker_but_its_probes() -> None:
    of = guarded(lambda counts: consecutive(counts, half_open=2), down("200s"), arrivals=poisson("5/s"), horizon="300s")
    traced = trace(with_rule(of, retries=2))
    spans = turns(traced)
    assert len(spans) > 10
    for (_, start_s, _, state), (_, end_s, _, _) in pairwise(spans):
        started = traced.attempts[(traced.attempts.start_s > start_s) & (traced.attempts.start_s < end_s)]
        if state == "open":
            assert len(started) == 0
        if state == "half_open":
            assert len(started) <= 2


def test_requests_that_nobody_is_called_for_are_rejected_and_counted() -> None:
    traced = trace(guarded(consecutive, down("100s"), horizon="10s"))
    assert traced.requests.outcome.tolist() == ["failed"] * 3 + ["rejected"] * 7
    refused = traced.requests[3:]
    assert set(refused.error_type) == {"circuit_open"}
    assert set(refused.lost_to) == {"circuit_open"}
    assert (refused.attempts == 0).all()


def test_a_breaker_without_probes_closes_by_its_timer() -> None:
    traced = trace(guarded(lambda counts: consecutive(counts, half_open=None), down("20s")))
    assert turns(traced)[:3] == [
        ("a/m", 2.0, "closed", "open"),
        ("a/m", 12.0, "open", "closed"),
        ("a/m", 14.0, "closed", "open"),
    ]


def test_where_all_are_open_breakers_may_be_bypassed() -> None:
    bypassing = trace(guarded(lambda counts: consecutive(counts, all_open="bypass"), down("100s"), horizon="10s"))
    assert len(bypassing.attempts) == 10


def test_an_open_leg_is_left_for_the_next_at_once() -> None:
    traced = trace(guarded(consecutive, down("60s"), provider("1s"), horizon="10s"))
    assert (traced.requests.outcome == "ok").all()
    assert traced.legs(2) == ["a/m", "b/m"]
    assert timeline(traced, 5) == [("b/m", 5.0, 6.0)]


def test_count_and_time_windows_open_at_their_share() -> None:
    half = provider("0s", errors={"server_error": {"rate": 0.5, "latency": 0}})
    of_calls = partial(plan.CountWindowBreaker, kind="count_window", calls=10)
    of_time = partial(plan.TimeWindowBreaker, kind="time_window", window_s=10.5)
    for breaker in (of_calls, of_time):
        of = guarded(
            lambda counts, breaker=breaker: breaker(
                failure_share=0.5, minimum=10, open_s=5.0, half_open=4, counts=counts
            ),
            half,
            horizon="300s",
        )
        traced = trace(of)
        opened_s = turns(traced)[0][1]
        before = traced.attempts[traced.attempts.end_s <= opened_s]
        assert (before.outcome[-10:] != "ok").sum() >= 5
        for count in range(10, len(before)):
            assert (before.outcome[count - 10 : count] != "ok").sum() < 5


def cooldown(counts: tuple[str, ...], **rest: Any) -> plan.Cooldown:
    given: dict[str, Any] = {"at_once": ("rate_limited",), "failure_share": 0.5, "minimum": 5, "all_failed": 1000}
    return plan.Cooldown(counts=counts, **{**given, **rest})


REFUSING = provider("100ms", errors={"rate_limited": {"rate": 1, "latency": 0}})


def test_a_refusal_cools_a_deployment_of_several_at_once_and_it_comes_back_in_full() -> None:
    of = guarded(cooldown, REFUSING, provider("100ms"), horizon="12s")
    traced = trace(with_rule(grouped(of, [[0, 1]]), retries=1))
    assert (
        turns(traced)
        == [
            ("a/m", 0.0, "closed", "cooling"),
            ("a/m", 5.0, "cooling", "closed"),
            ("a/m", 5.0, "closed", "cooling"),
            ("a/m", 10.0, "cooling", "closed"),
            ("a/m", 10.0, "closed", "cooling"),
            ("a/m", 15.0, "cooling", "closed"),
        ][: len(turns(traced))]
    )
    assert len(turns(traced)) >= 5
    assert (traced.requests.outcome == "ok").all()


def test_a_single_deployment_is_never_cooled_by_refusals() -> None:
    assert turns(trace(guarded(cooldown, REFUSING, horizon="30s"))) == []


def test_more_than_half_of_five_calls_cool_a_deployment_of_several() -> None:
    failing = provider("0s", errors={"server_error": {"rate": 1, "latency": 0}})
    of = guarded(cooldown, failing, provider("100ms"), horizon="10s")
    traced = trace(with_rule(grouped(of, [[0, 1]])))
    assert turns(traced)[0] == ("a/m", 4.0, "closed", "cooling")


def test_allowed_fails_cool_when_they_are_exceeded() -> None:
    failing = provider("0s", errors={"server_error": {"rate": 1, "latency": 0}})
    traced = trace(guarded(lambda counts: cooldown(counts, allowed_fails=2), failing, horizon="10s"))
    assert turns(traced)[0] == ("a/m", 2.0, "closed", "cooling")


def test_ejections_last_longer_each_time_and_end_at_a_check() -> None:
    def ejection(counts: tuple[str, ...]) -> plan.Ejection:
        return plan.Ejection(consecutive=5, for_s=30.0, longest_s=300.0, every_s=10.0, most=0.1, counts=counts)

    of = guarded(ejection, down("1000s"), horizon="200s")
    spans = turns(trace(of))
    assert spans[0] == ("a/m", 4.0, "closed", "ejected")
    assert spans[1] == ("a/m", 40.0, "ejected", "closed")
    assert spans[2] == ("a/m", 44.0, "closed", "ejected")
    assert spans[3] == ("a/m", 110.0, "ejected", "closed")


def test_at_most_one_of_few_hosts_is_ejected() -> None:
    def ejection(counts: tuple[str, ...]) -> plan.Ejection:
        return plan.Ejection(consecutive=2, for_s=30.0, every_s=0.0, most=0.1, counts=counts)

    of = guarded(ejection, down("1000s"), down("1000s"), horizon="60s")
    traced = trace(with_rule(grouped(of, [[0, 1]], routing=plan.Routing(kind="weighted")), retries=3))
    out: set[str] = set()
    for entity, _, _, state in turns(traced):
        out = out | {entity} if state == "ejected" else out - {entity}
        assert len(out) <= 1


def test_two_guards_of_one_leg_are_told_apart_by_their_kind() -> None:
    of = guarded(lambda counts: consecutive(counts, half_open=None), down("20s"), horizon="30s")
    (guard,) = of.client.legs[0].guards
    fails = guard.counts
    breaker = plan.ConsecutiveBreaker(kind="consecutive", failures=1, open_s=10.0, counts=fails)
    cooldown = plan.Cooldown(always=fails, cooldown_s=4.0, counts=fails)
    traced = trace(with_legs(of, guards=(breaker, cooldown)))
    of_kind = {kind: rows.time_s.tolist() for kind, rows in traced.transitions.groupby("kind", observed=True)}
    assert of_kind["breaker"] == [0.0, 10.0, 10.0, 20.0]
    assert of_kind["cooldown"] == [0.0, 4.0, 10.0, 14.0]


def test_a_refusal_removes_a_provider_for_retry_after_and_more() -> None:
    def ejection(counts: tuple[str, ...]) -> plan.Ejection:
        return plan.Ejection(for_s=30.0, rate_limited_s=30.0, counts=counts)

    traced = trace(guarded(ejection, REFUSING, arrivals=at("0s"), horizon="100s"))
    assert turns(traced) == [("a/m", 0.0, "closed", "ejected"), ("a/m", 60.0, "ejected", "closed")]


def test_only_a_time_out_of_the_entry_itself_counts_as_a_failure_of_its_leg() -> None:
    """Where a layer further out gives up, the attempt on the entry is cancelled."""
    of = guarded(lambda counts: consecutive(counts, failures=1), provider("5s"), horizon="10s")
    own = trace(with_rule(of, attempt_timeout_s=2.0))
    assert turns(own) == [("a/m", 2.0, "closed", "open")]
    outside = plan.RetryRule(retries=0, retry_on=("failed",), attempt_timeout_s=2.0)
    assert turns(trace(with_client(of, application=outside))) == []
