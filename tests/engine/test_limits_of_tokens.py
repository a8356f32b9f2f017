"""Buckets of tokens: what a call takes of them and when, and how long a refused one is told to wait."""

from dataclasses import replace
from typing import Any

import pytest

from engine.serving import admitted, arriving, limit, limited_by, one_endpoint, retry_afters
from engine.traced import Traced, trace, window

FAILING = {"errors": {"server_error": {"rate": 1, "latency": "1s"}}}


def bucket(metric: str = "tokens", **rest: Any) -> Any:
    """100 tokens at most, 10 a second."""
    return limit(metric, **{"rate_per_s": 10.0, "burst": 100.0, **rest})


def played(limits: Any, at_s: Any, inputs: Any, outputs: Any, **rest: Any) -> Traced:
    limits = limits if isinstance(limits, list) else [limits]
    return trace(limited_by(arriving(one_endpoint(**rest), at_s, inputs, outputs), *limits))


@pytest.mark.parametrize(("metric", "taken"), [("input_tokens", 60), ("output_tokens", 30), ("tokens", 90)])
def test_a_call_takes_the_tokens_of_the_metric(metric: str, taken: int) -> None:
    traced = played(bucket(metric), [0.0, 0.0, 0.0, 0.0], [60] * 4, [30] * 4)
    assert sum(admitted(traced)) == 100 // taken


def test_a_refused_call_is_told_when_all_its_tokens_are_there() -> None:
    traced = played(bucket(), [0.0, 1.0, 2.0], [70, 50, 30], [0, 0, 0])
    assert admitted(traced) == [True, False, True]  # 30 left at 0 s, 40 at 1 s, 50 at 2 s
    assert retry_afters(traced) == [None, 1.0, None]


def test_who_waits_as_long_as_told_is_admitted() -> None:
    for amount in (41, 57, 97, 100):
        waits = {"chain": [{"provider": "a", "retries": 1}], "policy": {"retry_after": "honour", "backoff": "1ms"}}
        plan = limited_by(arriving(one_endpoint(**waits), [0.0, 0.3], [100, amount], [0, 0]), bucket(rate_per_s=7.3))
        traced = trace(plan)
        assert traced.outcomes(1) == ["rate_limited", "ok"]
        refused, served = traced.calls(1)
        assert served.start_s - refused.end_s == pytest.approx(amount / 7.3 - 0.3, abs=2e-6)


def test_a_call_too_large_for_the_bucket_is_refused_each_time_and_told_nothing() -> None:
    traced = played(bucket(), [0.0, 90.0], [101, 101], [0, 0])
    assert admitted(traced) == [False, False]
    assert retry_afters(traced) == [None, None]


def test_an_estimate_is_corrected_at_the_end() -> None:
    """Estimated at 50, actually 10: 40 come back after the second that it takes, too few until the next 40 do."""
    slow = bucket(rate_per_s=1e-6, counted="estimate", estimated_output=50)
    traced = played(slow, [0.0, 0.5, 0.99, 1.0, 1.5], [0] * 5, [10] * 5)
    assert admitted(traced) == [True, True, False, False, True]


def test_an_estimate_too_low_leaves_a_debt() -> None:
    traced = played(bucket(counted="estimate", estimated_output=10), [0.0, 1.5, 16.0], [0] * 3, [250, 1, 1])
    assert admitted(traced) == [True, False, True]  # 100 at 1 s, less 240: -140, and 10 wanted: 15 s from 1 s on
    assert retry_afters(traced) == [None, 14.5, None]


def test_calls_counted_after_success_overshoot() -> None:
    traced = played(bucket(counted="success"), [0.0, 0.1, 0.2, 1.05, 8.0], [60] * 5, [0] * 5)
    assert admitted(traced) == [True, True, True, True, False]  # the first ends at 1 s: 40 left
    # -19 at 1.1 s, -78 at 1.2 s, -129.5 at 2.05 s and so -70 at 8 s: one is there 7.1 s later.
    assert retry_afters(traced)[-1] == pytest.approx(7.1)


def test_failures_are_not_counted_after_success() -> None:
    traced = played(bucket(counted="success"), [0.0, 2.0, 4.0], [100] * 3, [0] * 3, **FAILING)
    assert admitted(traced) == [True, True, True]


def test_failed_calls_count_unless_they_do_not() -> None:
    """A failure takes a second; what it took is back then, and not before."""
    for counts, expected in ((True, [True, False, False]), (False, [True, False, True])):
        slow = bucket(rate_per_s=1e-6, counts_failed=counts)
        assert admitted(played(slow, [0.0, 0.9, 1.0], [100] * 3, [0] * 3, **FAILING)) == expected


def test_a_failed_call_has_used_its_input_but_no_output_of_an_estimate() -> None:
    slow = bucket(rate_per_s=1e-6, counted="estimate", estimated_output=60)
    assert admitted(played(slow, [0.0, 0.9, 1.0], [40] * 3, [60] * 3, **FAILING)) == [True, False, False]
    assert admitted(played(slow, [0.0, 0.9, 1.0, 2.0], [20] * 4, [60] * 4, **FAILING)) == [True, False, True, False]


def test_refused_calls_count_where_they_do() -> None:
    """Each refusal takes what is there, so a client that keeps asking is never served; nothing becomes a debt."""
    asking = [0.0, *(0.5 + second for second in range(20))]
    kept_out = played(bucket(counts_refused=True), asking, [95] * 21, [0] * 21)
    assert admitted(kept_out) == [True] + [False] * 20
    assert retry_afters(kept_out)[1:] == [9.5] * 20
    assert admitted(played(bucket(), asking, [95] * 21, [0] * 21)).count(True) == 3


def test_cached_input_counts_unless_it_does_not() -> None:
    """A prefix of 80 of 100 tokens, warm from the first answer at 1 s on."""
    chain = [{"provider": "a", "prompt_cache": {"share": 0.8, "ttl": "1h"}}]
    for counts, expected in ((True, [True, False, False]), (False, [True, True, False])):
        slow = bucket("input_tokens", rate_per_s=1e-6, burst=120.0, counts_cached=counts)
        traced = played(slow, [0.0, 2.0, 4.0], [100] * 3, [0] * 3, chain=chain)
        assert admitted(traced) == expected


def test_no_retry_after_where_none_is_sent() -> None:
    traced = played(bucket(sends_retry_after=False), [0.0, 0.0], [100, 100], [0, 0])
    assert admitted(traced) == [True, False]
    assert retry_afters(traced) == [None, None]


def test_work_given_up_is_counted_at_its_natural_end() -> None:
    """A client that gives up after 0.2 s: what was estimated too high comes back when the provider is done, at 1 s."""
    slow = bucket(rate_per_s=1e-6, counted="estimate", estimated_output=100)
    chain = [{"provider": "a", "timeout": "200ms"}]
    traced = played(slow, [0.0, 0.5, 1.1], [0] * 3, [0] * 3, chain=chain)
    assert admitted(traced) == [True, False, True]
    assert traced.outcomes(0) == ["timeout"]


def test_a_call_in_an_outage_takes_its_tokens() -> None:
    traced = played(bucket(), [0.0, 0.0], [100, 100], [0, 0], incidents=[window("0s", "1d")])
    assert [call[0] for call in (traced.outcomes(0), traced.outcomes(1))] == ["server_error", "rate_limited"]


def test_a_call_takes_from_all_its_limits_or_from_none() -> None:
    """Calls that the tokens refuse leave the requests alone, and the other way round."""
    requests = limit("requests", rate_per_s=1e-6, burst=2.0)
    tokens = bucket(rate_per_s=1e-6)
    for limits in ([requests, tokens], [tokens, requests]):
        traced = played(limits, [0.0] * 5, [90, 90, 90, 5, 5], [0] * 5)
        assert admitted(traced) == [True, False, False, True, False]
        blamed = [call.cause_id for number in (1, 2, 4) for call in traced.calls(number)]
        assert blamed == [limits.index(tokens), limits.index(tokens), limits.index(requests)]


def test_a_refused_call_counts_against_every_limit_that_counts_refusals() -> None:
    first = bucket("input_tokens", rate_per_s=1e-6, burst=50.0)
    second = limit("requests", rate_per_s=1e-6, burst=2.0, counts_refused=True)
    traced = played([first, second], [0.0] * 4, [50, 50, 0, 0], [0] * 4)
    assert admitted(traced) == [True, False, False, False]
    assert [traced.calls(number)[0].cause_id for number in (1, 2, 3)] == [0, 1, 1]


def test_a_budget_of_the_client_is_shared_by_its_legs() -> None:
    chain = [{"provider": "a"}, {"provider": "a", "name": "again"}]
    plan = limited_by(arriving(one_endpoint(chain=chain, **FAILING), [0.0, 0.0], [30, 30], [0, 0]), bucket())
    budget = tuple(replace(leg, limits=(0,)) for leg in plan.chain)
    free = tuple(replace(endpoint, limits=()) for endpoint in plan.endpoints)
    traced = trace(replace(plan, chain=budget, endpoints=free))
    assert [traced.outcomes(number) for number in (0, 1)] == [["server_error"] * 2, ["server_error", "rate_limited"]]
    (refused,) = [call for call in traced.calls(1) if call.outcome == "rate_limited"]
    assert (refused.cause, refused.leg, refused.http_status) == ("limit", "again", 429)
