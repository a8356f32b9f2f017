"""The cost of chains, the legs that serve, and the time that retries take."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from des.check.case import DES_RUN, ESTIMATOR, Case, Finding, Size, compared, equal
from des.check.replications import (
    attempts_per_request,
    availability,
    cost_per_request,
    exponential,
    lost_share,
    mean_latency_s,
    outages,
    plan_of,
    provider,
    replicate,
    scenario,
    served_share,
)
from des.distributions import Exponential
from des.estimate.estimate import Estimate
from des.estimate.intervals import t_quantile
from des.estimate.rare import rare
from des.estimate.timeline import timeline
from des.scenario.text.units import YEAR_S
from des.theory import chains, retries
from des.theory.chains import ChainLeg, DeadlineLeg, paid_per_attempt, served_before_deadline

_IMAGES: Final = ((0.97, 0.04), (0.94, 0.03), (0.91, 0.05))
_WEAK: Final = ((0.6, 0.05), (0.3, 0.02), (0.8, 0.4))
_CALCULATOR: Final = ((0.08, 0.9), (0.05, 0.7), (0.03, 0.543))
_CALCULATOR_MEDIAN_S: Final = 0.6151153651875891
"""Over all requests; those that the deadline ends count with its 1 s."""
_CHAIN: Final = "sum over rounds and legs of P(reached) x mean cost"
_MARKOV: Final = "two-state Markov chain, attempt after attempt"


def image_chain(size: Size) -> Iterator[Finding]:
    got = replicate(
        size,
        _chain(_IMAGES, "1500s", rounds=3, billing="per_attempt"),
        {
            "cost": cost_per_request,
            "exactly": lambda run: float((run.requests["cost_usd"] == 0.04).mean()),
            "attempts": attempts_per_request,
            "first": served_share(0),
            "second": served_share(1),
            "wasted": lambda run: float(run.requests["wasted_cost_usd"].mean()),
        },
    )
    legs = [paid_per_attempt(success, cost) for success, cost in _IMAGES]
    by_leg = chains.served_by(legs, 3)
    paid_for_serving = sum(share * cost for share, (_, cost) in zip(by_leg, _IMAGES, strict=True))
    yield compared("published image chain: USD per request", got["cost"], 0.04099664)
    yield compared("  share that costs exactly 0.04", got["exactly"], 0.97)
    yield compared("  attempts per request", got["attempts"], chains.expected_attempts(legs, 3))
    yield compared("  served by the first leg", got["first"], by_leg[0])
    yield compared("  served by the second leg", got["second"], by_leg[1])
    yield compared("  USD wasted per request", got["wasted"], chains.expected_cost(legs, 3) - paid_for_serving)


def image_chain_cached(size: Size) -> Iterator[Finding]:
    cached = _chain(
        _IMAGES, "1500s", rounds=3, billing="per_attempt", response_cache={"kind": "share", "hit_rate": "80%"}
    )
    got = replicate(
        size,
        cached,
        {"cost": cost_per_request, "hits": lambda run: float(run.requests["response_cache_hit"].mean())},
    )
    yield compared("published image chain, cache hits 80 %: USD per request", got["cost"], 0.04099664 / 5.0)
    yield compared("  hits", got["hits"], 0.8)


def free_failures(size: Size) -> Iterator[Finding]:
    legs = [ChainLeg(success, cost, 0.0) for success, cost in _WEAK]
    for rounds in (1, 3):
        got = replicate(
            size,
            _chain(_WEAK, "1000s", rounds=rounds, billing="provider"),
            {"cost": cost_per_request, "availability": availability, "attempts": attempts_per_request},
        )
        label = f"chain whose failures are free, rounds: {rounds}"
        yield compared(f"{label}: USD per request", got["cost"], chains.expected_cost(legs, rounds))
        yield compared("  availability", got["availability"], chains.served_probability(legs, rounds))
        yield compared("  attempts", got["attempts"], chains.expected_attempts(legs, rounds))


def billed_failures(size: Size) -> Iterator[Finding]:
    """Invalid output is billed in full, and so are the second provider's server errors: f = c P(billed | failed)."""
    chain = scenario(
        horizon="1000s",
        rate="1/s",
        providers={
            "a": provider(price=0.05, errors={**_failing(0.2), "invalid_output": "25%"}),
            "b": provider(
                price=0.02, errors={**_failing(0.5), "invalid_output": "10%"}, billing={"server_error": "full"}
            ),
        },
        policy={"rounds": 2},
    )
    a_ok = 0.8 * 0.75
    legs = [ChainLeg(a_ok, 0.05, 0.05 * (0.8 * 0.25) / (1.0 - a_ok)), ChainLeg(0.45, 0.02, 0.02)]
    got = replicate(size, chain, {"cost": cost_per_request, "second": served_share(1)})
    cost = chains.expected_cost(legs, 2)
    yield compared("chain whose failures are partly billed: USD per request", got["cost"], cost)
    yield compared("  served by the second leg", got["second"], chains.served_by(legs, 2)[1])


def cheapest_order(size: Size) -> Iterator[Finding]:
    legs = [paid_per_attempt(success, cost) for success, cost in _WEAK]
    best = chains.cheapest_order(legs)

    def cost(order: tuple[int, ...]) -> Any:
        arm = {**_chain(_WEAK, "1000s", billing="per_attempt"), "chain": [{"provider": "abc"[k]} for k in order]}
        return replicate(size, {**arm, "seed": 3}, {"cost": cost_per_request})["cost"]

    gain = chains.expected_cost(legs) - chains.expected_cost([legs[k] for k in best])
    yield compared("cheapest order: USD per request it saves", cost((0, 1, 2)) - cost(best), gain)


def calculator(size: Size) -> Iterator[Finding]:
    exact = served_before_deadline([DeadlineLeg(share, 0.05, Exponential(mean)) for share, mean in _CALCULATOR], 1.0)
    providers = {
        name: provider(exponential(f"{mean_s}s"), errors={"rate_limited": {"rate": refused, "latency": "50ms"}})
        for name, (refused, mean_s) in zip("abc", _CALCULATOR, strict=True)
    }
    one = scenario(horizon="1500s", rate="1/s", providers=providers, policy={"deadline": "1s"})
    got = replicate(
        size,
        one,
        {
            "success": availability,
            "first": served_share(0),
            "second": served_share(1),
            "third": served_share(2),
            "median": lambda run: float((run.requests["latency_s"] <= _CALCULATOR_MEDIAN_S).mean()),
            "longest": lambda run: float(run.requests["latency_s"].max()),
        },
    )
    yield compared("published calculator: success (0.677; it printed 0.700)", got["success"], sum(exact))
    yield compared("  served by the first leg", got["first"], exact[0])
    yield compared("  served by the second leg", got["second"], exact[1])
    yield compared("  served by the third leg", got["third"], exact[2])
    yield compared("  ended within the median of 0.615 s", got["median"], 0.5)
    yield equal("  the longest request, s: its deadline", float(got["longest"].max()), 1.0)
    yield equal("  in every replication", float(got["longest"].min()), 1.0)


def response_cache(size: Size) -> Iterator[Finding]:
    """A key requested at rate a and kept for t after it was filled is hit a t times in a t + 1 requests."""
    keys, ttl_s, rate = 20, 10.0, 2.0
    weights = np.arange(1, keys + 1) ** -1.1
    rates = rate * weights / weights.sum()
    hit = float((rates / rate * (rates * ttl_s) / (1.0 + rates * ttl_s)).sum())
    cache = {"kind": "zipf", "keys": keys, "exponent": 1.1, "ttl": "10s"}
    one = scenario(horizon="700s", rate="2/s", providers={"p": provider()}, policy={"response_cache": cache})
    got = replicate(
        size,
        one,
        {"hits": lambda run: float(run.requests["response_cache_hit"][run.requests["arrival_s"] >= 100.0].mean())},
    )["hits"]
    yield compared("response cache with times to live: hits", got, hit)


def prompt_cache(size: Size) -> Iterator[Finding]:
    one = scenario(
        horizon="2000s",
        rate="1/2s",
        providers={"p": provider()},
        chain=[{"provider": "p", "prompt_cache": {"share": "75%", "ttl": "3s"}}],
    )
    one["workload"]["tokens"] = {"input": 1000, "output": 1}
    price = {"input_per_mtok": 10, "cached_input_per_mtok": 1, "output_per_mtok": 0}
    one["providers"]["p"]["models"]["model"]["price"] = price
    got = replicate(
        size, one, {"cached": lambda run: float(run.attempts["cached_tokens"].mean()), "cost": cost_per_request}
    )
    cached = -750.0 * float(np.expm1(-0.5 * 3.0))
    yield compared("prompt cache warm while used: cached tokens", got["cached"], cached)
    yield compared("  USD per request", got["cost"], (1000.0 - cached) * 10e-6 + cached * 1e-6)


def retry_times(size: Size) -> Iterator[Finding]:
    for jitter in ("none", "full", "equal"):
        backoff = {"kind": "exponential", "base": "500ms", "factor": 3, "cap": "6s", "jitter": jitter}
        one = _failing_leg(size, "60%", chain=[{"provider": "p", "retries": 4}], policy={"retry_backoff": backoff})
        got = replicate(
            size,
            one,
            {
                "time": mean_latency_s,
                "attempts": attempts_per_request,
                "lost": lost_share,
                "waited": lambda run: float(run.requests["backoff_s"].mean()),
            },
        )
        time_s = retries.expected_time_s(0.6, 5, 1.2, 0.3, base_s=0.5, factor=3.0, cap_s=6.0, jitter=jitter)
        attempts = retries.expected_attempts(0.6, 5)
        yield compared(f"retries with back-off, jitter {jitter}: mean time, s", got["time"], time_s)
        yield compared("  attempts", got["attempts"], attempts)
        yield compared("  lost", got["lost"], 0.6**5)
        yield compared("  waited, s", got["waited"], time_s - attempts * (0.4 * 1.2 + 0.6 * 0.3))


def rounds(size: Size) -> Iterator[Finding]:
    """One leg in five rounds equals one leg with four retries."""
    backoff = {"kind": "exponential", "base": "1s", "factor": 2, "cap": "4s", "jitter": "full"}
    one = _failing_leg(size, "50%", policy={"rounds": 5, "round_backoff": backoff})
    got = replicate(size, one, {"time": mean_latency_s, "rounds": lambda run: float(run.requests["rounds"].mean())})
    time_s = retries.expected_time_s(0.5, 5, 1.2, 0.3, base_s=1.0, factor=2.0, cap_s=4.0, jitter="full")
    yield compared("five rounds of one leg: mean time, s", got["time"], time_s)
    yield compared("  rounds", got["rounds"], retries.expected_attempts(0.5, 5))


def _failing_leg(size: Size, failure: str, **rest: Any) -> dict[str, Any]:
    one = provider("1.2s", errors={"server_error": {"rate": failure, "latency": "300ms"}})
    return scenario(horizon=size.horizon(1000.0), rate="1/s", providers={"p": one}, **rest)


def retries_in_outage(size: Size) -> Iterator[Finding]:
    gaps = [1.0, 2.0, 4.0]
    for up_s, down_s in ((60.0, 20.0), (30.0, 3.0)):
        one = _retried(exponential(f"{up_s}s"), exponential(f"{down_s}s"), size.horizon(2000.0), "1/s")
        got = replicate(size, one, {"lost": lost_share, "attempts": attempts_per_request})
        lost = retries.all_fail_in_outage(up_s, down_s, gaps)
        attempts = 1.0 + sum(retries.all_fail_in_outage(up_s, down_s, gaps[:k]) for k in range(3))
        yield compared(f"retries after 1, 2, 4 s inside an outage of {down_s:g} s: lost", got["lost"], lost)
        yield compared("  attempts", got["attempts"], attempts)


def retries_in_long_outage_requests(size: Size) -> Iterator[Finding]:
    """Seven seconds of waiting do not outlast one hour of outage every thirty days."""
    one = _retried(exponential("30d"), exponential("1h"), size.horizon(20.0 * YEAR_S), "1/d")
    lost = replicate(size, one, {"lost": lost_share}, 20)["lost"]
    exact = retries.all_fail_in_outage(30.0 * 24.0 * 3600.0, 3600.0, [1.0, 2.0, 4.0])
    yield compared("retries inside an hour's outage every 30 days: lost", lost, exact)


def retries_in_long_outage(size: Size) -> Iterator[Finding]:
    """With one hour to repair, 1.38e-3 of the requests are lost, not 3.7e-12."""
    up_s = 3600.0 / 1.3835e-3 - 3600.0
    plan = plan_of(_retried(exponential(f"{up_s}s"), exponential("1h"), "1y", "1/h"))
    found = timeline(plan, 20_000.0, samples=1_000).availability
    lost = retries.all_fail_in_outage(up_s, 3600.0, [1.0, 2.0, 4.0])
    claim = "retries inside an hour's outage (timeline estimator): lost"
    yield _estimated(claim, found.complement(), _upper_half(found), lost)


def rare_outages(size: Size) -> Iterator[Finding]:
    """Three independent providers, each down for 1.4e-3 of the time and each called four times."""
    down_s = 3600.0
    up_s = down_s / 1.4e-3 - down_s
    up, down = exponential(f"{up_s}s"), exponential(f"{down_s}s")
    providers = {name: provider(incidents=outages(up, down)) for name in "abc"}
    plan = plan_of(
        scenario(
            horizon="1y",
            rate="1/h",
            providers=providers,
            chain=[{"provider": name, "retries": 3} for name in providers],
            policy={"retry_backoff": {"kind": "constant", "base": "5min"}},
        )
    )
    answer = rare(plan)
    all_down, lost = answer.all_down, answer.lost
    claim = "three providers down for 1.4e-3 of the time (rare events): P(all down)"
    yield _estimated(claim, all_down, _upper_half(all_down), 1.4e-3**3)
    # each provider's calls are five minutes apart, whatever the others do
    fails = retries.all_fail_in_outage(up_s, down_s, [300.0] * 3)
    yield _estimated("  lost with three retries of each", lost, _upper_half(lost), fails**3)


def _estimated(claim: str, figure: Estimate, half_width: float, exact: float) -> Finding:
    """An estimator's figure, with a standard error from the half-width of its 95 % interval over `n` batches."""
    return Finding(claim, figure.known, half_width / t_quantile(figure.n - 1), figure.n, exact)


def _upper_half(figure: Estimate) -> float:
    assert figure.high is not None
    return figure.high - figure.known


def _retried(up: Any, down: Any, horizon: str, rate: str) -> dict[str, Any]:
    return scenario(
        horizon=horizon,
        rate=rate,
        providers={"p": provider(incidents=outages(up, down))},
        chain=[{"provider": "p", "retries": 3}],
        policy={"retry_backoff": {"kind": "exponential", "base": "1s", "factor": 2}},
    )


def _failing(share: float) -> dict[str, Any]:
    return {"server_error": {"rate": round(share, 10), "latency": 0}}


def _chain(legs: tuple[tuple[float, float], ...], horizon: str, **policy: Any) -> dict[str, Any]:
    providers = {
        name: provider(price=cost, errors=_failing(1.0 - success))
        for name, (success, cost) in zip("abc", legs, strict=True)
    }
    return scenario(horizon=horizon, rate="1/s", providers=providers, policy=policy)


CASES: Final = (
    Case("image_chain", DES_RUN, image_chain, "the published example: 0.04099664 USD"),
    Case("image_chain_cached", DES_RUN, image_chain_cached, "the published example, a fifth of it"),
    Case("free_failures", DES_RUN, free_failures, _CHAIN),
    Case("billed_failures", DES_RUN, billed_failures, _CHAIN),
    Case("cheapest_order", DES_RUN, cheapest_order, "exchange argument: Mitten 1960"),
    Case("calculator", DES_RUN, calculator, "the published calculator's figures, integrated"),
    Case("response_cache", DES_RUN, response_cache, "renewal reward over each key: a t / (a t + 1)"),
    Case("prompt_cache", DES_RUN, prompt_cache, "P(Poisson gap <= t) = 1 - e^-at"),
    Case("retry_times", DES_RUN, retry_times, "truncated geometric number of attempts"),
    Case("rounds", DES_RUN, rounds, "truncated geometric number of rounds"),
    Case("retries_in_outage", DES_RUN, retries_in_outage, _MARKOV),
    Case("retries_in_long_outage", ESTIMATOR, retries_in_long_outage, _MARKOV),
    Case("retries_in_long_outage_requests", DES_RUN, retries_in_long_outage_requests, _MARKOV),
    Case("rare_outages", ESTIMATOR, rare_outages, _MARKOV),
)
