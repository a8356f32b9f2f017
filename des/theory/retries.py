"""Retries of one leg: how many, how long they take with back-off, and how little they help inside an outage."""

import math
from collections.abc import Sequence

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

    U prod_g [U + (1 - U) e^{-s g}] with s = 1/MTTF + 1/MTTR: the state is Markov, a call depends on the one before.
    `gaps` are from start to start, in the unit of the means; equilibrium at the first call.
    """
    u = mttr / (mttf + mttr)
    s = 1.0 / mttf + 1.0 / mttr
    return u * math.prod(u + (1.0 - u) * math.exp(-s * gap) for gap in gaps)
