"""No attempt escapes the incidents that strike it, and none names one that does not."""

from typing import Any

import numpy as np
import pandas as pd
from engine.traced import Traced

from properties.runs import run, run_end_s
from properties.whole_scenarios import of_whole_scenarios

Scenario = dict[str, Any]


class Strikes:
    """The incidents that reach one endpoint."""

    def __init__(self, of: Traced, endpoint: str) -> None:
        own = of.incidents[np.array([endpoint in struck for struck in of.incidents.endpoints], dtype=bool)]
        self.id = own.incident_id.to_numpy(dtype=np.int64)
        self.start_s = own.start_s.to_numpy(dtype=float)
        self.end_s = own.end_s.to_numpy(dtype=float)
        self.error_rate = own.error_rate.to_numpy(dtype=float)
        self.hang = own.hang.to_numpy(dtype=float)
        self.kills = own.kills_in_flight.to_numpy(dtype=bool)
        self.factor = own.latency_factor.to_numpy(dtype=float)

    def open_at(self, time_s: float) -> np.ndarray:
        return (self.start_s <= time_s) & (time_s < self.end_s)

    def kill_within(self, call: Any) -> np.ndarray:
        end_s = np.inf if np.isnan(call.end_s) else call.end_s
        return self.kills & (call.start_s < self.start_s) & (self.start_s <= end_s)


def attempts_with_strikes(of: Traced) -> list[tuple[Any, Strikes]]:
    strikes = {name: Strikes(of, name) for name in {f"{e.provider}/{e.model}" for e in of.plan.endpoints}}
    return [(call, strikes[f"{call.provider}/{call.model}"]) for call in of.attempts.itertuples()]


def nothing_is_answered_that_started_in_an_outage(scenario: Scenario, of: Traced) -> None:
    for call, strikes in attempts_with_strikes(of):
        open_then = strikes.open_at(call.start_s)
        if (strikes.error_rate[open_then] >= 1.0).any() or (strikes.hang[open_then] >= 1.0).any():
            assert call.outcome != "ok"
            assert call.cause is not None


def no_call_outlives_a_kill_that_takes_all(scenario: Scenario, of: Traced) -> None:
    for call, strikes in attempts_with_strikes(of):
        certain = strikes.kill_within(call) & (strikes.error_rate >= 1.0)
        if certain.any():
            assert (
                call.end_s == strikes.start_s[certain].min() or call.end_s in strikes.start_s[strikes.kill_within(call)]
            )
            assert call.cause == "incident"


def an_incident_is_to_blame_only_where_it_was_open_or_cut_the_call_off(scenario: Scenario, of: Traced) -> None:
    for call, strikes in attempts_with_strikes(of):
        if call.cause == "deadline" and call.cause_id >= 0:  # struck, had there been time
            assert strikes.open_at(call.start_s)[strikes.id == call.cause_id].all()
        elif call.cause != "incident":
            assert call.cause == "limit" or call.cause_id == -1
        if call.cause != "incident":
            continue
        assert call.cause_id in strikes.id
        place = int(np.flatnonzero(strikes.id == call.cause_id)[0])
        was_open = bool(strikes.open_at(call.start_s)[place])
        cut_off = bool(strikes.kill_within(call)[place]) and call.end_s == strikes.start_s[place]
        assert was_open != cut_off
        could_fail = strikes.error_rate[place] > 0.0 or strikes.hang[place] > 0.0 or strikes.factor[place] > 1.0
        assert could_fail


def each_cause_goes_with_outcomes_that_it_can_have(scenario: Scenario, of: Traced) -> None:
    for call in of.attempts.itertuples():
        if call.outcome == "ok":
            assert (call.cause, call.cause_id) == (None, -1)
        if call.cause is None:
            assert call.outcome in ("ok", "timeout")
        if call.cause == "limit":
            assert call.outcome in ("rate_limited", "timeout")
        assert (call.cause == "deadline") == (call.outcome == "cancelled")


def only_legs_that_rot_fail_for_rot(scenario: Scenario, of: Traced) -> None:
    rotting = {leg.name for leg in of.plan.chain if leg.silent_rot is not None}
    assert set(of.attempts.leg[of.attempts.cause == "silent_rot"]) <= rotting
    turned = of.transitions[of.transitions.kind == "leg"]
    for leg in rotting:
        own = turned[turned.entity == leg]
        cycle = ["broken", "in_repair", "working"]
        assert list(own.to) == [cycle[n % 3] for n in range(len(own))]
        assert list(own["from"]) == [cycle[(n - 1) % 3] for n in range(len(own))]
        times = own.time_s.to_numpy(dtype=float)
        calls = of.attempts[of.attempts.leg == leg]
        for call in calls.itertuples():
            is_working = int((times <= call.start_s).sum()) % 3 == 0
            if call.cause == "silent_rot":
                assert not is_working or call.start_s in times
            elif call.outcome == "ok" or (call.outcome, call.cause) == ("invalid_output", "random"):
                assert is_working or call.start_s in times


def transitions_are_those_of_the_incidents(scenario: Scenario, of: Traced) -> None:
    end_s = run_end_s(of)
    for component in of.plan.components:
        own = of.incidents[of.incidents.component == component.name]
        traced = of.transitions[(of.transitions.entity == component.name) & (of.transitions.kind == component.kind)]
        found = list(zip(traced.time_s, traced["from"], traced.to, strict=True))
        expected = expected_turns(own, end_s)
        assert [turn for turn in found if turn[0] < end_s] == [turn for turn in expected if turn[0] < end_s]


def expected_turns(own: pd.DataFrame, end_s: float) -> list[tuple[float, str, str]]:
    turns, state = [], "up"
    for time_s in sorted({max(0.0, time_s) for time_s in (*own.start_s, *own.end_s)}):
        if time_s > end_s:
            break
        rates = own.error_rate[(own.start_s <= time_s) & (time_s < own.end_s)]
        now = "up" if rates.empty else ("down" if (rates >= 1.0).any() else "degraded")
        if now != state:
            turns.append((time_s, state, now))
            state = now
    return turns


def incidents_reach_only_what_depends_on_them(scenario: Scenario, of: Traced) -> None:
    components = {component.name: component for component in of.plan.components}

    def reaches(index: int) -> set[int]:
        edges = of.plan.components[index].depends_on
        return {index}.union(*(reaches(edge.component) for edge in edges if edge.share > 0.0))

    behind = {f"{e.provider}/{e.model}": reaches(e.component) for e in of.plan.endpoints}
    for incident in of.incidents.itertuples():
        assert incident.start_s < incident.end_s
        assert incident.end_s > 0.0
        assert incident.start_s >= 0.0 or scenario["start_state"] == "equilibrium" or incident.kind == "schedule"
        struck = {endpoint.split("/")[0] for endpoint in incident.endpoints}
        assert incident.shared == (len(struck) > 1)
        for endpoint in incident.endpoints:
            assert components[incident.component].index in behind[endpoint]
    assert list(of.incidents.incident_id) == list(range(len(of.incidents)))


@of_whole_scenarios
def test_calls_suffer_the_incidents_that_strike_them_and_no_others(scenario: Scenario) -> None:
    of = run(scenario)
    nothing_is_answered_that_started_in_an_outage(scenario, of)
    no_call_outlives_a_kill_that_takes_all(scenario, of)
    an_incident_is_to_blame_only_where_it_was_open_or_cut_the_call_off(scenario, of)
    each_cause_goes_with_outcomes_that_it_can_have(scenario, of)
    only_legs_that_rot_fail_for_rot(scenario, of)
    transitions_are_those_of_the_incidents(scenario, of)
    incidents_reach_only_what_depends_on_them(scenario, of)
