"""The token bucket: refilled continuously, a token a call, never more than its burst."""

WHOLE = 1.0 - 1e-9
"""What counts as a whole token: a client that waits just as long as it was told must not miss it by rounding."""


def without_one(tokens: float) -> float:
    """Tokens left of a bucket that held at least `WHOLE`: none, never fewer, where it held one but for rounding."""
    return tokens - 1.0 if tokens > 1.0 else 0.0


def refilled(tokens: float, refilled_at_s: float, now_s: float, rate_per_s: float, burst: float) -> float:
    """Tokens at `now_s` of a bucket that held `tokens` at `refilled_at_s`."""
    tokens += (now_s - refilled_at_s) * rate_per_s
    return tokens if tokens < burst else burst


def retry_after_s(tokens: float, rate_per_s: float) -> float:
    """Time until a whole token is there again; `tokens` is below one."""
    return (1.0 - tokens) / rate_per_s
