"""Retries and back-off against their closed forms, and retries inside an outage against the outage's."""

from typing import Any

import pytest

from des.theory import retries
from oracles.conftest import Agree
from oracles.replications import (
    attempts_per_request,
    exponential,
    lost_share,
    mean_latency_s,
    outages,
    provider,
    replicate,
    scenario,
)


def failing_leg(failure: str, retries_: int, backoff: dict[str, Any]) -> dict[str, Any]:
    return scenario(
        horizon="1500s",
        rate="1/s",
        providers={"p": provider("1.2s", errors={"server_error": {"rate": failure, "latency": "300ms"}})},
        chain=[{"provider": "p", "retries": retries_}],
        policy={"retry_backoff": backoff},
    )


@pytest.mark.parametrize("jitter", ["none", "full", "equal"])
def test_a_request_takes_as_long_as_its_attempts_and_waits(agree: Agree, jitter: str) -> None:
    backoff = {"kind": "exponential", "base": "500ms", "factor": 3, "cap": "6s", "jitter": jitter}
    got = replicate(
        failing_leg("60%", 4, backoff),
        {
            "time": mean_latency_s,
            "attempts": attempts_per_request,
            "lost": lost_share,
            "waited": lambda run: float(run.requests["backoff_s"].mean()),
        },
    )
    exact_s = retries.expected_time_s(0.6, 5, 1.2, 0.3, base_s=0.5, factor=3.0, cap_s=6.0, jitter=jitter)
    attempts = retries.expected_attempts(0.6, 5)
    agree("time", got["time"], exact_s)
    agree("attempts", got["attempts"], attempts)
    agree("lost", got["lost"], 0.6**5)
    agree("waited", got["waited"], exact_s - attempts * (0.4 * 1.2 + 0.6 * 0.3))


def test_rounds_wait_like_retries_of_the_whole_chain(agree: Agree) -> None:
    # one leg in five rounds is one leg with four retries
    one = failing_leg("50%", 0, {"kind": "none"})
    one["policy"] = {
        "rounds": 5,
        "round_backoff": {"kind": "exponential", "base": "1s", "factor": 2, "cap": "4s", "jitter": "full"},
    }
    got = replicate(one, {"time": mean_latency_s, "rounds": lambda run: float(run.requests["rounds"].mean())})
    agree(
        "time",
        got["time"],
        retries.expected_time_s(0.5, 5, 1.2, 0.3, base_s=1.0, factor=2.0, cap_s=4.0, jitter="full"),
    )
    agree("rounds", got["rounds"], retries.expected_attempts(0.5, 5))


@pytest.mark.parametrize(("mttf", "mttr"), [(60.0, 20.0), (30.0, 3.0)])
def test_retries_within_an_outage_fail_together(agree: Agree, mttf: float, mttr: float) -> None:
    one = scenario(
        horizon="2500s",
        rate="1/s",
        providers={"p": provider(incidents=outages(exponential(f"{mttf}s"), exponential(f"{mttr}s")))},
        chain=[{"provider": "p", "retries": 3}],
        policy={"retry_backoff": {"kind": "exponential", "base": "1s", "factor": 2}},
    )
    got = replicate(one, {"lost": lost_share, "attempts": attempts_per_request})
    agree("lost", got["lost"], retries.all_fail_in_outage(mttf, mttr, [1.0, 2.0, 4.0]))
    gaps = [1.0, 2.0, 4.0]
    attempts = 1.0 + sum(retries.all_fail_in_outage(mttf, mttr, gaps[:k]) for k in range(3))
    agree("attempts", got["attempts"], attempts)


def test_an_hour_of_outage_is_not_outlasted_by_seven_seconds(agree: Agree) -> None:
    # a failure every thirty days: 1.38e-3 of the requests are lost, not 3.7e-12
    one = scenario(
        horizon="20y",
        rate="1/d",
        providers={"p": provider(mttf="30d", mttr="1h", effect={"error_latency": 0})},
        chain=[{"provider": "p", "retries": 3}],
        policy={"retry_backoff": {"kind": "exponential", "base": "1s", "factor": 2}},
    )
    agree("lost", replicate(one, {"lost": lost_share}, 20)["lost"], 1.384e-3)
