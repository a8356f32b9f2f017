"""Windows, pools, queues and hedges, each against a Monte Carlo that knows only its rule."""

import heapq
from collections import deque
from collections.abc import Iterator
from typing import Final

import numpy as np

from des.check.case import MONTE_CARLO, Case, Finding, compared
from des.check.small_models import BATCHES, rng_of
from des.distributions import Constant, Distribution, Exponential, Gamma, Lognormal
from des.theory import limiters
from des.theory.chains import hedge_share, hedged_mean_s

WINDOWS: Final = 20_000
LAW: Final = Lognormal(0.0, 0.8)
"""Of a hedged call."""


def fixed_window() -> Iterator[Finding]:
    for rate, calls, window_s in ((1.0, 60, 60.0), (2.0, 10, 4.0)):
        rng, mean = rng_of(f"fixed {calls}"), rate * window_s
        arrivals_s = np.cumsum(rng.exponential(1.0 / rate, int(WINDOWS * mean * 1.2)))
        within = np.bincount((arrivals_s / window_s).astype(np.int64), minlength=WINDOWS)[:WINDOWS]
        exact = limiters.fixed_window_refused(rate, calls, window_s)
        yield compared(
            f"at most {calls} in a fixed window at load {mean:g}: refused", np.maximum(within - calls, 0) / mean, exact
        )


def sliding_log() -> Iterator[Finding]:
    for rate, calls, window_s in ((1.0, 60, 60.0), (2.0, 10, 4.0)):
        refused = []
        for batch in range(BATCHES):
            arrivals_s = np.cumsum(rng_of(f"sliding {calls}", batch).exponential(1.0 / rate, 11_000)).tolist()
            kept: deque[float] = deque()
            lost = 0
            for number, now in enumerate(arrivals_s):
                while kept and kept[0] <= now - window_s:
                    kept.popleft()
                if len(kept) < calls:
                    kept.append(now)
                elif number >= 1000:
                    lost += 1
            refused.append(lost / 10_000)
        exact = limiters.sliding_log_refused(rate, calls, window_s)
        yield compared(f"at most {calls} in a sliding window at load {rate * window_s:g}: refused", refused, exact)


def erlang_b() -> Iterator[Finding]:
    laws: tuple[tuple[str, Distribution], ...] = (
        ("exponential", Exponential(1.0)),
        ("lognormal", Lognormal(-0.5, 1.0)),
        ("constant", Constant(1.0)),
    )
    for name, law in laws:
        lost = [_lost(f"erlang {name}", law, 4.0, (5,), batch)[0] for batch in range(BATCHES)]
        yield compared(f"cap of 5 calls at load 4, {name} (Erlang B): refused", lost, limiters.erlang_b(5, 4.0))


def overflow() -> Iterator[Finding]:
    found = np.array([_lost("overflow", Exponential(1.0), 4.0, (3, 2), batch) for batch in range(BATCHES)])
    yield compared("cap of 3 that overflows: refused by the first", found[:, 0], limiters.erlang_b(3, 4.0))
    yield compared("  and by a second pool of 2", found[:, 1], limiters.overflow_refused(3, 2, 4.0))


def _lost(name: str, law: Distribution, rate: float, pools: tuple[int, ...], batch: int) -> list[float]:
    """Share of Poisson calls that the first pool refuses, the first two, and so on."""
    count, warm = 8000, 200
    rng = rng_of(name, batch)
    arrivals = np.cumsum(rng.exponential(1.0 / rate, count)).tolist()
    services = law.sample(rng, count).tolist()
    busy: list[list[float]] = [[] for _ in pools]
    lost = [0] * len(pools)
    for number, (now, service) in enumerate(zip(arrivals, services, strict=True)):
        for pool, (servers, ends) in enumerate(zip(pools, busy, strict=True)):
            while ends and ends[0] <= now:
                heapq.heappop(ends)
            if len(ends) < servers:
                heapq.heappush(ends, now + service)
                break
            lost[pool] += number >= warm
    return [refused / (count - warm) for refused in lost]


def erlang_c() -> Iterator[Finding]:
    waited, waits = [], []
    for batch in range(BATCHES):
        rng = rng_of("erlang c", batch)
        arrivals = np.cumsum(rng.exponential(0.5, 15_000)).tolist()
        services = rng.exponential(1.0, 15_000).tolist()
        free = [0.0, 0.0, 0.0]
        own = []
        for now, service in zip(arrivals, services, strict=True):
            start = max(now, heapq.heappop(free))
            heapq.heappush(free, start + service)
            own.append(start - now)
        steady = np.array(own[500:])
        waited.append(float((steady > 0.0).mean()))
        waits.append(float(steady.mean()))
    yield compared("3 servers at load 2, waiting (Erlang C): P(wait)", waited, limiters.erlang_c(3, 2.0))
    yield compared("  mean wait", waits, limiters.erlang_c_mean_wait(3, 2.0, 1.0))


def pollaczek_khinchine() -> Iterator[Finding]:
    """Lindley's recursion over many queues at once."""
    laws: tuple[tuple[str, Distribution], ...] = (("gamma", Gamma(0.5, 2.0)), ("constant", Constant(1.0)))
    for name, law in laws:
        rng = rng_of(f"one server {name}")
        queues, warm, count = 1000, 300, 3000
        wait, total = np.zeros(queues), np.zeros(queues)
        for step in range(warm + count):
            if step >= warm:
                total += wait
            wait = np.maximum(0.0, wait + law.sample(rng, queues) - rng.exponential(1.0 / 0.6, queues))
        exact = limiters.pollaczek_khinchine_wait(0.6, law.mean, law.second_moment)
        yield compared(f"one server at load 0.6, {name} (Pollaczek-Khinchine): mean wait", total / count, exact)


def hedge() -> Iterator[Finding]:
    for delay_s in (0.8, 2.0):
        rng = rng_of(f"hedge {delay_s}")
        first, second = LAW.sample(rng, 100_000), LAW.sample(rng, 100_000)
        took = np.where(first > delay_s, np.minimum(first, delay_s + second), first)
        yield compared(f"hedge after {delay_s:g} s: mean, s", took, hedged_mean_s(LAW, delay_s))
        yield compared("  extra calls", first > delay_s, hedge_share(LAW, delay_s))
    answers = np.stack([LAW.sample(rng_of(f"copies {sent}"), 50_000) + 0.6 * sent for sent in range(4)])
    yield compared("three copies, one each 0.6 s: mean, s", answers.min(axis=0), hedged_mean_s(LAW, 0.6, 3))
    sent_then = [answers[:sent].min(axis=0) > 0.6 * sent for sent in (1, 2, 3)]
    yield compared("  extra calls", np.sum(sent_then, axis=0), hedge_share(LAW, 0.6, 3))


CASES: Final = (
    Case("fixed_window", MONTE_CARLO, fixed_window),
    Case("sliding_log", MONTE_CARLO, sliding_log),
    Case("erlang_b", MONTE_CARLO, erlang_b),
    Case("overflow", MONTE_CARLO, overflow),
    Case("erlang_c", MONTE_CARLO, erlang_c),
    Case("pollaczek_khinchine", MONTE_CARLO, pollaczek_khinchine),
    Case("hedge", MONTE_CARLO, hedge),
)
