"""Small models, queues, windows and budgets, each against a Monte Carlo that only uses its rule."""

import heapq
import math
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from des.check.case import MONTE_CARLO, Case, Finding, Size, compared, equal
from des.distributions import Constant, Distribution, Exponential, Gamma, Lognormal, Weibull
from des.draws import generator
from des.faults.episodes import down_share, intersection, merged
from des.faults.intervals import Intervals
from des.rules import retry as retry_budget
from des.rules.guards import rejection_probability
from des.rules.limits import queue_is_full, service_start_s, waiting_calls
from des.theory import availability, limiters, markov
from des.theory.availability import lognormal_residual, residual_cdf, residual_mean, weibull_residual
from des.theory.chains import hedge_share, hedged_mean_s
from des.theory.limiters import breaker_cycle
from des.theory.retries import (
    active_budget_load,
    quota_attempts,
    quota_drift,
    ratio_budget_load,
    throttle_attempts,
    throttle_break_even,
    throttled_load,
)

_SEED: Final = 20_250_101
_BATCHES: Final = 32
_ERLANG_B: Final = "Erlang B: Cooper 1981, 3.3"


def _rng(name: str, batch: int = 0) -> np.random.Generator:
    """Independent draws for each Monte Carlo and batch."""
    return generator(_SEED, batch, f"check {name}")


class _Pair:
    """Two members under private failures and common shocks, each event by its own clock; both are up at the start."""

    def __init__(self, rates: tuple[float, float, float], repair_s: tuple[float, float], together: bool, name: str):
        self._rates, self._repair_s, self._together = rates, repair_s, together
        self._name = name

    def both_down_share(self, batch: int, warm_s: float, until_s: float) -> float:
        """Share of [warm_s, until_s) with both down."""
        down_s = 0.0
        for start, end in self._overlaps(_rng(self._name, batch), until_s):
            down_s += max(0.0, min(end, until_s) - max(start, warm_s))
        return down_s / (until_s - warm_s)

    def first_total_outage_s(self, batch: int) -> float:
        return next(self._overlaps(_rng(self._name, batch), math.inf))[0]

    def _overlaps(self, rng: np.random.Generator, until_s: float) -> Iterator[tuple[float, float]]:
        """Intervals with both down, by start."""
        up_at = [0.0, 0.0]
        total, now = sum(self._rates), 0.0
        while now < until_s:
            now += rng.exponential(1.0 / total)
            what = int(np.searchsorted(np.cumsum(self._rates), rng.random() * total, side="right"))
            hit = [member for member in ((0,), (1,), (0, 1))[what] if up_at[member] <= now]
            if not hit:
                continue  # a shock does not affect members that are down already
            durations = [rng.exponential(self._repair_s[member]) for member in hit]
            if len(hit) == 2 and self._together:
                durations[1] = durations[0]
            for member, duration in zip(hit, durations, strict=True):
                up_at[member] = now + duration
            if min(up_at) > now:
                yield now, min(up_at)


def repaired_together(size: Size) -> Iterator[Finding]:
    phi, rate, repair = 0.3, 0.4, 1.0
    pair = _Pair(((1 - phi) * rate, (1 - phi) * rate, phi * rate), (1.0, 1.0), True, "together")
    share = [pair.both_down_share(batch, 30.0, 6000.0) for batch in range(size.count(_BATCHES))]
    exact = markov.pair_down_repaired_together(rate / repair, phi)
    yield compared("common shocks repaired together: P(both down)", share, exact)


def repaired_alone(size: Size) -> Iterator[Finding]:
    pair = _Pair((0.2, 0.4, 0.15), (1.0, 0.5), False, "alone")
    share = [pair.both_down_share(batch, 30.0, 6000.0) for batch in range(size.count(_BATCHES))]
    exact = markov.pair_down_repaired_alone(0.2, 0.4, 0.15, 1.0, 2.0)
    yield compared("common shocks repaired apart: P(both down)", share, exact)


def first_total_outage(size: Size) -> Iterator[Finding]:
    phi, rate, repair = 0.2, 0.3, 1.0
    pair = _Pair(((1 - phi) * rate, (1 - phi) * rate, phi * rate), (1.0, 1.0), True, "first")
    times = [pair.first_total_outage_s(batch) for batch in range(size.count(6000))]
    yield compared("first total outage after, mean", times, markov.mean_time_to_total_outage(rate, phi, repair))


def breaker(size: Size) -> Iterator[Finding]:
    for failures, open_s in ((3, 10.0), (1, 4.0)):
        cycles = _breaker_cycles(60.0, 20.0, 0.5, failures, open_s, 5000)
        exact = breaker_cycle(60.0, 20.0, 0.5, failures, open_s)
        yield compared(f"breaker of {failures}, open {open_s:g} s: successes a cycle", cycles[:, 0], exact.successes)
        yield compared("  failures a cycle", cycles[:, 1], exact.failures)
        yield compared("  refusals a cycle", cycles[:, 2], exact.refusals)


def _breaker_cycles(
    mttf_s: float, mttr_s: float, call_rate: float, failures: int, open_s: float, count: int
) -> NDArray[np.int64]:
    """(successes, failures, refusals) from one closing to the next, int64[count, 3]; a probe counts as a call."""
    rng = _rng(f"breaker {failures}")
    calls_s = iter(np.cumsum(rng.exponential(1.0 / call_rate, 2_000_000)).tolist())
    up, changes_at = True, rng.exponential(mttf_s)
    cycles: list[tuple[int, int, int]] = []
    tally = [0, 0, 0]
    streak, opened_until, is_open = 0, 0.0, False
    while len(cycles) < count:
        now = next(calls_s)
        while changes_at <= now:
            up = not up
            changes_at += rng.exponential(mttf_s if up else mttr_s)
        if is_open and now < opened_until:
            tally[2] += 1
        elif up:
            if is_open:  # the probe closes it, and is the first success of the next cycle
                cycles.append((tally[0], tally[1], tally[2]))
                tally, is_open = [0, 0, 0], False
            tally[0] += 1
            streak = 0
        else:
            tally[1] += 1
            streak += 1
            if is_open or streak >= failures:
                is_open, opened_until, streak = True, now + open_s, 0
    return np.array(cycles[1:])  # the first did not begin with a closing


def residuals(size: Size) -> Iterator[Finding]:
    intervals: tuple[tuple[str, Distribution], ...] = (
        ("Weibull", Weibull(0.7, 10.0)),
        ("lognormal", Lognormal(1.0, 1.0)),
    )
    for name, interval in intervals:
        left = interval.sample_residual(_rng(f"residual {name}"), 40_000)[1]
        at = interval.mean
        yield compared(f"equilibrium residual, {name}: mean", left, residual_mean(interval))
        yield compared(f"  P(at most {at:.3g})", left <= at, residual_cdf(interval, at))
    rng = _rng("residual variates")
    gammas, uniforms, normals = rng.gamma(1.0 / 0.7, size=20_000), rng.random(20_000), rng.standard_normal(20_000)
    weibull, lognormal = Weibull(0.7, 10.0), Lognormal(1.0, 0.6)
    drawn = [weibull_residual(weibull, gamma) for gamma in gammas.tolist()]
    # scale x Gamma(1/k)^(1/k) has the density S(x)/mean
    yield compared("  Weibull by scale x gamma^(1/k): P(at most 9)", np.array(drawn) <= 9.0, residual_cdf(weibull, 9.0))
    pairs = zip(uniforms.tolist(), normals.tolist(), strict=True)
    other = [lognormal_residual(lognormal, uniform, normal) for uniform, normal in pairs]
    yield compared(
        "  lognormal by U x Lognormal(mu + sigma^2): P(at most 2)", np.array(other) <= 2.0, residual_cdf(lognormal, 2.0)
    )


def circular_shifts(size: Size) -> Iterator[Finding]:
    """Two fixed histories that fail together, one of them shifted cyclically by any amount."""
    until, rng = 1000.0, _rng("circle")
    starts = np.sort(rng.random(25) * 900.0)
    one = merged(Intervals(starts, starts + rng.exponential(10.0, 25)))
    two = merged(Intervals(starts + 2.0, starts + 2.0 + rng.exponential(6.0, 25)))
    joint = []
    for shift in (rng.random(4000) * until).tolist():
        turned = Intervals(
            np.concatenate([two.start_s + shift - until, two.start_s + shift]),
            np.concatenate([two.end_s + shift - until, two.end_s + shift]),
        )
        joint.append(down_share(intersection([one, turned]), until))
    exact = availability.mean_joint_share_over_circular_shifts([down_share(one, until), down_share(two, until)])
    yield compared("circular shifts of two histories: mean joint share", joint, exact)


_WINDOWS: Final = 20_000
_LATENCY: Final = Lognormal(0.0, 0.8)
"""Of a hedged call."""


def fixed_window(size: Size) -> Iterator[Finding]:
    for rate, calls, window_s in ((1.0, 60, 60.0), (2.0, 10, 4.0)):
        rng, mean = _rng(f"fixed {calls}"), rate * window_s
        arrivals_s = np.cumsum(rng.exponential(1.0 / rate, int(_WINDOWS * mean * 1.2)))
        within = np.bincount((arrivals_s / window_s).astype(np.int64), minlength=_WINDOWS)[:_WINDOWS]
        exact = limiters.fixed_window_refused(rate, calls, window_s)
        yield compared(
            f"at most {calls} in a fixed window at load {mean:g}: refused", np.maximum(within - calls, 0) / mean, exact
        )


def sliding_log(size: Size) -> Iterator[Finding]:
    for rate, calls, window_s in ((1.0, 60, 60.0), (2.0, 10, 4.0)):
        refused = []
        for batch in range(size.count(_BATCHES)):
            arrivals_s = np.cumsum(_rng(f"sliding {calls}", batch).exponential(1.0 / rate, 11_000)).tolist()
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


def erlang_b(size: Size) -> Iterator[Finding]:
    services: tuple[tuple[str, Distribution], ...] = (
        ("exponential", Exponential(1.0)),
        ("lognormal", Lognormal(-0.5, 1.0)),
        ("constant", Constant(1.0)),
    )
    for name, service in services:
        lost = [_lost(f"erlang {name}", service, 4.0, (5,), batch)[0] for batch in range(size.count(_BATCHES))]
        yield compared(f"cap of 5 calls at load 4, {name} (Erlang B): refused", lost, limiters.erlang_b(5, 4.0))


def overflow(size: Size) -> Iterator[Finding]:
    found = np.array([_lost("overflow", Exponential(1.0), 4.0, (3, 2), batch) for batch in range(size.count(_BATCHES))])
    yield compared("cap of 3 that overflows: refused by the first", found[:, 0], limiters.erlang_b(3, 4.0))
    yield compared("  and by a second pool of 2", found[:, 1], limiters.overflow_refused(3, 2, 4.0))


def _lost(name: str, service: Distribution, rate: float, pools: tuple[int, ...], batch: int) -> list[float]:
    """Share of Poisson calls that the first pool refuses, that the first two refuse, and so on."""
    count, warm = 8000, 200
    rng = _rng(name, batch)
    arrivals = np.cumsum(rng.exponential(1.0 / rate, count)).tolist()
    services = service.sample(rng, count).tolist()
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


def erlang_c(size: Size) -> Iterator[Finding]:
    waited, waits = [], []
    for batch in range(size.count(_BATCHES)):
        rng = _rng("erlang c", batch)
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


def pollaczek_khinchine(size: Size) -> Iterator[Finding]:
    """Lindley's recursion over many queues at once."""
    services: tuple[tuple[str, Distribution], ...] = (("gamma", Gamma(0.5, 2.0)), ("constant", Constant(1.0)))
    for name, service in services:
        rng = _rng(f"one server {name}")
        queues, warm, count = 1000, 300, 3000
        wait, total = np.zeros(queues), np.zeros(queues)
        for step in range(warm + count):
            if step >= warm:
                total += wait
            wait = np.maximum(0.0, wait + service.sample(rng, queues) - rng.exponential(1.0 / 0.6, queues))
        exact = limiters.pollaczek_khinchine_wait(0.6, service.mean, service.second_moment)
        yield compared(f"one server at load 0.6, {name} (Pollaczek-Khinchine): mean wait", total / count, exact)


def hedge(size: Size) -> Iterator[Finding]:
    for delay_s in (0.8, 2.0):
        rng = _rng(f"hedge {delay_s}")
        first, second = _LATENCY.sample(rng, 100_000), _LATENCY.sample(rng, 100_000)
        took = np.where(first > delay_s, np.minimum(first, delay_s + second), first)
        yield compared(f"hedge after {delay_s:g} s: mean, s", took, hedged_mean_s(_LATENCY, delay_s))
        yield compared("  extra calls", first > delay_s, hedge_share(_LATENCY, delay_s))
    answers = np.stack([_LATENCY.sample(_rng(f"copies {sent}"), 50_000) + 0.6 * sent for sent in range(4)])
    yield compared("three copies, one each 0.6 s: mean, s", answers.min(axis=0), hedged_mean_s(_LATENCY, 0.6, 3))
    sent_then = [answers[:sent].min(axis=0) > 0.6 * sent for sent in (1, 2, 3)]
    yield compared("  extra calls", np.sum(sent_then, axis=0), hedge_share(_LATENCY, 0.6, 3))


_WARM: Final = 2000
_REQUESTS: Final = 4000


def grpc_throttling(size: Size) -> Iterator[Finding]:
    for failure, retries in ((0.07, 2), (1.0 / 11.0, 1), (0.12, 2)):
        attempts = [_throttled(failure, retries, batch) for batch in range(size.count(_BATCHES))]
        exact = throttle_attempts(failure, retries, 10.0, 0.1)
        yield compared(f"gRPC throttling, {retries} retries at {failure:.1%} failures: attempts", attempts, exact)


def _throttled(failure: float, retries: int, batch: int) -> float:
    bucket = {"tokens": 10_000}

    def learns(attempt: int, served: bool) -> None:
        bucket["tokens"] = retry_budget.throttle_after(bucket["tokens"], 10_000, 100, success=served)

    def admits() -> bool:
        return retry_budget.throttle_admits(bucket["tokens"], 10_000)

    return _mean_attempts(_rng(f"grpc {failure} {retries}", batch), failure, retries, admits, learns)


def aws_quota(size: Size) -> Iterator[Finding]:
    for failure, retries in ((0.2, 2), (0.3, 1), (0.5, 2)):
        attempts = [_paid(failure, retries, batch) for batch in range(size.count(_BATCHES))]
        exact = quota_attempts(failure, retries, 500, 14)
        yield compared(f"AWS quota, {retries} retries at {failure:.0%} failures: attempts", attempts, exact)
    first, all_fail = quota_drift(0.25, 1, 14.0), quota_drift(1.0, 1, 14.0)
    yield equal("  drift of a request at 25 % failures", 0.75 * 1.0 - 0.25 * 0.25 * 14.0, first)
    yield equal("  and in an outage", -14.0, all_fail)


def _paid(failure: float, retries: int, batch: int) -> float:
    bucket = {"quota": 500.0}

    def learns(attempt: int, served: bool) -> None:
        if served:
            bucket["quota"] = retry_budget.quota_returned(bucket["quota"], 500.0, 14.0 if attempt else 1.0)

    def admits() -> bool:
        if not retry_budget.quota_admits(bucket["quota"], 14.0):
            return False
        bucket["quota"] -= 14.0
        return True

    return _mean_attempts(_rng(f"aws {failure} {retries}", batch), failure, retries, admits, learns)


def _mean_attempts(
    rng: np.random.Generator,
    failure: float,
    retries: int,
    admits: Callable[[], bool],
    learns: Callable[[int, bool], None],
) -> float:
    """Over successive requests. `learns` is called with each attempt's number in its request and its success."""
    served = iter((rng.random((_WARM + _REQUESTS) * (retries + 1)) >= failure).tolist())
    attempts = 0
    for number in range(_WARM + _REQUESTS):
        for attempt in range(retries + 1):
            attempts += number >= _WARM
            success = next(served)
            learns(attempt, success)
            if success or attempt == retries or not admits():
                break
    return attempts / _REQUESTS


def bounded_queue(size: Size) -> Iterator[Finding]:
    for servers, room, load in ((3, 4, 2.5), (2, 6, 3.0)):
        refused, waits = np.array([_queued(servers, room, load, batch) for batch in range(size.count(_BATCHES))]).T
        exact = limiters.bounded_queue_refused(servers, room, load)
        yield compared(f"{servers} servers, {room} places to wait, load {load:g}: turned away", refused, exact)
        yield compared("  mean wait", waits, limiters.bounded_queue_mean_wait(servers, room, load, 1.0))


def _queued(servers: int, room: int, load: float, batch: int) -> tuple[float, float]:
    """(share turned away, mean wait of the admitted) at mean service 1."""
    rng, count, warm = _rng(f"queue {servers} {room}", batch), 6000, 200
    arrivals = np.cumsum(rng.exponential(1.0 / load, count)).tolist()
    services = rng.exponential(1.0, count).tolist()
    free_at_s, starts = [0.0] * servers, deque[float](maxlen=room)
    heapq.heapify(free_at_s)
    lost, waits = 0, []
    for number, (now, service) in enumerate(zip(arrivals, services, strict=True)):
        start = service_start_s(free_at_s, now)
        if start > now and queue_is_full(waiting_calls(starts, now), room):
            lost += number >= warm
            continue
        heapq.heapreplace(free_at_s, start + service)
        starts.append(start)
        if number >= warm:
            waits.append(start - now)
    return lost / (count - warm), sum(waits) / len(waits)


def asymptotes(size: Size) -> Iterator[Finding]:
    """The equilibrium of budgets when everything fails, computed from their rules."""
    retries = 0
    while retry_budget.ratio_admits(1_000_000, retries, 0.1, 0.0, 10.0):
        retries += 1
    yield equal(
        "budget of 10 % of the requests in an outage: load",
        1.0 + retries / 1e6,
        ratio_budget_load(0.1, 3),
    )
    first = 10**12
    admitted = bisect_left(range(first), 1, key=lambda n: not retry_budget.active_share_admits(n, first + n, 0.2, 3))
    active = active_budget_load(0.2, 3)
    yield equal("budget of 20 % of the active calls in an outage: load", 1.0 + admitted / first, active)
    tokens, ratio = 7000, 100
    for call in range(11):
        tokens = retry_budget.throttle_after(tokens, 10_000, ratio, success=call > 0)
    yield equal("gRPC throttling, one failure in 11: level of the bucket", tokens, 7000)
    yield equal("  its break-even failure share", 1.0 / 11.0, throttle_break_even(0.1))
    let_through = throttled_load(100.0, 20.0, 2.0)
    rejected = rejection_probability(1e12, 1e12 * 20.0 / 100.0, 2.0)
    yield equal(
        "adaptive throttling at five times the capacity: calls let through", 100.0 * (1.0 - rejected), let_through
    )


CASES: Final = (
    Case("repaired_together", MONTE_CARLO, repaired_together, "balance of a five-state Markov chain"),
    Case("repaired_alone", MONTE_CARLO, repaired_alone, "balance of a four-state Markov chain"),
    Case("first_total_outage", MONTE_CARLO, first_total_outage, "first passage of a Markov chain"),
    Case("breaker", MONTE_CARLO, breaker, "renewal reward over a breaker's cycle"),
    Case("residuals", MONTE_CARLO, residuals, "equilibrium renewal process: density S(x) / mean"),
    Case("circular_shifts", MONTE_CARLO, circular_shifts, "mean over all shifts round a circle"),
    Case("fixed_window", MONTE_CARLO, fixed_window, "Poisson mean excess over a window"),
    Case("sliding_log", MONTE_CARLO, sliding_log, _ERLANG_B),
    Case("erlang_b", MONTE_CARLO, erlang_b, _ERLANG_B),
    Case("overflow", MONTE_CARLO, overflow, _ERLANG_B),
    Case("erlang_c", MONTE_CARLO, erlang_c, "Erlang C: Cooper 1981"),
    Case("pollaczek_khinchine", MONTE_CARLO, pollaczek_khinchine, "Pollaczek-Khinchine"),
    Case("hedge", MONTE_CARLO, hedge, "integral of S(t) S(t - h) ..."),
    Case("grpc_throttling", MONTE_CARLO, grpc_throttling, "stationary Markov chain of the tokens"),
    Case("aws_quota", MONTE_CARLO, aws_quota, "stationary Markov chain of the quota"),
    Case("bounded_queue", MONTE_CARLO, bounded_queue, "M/M/c/c+K"),
    Case("asymptotes", MONTE_CARLO, asymptotes, "where a budget's rule is in balance"),
)
