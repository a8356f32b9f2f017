"""Budgets and queues with room for so many, each against a Monte Carlo that knows only its rule."""

import heapq
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from des.check.case import MONTE_CARLO, Case, Finding, compared, equal
from des.check.small_models import BATCHES, rng_of
from des.rules import retry as retry_budget
from des.rules.guards import rejection_probability
from des.rules.limits import queue_is_full, service_start_s, waiting_calls
from des.theory import amplification, limiters

WARM: Final = 2000
REQUESTS: Final = 4000


def grpc_throttling() -> Iterator[Finding]:
    for failure, retries in ((0.07, 2), (1.0 / 11.0, 1), (0.12, 2)):
        attempts = [_throttled(failure, retries, batch) for batch in range(BATCHES)]
        exact = amplification.throttle_attempts(failure, retries, 10.0, 0.1)
        yield compared(f"gRPC throttling, {retries} retries at {failure:.1%} failures: attempts", attempts, exact)


def _throttled(failure: float, retries: int, batch: int) -> float:
    bucket = {"tokens": 10_000}

    def learns(attempt: int, served: bool) -> None:
        bucket["tokens"] = retry_budget.throttle_after(bucket["tokens"], 10_000, 100, success=served)

    def admits() -> bool:
        return retry_budget.throttle_admits(bucket["tokens"], 10_000)

    return _mean_attempts(rng_of(f"grpc {failure} {retries}", batch), failure, retries, admits, learns)


def aws_quota() -> Iterator[Finding]:
    for failure, retries in ((0.2, 2), (0.3, 1), (0.5, 2)):
        attempts = [_paid(failure, retries, batch) for batch in range(BATCHES)]
        exact = amplification.quota_attempts(failure, retries, 500, 14)
        yield compared(f"AWS quota, {retries} retries at {failure:.0%} failures: attempts", attempts, exact)
    first, all_fail = amplification.quota_drift(0.25, 1, 14.0), amplification.quota_drift(1.0, 1, 14.0)
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

    return _mean_attempts(rng_of(f"aws {failure} {retries}", batch), failure, retries, admits, learns)


def _mean_attempts(
    rng: np.random.Generator,
    failure: float,
    retries: int,
    admits: Callable[[], bool],
    learns: Callable[[int, bool], None],
) -> float:
    """Of requests one after the other; `learns` gets each attempt's number within its request and if it served."""
    served = iter((rng.random((WARM + REQUESTS) * (retries + 1)) >= failure).tolist())
    attempts = 0
    for number in range(WARM + REQUESTS):
        for attempt in range(retries + 1):
            attempts += number >= WARM
            success = next(served)
            learns(attempt, success)
            if success or attempt == retries or not admits():
                break
    return attempts / REQUESTS


def bounded_queue() -> Iterator[Finding]:
    for servers, room, load in ((3, 4, 2.5), (2, 6, 3.0)):
        refused, waits = np.array([_queued(servers, room, load, batch) for batch in range(BATCHES)]).T
        exact = limiters.bounded_queue_refused(servers, room, load)
        yield compared(f"{servers} servers, {room} places to wait, load {load:g}: turned away", refused, exact)
        yield compared("  mean wait", waits, limiters.bounded_queue_mean_wait(servers, room, load, 1.0))


def _queued(servers: int, room: int, load: float, batch: int) -> tuple[float, float]:
    """(share turned away, mean wait of those taken) at mean service 1."""
    rng, count, warm = rng_of(f"queue {servers} {room}", batch), 6000, 200
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


def asymptotes() -> Iterator[Finding]:
    """Where budgets settle when everything fails, by their rules in a balance that is exact."""
    retries = 0
    while retry_budget.ratio_admits(1_000_000, retries, 0.1, 0.0, 10.0):
        retries += 1
    yield equal(
        "budget of 10 % of the requests in an outage: load",
        1.0 + retries / 1e6,
        amplification.ratio_budget_load(0.1, 3),
    )
    first = 10**12
    admitted = bisect_left(range(first), 1, key=lambda n: not retry_budget.active_share_admits(n, first + n, 0.2, 3))
    active = amplification.active_budget_load(0.2, 3)
    yield equal("budget of 20 % of the active calls in an outage: load", 1.0 + admitted / first, active)
    tokens, ratio = 7000, 100
    for call in range(11):
        tokens = retry_budget.throttle_after(tokens, 10_000, ratio, success=call > 0)
    yield equal("gRPC throttling, one failure in 11: level of the bucket", tokens, 7000)
    yield equal("  its break-even failure share", 1.0 / 11.0, amplification.throttle_break_even(0.1))
    let_through = amplification.throttled_load(100.0, 20.0, 2.0)
    rejected = rejection_probability(1e12, 1e12 * 20.0 / 100.0, 2.0)
    yield equal(
        "adaptive throttling at five times the capacity: calls let through", 100.0 * (1.0 - rejected), let_through
    )


CASES: Final = (
    Case("grpc_throttling", MONTE_CARLO, grpc_throttling),
    Case("aws_quota", MONTE_CARLO, aws_quota),
    Case("bounded_queue", MONTE_CARLO, bounded_queue),
    Case("asymptotes", MONTE_CARLO, asymptotes),
)
