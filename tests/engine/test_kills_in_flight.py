"""Incidents that cut off the calls under way when they start."""

import math

import pytest

from des.engine.draws import KILLS_BY_COUNT, CallDraws
from des.engine.incidents import Ledger, last_kill_s
from engine.traced import at, plan_of, poisson, provider, run, scenario, tokens, window


def killing(start: str, end: str, **effect: object) -> dict[str, object]:
    return window(start, end, kills_in_flight=True, **effect)


def test_a_killing_incident_cuts_off_a_call_in_flight_when_it_starts() -> None:
    traced = run(scenario({"a": provider("10s", incidents=[killing("5s", "6s")])}, arrivals=at("0s")))
    (call,) = traced.calls()
    assert (call.outcome, call.cause, call.cause_id, call.end_s) == ("server_error", "incident", 0, 5.0)
    assert traced.request().lost_to == "a"


def test_an_incident_that_does_not_kill_leaves_calls_in_flight_alone() -> None:
    traced = run(scenario({"a": provider("10s", incidents=[window("5s", "6s")])}, arrivals=at("0s")))
    assert [(call.outcome, call.end_s) for call in traced.calls()] == [("ok", 10.0)]


def test_a_call_that_ends_just_when_a_killing_incident_starts_is_cut_off() -> None:
    """Incidents start before attempts end at one instant."""
    traced = run(scenario({"a": provider("5s", incidents=[killing("5s", "6s")])}, arrivals=at("0s")))
    assert [(call.outcome, call.end_s) for call in traced.calls()] == [("server_error", 5.0)]


def test_a_call_that_starts_with_a_killing_incident_meets_it_as_open() -> None:
    traced = run(scenario({"a": provider("9s", incidents=[killing("5s", "6s")])}, arrivals=at("5s")))
    assert [(call.outcome, call.end_s) for call in traced.calls()] == [("server_error", 5.2)]


def test_a_client_that_gave_up_before_is_not_killed() -> None:
    chain = [{"provider": "a", "timeout": "4s"}]
    traced = run(scenario({"a": provider("9s", incidents=[killing("5s", "6s")])}, arrivals=at("0s"), chain=chain))
    assert [(call.outcome, call.cause, call.end_s) for call in traced.calls()] == [("timeout", None, 4.0)]


def test_a_kill_comes_before_a_later_deadline_or_timeout() -> None:
    chain = [{"provider": "a", "timeout": "7s"}]
    killed = provider("9s", incidents=[killing("5s", "6s", outcome="connection_error")])
    traced = run(scenario({"a": killed}, arrivals=at("0s"), chain=chain, policy={"deadline": "6s"}))
    assert [(call.outcome, call.end_s) for call in traced.calls()] == [("connection_error", 5.0)]
    assert traced.request().outcome == "failed"


def test_each_call_is_killed_with_the_error_rate_of_each_kill() -> None:
    often = provider("10s", incidents=[killing("3s", "4s", error_rate=0.5), killing("6s", "7s", error_rate=0.5)])
    traced = run(scenario({"a": often}, arrivals=at("0s", size=6000)))
    ends = traced.attempts.end_s.value_counts(normalize=True)
    for end_s, share in {3.0: 0.5, 6.0: 0.25, 10.0: 0.25}.items():
        assert ends[end_s] == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / 6000))
    assert set(traced.attempts[traced.attempts.end_s == 6.0].cause_id) == {1}
    assert set(traced.attempts[traced.attempts.end_s == 10.0].outcome) == {"ok"}


def test_kills_strike_only_what_their_incident_reaches() -> None:
    components = {"cdn": {"incidents": [killing("5s", "6s")]}}
    providers = {"a": provider("20s", depends_on=["cdn"]), "b": provider("20s")}
    traced = run(scenario(providers, arrivals=at("0s"), components=components))
    assert [(call.outcome, call.end_s) for call in traced.calls()] == [("server_error", 5.0), ("ok", 25.0)]


def test_a_killed_call_is_billed_as_its_outcome() -> None:
    price = {"input_per_mtok": 1, "output_per_mtok": 2}
    killed = provider("10s", price=price, incidents=[killing("5s", "6s")], billing={"server_error": "partial"})
    (call,) = run(scenario({"a": killed}, arrivals=at("0s"), workload=tokens(100, 1000))).calls()
    assert call.output_tokens == 500
    assert call.cost_picousd == 100 * 1_000_000 + 500 * 2_000_000


def test_a_killing_incident_may_cut_off_a_failing_call_too() -> None:
    slow_error = {"server_error": {"rate": 1, "latency": "8s"}}
    killed = provider(errors=slow_error, incidents=[killing("5s", "6s", outcome="overloaded")])
    traced = run(scenario({"a": killed}, arrivals=at("0s")))
    assert [(call.outcome, call.end_s) for call in traced.calls()] == [("overloaded", 5.0)]


def test_kills_start_while_the_call_is_under_way_and_name_an_incident_that_reaches_it() -> None:
    kills = {
        "kind": "poisson",
        "rate": "120/h",
        "duration": {"kind": "exponential", "mean": "5s"},
        "kills_in_flight": True,
        "error_rate": 0.5,
    }
    components = {"cdn": {"incidents": [kills]}}
    providers = {"a": provider("20s", depends_on=[{"cdn": 0.5}], incidents=[kills]), "b": provider("5s")}
    traced = run(scenario(providers, arrivals=poisson("1/s"), horizon="1h", components=components))
    blamed = traced.attempts[traced.attempts.cause == "incident"].merge(
        traced.incidents, left_on="cause_id", right_on="incident_id", suffixes=("", "_incident")
    )
    open_at_start = (blamed.start_s_incident <= blamed.start_s) & (blamed.start_s < blamed.end_s_incident)
    killed = (blamed.start_s < blamed.start_s_incident) & (blamed.start_s_incident == blamed.end_s)
    assert (open_at_start ^ killed).all()
    assert killed.sum() > 300
    assert open_at_start.sum() > 100
    assert all(f"{row.provider}/{row.model}" in row.endpoints for row in blamed.itertuples())


def test_an_endless_call_that_thousands_of_incidents_spare_keeps_few_draws() -> None:
    plan = plan_of(scenario({"a": provider("10s")}, arrivals=at("0s")))
    draws = CallDraws(7, 0, plan.chain[0], plan.endpoints[0], 0)
    drawn = [draws.kill(count, 3) for count in range(5_000)]
    assert len(draws.kills) == KILLS_BY_COUNT
    assert [draws.kill(count, 3) for count in range(5_000)] == drawn
    assert draws.kill(4_999, 4) != drawn[4_999]
    assert abs(sum(drawn) / len(drawn) - 0.5) < 0.02


def test_kills_are_looked_for_until_the_last_incident_that_can_be_one() -> None:
    windows = {"incidents": [killing("5s", "6s"), killing("40s", "41s"), window("70s", "71s")]}
    drawn = {"kind": "poisson", "rate": "1/h", "duration": "5s", "kills_in_flight": True}
    spared = {"kind": "poisson", "rate": "1/h", "duration": "5s", "kills_in_flight": True, "error_rate": 0, "hang": 1}
    providers = {
        "windows": provider(**windows),
        "through_another": provider(depends_on=["cdn"]),
        "never_reached": provider(depends_on=[{"cdn": 0}]),
        "drawn": provider(incidents=[drawn, killing("5s", "6s")]),
        "none": provider(incidents=[spared, window("5s", "6s")]),
    }
    plan = plan_of(scenario(providers, components={"cdn": windows}))
    assert [last_kill_s(plan, endpoint) for endpoint in range(5)] == [40.0, 40.0, -math.inf, math.inf, -math.inf]


def test_windows_that_may_be_shifted_by_weeks_kill_until_the_horizon() -> None:
    of = scenario({"a": provider(incidents=[killing("5s", "6s")])}, horizon="21d")
    assert last_kill_s(plan_of(of | {"shared": 0}), 0) == 21 * 86_400.0


def test_an_endless_call_is_killed_by_the_last_window_and_by_no_other() -> None:
    hung = provider(errors={"hang": 1}, incidents=[killing("40s", "41s")])
    traced = run(scenario({"a": hung}, arrivals={"kind": "batch", "every": "40s", "size": 1}))
    assert [(call.outcome, call.start_s, call.end_s) for call in traced.attempts.head(1).itertuples()] == [
        ("server_error", 0.0, 40.0)
    ]
    assert traced.requests.set_index("request_id").loc[[1, 2]].end_s.isna().all()


def test_an_endless_call_that_nothing_can_kill_draws_no_year_of_incidents(monkeypatch: pytest.MonkeyPatch) -> None:
    extended: list[float] = []
    extend = Ledger.extend

    def counted(ledger: Ledger, until_s: float) -> None:
        extended.append(until_s)
        extend(ledger, until_s)

    monkeypatch.setattr(Ledger, "extend", counted)
    often = {"kind": "poisson", "rate": "100/h", "duration": "1s"}
    hung = provider(errors={"hang": 1}, incidents=[often, killing("5s", "6s", error_rate=0.01)])
    traced = run(scenario({"a": hung}))
    assert traced.requests.end_s.isna().sum() > 5
    assert max(extended, default=0.0) < 1000.0
