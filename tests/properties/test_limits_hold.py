"""Token buckets admit no more than their rate and burst in any window, and refuse for a reason."""

from typing import Any

import numpy as np
from engine.traced import Traced

from properties.runs import run
from properties.whole_scenarios import of_whole_scenarios

Scenario = dict[str, Any]


def endpoint_limits(of: Traced) -> dict[tuple[str, str], tuple[int, ...]]:
    return {(e.provider, e.model): e.limits for e in of.plan.endpoints}


def no_window_admits_more_than_the_rate_times_its_length_and_the_burst(scenario: Scenario, of: Traced) -> None:
    limits = endpoint_limits(of)
    starts = of.incidents.start_s.to_dict()
    admitted: dict[int, list[float]] = {}
    for call in of.attempts.sort_values("start_s").itertuples():
        # A refusal that was cut off, by its deadline or a kill, no longer looks like one: those are left out.
        cut_off = call.cause == "deadline" or (call.cause == "incident" and starts[call.cause_id] > call.start_s)
        if call.cause != "limit" and not cut_off:
            for limit in limits[call.provider, call.model]:
                admitted.setdefault(limit, []).append(call.start_s)
    for index, times in admitted.items():
        limit = of.plan.limits[index]
        time_s = np.array(times)
        ahead = np.arange(len(time_s)) - limit.rate_per_s * time_s
        assert (ahead - np.minimum.accumulate(ahead)).max() <= limit.burst - 1.0 + 1e-6


def a_refusal_names_a_limit_of_its_endpoint_and_when_to_come_again(scenario: Scenario, of: Traced) -> None:
    limits = endpoint_limits(of)
    for call in of.attempts.itertuples():
        if call.cause == "limit":
            assert call.cause_id in limits[call.provider, call.model]
        if call.cause == "limit" and call.outcome == "rate_limited":
            longest_s = 1.0 / of.plan.limits[call.cause_id].rate_per_s
            assert 0.0 < call.retry_after_s <= longest_s
            assert call.http_status == 429
        else:
            assert np.isnan(call.retry_after_s)


def the_first_calls_of_a_full_bucket_are_admitted(scenario: Scenario, of: Traced) -> None:
    """As many as its burst holds, whatever else becomes of them."""
    limits = endpoint_limits(of)
    for limit in of.plan.limits:
        behind = [endpoint for endpoint, indices in limits.items() if limit.index in indices]
        own = of.attempts[np.array([(c.provider, c.model) in behind for c in of.attempts.itertuples()], dtype=bool)]
        in_order = own.sort_values("start_s", kind="stable")
        before_s = in_order.start_s.iloc[int(limit.burst)] if len(own) > limit.burst else np.inf
        first = in_order[in_order.start_s < before_s]
        assert not ((first.cause == "limit") & (first.cause_id == limit.index)).any()


@of_whole_scenarios
def test_limits_admit_what_they_may_and_refuse_for_a_reason(scenario: Scenario) -> None:
    of = run(scenario)
    no_window_admits_more_than_the_rate_times_its_length_and_the_burst(scenario, of)
    a_refusal_names_a_limit_of_its_endpoint_and_when_to_come_again(scenario, of)
    the_first_calls_of_a_full_bucket_are_admitted(scenario, of)
