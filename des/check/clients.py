"""Breakers, hedges, budgets and ramps of clients, each against its closed form."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from des.check.case import DES_RUN, Case, Finding, Size, compared, equal
from des.check.replications import (
    Metric,
    Run,
    attempts_per_request,
    availability,
    exponential,
    lost_share,
    mean_latency_s,
    outages,
    provider,
    replicate,
    scenario,
)
from des.distributions import Lognormal
from des.theory.chains import hedge_share, hedged_mean_s
from des.theory.limiters import blackout_share, breaker_cycle, cooldown_lost_share
from des.theory.retries import layers_attempts, quota_attempts, throttle_attempts

_LATENCY: Final = Lognormal(0.0, 0.8)
_WRITTEN: Final = {"kind": "lognormal", "median": "1s", "sigma": 0.8}


def breaker(size: Size) -> Iterator[Finding]:
    up_s, down_s, rate = 20.0, 6.0, 1.5
    for failures, open_s in ((3, 4.0), (1, 10.0)):
        breaker = {"kind": "consecutive", "failures": failures, "open": f"{open_s}s", "half_open": 1}
        one = scenario(
            horizon=size.horizon(2400.0),
            rate=f"{rate}/s",
            providers={"p": provider(incidents=outages(exponential(f"{up_s}s"), exponential(f"{down_s}s")))},
            policy={"breaker": breaker},
        )
        got = replicate(size, one, {"served": availability, "refused": _refused_share})
        cycle = breaker_cycle(up_s, down_s, rate, failures, open_s)
        yield compared(f"breaker of {failures}, open {open_s:g} s: served", got["served"], cycle.availability)
        yield compared("  refused by the breaker", got["refused"], cycle.refusals / cycle.calls)


def cooldowns(size: Size) -> Iterator[Finding]:
    """Two deployments that refuse at random and share the calls: Erlang B of the refusals."""
    for refusal in (0.05, 0.2):
        errors = {"rate_limited": {"rate": refusal, "latency": 0}}
        group = {"group": "g", "legs": [{"provider": "a"}, {"provider": "b"}], "routing": "weighted"}
        one = scenario(
            horizon=size.horizon(1000.0),
            rate="2/s",
            providers={"a": provider(errors=errors), "b": provider(errors=errors)},
            chain=[group],
            policy={"cooldown": {"on": ["rate_limited"], "for": "5s"}},
        )
        got = replicate(size, one, {"lost": lost_share, "cooling": _refused_share})
        exact = cooldown_lost_share(2, 2.0, refusal, 5.0)
        yield compared(f"two deployments, {refusal:.0%} 429s, cooling 5 s for each: lost", got["lost"], exact)
        yield compared("  both cooling", got["cooling"], blackout_share(2, 2.0, refusal, 5.0))


def hedge(size: Size) -> Iterator[Finding]:
    for after_s, copies in ((2.0, 1), (0.6, 3)):
        policy = {"hedge": {"after": f"{after_s}s", "at_most": copies}}
        one = scenario(horizon=size.horizon(1200.0), rate="1/s", providers={"p": provider(_WRITTEN)}, policy=policy)
        got = replicate(size, one, {"latency": mean_latency_s, "attempts": attempts_per_request})
        exact = hedged_mean_s(_LATENCY, after_s, copies)
        yield compared(f"hedged by {copies}, one each {after_s:g} s: mean latency, s", got["latency"], exact)
        extra = hedge_share(_LATENCY, after_s, copies)
        yield compared("  calls of a request", got["attempts"], 1.0 + extra)


def retry_budgets(size: Size) -> Iterator[Finding]:
    throttle = {"kind": "throttle", "max_tokens": 10, "token_ratio": 0.1}
    got = replicate(size, _retrying(size, 0.08, 2, throttle), {"attempts": _attempts_after(1000)})["attempts"]
    exact = throttle_attempts(0.08, 2, 10.0, 0.1)
    yield compared("gRPC throttling, 2 retries at 8 % failures: attempts of a request", got, exact)
    quota = {"kind": "quota", "capacity": 500, "retry_cost": 14, "throttle_cost": 5}
    got = replicate(size, _retrying(size, 0.5, 2, quota), {"attempts": _attempts_after(1000)})["attempts"]
    exact = quota_attempts(0.5, 2, 500, 14)
    yield compared("AWS quota, 2 retries at 50 % failures: attempts of a request", got, exact)


def _retrying(size: Size, failure: float, retries: int, budget: dict[str, Any]) -> dict[str, Any]:
    errors = {"server_error": {"rate": failure, "latency": 0}}
    leg = {"provider": "p", "retries": retries}
    one = provider(errors=errors)
    return scenario(
        horizon=size.horizon(2500.0, warm_s=1000.0),
        rate="1/s",
        providers={"p": one},
        chain=[leg],
        policy={"retry_budget": budget},
    )


def nested(size: Size) -> Iterator[Finding]:
    """An SDK of three attempts inside a gateway of four, with every call failing."""
    errors = {"server_error": {"rate": "100%", "latency": 0}}
    one = scenario(
        horizon="50s",
        rate="1/s",
        providers={"p": provider(errors=errors)},
        chain=[{"provider": "p", "retries": 3}],
        policy={"clients": [{"retries": 2}]},
    )
    got = replicate(size, one, {"attempts": attempts_per_request}, 20)["attempts"]
    exact = layers_attempts([4, 3])
    yield equal("SDK of 3 attempts in a gateway of 4, all failing: calls of a request", float(got.mean()), exact)


def ramp(size: Size) -> Iterator[Finding]:
    """A ramp over 60 s from the failover's first call: a mean share of 55 %, then all for 30 s."""
    broken = provider(errors={"server_error": {"rate": "100%", "latency": 0}})
    one = scenario(
        horizon="120s",
        rate="10/s",
        providers={"a": broken, "b": provider()},
        chain=[{"provider": "a"}, {"provider": "b", "ramp": {"start": "10%", "over": "1min", "reset_after": "1min"}}],
    )
    got = replicate(size, one, {"served": _served_of_first_90_s})["served"]
    yield compared("failover that ramps from 10 % over a minute: served in 90 s", got, (0.55 * 60.0 + 30.0) / 90.0)


def _served_of_first_90_s(run: Run) -> float:
    """Over the 90 s after the first request, without this request itself."""
    since_s = run.requests["arrival_s"] - run.requests["arrival_s"].min()
    return float(run.ok[(since_s > 0.0) & (since_s <= 90.0)].mean())


def _refused_share(run: Run) -> float:
    """Share of requests without any call."""
    return float((run.requests["attempts"] == 0).mean())


def _attempts_after(requests: int) -> Metric:
    """Mean attempts of a request, without the first `requests` that arrive."""

    def mean(run: Run) -> float:
        order = np.argsort(run.requests["arrival_s"])
        return float(run.requests["attempts"][order][requests:].mean())

    return mean


CASES: Final = (
    Case("client_breaker", DES_RUN, breaker, "renewal reward over a breaker's cycle"),
    Case("client_cooldowns", DES_RUN, cooldowns, "Erlang B of the refusals: Cooper 1981, 3.3"),
    Case("client_hedge", DES_RUN, hedge, "integral of S(t) S(t - h) ..."),
    Case("client_retry_budgets", DES_RUN, retry_budgets, "stationary Markov chain of the budget"),
    Case("client_nested", DES_RUN, nested, "attempts of nested layers multiply"),
    Case("client_ramp", DES_RUN, ramp, "mean admitted share of a linear ramp"),
)
