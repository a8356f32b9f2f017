"""The request's deadline is inherited by every later leg, retry and wait."""

from engine.traced import at, provider, run, scenario, tokens, window

FAILING = {"errors": {"server_error": {"rate": 1, "latency": "4s"}}}


def test_a_later_leg_is_cut_at_the_deadline() -> None:
    traced = run(
        scenario({"a": provider(**FAILING), "b": provider("4s")}, arrivals=at("1s"), policy={"deadline": "6s"})
    )
    first, second = traced.calls()
    assert (first.outcome, first.end_s) == ("server_error", 5.0)
    assert (second.outcome, second.cause, second.end_s, second.http_status) == ("cancelled", "deadline", 7.0, -1)
    request = traced.request()
    assert (request.outcome, request.end_s, request.latency_s) == ("deadline", 7.0, 6.0)
    assert (request.error_type, request.lost_to, request.provider) == ("cancelled", "deadline", None)


def test_an_answer_at_the_deadline_is_in_time() -> None:
    traced = run(
        scenario({"a": provider(**FAILING), "b": provider("2s")}, arrivals=at("1s"), policy={"deadline": "6s"})
    )
    assert traced.outcomes() == ["server_error", "ok"]
    assert traced.request().end_s == 7.0


def test_a_wait_that_would_pass_the_deadline_ends_the_request_at_the_deadline() -> None:
    chain = [{"provider": "a", "retries": 3}]
    policy = {"deadline": "6s", "retry_backoff": "10s"}
    traced = run(scenario({"a": provider(**FAILING)}, arrivals=at("1s"), chain=chain, policy=policy))
    assert traced.outcomes() == ["server_error"]
    request = traced.request()
    assert (request.outcome, request.end_s, request.backoff_s) == ("deadline", 7.0, 2.0)
    assert request.error_type == "server_error"


def test_a_wait_between_rounds_that_would_pass_the_deadline_ends_the_request_at_the_deadline() -> None:
    policy = {"deadline": "6s", "round_backoff": "10s", "rounds": 3}
    traced = run(scenario({"a": provider(**FAILING)}, arrivals=at("1s"), policy=policy))
    request = traced.request()
    assert (request.outcome, request.end_s, request.rounds, request.attempts) == ("deadline", 7.0, 1, 1)


def test_a_deadline_cuts_off_a_failing_call() -> None:
    traced = run(scenario({"a": provider(**FAILING)}, arrivals=at("0s"), policy={"deadline": "3s"}))
    assert [(call.outcome, call.end_s) for call in traced.calls()] == [("cancelled", 3.0)]


def test_a_timeout_before_the_deadline_is_a_timeout() -> None:
    chain = [{"provider": "a", "timeout": "2s"}]
    traced = run(scenario({"a": provider("9s")}, arrivals=at("0s"), chain=chain, policy={"deadline": "3s"}))
    assert traced.outcomes() == ["timeout"]
    assert traced.request().outcome == "failed"


def test_a_cut_attempt_is_billed_in_part() -> None:
    priced = provider("8s", price={"input_per_mtok": 1, "output_per_mtok": 10})
    traced = run(scenario({"a": priced}, arrivals=at("0s"), policy={"deadline": "2s"}, workload=tokens(100, 400)))
    (call,) = traced.calls()
    assert call.output_tokens == 100
    assert call.cost_picousd == 100 * 1_000_000 + 100 * 10_000_000
    assert traced.request().wasted_picousd == call.cost_picousd


def test_no_attempt_or_wait_goes_past_the_deadline() -> None:
    exponential = {"kind": "exponential", "mean": "2s"}
    providers = {name: provider(exponential, errors={"server_error": 0.4}) for name in "ab"}
    chain = [{"provider": name, "retries": 2} for name in providers]
    policy = {"deadline": "5s", "rounds": 3, "backoff": {"kind": "exponential", "base": "500ms", "jitter": "full"}}
    traced = run(
        scenario(providers, arrivals={"kind": "poisson", "rate": "1/s"}, horizon="1000s", chain=chain, policy=policy)
    )
    requests = traced.requests.set_index("request_id")
    struck = requests[requests.outcome == "deadline"]
    assert len(struck) > 50
    assert (struck.end_s == struck.arrival_s + 5.0).all()
    assert (traced.attempts.end_s.to_numpy() <= requests.arrival_s[traced.attempts.request_id].to_numpy() + 5.0).all()
    cut = traced.attempts[traced.attempts.outcome == "cancelled"]
    assert set(cut.request_id) <= set(struck.index)


def test_a_deadline_that_cuts_off_a_hang_keeps_the_incident_behind_it_named() -> None:
    hanging = provider(incidents=[window("0s", "1d", hang=1)])
    traced = run(scenario({"a": hanging}, arrivals=at("0s"), policy={"deadline": "3s"}))
    (call,) = traced.calls()
    assert (call.outcome, call.cause, call.cause_id) == ("cancelled", "deadline", 0)
    assert (traced.request().outcome, traced.request().lost_to) == ("deadline", "a")


def test_a_cached_answer_slower_than_the_deadline_is_a_deadline_missed() -> None:
    cache = {"kind": "share", "hit_rate": 1, "latency": "5s"}
    policy = {"deadline": "1s", "response_cache": cache}
    traced = run(scenario({"a": provider()}, chain=[{"provider": "a"}], policy=policy))
    row = traced.request(0)
    assert (row.outcome, row.error_type, row.lost_to) == ("deadline", "cancelled", "deadline")
    assert row.end_s == row.arrival_s + 1.0


def test_a_response_that_an_incident_made_late_for_the_deadline_is_put_down_to_it() -> None:
    slow = {"kind": "schedule", "windows": [{"start": "0s", "end": "1h"}], "error_rate": 0, "latency_factor": 4}
    traced = run(
        scenario({"a": provider(latency="1s", incidents=[slow])}, chain=[{"provider": "a"}], policy={"deadline": "2s"})
    )
    assert traced.request(0).lost_to == "a"
    assert traced.calls(0)[0].cause == "deadline"
