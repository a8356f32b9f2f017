"""Latency under timeouts, kills and brownouts, and the laws that tie it to the number of calls under way."""

import math

import numpy as np
import pytest
from scipy.special import ndtr

from des.distributions import Exponential, Lognormal
from des.theory import limiters
from des.theory.chains import mean_under_timeout_s, success_under_kills
from oracles.conftest import Agree
from oracles.replications import (
    Run,
    availability,
    cost_per_request,
    exponential,
    mean_latency_s,
    outages,
    provider,
    replicate,
    scenario,
    served_share,
    shocks,
)

LAW = Lognormal(0.0, 0.8)
LOGNORMAL = {"kind": "lognormal", "median": "1s", "sigma": 0.8}


@pytest.mark.parametrize("timeout_s", [0.8, 2.5])
def test_a_lognormal_latency_is_cut_at_its_timeout(agree: Agree, timeout_s: float) -> None:
    one = scenario(
        horizon="2000s",
        rate="1/s",
        providers={"p": provider(LOGNORMAL, price=0.01)},
        chain=[{"provider": "p", "timeout": f"{timeout_s}s"}],
    )
    got = replicate(one, {"latency": mean_latency_s, "availability": availability, "cost": cost_per_request})
    in_time = float(LAW.cdf(timeout_s))
    agree("mean", got["latency"], mean_under_timeout_s(LAW, timeout_s))
    agree("in time", got["availability"], in_time)
    # given up at t, the share t/L of a response has been made and is billed: E[1/L; L > t] of a lognormal law
    late = math.exp(LAW.sigma**2 / 2.0 - LAW.mu) * ndtr((LAW.mu - LAW.sigma**2 - math.log(timeout_s)) / LAW.sigma)
    agree("cost", got["cost"], 0.01 * (in_time + timeout_s * late))


def test_hanging_calls_take_the_whole_timeout(agree: Agree) -> None:
    one = scenario(
        horizon="2000s",
        rate="1/s",
        providers={"p": provider(LOGNORMAL, errors={"hang": "10%"})},
        chain=[{"provider": "p", "timeout": "4s"}],
    )
    got = replicate(one, {"latency": mean_latency_s, "availability": availability})
    agree("mean", got["latency"], 0.1 * 4.0 + 0.9 * mean_under_timeout_s(LAW, 4.0))
    agree("in time", got["availability"], 0.9 * (float(LAW.cdf(4.0))))


def test_a_second_leg_sees_the_calls_that_the_first_gave_up(agree: Agree) -> None:
    one = scenario(
        horizon="2000s",
        rate="1/s",
        providers={"a": provider(LOGNORMAL), "b": provider(exponential("2s"))},
        chain=[{"provider": "a", "timeout": "1500ms"}, {"provider": "b", "timeout": "3s"}],
    )
    got = replicate(one, {"latency": mean_latency_s, "second": served_share(1)})
    late, second = float(LAW.survival(1.5)), Exponential(2.0)
    mean_s = mean_under_timeout_s(LAW, 1.5) + late * mean_under_timeout_s(second, 3.0)
    agree("mean", got["latency"], mean_s)
    agree("served by the second", got["second"], late * (float(second.cdf(3.0))))


@pytest.mark.parametrize("law", ["lognormal", "exponential", "constant"])
def test_work_in_flight_is_killed_at_the_rate_of_outages(agree: Agree, law: str) -> None:
    from des.distributions import Constant

    written, exact_law = {
        "lognormal": ({"kind": "lognormal", "median": "3s", "sigma": 0.8}, Lognormal(math.log(3.0), 0.8)),
        "exponential": (exponential("5s"), Exponential(5.0)),
        "constant": ("4s", Constant(4.0)),
    }[law]
    incidents = outages(exponential("20s"), {"kind": "uniform", "low": "1s", "high": "9s"}, kills_in_flight=True)
    one = scenario(horizon="2000s", rate="1/s", providers={"p": provider(written, incidents=incidents)})
    got = replicate(one, {"availability": availability})
    agree("availability", got["availability"], success_under_kills(20.0, 5.0, exact_law))


def test_outages_that_kill_nothing_cost_only_their_own_time(agree: Agree) -> None:
    incidents = outages(exponential("20s"), {"kind": "uniform", "low": "1s", "high": "9s"})
    one = scenario(horizon="2000s", rate="1/s", providers={"p": provider("4s", incidents=incidents)})
    agree("availability", replicate(one, {"availability": availability})["availability"], 0.8)


def test_brownouts_of_a_ledger_slow_responses_by_the_mean_of_their_product(agree: Agree) -> None:
    # N open incidents, Poisson with mean 0.5, each doubling the latency: E[2^N] = e^{0.5}
    slow = shocks("1/20s", exponential("10s"), error_rate=0, latency_factor=2)
    one = scenario(horizon="2000s", rate="1/s", providers={"p": provider("100ms", incidents=slow)})
    agree("mean", replicate(one, {"latency": mean_latency_s})["latency"], 0.1 * math.exp(0.5))


def test_arrivals_find_as_many_calls_under_way_as_little_says(agree: Agree) -> None:
    # Little's law over what Poisson arrivals see: the calls under way when one comes number rate x E[min(L, t)]
    one = scenario(
        horizon="700s",
        rate="4/s",
        providers={"p": provider(LOGNORMAL)},
        chain=[{"provider": "p", "timeout": "5s"}],
    )

    def seen(run: Run) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        arrivals = np.sort(run.requests["arrival_s"])
        begun = np.searchsorted(np.sort(run.attempts["start_s"]), arrivals, side="left")
        ended = np.searchsorted(np.sort(run.attempts["end_s"]), arrivals, side="right")
        return (begun - ended)[arrivals >= 20.0]

    got = replicate(
        one, {"seen": lambda run: float(seen(run).mean()), "none": lambda run: float((seen(run) == 0).mean())}
    )
    load = limiters.little_mean_number(4.0, mean_under_timeout_s(LAW, 5.0))
    agree("mean number", got["seen"], load)
    # and as nothing queues, that number is Poisson (M/G/infinity)
    agree("nothing under way", got["none"], math.exp(-load))


def test_requests_come_as_a_poisson_process(agree: Agree) -> None:
    one = scenario(horizon="100s", rate="2/s", providers={"p": provider()})
    got = replicate(
        one,
        {
            "number": lambda run: float(len(run.requests["arrival_s"])),
            "gap": lambda run: float((np.diff(np.sort(run.requests["arrival_s"])) > 0.5).mean()),
        },
        100,
    )
    agree("number", got["number"], 200.0)
    agree("dispersion", (got["number"] - 200.0) ** 2, 200.0)
    agree("long gaps", got["gap"], math.exp(-1.0))
