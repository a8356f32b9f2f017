"""Every arrival, attempt and picodollar is accounted for, once."""

from typing import Any

import numpy as np
from engine.traced import Traced, trace

from des.engine import names
from des.estimate.totals import Totals
from properties.runs import calls, run
from properties.whole_scenarios import of_whole_scenarios

Scenario = dict[str, Any]


def every_arrival_has_exactly_one_outcome(scenario: Scenario, of: Traced) -> None:
    assert sorted(of.requests.request_id) == list(range(of.arrived))
    assert of.requests.outcome.isin(["ok", "failed", "deadline", "rejected", "in_flight"]).all()
    if scenario["drain"] is None:
        assert (of.requests.outcome != "in_flight").all()
    failed = of.requests.outcome.isin(["failed", "deadline", "rejected"])
    assert (of.requests.error_type.notna() == failed).all()
    assert (of.requests.lost_to.notna() == failed).all()


def the_run_keeps_the_rules_that_it_is_checked_by(scenario: Scenario, of: Traced) -> None:
    totals = Totals(names(of.plan), [leg.name for leg in of.plan.chain])
    for block in of.blocks["attempts"]:
        totals.attempts(block)
    for block in of.blocks["requests"]:
        totals.requests(block)
    totals.check(of.arrived)
    metrics = totals.metrics()
    outcomes = of.requests.outcome.value_counts()
    ended = len(of.requests) - outcomes.get("in_flight", 0)
    assert metrics["requests"] == of.arrived
    assert metrics["availability"] == (outcomes.get("ok", 0) / ended if ended else None)
    assert metrics["cost_usd"] == (of.attempts.cost_picousd.sum() / 1e12 if len(of.attempts) else 0.0)


def a_request_costs_what_its_attempts_cost_and_wastes_all_but_the_serving_one(scenario: Scenario, of: Traced) -> None:
    made = calls(of).groupby("request_id")
    cost = made.cost_picousd.sum()
    last = made.cost_picousd.last()
    for request in of.requests.itertuples():
        assert request.cost_picousd == cost.get(request.request_id, 0)
        served = request.outcome == "ok" and not request.response_cache_hit
        serving = last[request.request_id] if served else 0
        assert request.wasted_picousd == request.cost_picousd - serving
    assert (of.attempts.cost_picousd >= 0).all()


def requests_count_the_attempts_and_rounds_they_made(scenario: Scenario, of: Traced) -> None:
    made = calls(of).groupby("request_id")
    count, rounds = made.size(), made["round"].max() + 1
    for request in of.requests.itertuples():
        assert request.attempts == count.get(request.request_id, 0)
        assert request.rounds >= rounds.get(request.request_id, 0)
        if request.outcome != "in_flight":
            assert request.rounds == rounds.get(request.request_id, 0)


def a_served_request_names_the_leg_that_served_it(scenario: Scenario, of: Traced) -> None:
    last = calls(of).groupby("request_id").last()
    for request in of.requests.itertuples():
        if request.outcome == "ok" and not request.response_cache_hit:
            serving = last.loc[request.request_id]
            assert serving.outcome == "ok"
            assert (request.provider, request.model, request.chain_position) == (
                serving.provider,
                serving.model,
                serving.chain_position,
            )
            assert request.end_s == serving.end_s
            assert request.output_tokens == serving.output_tokens
        else:
            assert (request.provider, request.model, request.chain_position) == (None, None, -1)
            assert np.isnan(request.quality)


def probes_belong_to_no_request_and_come_at_multiples_of_their_interval(scenario: Scenario, of: Traced) -> None:
    every_s = {
        leg.name: leg.silent_rot.probe_every_s
        for leg in of.plan.chain
        if leg.silent_rot is not None and leg.silent_rot.probe_every_s is not None
    }
    probes = of.attempts[of.attempts.kind == "probe"]
    assert (probes.request_id == -1).all()
    assert (of.attempts.request_id[of.attempts.kind == "call"] >= 0).all()
    assert set(probes.leg) <= set(every_s)
    for probe in probes.itertuples():
        nth = round(probe.start_s / every_s[probe.leg])
        assert nth >= 1
        assert probe.start_s == nth * every_s[probe.leg]
        assert probe.start_s < of.plan.horizon_s
        assert (probe.attempt, probe.round) == (0, 0)


def the_same_plan_gives_the_same_bytes(scenario: Scenario, of: Traced) -> None:
    assert trace(of.plan).digest() == of.digest()


@of_whole_scenarios
def test_nothing_is_lost_or_counted_twice(scenario: Scenario) -> None:
    of = run(scenario)
    every_arrival_has_exactly_one_outcome(scenario, of)
    the_run_keeps_the_rules_that_it_is_checked_by(scenario, of)
    a_request_costs_what_its_attempts_cost_and_wastes_all_but_the_serving_one(scenario, of)
    requests_count_the_attempts_and_rounds_they_made(scenario, of)
    a_served_request_names_the_leg_that_served_it(scenario, of)
    probes_belong_to_no_request_and_come_at_multiples_of_their_interval(scenario, of)
    the_same_plan_gives_the_same_bytes(scenario, of)
