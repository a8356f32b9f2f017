"""Latency of a call under a timeout, killed in flight by outages, or hedged."""

import math

from des.distributions import Distribution


def mean_under_timeout_s(response: Distribution, timeout_s: float) -> float:
    """E[min(L, t)]: the mean time of an attempt that is given up at the timeout."""
    return response.limited_mean(timeout_s)


def success_under_kills(mttf_s: float, mttr_s: float, latency: Distribution) -> float:
    """P(a call is accepted and no outage kills it in flight): exponential up times, any down times, any latency.

    A E[e^{-lambda L}]: up at its start, and no failure (rate lambda = 1/MTTF) within its latency.
    """
    return mttf_s / (mttf_s + mttr_s) * latency.laplace(1.0 / mttf_s)


def hedged_mean_s(response: Distribution, delay_s: float, copies: int = 1) -> float:
    """Mean time until the earliest of a call and its copies answers, one copy more after each delay while none has.

    The integral of S(t) S(t - h) ... S(t - n h), S the survival of one call's latency (1 before its start); for one
    copy int_0^h S(t) dt + int_h^inf S(t) S(t - h) dt.
    """
    from scipy.integrate import quad

    def unanswered(time_s: float) -> float:
        return math.prod(
            float(response.survival(time_s - sent * delay_s)) for sent in range(copies + 1) if sent * delay_s <= time_s
        )

    # in pieces: each quadrature sees one scale, and the tail is cut where it no longer counts
    total, low, width = response.limited_mean(delay_s), delay_s, max(response.mean, 1e-9)
    for sent in range(1, copies):
        total += float(quad(unanswered, low, (sent + 1) * delay_s, limit=200)[0])
        low = (sent + 1) * delay_s
    while True:
        piece = quad(unanswered, low, low + width, limit=200)[0]
        total += float(piece)
        low += width
        width *= 2.0
        if piece <= 1e-12 * total:
            return total


def hedge_share(response: Distribution, delay_s: float, copies: int = 1) -> float:
    """Mean number of extra calls that hedging after each delay sends: S(h) + S(2h) S(h) + ..., up to the copies."""
    return math.fsum(
        math.prod(float(response.survival(part * delay_s)) for part in range(1, sent + 1))
        for sent in range(1, copies + 1)
    )
