"""Rate limits and capacities of providers, each against its queue or window model."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from des.check.case import DES_RUN, Case, Finding, Size, compared, equal
from des.check.replications import Metric, Run, exponential, provider, replicate, scenario
from des.distributions import Distribution, Exponential, Gamma
from des.theory import limiters
from des.vocabulary import ATTEMPT_OUTCOMES

_WARM_S: Final = 100.0
"""Limits and servers start empty."""
_BUCKET_WARM_S: Final = 300.0
"""Buckets start full."""
_LOGNORMAL_OF_MEAN_1: Final = {"kind": "lognormal", "mean": "1s", "cv": 1.3}
_M_D_1_B: Final = "M/D/1/B: Brun and Garcia 2000"
_ERLANG_B: Final = "Erlang B: Cooper 1981, 3.3"


def windows(size: Size) -> Iterator[Finding]:
    for requests, window_s, rate in ((60, 60.0, 1.0), (10, 4.0, 2.0)):
        for kind, exact in (
            ("fixed_window", limiters.fixed_window_refused),
            ("sliding_log", limiters.sliding_log_refused),
        ):
            limits = {"requests": f"{requests}/{window_s}s", "algorithm": {kind: f"{window_s}s"}, "refusal_latency": 0}
            one = scenario(
                horizon=size.horizon(120.0 + 1800.0 / rate, warm_s=120.0),
                rate=f"{rate}/s",
                providers={"p": provider(limits=limits)},
            )
            got = replicate(size, one, {"refused": _refused_after(120.0)})["refused"]
            label = f"at most {requests} in a {kind.replace('_', ' ')} at load {rate * window_s:g}"
            yield compared(f"{label}: refused", got, exact(rate, requests, window_s))


def token_bucket(size: Size) -> Iterator[Finding]:
    for load, burst in ((0.5, 1), (0.8, 3), (1.0, 5), (1.3, 4), (2.5, 10), (0.9, 8), (1.05, 25)):
        one = _bucket(size, load, burst, 1200.0 / load)
        got = replicate(size, one, {"refused": _refused_after(_BUCKET_WARM_S)})["refused"]
        exact = limiters.token_bucket_refused(load, burst)
        yield compared(f"token bucket of {burst} at load {load:g}: refused", got, exact)
    got = replicate(size, _bucket(size, 0.2, 60, 700.0), {"refused": _refused_after(0.0)}, 20)["refused"]
    yield equal("token bucket that is never empty: refused", float(got.max()), 0.0)


def token_bucket_in_outage(size: Size) -> Iterator[Finding]:
    """The limiter comes before the failure, so an error rate does not change what it refuses."""
    one = _bucket(size, 1.3, 4, 1500.0, errors={"server_error": {"rate": "50%", "latency": 0}})
    limited = _attempts_that_were("rate_limited", _BUCKET_WARM_S)
    got = replicate(size, one, {"refused": limited, "lost": _refused_after(_BUCKET_WARM_S)})
    refused = limiters.token_bucket_refused(1.3, 4)
    yield compared("token bucket before a leg that half fails: refused", got["refused"], refused)
    yield compared("  lost", got["lost"], refused + (1.0 - refused) / 2.0)


def shared_bucket(size: Size) -> Iterator[Finding]:
    """The second of two legs of one account is called at the same instant and finds the bucket just as empty."""
    one = {**_bucket(size, 1.3, 4, 1500.0), "chain": [{"provider": "p"}, {"provider": "p"}]}
    got = replicate(size, one, {"lost": _refused_after(_BUCKET_WARM_S)})["lost"]
    yield compared("two legs of one token bucket: lost", got, limiters.token_bucket_refused(1.3, 4))


def retry_after(size: Size) -> Iterator[Finding]:
    """Refused calls come uniformly within the second that a token takes: on average half of it is left."""
    one = _bucket(size, 0.7, 1, 1500.0)
    got = replicate(size, one, {"wait": lambda run: float(np.nanmean(run.attempts["retry_after_s"]))})["wait"]
    yield compared("token bucket of 1: told to wait, s", got, 0.5)


def _bucket(size: Size, load: float, burst: int, length_s: float, **rest: Any) -> dict[str, Any]:
    """One token a second, one leg, `load` calls a second, for `length_s` after the warm-up."""
    limits = {"requests": "1/s", "burst": burst, "refusal_latency": 0}
    horizon = size.horizon(_BUCKET_WARM_S + length_s, warm_s=_BUCKET_WARM_S)
    return scenario(horizon=horizon, rate=f"{load}/s", providers={"p": provider(limits=limits, **rest)})


def tokens(size: Size) -> Iterator[Finding]:
    """A bucket of tokens equals a bucket of calls if each call takes the same number of tokens."""
    limits = {"input_tokens": "100/s", "burst": 300, "refusal_latency": 0}
    one = scenario(horizon="1600s", rate="0.8/s", providers={"p": provider(limits=limits)})
    one["workload"]["tokens"] = {"input": 100, "output": 1}
    got = replicate(size, one, {"refused": _refused_after(_WARM_S)})["refused"]
    yield compared("bucket of 300 tokens, 100 a call, at load 0.8: refused", got, limiters.token_bucket_refused(0.8, 3))


def concurrency(size: Size) -> Iterator[Finding]:
    for name, latency in (("exponential", exponential("1s")), ("lognormal", _LOGNORMAL_OF_MEAN_1), ("constant", "1s")):
        limits = {"concurrency": 5, "refusal_latency": 0}
        one = scenario(
            horizon=size.horizon(500.0, warm_s=_WARM_S), rate="4/s", providers={"p": provider(latency, limits=limits)}
        )
        got = replicate(size, one, {"refused": _refused_after(_WARM_S)})["refused"]
        yield compared(f"5 calls at once at load 4, {name} (Erlang B): refused", got, limiters.erlang_b(5, 4.0))


def overflow(size: Size) -> Iterator[Finding]:
    providers = {
        name: provider(exponential("1s"), limits={"concurrency": most, "refusal_latency": 0})
        for name, most in (("a", 3), ("b", 2))
    }
    one = scenario(horizon=size.horizon(500.0, warm_s=_WARM_S), rate="4/s", providers=providers)
    got = replicate(size, one, {"first": _served_by_the_first, "refused": _refused_after(_WARM_S)})
    yield compared("3 at once that fall back on 2: served by the first", got["first"], 1.0 - limiters.erlang_b(3, 4.0))
    yield compared("  refused by both (Erlang B of 5)", got["refused"], limiters.overflow_refused(3, 2, 4.0))


def _served_by_the_first(run: Run) -> float:
    steady = run.requests["arrival_s"] >= _WARM_S
    return float((run.ok & (run.requests["chain_position"] == 0))[steady].mean())


def given_up(size: Size) -> Iterator[Finding]:
    """Calls that their client abandons keep their places, which are as busy as without a time-out."""
    for label, held in (("limit", {"limits": {"concurrency": 5, "refusal_latency": 0}}), ("capacity", {"capacity": 5})):
        one = scenario(
            horizon=size.horizon(500.0, warm_s=_WARM_S),
            rate="4/s",
            providers={"p": provider(exponential("1s"), **held)},
            chain=[{"provider": "p", "timeout": "500ms"}],
        )
        refused = "rate_limited" if label == "limit" else "overloaded"
        got = replicate(size, one, {"refused": _attempts_that_were(refused, _WARM_S)})["refused"]
        yield compared(f"calls given up keep their places ({label}): refused", got, limiters.erlang_b(5, 4.0))


def queue(size: Size) -> Iterator[Finding]:
    one = _served_by(size, 3, 100_000, exponential("1s"), 2.0)
    got = replicate(size, one, {"latency": _mean_latency_after_s(_WARM_S)})["latency"]
    yield compared(
        "3 servers at load 2 (Erlang C): mean latency, s", got, 1.0 + limiters.erlang_c_mean_wait(3, 2.0, 1.0)
    )
    services: tuple[tuple[str, Any, Distribution], ...] = (
        ("exponential", exponential("1s"), Exponential(1.0)),
        ("gamma", {"kind": "gamma", "shape": 2, "scale": "500ms"}, Gamma(2.0, 0.5)),
    )
    for name, latency, service in services:
        got = replicate(size, _served_by(size, 1, 100_000, latency, 0.5), {"latency": _mean_latency_after_s(_WARM_S)})[
            "latency"
        ]
        exact = service.mean + limiters.pollaczek_khinchine_wait(0.5, service.mean, service.second_moment)
        yield compared(f"one server at load 0.5, {name} (Pollaczek-Khinchine): mean latency, s", got, exact)


def bounded_queue(size: Size) -> Iterator[Finding]:
    one = _served_by(size, 3, 4, exponential("1s"), 2.5)
    got = replicate(size, one, {"refused": _refused_after(_WARM_S), "latency": _mean_latency_after_s(_WARM_S)})
    yield compared(
        "3 servers, 4 places to wait, load 2.5: 529", got["refused"], limiters.bounded_queue_refused(3, 4, 2.5)
    )
    latency_s = 1.0 + limiters.bounded_queue_mean_wait(3, 4, 2.5, 1.0)
    yield compared("  mean latency of those served, s", got["latency"], latency_s)


def _served_by(size: Size, servers: int, places: int, latency: Any, rate: float) -> dict[str, Any]:
    capacity = {"concurrent": servers, "queue": places, "refusal_latency": 0}
    horizon = size.horizon(_WARM_S + 2000.0 / rate, warm_s=_WARM_S)
    return scenario(horizon=horizon, rate=f"{rate}/s", providers={"p": provider(latency, capacity=capacity)})


def _refused_after(warm_s: float) -> Metric:
    return lambda run: float((~run.ok[run.requests["arrival_s"] >= warm_s]).mean())


def _attempts_that_were(outcome: str, warm_s: float) -> Metric:
    def share(run: Run) -> float:
        steady = run.attempts["start_s"] >= warm_s
        return float((run.attempts["outcome"][steady] == ATTEMPT_OUTCOMES.index(outcome)).mean())

    return share


def _mean_latency_after_s(warm_s: float) -> Metric:
    """Over the requests served."""

    def mean_s(run: Run) -> float:
        return float(run.requests["latency_s"][run.ok & (run.requests["arrival_s"] >= warm_s)].mean())

    return mean_s


CASES: Final = (
    Case("limit_windows", DES_RUN, windows, "Poisson mean excess over a window; Erlang B: Cooper 1981, 3.3"),
    Case("token_bucket", DES_RUN, token_bucket, _M_D_1_B),
    Case("token_bucket_in_outage", DES_RUN, token_bucket_in_outage, _M_D_1_B),
    Case("shared_bucket", DES_RUN, shared_bucket, _M_D_1_B),
    Case("retry_after", DES_RUN, retry_after, "uniform time left of a token's second"),
    Case("limit_tokens", DES_RUN, tokens, _M_D_1_B),
    Case("limit_concurrency", DES_RUN, concurrency, _ERLANG_B),
    Case("limit_overflow", DES_RUN, overflow, _ERLANG_B),
    Case("limit_given_up", DES_RUN, given_up, _ERLANG_B),
    Case("capacity_queue", DES_RUN, queue, "Erlang C: Cooper 1981; Pollaczek-Khinchine"),
    Case("capacity_bounded", DES_RUN, bounded_queue, "M/M/c/c+K"),
)
