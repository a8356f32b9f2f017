"""Nothing happens before its cause, and rows come in order."""

from itertools import pairwise
from typing import Any

import numpy as np
from engine.traced import Traced

from properties.runs import ROUNDING_S, by_request, run
from properties.whole_scenarios import of_whole_scenarios

Scenario = dict[str, Any]


def requests_arrive_in_order_before_the_horizon(scenario: Scenario, of: Traced) -> None:
    arrival_s = of.requests.sort_values("request_id").arrival_s.to_numpy()
    assert (np.diff(arrival_s) >= 0.0).all()
    assert ((arrival_s >= 0.0) & (arrival_s < of.plan.horizon_s)).all()


def rows_are_sorted_by_end_and_number_and_those_without_an_end_come_last(scenario: Scenario, of: Traced) -> None:
    requests = of.requests[["end_s", "request_id"]]
    assert requests.equals(requests.sort_values(["end_s", "request_id"], ignore_index=True))
    attempts = of.attempts[of.attempts.kind != "probe"][["end_s", "request_id", "attempt"]].reset_index(drop=True)
    assert attempts.equals(attempts.sort_values(["end_s", "request_id", "attempt"], ignore_index=True))
    ends = of.attempts.end_s.fillna(np.inf).to_numpy()
    assert (ends[1:] >= ends[:-1]).all()
    assert of.transitions.time_s.is_monotonic_increasing
    assert of.incidents.start_s.is_monotonic_increasing


def durations_and_latencies_are_end_less_start(scenario: Scenario, of: Traced) -> None:
    for rows, start, taken in ((of.requests, "arrival_s", "latency_s"), (of.attempts, "start_s", "duration_s")):
        if len(rows):
            lasted = rows.end_s - rows[start]
            assert lasted.equals(rows[taken])
            assert (lasted.dropna() >= 0.0).all()


def a_request_calls_on_arrival_and_one_call_follows_the_other(scenario: Scenario, of: Traced) -> None:
    requests = of.requests.set_index("request_id")
    for number, made in by_request(of).items():
        request = requests.loc[number]
        assert [call.attempt for call in made] == list(range(len(made)))
        assert made[0].start_s == request.arrival_s
        for before, after in pairwise(made):
            assert before.end_s <= after.start_s
        if request.outcome in ("ok", "failed") and request.error_type != "hang":
            assert request.end_s == made[-1].end_s
        if request.error_type == "hang":
            assert np.isnan(request.end_s)
            assert np.isnan(made[-1].end_s)


def the_waits_of_a_request_are_the_gaps_between_its_calls(scenario: Scenario, of: Traced) -> None:
    requests = of.requests.set_index("request_id")
    for number, made in by_request(of).items():
        request = requests.loc[number]
        gaps_s = sum(after.start_s - before.end_s for before, after in pairwise(made))
        if request.outcome == "deadline":
            gaps_s += request.end_s - made[-1].end_s
        if request.outcome != "in_flight":
            assert abs(request.backoff_s - gaps_s) < ROUNDING_S
        else:
            assert request.backoff_s >= gaps_s - ROUNDING_S


def nothing_goes_past_the_deadline(scenario: Scenario, of: Traced) -> None:
    deadline_s = of.plan.policy.deadline_s
    if deadline_s is None:
        assert (of.requests.outcome != "deadline").all()
        assert (of.attempts.outcome != "cancelled").all()
        return
    called = of.requests[~of.requests.response_cache_hit & of.requests.outcome.ne("in_flight")].set_index("request_id")
    assert called.end_s.notna().all()  # a deadline ends even a hang
    assert (called.end_s <= called.arrival_s + deadline_s).all()
    struck = called[called.outcome == "deadline"]
    assert (struck.end_s == struck.arrival_s + deadline_s).all()
    cut = of.attempts[of.attempts.outcome == "cancelled"]
    assert set(cut.cause) <= {"deadline"}
    assert set(cut.request_id) <= set(struck.index)
    assert (cut.end_s.to_numpy() == struck.end_s[cut.request_id].to_numpy()).all()


def a_call_ends_no_later_than_its_total_timeout(scenario: Scenario, of: Traced) -> None:
    for leg in of.plan.chain:
        total_s = leg.timeout.total_s
        own = of.attempts[of.attempts.leg == leg.name]
        if total_s is not None:
            assert own.end_s.notna().all()
            assert (own.end_s <= own.start_s + total_s).all()
        timed_out = own[(own.outcome == "timeout") & own.end_s.notna()]
        bounds = [leg.timeout.connect_s, leg.timeout.first_token_s, leg.timeout.idle_s, total_s]
        if all(bound is None for bound in bounds):
            assert timed_out.empty
        else:
            least_s = min(bound for bound in bounds if bound is not None)
            assert (timed_out.duration_s >= least_s - ROUNDING_S).all()


def each_user_of_a_closed_workload_has_one_request_at_a_time(scenario: Scenario, of: Traced) -> None:
    arrivals = scenario["workload"]["arrivals"]
    if arrivals["kind"] != "closed":
        return
    end_s = of.requests.end_s.fillna(np.inf).to_numpy()
    arrival_s = of.requests.arrival_s.to_numpy()
    open_then = [int(((arrival_s <= t) & (end_s > t)).sum()) for t in arrival_s]
    assert max(open_then, default=0) <= arrivals["users"]


@of_whole_scenarios
def test_nothing_happens_before_its_cause_or_after_its_bound(scenario: Scenario) -> None:
    of = run(scenario)
    requests_arrive_in_order_before_the_horizon(scenario, of)
    rows_are_sorted_by_end_and_number_and_those_without_an_end_come_last(scenario, of)
    durations_and_latencies_are_end_less_start(scenario, of)
    a_request_calls_on_arrival_and_one_call_follows_the_other(scenario, of)
    the_waits_of_a_request_are_the_gaps_between_its_calls(scenario, of)
    nothing_goes_past_the_deadline(scenario, of)
    a_call_ends_no_later_than_its_total_timeout(scenario, of)
    each_user_of_a_closed_workload_has_one_request_at_a_time(scenario, of)
