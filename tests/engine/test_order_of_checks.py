"""A call meets its limit first, then hangs, then open incidents, then chance, and only then is it answered."""

from engine.traced import at, provider, run, scenario, tokens, window

SLOW_BUCKET = {"requests": "3/min", "burst": 1}  # a token every 20 s


def test_a_call_that_reaches_the_limiter_takes_its_token_even_in_an_outage() -> None:
    limited = provider(limits=SLOW_BUCKET, incidents=[window("0s", "15s")])
    traced = run(scenario({"a": limited}, horizon="25s"))
    assert [traced.outcomes(number) for number in range(3)] == [["server_error"], ["rate_limited"], ["ok"]]
    assert [traced.calls(number)[0].cause for number in range(3)] == ["incident", "limit", None]


def test_a_refused_call_learns_nothing_of_an_outage() -> None:
    limited = provider(limits=SLOW_BUCKET, incidents=[window("0s", "1d")])
    (call,) = run(scenario({"a": limited}, horizon="15s")).calls(1)
    assert (call.outcome, call.cause, call.http_status) == ("rate_limited", "limit", 429)
    assert call.duration_s == 0.05 or abs(call.duration_s - 0.05) < 1e-12


def test_a_refused_call_does_not_hang() -> None:
    limited = provider(limits=SLOW_BUCKET, incidents=[window("0s", "1d", hang=1)])
    traced = run(scenario({"a": limited}, horizon="15s", chain=[{"provider": "a", "timeout": "2s"}]))
    assert traced.outcomes(0) == ["timeout"]
    assert traced.outcomes(1) == ["rate_limited"]


def test_a_hang_comes_before_the_error_of_the_same_incident() -> None:
    hanging = provider(incidents=[window("0s", "1d", hang=1, error_rate=1)])
    traced = run(scenario({"a": hanging}, arrivals=at("0s"), chain=[{"provider": "a", "timeout": "2s"}]))
    (call,) = traced.calls()
    assert (call.outcome, call.cause, call.end_s) == ("timeout", "incident", 2.0)


def test_a_random_hang_comes_before_an_incident() -> None:
    hanging = provider(errors={"hang": 1}, incidents=[window("0s", "1d")])
    traced = run(scenario({"a": hanging}, arrivals=at("0s"), chain=[{"provider": "a", "timeout": "2s"}]))
    (call,) = traced.calls()
    assert (call.outcome, call.cause, call.cause_id) == ("timeout", "random", -1)


def test_an_incident_comes_before_a_random_error() -> None:
    failing = provider(errors={"client_error": 1}, incidents=[window("0s", "5s", outcome="overloaded")])
    traced = run(scenario({"a": failing}, horizon="15s"))
    assert [(c.outcome, c.cause) for c in traced.calls(0)] == [("overloaded", "incident")]
    assert [(c.outcome, c.cause) for c in traced.calls(1)] == [("client_error", "random")]


def test_a_random_error_comes_before_the_response() -> None:
    failing = provider("9s", errors={"server_error": {"rate": 1, "latency": "500ms"}, "invalid_output": 1})
    (call,) = run(scenario({"a": failing}, arrivals=at("0s"))).calls()
    assert (call.outcome, call.cause, call.end_s) == ("server_error", "random", 0.5)


def test_a_stream_breaks_before_its_output_can_be_invalid() -> None:
    failing = provider("8s", errors={"mid_stream": {"rate": 1, "after": 0.25}, "invalid_output": 1})
    (call,) = run(scenario({"a": failing}, arrivals=at("0s"), workload=tokens(10, 100))).calls()
    assert (call.outcome, call.cause, call.end_s, call.output_tokens) == ("connection_error", "random", 2.0, 25)


def test_a_call_that_one_limit_refuses_takes_no_token_from_another() -> None:
    """The account's two tokens go to the first call and, past the model's refusal, to the other model."""
    account = {
        "latency": "1s",
        "limits": {"requests": "1/d", "burst": 2},
        "models": {
            "small": {"price": {"per_request": 0}, "limits": {"requests": "1/d", "burst": 1}},
            "large": {"price": {"per_request": 0}},
        },
    }
    chain = [{"provider": "a", "model": "small"}, {"provider": "a", "model": "large"}]
    traced = run(scenario({"a": account}, horizon="25s", chain=chain))
    assert traced.outcomes(0) == ["ok"]
    assert traced.outcomes(1) == ["rate_limited", "ok"]
    assert traced.outcomes(2) == ["rate_limited", "rate_limited"]
    assert [call.cause_id for call in traced.calls(2)] == [0, 0]  # the account's limit refuses before the model's
    assert traced.calls(1)[0].cause_id == 1


def test_incidents_end_and_start_before_what_else_is_due_at_that_instant() -> None:
    """The call of `a` fails at 5 s, when one outage of `b` ends and, in another scenario, one starts."""
    failing = provider(errors={"server_error": {"rate": 1, "latency": "5s"}})
    over = {"a": failing, "b": provider(incidents=[window("1s", "5s")])}
    begun = {"a": failing, "b": provider(incidents=[window("5s", "9s")])}
    assert run(scenario(over, arrivals=at("0s"))).outcomes() == ["server_error", "ok"]
    assert run(scenario(begun, arrivals=at("0s"))).outcomes() == ["server_error", "server_error"]


def test_a_retry_that_is_due_when_an_outage_ends_finds_it_over() -> None:
    down_till_5s = provider(incidents=[window("0s", "5s", error_latency="1s")])
    chain = [{"provider": "a", "retries": 1}]
    traced = run(scenario({"a": down_till_5s}, arrivals=at("0s"), chain=chain, policy={"backoff": "4s"}))
    assert [(call.outcome, call.start_s) for call in traced.calls()] == [("server_error", 0.0), ("ok", 5.0)]


def test_calls_of_one_instant_take_tokens_in_order_of_their_requests() -> None:
    limited = provider(limits={"requests": "1/d", "burst": 3})
    failing = provider(errors={"server_error": {"rate": 1, "latency": "2s"}})
    traced = run(scenario({"a": failing, "b": limited}, arrivals=at("0s", size=9)))
    served = traced.requests[traced.requests.outcome == "ok"]
    assert sorted(served.request_id) == [0, 1, 2]
