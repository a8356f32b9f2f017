"""SDKs as their sources say: how many calls, after what, and when."""

from typing import Any

import pytest
from engine.traced import provider

from tests.presets.scripted import MANY, all_gaps, exactly, failing, fill, gaps, hanging, played, refusing_for, telling

STAINLESS = ("openai-python@3.54", "anthropic-sdk@2.12")
GOOGLE = "google-genai-retries@3.4"
AWS = "aws-standard@1.44"


@pytest.mark.parametrize("preset", STAINLESS)
def test_two_retries_after_half_a_second_and_a_second_less_a_quarter(preset: str) -> None:
    waits = all_gaps(played(preset, {"a": failing()}, requests=MANY), calls=3)
    fill(waits[:, 0], 0.375, 0.5)
    fill(waits[:, 1], 0.75, 1.0)


@pytest.mark.parametrize("preset", STAINLESS)
def test_waits_grow_to_eight_seconds(preset: str) -> None:
    waits = all_gaps(played(preset, {"a": failing()}, requests=MANY, retries=6), calls=7)
    fill(waits[:, 4], 6.0, 8.0)
    fill(waits[:, 5], 6.0, 8.0)


@pytest.mark.parametrize("preset", STAINLESS)
@pytest.mark.parametrize(
    ("outcome", "status", "calls"),
    [
        ("client_error", 400, 1),
        ("client_error", 401, 1),
        ("client_error", 404, 1),
        ("client_error", 408, 3),
        ("client_error", 409, 3),
        ("rate_limited", None, 3),
        ("server_error", 500, 3),
        ("server_error", 503, 3),
        ("overloaded", None, 3),
        ("connection_error", None, 3),
    ],
)
def test_what_the_sdks_retry(preset: str, outcome: str, status: int | None, calls: int) -> None:
    assert len(played(preset, {"a": failing(outcome, status)}).calls()) == calls


@pytest.mark.parametrize("preset", STAINLESS)
def test_a_hang_takes_three_times_ten_minutes(preset: str) -> None:
    traced = played(preset, {"a": hanging()})
    assert [call.end_s - call.start_s for call in traced.calls()] == exactly([600.0] * 3)
    assert traced.outcomes() == ["timeout"] * 3
    assert 1801.125 <= traced.request().end_s <= 1801.5


@pytest.mark.parametrize("preset", STAINLESS)
def test_a_retry_after_of_a_hundred_seconds_is_waited_for_exactly(preset: str) -> None:
    traced = played(preset, {"a": refusing_for("100s")}, requests=2)
    assert traced.outcomes(1) == ["rate_limited", "ok"]
    assert gaps(traced, 1) == exactly([traced.calls(1)[0].retry_after_s])
    assert gaps(traced, 1)[0] == pytest.approx(100.0, abs=1.0)


@pytest.mark.parametrize("preset", STAINLESS)
@pytest.mark.parametrize("outcome", ["rate_limited", "server_error", "overloaded"])
def test_a_retry_after_of_0_leaves_the_back_off(preset: str, outcome: str) -> None:
    waits = all_gaps(played(preset, {"a": telling(outcome, "0s")}, requests=MANY), calls=3)
    fill(waits[:, 0], 0.375, 0.5)
    fill(waits[:, 1], 0.75, 1.0)


@pytest.mark.parametrize("preset", STAINLESS)
@pytest.mark.parametrize("outcome", ["rate_limited", "server_error", "overloaded"])
def test_milliseconds_are_waited_for_exactly(preset: str, outcome: str) -> None:
    assert gaps(played(preset, {"a": telling(outcome, "40ms")})) == exactly([0.04, 0.04])


def test_openai_does_not_retry_after_a_longer_one() -> None:
    traced = played("openai-python@3.54", {"a": refusing_for("200s")}, requests=2)
    assert traced.outcomes(1) == ["rate_limited"]
    assert traced.request(1).outcome == "failed"


def test_anthropic_waits_in_full_for_a_longer_one() -> None:
    traced = played("anthropic-sdk@2.12", {"a": refusing_for("200s")}, requests=2)
    assert traced.outcomes(1) == ["rate_limited", "ok"]
    assert gaps(traced, 1)[0] == pytest.approx(200.0, abs=1.0)


def test_google_retries_nothing_without_options() -> None:
    assert len(played("google-genai@3.4", {"a": failing()}).calls()) == 1


def test_google_makes_five_calls_after_powers_of_two_and_a_second_more() -> None:
    waits = all_gaps(played(GOOGLE, {"a": failing()}, requests=MANY), calls=5)
    for k in range(4):
        fill(waits[:, k], 2.0**k, 2.0**k + 1.0)


def test_google_waits_a_minute_at_most_jitter_included() -> None:
    waits = gaps(played(GOOGLE, {"a": failing()}, retries=8))
    assert waits[6:] == exactly([60.0, 60.0])
    assert 32.0 < waits[5] < 33.0


@pytest.mark.parametrize(
    ("outcome", "status", "calls"),
    [("overloaded", None, 1), ("client_error", 409, 1), ("client_error", 408, 5), ("rate_limited", None, 5)],
)
def test_what_google_retries(outcome: str, status: int | None, calls: int) -> None:
    assert len(played(GOOGLE, {"a": failing(outcome, status)}).calls()) == calls


def test_google_retries_a_refused_connection_and_not_one_closed_early() -> None:
    assert len(played(GOOGLE, {"a": failing("connection_error")}).calls()) == 5
    closed = provider("1s", model={"errors": {"mid_stream": {"rate": "100%"}}})
    assert [call.outcome for call in played(GOOGLE, {"a": closed}).calls()] == ["connection_error"]


@pytest.mark.parametrize("told", ["0s", "100s"])
def test_google_ignores_a_retry_after(told: str) -> None:
    waits = all_gaps(played(GOOGLE, {"a": telling("rate_limited", told)}, requests=MANY), calls=5)
    fill(waits[:, 0], 1.0, 2.0)


@pytest.mark.parametrize("told", ["0s", "100s"])
def test_aws_ignores_a_retry_after(told: str) -> None:
    traced = played(AWS, {"a": telling("server_error", told)}, requests=MANY, retry_budget="none")
    fill(all_gaps(traced, calls=3)[:, 0], 0.0, 0.05)


def in_turn(requests: int) -> dict[str, Any]:
    """A number of requests, a minute apart."""
    return {"horizon": f"{requests}min", "arrivals": {"kind": "batch", "every": "1min", "size": 1}}


def test_aws_makes_three_calls_with_full_jitter() -> None:
    traced = played(AWS, {"a": failing()}, requests=MANY, retry_budget="none")
    waits = all_gaps(traced, calls=3)
    fill(waits[:, 0], 0.0, 0.05)
    fill(waits[:, 1], 0.0, 0.1)


def test_aws_waits_longer_after_a_throttle() -> None:
    waits = all_gaps(played(AWS, {"a": failing("rate_limited")}, requests=MANY, retry_budget="none"), calls=3)
    fill(waits[:, 0], 0.0, 1.0)
    fill(waits[:, 1], 0.0, 2.0)


def test_aws_pays_fourteen_of_five_hundred_for_a_retry() -> None:
    traced = played(AWS, {"a": failing()}, **in_turn(50))
    assert len(traced.attempts) == 50 + 500 // 14


def test_aws_pays_five_for_a_retry_after_a_throttle() -> None:
    traced = played(AWS, {"a": failing("rate_limited")}, **in_turn(120))
    assert len(traced.attempts) == 120 + 500 // 5


def test_an_sdk_within_a_gateway_within_an_application_multiplies_their_calls() -> None:
    traced = played(
        "litellm@1.109",
        {"a": failing()},
        clients=["openai-python@3.54"],
        application={"retries": 3, "backoff": "1s"},
    )
    assert len(traced.calls()) == 4 * 3 * 3
