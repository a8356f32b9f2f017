"""What open incidents do to calls: outages, brownouts, slowness, and which of several is to blame."""

import math

import pytest

from engine.traced import at, poisson, provider, run, scenario, tokens, window

FREE = {"per_request": 0}


def four_sigma(share: float, count: int) -> float:
    return 4.0 * math.sqrt(share * (1.0 - share) / count)


def test_an_incident_is_open_from_its_start_and_over_at_its_end() -> None:
    traced = run(scenario({"a": provider(incidents=[window("20s", "40s")])}, horizon="60s"))
    assert list(traced.requests.sort_values("request_id").outcome) == ["ok", "ok", "failed", "failed", "ok", "ok"]


def test_an_outage_fails_every_call_with_its_outcome_after_its_latency() -> None:
    broken = provider(incidents=[window("0s", "1d", outcome="overloaded", error_latency="750ms")])
    traced = run(scenario({"a": broken}, arrivals=at("3s", size=50)))
    assert len(traced.attempts) == 50
    assert set(zip(traced.attempts.outcome, traced.attempts.http_status, traced.attempts.end_s, strict=True)) == {
        ("overloaded", 529, 3.75)
    }
    assert set(traced.attempts.cause_id) == {0}


def test_a_call_that_started_before_an_incident_is_answered() -> None:
    traced = run(scenario({"a": provider("5s", incidents=[window("12s", "18s")])}, horizon="30s"))
    assert list(traced.requests.outcome) == ["ok", "ok", "ok"]


def test_a_brownout_fails_its_share_of_calls() -> None:
    brown = provider(incidents=[window("0s", "1d", error_rate=0.3)])
    traced = run(scenario({"a": brown}, arrivals=at("0s", size=4000)))
    failed = (traced.attempts.outcome == "server_error").mean()
    assert failed == pytest.approx(0.3, abs=four_sigma(0.3, 4000))
    assert set(traced.attempts[traced.attempts.outcome == "ok"].cause_id) == {-1}


def test_one_uniform_walks_the_open_incidents_by_number() -> None:
    """The first is to blame for e0, the second for (1 - e0) e1; none with probability (1 - e0)(1 - e1)."""
    shared = {"depends_on": ["cdn"], "incidents": [window("2s", "1d", error_rate=0.4, outcome="overloaded")]}
    components = {"cdn": {"incidents": [window("1s", "1d", error_rate=0.5)]}}
    traced = run(scenario({"a": provider(**shared)}, arrivals=at("5s", size=6000), components=components))
    causes = traced.attempts.cause_id.value_counts(normalize=True)
    assert causes[0] == pytest.approx(0.5, abs=four_sigma(0.5, 6000))
    assert causes[1] == pytest.approx(0.2, abs=four_sigma(0.2, 6000))
    assert causes[-1] == pytest.approx(0.3, abs=four_sigma(0.3, 6000))
    by_second = traced.attempts[traced.attempts.cause_id == 1]
    assert set(by_second.outcome) == {"overloaded"}
    assert list(traced.incidents.component) == ["cdn", "a"]


def test_hang_and_error_are_drawn_apart() -> None:
    brown = provider(incidents=[window("0s", "1d", hang=0.5, error_rate=0.5)])
    traced = run(scenario({"a": brown}, arrivals=at("0s", size=6000), chain=[{"provider": "a", "timeout": "2s"}]))
    shares = traced.attempts.outcome.value_counts(normalize=True)
    assert shares["timeout"] == pytest.approx(0.5, abs=four_sigma(0.5, 6000))
    assert shares["server_error"] == pytest.approx(0.25, abs=four_sigma(0.25, 6000))
    assert shares["ok"] == pytest.approx(0.25, abs=four_sigma(0.25, 6000))


def test_random_errors_take_their_share_of_what_incidents_leave() -> None:
    brown = provider(errors={"server_error": 0.2, "client_error": 0.3}, incidents=[window("0s", "1d", error_rate=0.5)])
    traced = run(scenario({"a": brown}, arrivals=at("0s", size=6000)))
    shares = traced.attempts.groupby([traced.attempts.cause.fillna("none"), "outcome"]).size() / 6000
    for key, share in {
        ("incident", "server_error"): 0.5,
        ("random", "server_error"): 0.1,
        ("random", "client_error"): 0.15,
        ("none", "ok"): 0.25,
    }.items():
        assert shares[key] == pytest.approx(share, abs=four_sigma(share, 6000))


def test_a_slow_incident_scales_responses() -> None:
    slow = provider("2s", incidents=[window("10s", "30s", error_rate=0, latency_factor=3)])
    traced = run(scenario({"a": slow}, horizon="40s"))
    assert list(traced.attempts.sort_values("request_id").duration_s) == [2.0, 6.0, 6.0, 2.0]


def test_a_slow_incident_scales_every_part_of_a_stream() -> None:
    slow = provider(
        {"connect": "1s", "first_token": "2s", "tokens_per_second": 10},
        incidents=[window("0s", "1d", error_rate=0, latency_factor=2)],
    )
    (call,) = run(scenario({"a": slow}, arrivals=at("0s"), workload=tokens(5, 50))).calls()
    assert call.end_s == 16.0


def test_a_slow_incident_does_not_scale_errors() -> None:
    slow = provider(
        errors={"server_error": {"rate": 1, "latency": "500ms"}},
        incidents=[window("0s", "1d", error_rate=0, latency_factor=3)],
    )
    (call,) = run(scenario({"a": slow}, arrivals=at("0s"))).calls()
    assert call.end_s == 0.5


def test_incidents_open_together_slow_each_other_further() -> None:
    slowing = {"error_rate": 0, "latency_factor": 3}
    components = {"cdn": {"incidents": [window("0s", "1d", **slowing)]}}
    slow = provider("1s", depends_on=["cdn"], incidents=[window("0s", "1d", **slowing)])
    (call,) = run(scenario({"a": slow}, arrivals=at("0s"), components=components)).calls()
    assert call.end_s == 9.0


def test_a_timeout_that_slowness_alone_brought_about_names_the_incident() -> None:
    slow = provider("2s", incidents=[window("0s", "1d", error_rate=0, latency_factor=3)])
    chain = [{"provider": "a", "timeout": "4s"}]
    (call,) = run(scenario({"a": slow}, arrivals=at("0s"), chain=chain)).calls()
    assert (call.outcome, call.end_s, call.cause, call.cause_id) == ("timeout", 4.0, "incident", 0)


def test_a_timeout_that_would_have_come_anyway_blames_no_incident() -> None:
    slow = provider("5s", incidents=[window("0s", "1d", error_rate=0, latency_factor=3)])
    chain = [{"provider": "a", "timeout": "4s"}]
    traced = run(scenario({"a": slow}, arrivals=at("0s"), chain=chain))
    (call,) = traced.calls()
    assert (call.outcome, call.end_s, call.cause, call.cause_id) == ("timeout", 4.0, None, -1)
    assert traced.request().lost_to == "timeout"


def test_incidents_reach_what_depends_on_them_and_nothing_else() -> None:
    components = {"cdn": {"incidents": [window("0s", "1d")]}}
    providers = {"a": provider(depends_on=["cdn"]), "b": provider()}
    traced = run(scenario(providers, arrivals=at("0s"), components=components))
    assert traced.outcomes() == ["server_error", "ok"]
    (incident,) = traced.incidents.itertuples()
    assert (incident.endpoints, incident.shared) == (["a/m"], False)


def test_an_incident_of_one_model_leaves_the_others_of_its_provider_alone() -> None:
    models = {"x": {"price": FREE, "incidents": [window("0s", "1d")]}, "y": {"price": FREE}}
    chain = [{"provider": "a", "model": "x"}, {"provider": "a", "model": "y"}]
    traced = run(scenario({"a": {"latency": "1s", "models": models}}, arrivals=at("0s"), chain=chain))
    assert traced.outcomes() == ["server_error", "ok"]


def test_an_incident_shared_by_two_providers_is_marked_shared() -> None:
    components = {"cdn": {"incidents": [window("0s", "1d")]}}
    providers = {"a": provider(depends_on=["cdn"]), "b": provider(depends_on=["cdn"])}
    traced = run(scenario(providers, arrivals=at("0s"), components=components))
    (incident,) = traced.incidents.itertuples()
    assert (incident.endpoints, incident.shared) == (["a/m", "b/m"], True)
    assert traced.request().lost_to == "cdn"


def test_a_cause_was_open_at_the_endpoint_when_the_attempt_started() -> None:
    effect = {"error_rate": 0.6, "rate": "60/h", "duration": {"kind": "exponential", "mean": "40s"}, "kind": "poisson"}
    components = {"cdn": {"incidents": [effect]}, "cloud": {"incidents": [effect], "depends_on": [{"cdn": 0.5}]}}
    providers = {
        "a": provider(depends_on=["cloud"], incidents=[effect]),
        "b": provider(depends_on=[{"cloud": 0.5}, "cdn"], incidents=[effect]),
    }
    traced = run(scenario(providers, arrivals=poisson("2/s"), horizon="1h", components=components))
    blamed = traced.attempts[traced.attempts.cause == "incident"].merge(
        traced.incidents, left_on="cause_id", right_on="incident_id", suffixes=("", "_incident")
    )
    assert len(blamed) > 3000
    assert set(blamed.component) == {"cdn", "cloud", "a", "b"}
    assert (blamed.start_s_incident <= blamed.start_s).all()
    assert (blamed.start_s < blamed.end_s_incident).all()
    assert all(f"{row.provider}/{row.model}" in row.endpoints for row in blamed.itertuples())


def test_incidents_open_at_the_start_began_before_it() -> None:
    often = {"kind": "poisson", "rate": "60/h", "duration": {"kind": "exponential", "mean": "10min"}}
    traced = run(scenario({"a": provider(incidents=[often])}, horizon="1h"))
    before = traced.incidents[traced.incidents.start_s < 0.0]
    assert 1 <= len(before) < len(traced.incidents)
    assert (before.end_s > 0.0).all()
    assert traced.calls(0)[0].cause_id in set(before.incident_id)


def test_a_run_that_starts_up_has_no_incident_open_at_its_start() -> None:
    often = {"kind": "poisson", "rate": "60/h", "duration": {"kind": "exponential", "mean": "10min"}}
    traced = run(scenario({"a": provider(incidents=[often])}, horizon="1h", start_state="up"))
    assert (traced.incidents.start_s > 0.0).all()
    assert traced.outcomes(0) == ["ok"]


def test_an_incident_of_invalid_output_delivers_the_output_that_it_bills() -> None:
    """The outcome is a complete answer of no use: its tokens are counted and billed in full."""
    price = {"input_per_mtok": 1, "output_per_mtok": 2}
    garbling = provider(price=price, incidents=[window("0s", "1d", outcome="invalid_output")])
    (call,) = run(scenario({"a": garbling}, arrivals=at("0s"), workload=tokens(100, 40))).calls()
    assert (call.outcome, call.http_status) == ("invalid_output", 200)
    assert call.cost_picousd == 100 * 1_000_000 + 40 * 2_000_000
    assert call.output_tokens == 40
