"""A provider's token bucket under Poisson calls against the M/D/1/B closed form."""

from typing import Any

import numpy as np
import pytest

from des.theory.limiters import token_bucket_refused
from oracles.conftest import Agree
from oracles.replications import Run, attempts_per_request, lost_share, provider, replicate, scenario

WARM_S = 300.0  # buckets start full


def after_warming(run: Run) -> float:
    return float((~run.ok[run.requests["arrival_s"] >= WARM_S]).mean())


def limited(load: float, burst: int, horizon: str, **rest: Any) -> dict[str, Any]:
    """One token a second, one leg, `load` calls a second."""
    limits = {"requests": "1/s", "burst": burst, "refusal_latency": 0}
    return scenario(horizon=horizon, rate=f"{load}/s", providers={"p": provider(limits=limits, **rest)})


@pytest.mark.parametrize(
    ("load", "burst"), [(0.5, 1), (0.8, 3), (1.0, 5), (1.3, 4), (2.5, 10), (0.9, 8), (1.05, 25)], ids=str
)
def test_a_token_bucket_refuses_the_closed_forms_share(agree: Agree, load: float, burst: int) -> None:
    one = limited(load, burst, f"{WARM_S + 2500.0 / load}s")
    agree("refused", replicate(one, {"refused": after_warming})["refused"], token_bucket_refused(load, burst))


def test_calls_in_an_outage_take_their_tokens(agree: Agree) -> None:
    # the limiter stands before what fails: an error rate changes nothing of what it refuses
    one = limited(1.3, 4, "3000s", errors={"server_error": {"rate": "50%", "latency": 0}})
    refused = token_bucket_refused(1.3, 4)

    def by_limit(run: Run) -> float:
        late = run.attempts["start_s"] >= WARM_S
        return float((run.attempts["outcome"][late] == 3).mean())

    got = replicate(one, {"refused": by_limit, "lost": after_warming})
    agree("refused", got["refused"], refused)
    agree("lost", got["lost"], refused + (1.0 - refused) / 2.0)


def test_what_the_first_leg_refuses_overflows_into_the_second(agree: Agree) -> None:
    # two legs of one account drink from one bucket: the second call comes at the same instant and finds it as empty
    limits = {"requests": "1/s", "burst": 4, "refusal_latency": 0}
    one = scenario(
        horizon="2500s",
        rate="1.3/s",
        providers={"p": provider(limits=limits)},
        chain=[{"provider": "p"}, {"provider": "p"}],
    )
    got = replicate(one, {"lost": after_warming, "attempts": attempts_per_request})
    agree("lost", got["lost"], token_bucket_refused(1.3, 4))


def test_a_bucket_that_is_never_empty_refuses_nobody() -> None:
    got = replicate(limited(0.2, 60, "1000s"), {"lost": lost_share}, 3)
    assert (got["lost"] == 0.0).all()
    assert token_bucket_refused(0.2, 60) < 1e-40


def test_retry_after_is_the_time_until_a_token_is_there(agree: Agree) -> None:
    # at B = 1 the calls refused come anywhere within the second that a token takes, so on average half of it is left
    def wait_s(run: Run) -> float:
        told = run.attempts["retry_after_s"]
        return float(np.nanmean(told))

    got = replicate(limited(0.7, 1, "3000s"), {"wait": wait_s})
    agree("told to wait", got["wait"], 0.5)
