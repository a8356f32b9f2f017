"""Time-outs against streamed and whole responses, streams that break, and what is billed of them."""

import math
from typing import Any

import pytest

from engine.traced import Traced, at, provider, run, scenario, tokens

STREAM = {"connect": "1s", "first_token": "2s", "tokens_per_second": 10}
PRICE = {"input_per_mtok": 1, "output_per_mtok": 2}
INPUT, OUTPUT = 1_000_000, 2_000_000  # picodollars a token


def call(latency: Any, timeout: Any = None, *, size: tuple[int, int] = (100, 50), **rest: Any) -> Any:
    """The one call of a request of (input, output) tokens."""
    leg = {"provider": "a"} if timeout is None else {"provider": "a", "timeout": timeout}
    (only,) = traced(latency, leg, size, **rest).calls()
    return only


def traced(latency: Any, leg: dict[str, Any], size: tuple[int, int], **rest: Any) -> Traced:
    priced = provider(latency, price=PRICE, **rest)
    return run(scenario({"a": priced}, arrivals=at("0s"), chain=[leg], workload=tokens(*size)))


def test_a_stream_takes_its_connection_its_first_token_and_its_tokens() -> None:
    streamed = call(STREAM)
    assert (streamed.outcome, streamed.end_s, streamed.output_tokens) == ("ok", 8.0, 50)
    assert streamed.cost_picousd == 100 * INPUT + 50 * OUTPUT


def test_a_bare_timeout_bounds_the_total() -> None:
    cut = call(STREAM, "6s")
    assert (cut.outcome, cut.end_s, cut.http_status, cut.cause) == ("timeout", 6.0, -1, None)


def test_a_stream_given_up_is_billed_for_its_input_and_the_output_so_far() -> None:
    cut = call(STREAM, "6s")
    assert cut.output_tokens == 30
    assert cut.cost_picousd == 100 * INPUT + 30 * OUTPUT


def test_a_stream_given_up_before_its_first_token_has_no_output() -> None:
    cut = call(STREAM, {"first_token": "2.5s"})
    assert (cut.end_s, cut.output_tokens, cut.cost_picousd) == (2.5, 0, 100 * INPUT)


@pytest.mark.parametrize(
    ("timeout", "end_s"),
    [
        ({"connect": "500ms"}, 0.5),
        ({"first_token": "2.9s"}, 2.9),
        ({"idle": "2.5s"}, 2.5),
        ({"total": "7s"}, 7.0),
        ({"connect": "900ms", "first_token": "2s", "total": "5s"}, 0.9),
        ({"first_token": "2s", "idle": "1.5s"}, 1.5),
    ],
)
def test_each_bound_of_a_timeout_ends_the_call_there(timeout: dict[str, str], end_s: float) -> None:
    cut = call(STREAM, timeout)
    assert (cut.outcome, cut.end_s) == ("timeout", end_s)


@pytest.mark.parametrize("timeout", [{"connect": "1s"}, {"first_token": "3s"}, {"idle": "3s"}, {"total": "8s"}])
def test_a_response_exactly_on_a_bound_is_in_time(timeout: dict[str, str]) -> None:
    assert call(STREAM, timeout).outcome == "ok"


def test_the_idle_bound_strikes_between_tokens() -> None:
    slow = {"first_token": "1s", "tokens_per_second": 0.25}
    cut = call(slow, {"idle": "3s"}, size=(100, 10))
    assert (cut.outcome, cut.end_s) == ("timeout", 4.0)
    assert call(slow, {"idle": "4s"}, size=(100, 10)).outcome == "ok"


def test_a_whole_response_has_its_first_token_at_its_end() -> None:
    assert call("8s", {"first_token": "7s"}).end_s == 7.0
    assert call("8s", {"idle": "7s"}).end_s == 7.0
    assert call("8s", {"connect": "1s"}).outcome == "ok"


def test_a_whole_response_is_made_at_an_even_pace() -> None:
    cut = call("8s", "2s", size=(100, 400))
    assert (cut.output_tokens, cut.cost_picousd) == (100, 100 * INPUT + 100 * OUTPUT)


def test_a_stream_that_breaks_is_a_connection_error_billed_in_part() -> None:
    broken = call(STREAM, errors={"mid_stream": {"rate": 1, "after": 0.5}})
    assert (broken.outcome, broken.cause, broken.end_s, broken.http_status) == ("connection_error", "random", 5.5, -1)
    assert (broken.output_tokens, broken.cost_picousd) == (25, 100 * INPUT + 25 * OUTPUT)


def test_a_broken_stream_has_its_own_place_in_the_billing_table() -> None:
    errors = {"mid_stream": {"rate": 1, "after": 0.5}}
    broken = call(STREAM, errors=errors, billing={"broken_stream": "none", "connection_error": "full"})
    assert broken.cost_picousd == 0
    refused = call(
        STREAM, errors={"connection_error": 1}, billing={"broken_stream": "full", "connection_error": "none"}
    )
    assert refused.cost_picousd == 0


def test_a_stream_that_would_break_after_its_timeout_is_a_timeout() -> None:
    cut = call(STREAM, "4s", errors={"mid_stream": {"rate": 1, "after": 0.5}}, billing={"broken_stream": "none"})
    assert (cut.outcome, cut.end_s, cut.output_tokens) == ("timeout", 4.0, 10)
    assert cut.cost_picousd == 100 * INPUT + 10 * OUTPUT


def test_a_share_of_streams_breaks() -> None:
    errors = {"mid_stream": {"rate": 0.3, "after": {"kind": "uniform", "low": 0.2, "high": 0.6}}}
    broken = provider(STREAM, errors=errors)
    rows = run(scenario({"a": broken}, arrivals=at("0s", size=4000), workload=tokens(10, 100))).attempts
    share = (rows.outcome == "connection_error").mean()
    assert share == pytest.approx(0.3, abs=4 * math.sqrt(0.3 * 0.7 / 4000))
    output = rows[rows.outcome == "connection_error"].output_tokens
    assert output.min() >= 20
    assert output.max() <= 60


def test_an_error_answered_in_time_is_no_timeout_and_one_beyond_it_is() -> None:
    errors = {"server_error": {"rate": 1, "latency": "3s"}}
    assert call("1s", "3s", errors=errors).outcome == "server_error"
    late = call("1s", "2s", errors=errors)
    assert (late.outcome, late.end_s) == ("timeout", 2.0)


def test_invalid_output_is_a_complete_answer_billed_in_full() -> None:
    leg = {"provider": "a", "invalid_output": 1}
    run_ = traced(STREAM, leg, (100, 50))
    (rejected,) = run_.calls()
    assert (rejected.outcome, rejected.http_status, rejected.cause) == ("invalid_output", 200, "random")
    assert (rejected.end_s, rejected.output_tokens) == (8.0, 50)
    assert rejected.cost_picousd == 100 * INPUT + 50 * OUTPUT
    assert run_.request().wasted_picousd == rejected.cost_picousd


def test_invalid_output_of_the_leg_and_of_the_model_are_independent() -> None:
    half = provider(errors={"invalid_output": 0.5})
    chain = [{"provider": "a", "invalid_output": 0.4}]
    rows = run(scenario({"a": half}, arrivals=at("0s", size=4000), chain=chain)).attempts
    assert (rows.outcome == "ok").mean() == pytest.approx(0.3, abs=4 * math.sqrt(0.3 * 0.7 / 4000))
