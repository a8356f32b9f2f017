"""Retries: their number, their time with back-off, their success in an outage, and the load that budgets allow."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MEAN_JITTER = {"none": 1.0, "full": 0.5, "equal": 0.75}
"""Mean of the jittered wait over the wait: U(0, v) is full jitter, v/2 + U(0, v/2) equal jitter."""


def expected_attempts(failure: float, attempts: int) -> float:
    """Mean number of up to `attempts` independent attempts that each fail with probability q: (1 - q^n)/(1 - q)."""
    if failure == 1.0:
        return float(attempts)
    return (1.0 - failure**attempts) / (1.0 - failure)


def mean_wait_s(retry: int, base_s: float, factor: float, cap_s: float, jitter: str = "none") -> float:
    """Mean back-off before retry number `retry` (1-based): j min(cap, b m^{k-1}), j = 1, 1/2, 3/4."""
    return MEAN_JITTER[jitter] * min(cap_s, base_s * factor ** (retry - 1))


def expected_time_s(
    failure: float,
    attempts: int,
    success_s: float,
    failure_s: float,
    *,
    base_s: float = 0.0,
    factor: float = 2.0,
    cap_s: float = math.inf,
    jitter: str = "none",
) -> float:
    """Mean time from first call to success or to the last failure.

    E[T] = sum_{k=1}^{n} q^{k-1} (p Ls + q Lf) + sum_{k=1}^{n-1} q^k j min(cap, b m^{k-1}); `success_s` and `failure_s`
    are the mean times of one successful and one failed attempt.
    """
    calls = expected_attempts(failure, attempts) * ((1.0 - failure) * success_s + failure * failure_s)
    waits = math.fsum(failure**k * mean_wait_s(k, base_s, factor, cap_s, jitter) for k in range(1, attempts))
    return calls + waits


def all_fail_in_outage(mttf: float, mttr: float, gaps: Sequence[float]) -> float:
    """P(a first call and one more after each gap all find the component down), alternating exponential times.

    U prod_g [U + (1 - U) e^{-s g}] with s = 1/MTTF + 1/MTTR: the state is Markov, so a call depends only on the one
    before. `gaps` are from start to start, in the unit of the means. The first call is in equilibrium.
    """
    u = mttr / (mttf + mttr)
    s = 1.0 / mttf + 1.0 / mttr
    return u * math.prod(u + (1.0 - u) * math.exp(-s * gap) for gap in gaps)


def layers_attempts(attempts: Sequence[int]) -> int:
    """Calls of one request when everything fails: the attempts of nested layers multiply."""
    return math.prod(attempts)


def ratio_budget_load(share: float, attempts: int, *, per_second: float = 0.0, request_rate: float = math.inf) -> float:
    """Calls per request when everything fails, under a budget of a share of the requests plus `per_second`.

    min(attempts, 1 + share + per_second / request_rate): 1.1 at 10 %. It is the limit for many requests within the
    budget's time to live, approached from below because retries are whole.
    """
    return min(float(attempts), 1.0 + share + per_second / request_rate)


def active_budget_load(share: float, attempts: int) -> float:
    """Calls per request under a budget of a share of the calls in flight, retries included.

    min(attempts, 1/(1 - share)), the limit for many calls in flight, with calls and retries equally long: 1.25 at 20 %.
    """
    return min(float(attempts), 1.0 / (1.0 - share))


def throttled_load(rate: float, capacity: float, k: float) -> float:
    """Calls a second that adaptive throttling sends to a backend that accepts its capacity: min(rate, K C).

    The share rejected, 1 - K C / rate, is the limit of (requests - K accepts) / requests. K is at least 1.
    """
    return min(rate, k * capacity)


def collapse_feeds_itself(rate: float, attempts: int, capacity: float) -> bool:
    """Whether a collapse outlives its trigger: the load exceeds the capacity when every call fails and is retried."""
    return rate * attempts > capacity


def throttle_break_even(token_ratio: float) -> float:
    """Failure share at which a token bucket neither gains nor loses: r/(1 + r).

    A failure takes 1 token, a success gives back the ratio r.
    """
    return token_ratio / (1.0 + token_ratio)


def throttle_attempts(failure: float, retries: int, max_tokens: float, token_ratio: float) -> float:
    """Mean attempts of a request under gRPC retry throttling, for sequential attempts that fail independently.

    Stationary mean of a chain over (tokens, attempt of the request). Tokens move in steps of the ratio, of which one
    token and the bucket must be whole multiples.
    """
    top, fall = round(max_tokens / token_ratio), round(1.0 / token_ratio)
    levels, attempts = top + 1, retries + 1
    chain = np.zeros((levels * attempts, levels * attempts))
    for level in range(levels):
        for attempt in range(attempts):
            here = level * attempts + attempt
            fallen = max(0, level - fall)
            goes_on = attempt < retries and 2 * fallen > top
            chain[here, min(top, level + 1) * attempts] += 1.0 - failure
            chain[here, fallen * attempts + (attempt + 1 if goes_on else 0)] += failure
    shares = _stationary(chain).reshape(levels, attempts).sum(axis=0)
    return float(1.0 / shares[0])


def quota_drift(failure: float, retries: int, cost: float, success: float = 1.0) -> float:
    """Mean change of an AWS retry quota by one request while it pays for every retry, with independent attempts.

    A first success adds `success`. A retry takes the cost and its success gives that back, so every retry is lost
    except a last successful one: (1 - q) s - c (q^2 + ... + q^n) with n attempts. Where negative, retries run out.
    """
    return (1.0 - failure) * success - cost * math.fsum(failure**k for k in range(2, retries + 2))


def quota_attempts(failure: float, retries: int, capacity: int, cost: int, success: int = 1) -> float:
    """Mean attempts of a request under an AWS retry quota, for sequential requests and independent attempts.

    Stationary mean of the chain over the quota before each request.
    """
    chain = np.zeros((capacity + 1, capacity + 1))
    attempts = np.zeros(capacity + 1)
    for quota in range(capacity + 1):
        chain[quota, min(capacity, quota + success)] += 1.0 - failure
        attempts[quota], left, reached = 1.0, quota, failure
        for _ in range(retries):
            if left < cost:
                break
            left -= cost
            attempts[quota] += reached
            chain[quota, left + cost] += reached * (1.0 - failure)
            reached *= failure
        chain[quota, left] += reached
    return float(_stationary(chain) @ attempts)


def _stationary(chain: NDArray[np.float64]) -> NDArray[np.float64]:
    """The stationary distribution of a stochastic matrix with one recurrent class."""
    size = len(chain)
    equations = np.eye(size) - chain.T
    equations[-1] = 1.0  # replaces one balance, which follows from the others, by the sum of the shares
    return np.asarray(np.linalg.solve(equations, np.append(np.zeros(size - 1), 1.0)))
