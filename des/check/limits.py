"""Rate limits and capacities of providers, each run against the queue or the window that it is."""

from collections.abc import Iterator
from typing import Any, Final

from des.check.case import DES_RUN, Case, Finding, compared
from des.check.replications import Metric, Run, exponential, provider, replicate, scenario
from des.distributions import Distribution, Exponential, Gamma
from des.theory import limiters
from des.vocabulary import ATTEMPT_OUTCOMES

WARM_S: Final = 100.0
"""Limits and servers start empty."""
LOGNORMAL_OF_MEAN_1: Final = {"kind": "lognormal", "mean": "1s", "cv": 1.3}


def windows() -> Iterator[Finding]:
    for requests, window_s, rate in ((60, 60.0, 1.0), (10, 4.0, 2.0)):
        for kind, exact in (
            ("fixed_window", limiters.fixed_window_refused),
            ("sliding_log", limiters.sliding_log_refused),
        ):
            limits = {"requests": f"{requests}/{window_s}s", "algorithm": {kind: f"{window_s}s"}, "refusal_latency": 0}
            one = scenario(
                horizon=f"{120.0 + 1800.0 / rate}s", rate=f"{rate}/s", providers={"p": provider(limits=limits)}
            )
            got = replicate(one, {"refused": _refused_after(120.0)})["refused"]
            label = f"at most {requests} in a {kind.replace('_', ' ')} at load {rate * window_s:g}"
            yield compared(f"{label}: refused", got, exact(rate, requests, window_s))


def tokens() -> Iterator[Finding]:
    """A bucket of tokens of which each call takes as many is a bucket of calls."""
    limits = {"input_tokens": "100/s", "burst": 300, "refusal_latency": 0}
    one = scenario(horizon="1600s", rate="0.8/s", providers={"p": provider(limits=limits)})
    one["workload"]["tokens"] = {"input": 100, "output": 1}
    got = replicate(one, {"refused": _refused_after(WARM_S)})["refused"]
    yield compared("bucket of 300 tokens, 100 a call, at load 0.8: refused", got, limiters.token_bucket_refused(0.8, 3))


def concurrency() -> Iterator[Finding]:
    for name, latency in (("exponential", exponential("1s")), ("lognormal", LOGNORMAL_OF_MEAN_1), ("constant", "1s")):
        limits = {"concurrency": 5, "refusal_latency": 0}
        one = scenario(horizon="500s", rate="4/s", providers={"p": provider(latency, limits=limits)})
        got = replicate(one, {"refused": _refused_after(WARM_S)})["refused"]
        yield compared(f"5 calls at once at load 4, {name} (Erlang B): refused", got, limiters.erlang_b(5, 4.0))


def overflow() -> Iterator[Finding]:
    providers = {
        name: provider(exponential("1s"), limits={"concurrency": most, "refusal_latency": 0})
        for name, most in (("a", 3), ("b", 2))
    }
    one = scenario(horizon="500s", rate="4/s", providers=providers)
    got = replicate(one, {"first": _served_by_the_first, "refused": _refused_after(WARM_S)})
    yield compared("3 at once that fall back on 2: served by the first", got["first"], 1.0 - limiters.erlang_b(3, 4.0))
    yield compared("  refused by both (Erlang B of 5)", got["refused"], limiters.overflow_refused(3, 2, 4.0))


def _served_by_the_first(run: Run) -> float:
    steady = run.requests["arrival_s"] >= WARM_S
    return float((run.ok & (run.requests["chain_position"] == 0))[steady].mean())


def given_up() -> Iterator[Finding]:
    """Calls that their client gives up keep their places: places are as busy as without a time-out."""
    for label, held in (("limit", {"limits": {"concurrency": 5, "refusal_latency": 0}}), ("capacity", {"capacity": 5})):
        one = scenario(
            horizon="500s",
            rate="4/s",
            providers={"p": provider(exponential("1s"), **held)},
            chain=[{"provider": "p", "timeout": "500ms"}],
        )
        refused = "rate_limited" if label == "limit" else "overloaded"
        got = replicate(one, {"refused": _attempts_that_were(refused)})["refused"]
        yield compared(f"calls given up keep their places ({label}): refused", got, limiters.erlang_b(5, 4.0))


def queue() -> Iterator[Finding]:
    one = _served_by(3, 100_000, exponential("1s"), 2.0)
    got = replicate(one, {"latency": _mean_latency_after_s(WARM_S)})["latency"]
    yield compared(
        "3 servers at load 2 (Erlang C): mean latency, s", got, 1.0 + limiters.erlang_c_mean_wait(3, 2.0, 1.0)
    )
    laws: tuple[tuple[str, Any, Distribution], ...] = (
        ("exponential", exponential("1s"), Exponential(1.0)),
        ("gamma", {"kind": "gamma", "shape": 2, "scale": "500ms"}, Gamma(2.0, 0.5)),
    )
    for name, latency, law in laws:
        got = replicate(_served_by(1, 100_000, latency, 0.5), {"latency": _mean_latency_after_s(WARM_S)})["latency"]
        exact = law.mean + limiters.pollaczek_khinchine_wait(0.5, law.mean, law.second_moment)
        yield compared(f"one server at load 0.5, {name} (Pollaczek-Khinchine): mean latency, s", got, exact)


def bounded_queue() -> Iterator[Finding]:
    one = _served_by(3, 4, exponential("1s"), 2.5)
    got = replicate(one, {"refused": _refused_after(WARM_S), "latency": _mean_latency_after_s(WARM_S)})
    yield compared(
        "3 servers, 4 places to wait, load 2.5: 529", got["refused"], limiters.bounded_queue_refused(3, 4, 2.5)
    )
    latency_s = 1.0 + limiters.bounded_queue_mean_wait(3, 4, 2.5, 1.0)
    yield compared("  mean latency of those served, s", got["latency"], latency_s)


def _served_by(servers: int, places: int, latency: Any, rate: float) -> dict[str, Any]:
    capacity = {"concurrent": servers, "queue": places, "refusal_latency": 0}
    horizon_s = WARM_S + 2000.0 / rate
    return scenario(horizon=f"{horizon_s}s", rate=f"{rate}/s", providers={"p": provider(latency, capacity=capacity)})


def _refused_after(warm_s: float) -> Metric:
    return lambda run: float((~run.ok[run.requests["arrival_s"] >= warm_s]).mean())


def _attempts_that_were(outcome: str) -> Metric:
    def share(run: Run) -> float:
        steady = run.attempts["start_s"] >= WARM_S
        return float((run.attempts["outcome"][steady] == ATTEMPT_OUTCOMES.index(outcome)).mean())

    return share


def _mean_latency_after_s(warm_s: float) -> Metric:
    """Of the requests served."""

    def mean_s(run: Run) -> float:
        return float(run.requests["latency_s"][run.ok & (run.requests["arrival_s"] >= warm_s)].mean())

    return mean_s


CASES: Final = (
    Case("limit_windows", DES_RUN, windows),
    Case("limit_tokens", DES_RUN, tokens),
    Case("limit_concurrency", DES_RUN, concurrency),
    Case("limit_overflow", DES_RUN, overflow),
    Case("limit_given_up", DES_RUN, given_up),
    Case("capacity_queue", DES_RUN, queue),
    Case("capacity_bounded", DES_RUN, bounded_queue),
)
