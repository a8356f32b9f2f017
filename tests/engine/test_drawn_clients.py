"""What holds for any client over any scenario."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from examples import TIMES
from hypothesis import given, settings
from hypothesis import strategies as st
from properties.runs import plan_of
from properties.whole_scenarios import scenarios

from des.engine.guards import guard_kind
from des.scenario import plan
from engine.drawn_clients import clients, with_positions
from engine.traced import Traced, trace

GUARDS = ("breaker", "cooldown", "ejection")


def own_calls(of: Traced) -> Any:
    return of.attempts[of.attempts.kind != "probe"]


def every_arrival_has_one_outcome(of: Traced) -> None:
    assert sorted(of.requests.request_id) == list(range(of.arrived))
    lost = of.requests.outcome.isin(["failed", "deadline", "rejected"])
    assert (of.requests.error_type.notna() == lost).all()
    assert (of.requests.lost_to.notna() == lost).all()


def requests_cost_and_count_their_attempts(of: Traced) -> None:
    made = own_calls(of).groupby("request_id")
    cost, count = made.cost_picousd.sum(), made.size()
    for request in of.requests.itertuples():
        assert request.cost_picousd == cost.get(request.request_id, 0)
        assert request.attempts == count.get(request.request_id, 0)


def times_are_in_order_and_deadlines_hold(of: Traced) -> None:
    ended = of.attempts[of.attempts.end_s.notna()]
    assert (ended.end_s >= ended.start_s).all()
    requests = of.requests[of.requests.end_s.notna()]
    assert (requests.end_s >= requests.arrival_s).all()
    waited = of.requests.backoff_s + of.requests.queued_s
    assert (waited >= 0.0).all()
    latency = (requests.end_s - requests.arrival_s).to_numpy()
    assert (waited[requests.index].to_numpy() <= latency + 1e-6).all()
    deadline_s = of.plan.policy.deadline_s
    if deadline_s is not None:
        assert (latency <= deadline_s + 1e-6).all()
    first = own_calls(of).groupby("request_id").start_s.min()
    arrival = of.requests.set_index("request_id").arrival_s
    assert (first >= arrival[first.index]).all()


def served_requests_end_with_the_call_that_served_them(of: Traced) -> None:
    ok = own_calls(of)[own_calls(of).outcome == "ok"]
    ends = {(call.request_id, call.end_s, call.provider, call.model) for call in ok.itertuples()}
    for request in of.requests[of.requests.outcome == "ok"].itertuples():
        if not request.response_cache_hit:
            assert (request.request_id, request.end_s, request.provider, request.model) in ends


def rejected_requests_called_nobody(of: Traced) -> None:
    rejected = of.requests[of.requests.outcome == "rejected"]
    assert (rejected.attempts == 0).all()
    assert rejected.error_type.isin(["no_eligible_leg", "circuit_open", "client_limit"]).all()


def transitions_follow_each_other(of: Traced) -> None:
    turns = of.transitions[of.transitions.kind.isin(GUARDS)]
    assert (np.diff(of.transitions.time_s.to_numpy()) >= 0.0).all()
    assert (turns["from"] != turns["to"]).all()
    for _, of_one in turns.groupby(["entity", "kind"], observed=True):
        assert of_one["from"].tolist()[1:] == of_one["to"].tolist()[:-1]


def hedges_stay_below_their_most(of: Traced) -> None:
    most = max([leg.hedge.at_most for leg in of.plan.client.legs if leg.hedge is not None], default=0)
    calls = own_calls(of)
    kinds = calls.groupby(["request_id", "kind"]).size().unstack(fill_value=0)
    if "hedge" in kinds:
        plain = kinds.get("call", 0)
        cut = of.plan.drain_s is not None  # a hedge may be over where its call is cut
        assert cut or (kinds["hedge"] <= most * plain).all()


def nobody_calls_a_leg_that_is_out(of: Traced) -> None:
    for leg, guard in [(one, guard) for one in of.plan.client.legs for guard in one.guards]:
        name = of.plan.chain[leg.leg].name
        turns = of.transitions[(of.transitions.kind == guard_kind(guard)) & (of.transitions.entity == name)]
        states = list(zip(turns.time_s, turns["to"], strict=True))
        starts_s = of.attempts[(of.attempts.kind == "call") & (of.attempts.leg == name)].start_s
        for (start_s, state), (end_s, _) in pairwise([*states, (np.inf, "")]):
            inside = starts_s.between(start_s, end_s, inclusive="neither").sum()
            if state in ("open", "cooling", "ejected"):
                assert inside == 0
            if state == "half_open":
                assert isinstance(guard, plan.Breaker)
                given_up = of.attempts[(of.attempts.leg == name) & of.attempts.outcome.isin(["cancelled", "timeout"])]
                assert inside <= (guard.half_open or 0) + len(given_up)


def no_more_calls_are_under_way_than_the_bulkhead_holds(of: Traced) -> None:
    for leg in of.plan.client.legs:
        calls = of.attempts[(of.attempts.kind == "call") & (of.attempts.leg == of.plan.chain[leg.leg].name)]
        if leg.bulkhead is None or len(calls) == 0:
            continue
        ends_s = calls.end_s.fillna(np.inf).to_numpy()
        for start_s in calls.start_s:
            assert ((calls.start_s <= start_s) & (ends_s > start_s)).sum() <= leg.bulkhead.concurrent


def nobody_waits_longer_than_the_longest_wait(of: Traced) -> None:
    client = of.plan.client
    if all(leg.shaping is None and leg.bulkhead is None for leg in client.legs):
        assert (of.requests.queued_s == 0.0).all()


@settings(max_examples=20 * TIMES)
@given(st.data())
def test_any_client_without_layers_inside_keeps_legs_out_and_queues_bounded(data: st.DataObject) -> None:
    plain = plan_of(data.draw(scenarios()))
    client = data.draw(clients(plain))
    legs = tuple(replace(leg, inner=(), hedge=None, probes=None) for leg in client.legs)
    of = trace(with_positions(plain, replace(client, legs=legs)))
    nobody_calls_a_leg_that_is_out(of)
    no_more_calls_are_under_way_than_the_bulkhead_holds(of)
    nobody_waits_longer_than_the_longest_wait(of)


@settings(max_examples=20 * TIMES)
@given(st.data())
def test_any_client_keeps_the_books(data: st.DataObject) -> None:
    plain = plan_of(data.draw(scenarios()))
    whole = with_positions(plain, data.draw(clients(plain)))
    of = trace(whole)
    every_arrival_has_one_outcome(of)
    requests_cost_and_count_their_attempts(of)
    times_are_in_order_and_deadlines_hold(of)
    served_requests_end_with_the_call_that_served_them(of)
    rejected_requests_called_nobody(of)
    transitions_follow_each_other(of)
    hedges_stay_below_their_most(of)
    assert trace(whole).digest() == of.digest()
