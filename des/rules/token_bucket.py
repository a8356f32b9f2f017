"""The token bucket: refilled continuously, a token a call, never more than its burst."""

from des.rules.rounding import TICK_S


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


def holds(tokens: float, amount: float, rate_per_s: float) -> bool:
    """Whether a call that takes `amount` tokens is admitted; a refill of a tick is granted ahead of time.

    A bucket in debt, by a correction, holds less than 0.
    """
    return tokens + rate_per_s * TICK_S >= amount


def without(tokens: float, amount: float) -> float:
    """Tokens left of a bucket that `holds` the amount: none, never fewer, where it held it but for rounding."""
    return tokens - amount if tokens > amount else 0.0


def corrected(tokens: float, reckoned: float, used: float, burst: float) -> float:
    """Tokens once a call for which `reckoned` were taken has used `used`: less is given back, more becomes a debt."""
    return min(burst, tokens + reckoned - used)


def holds_again_after_s(tokens: float, amount: float, rate_per_s: float, burst: float) -> float:
    """Time until a bucket holds the amount; infinite above the burst, which no refill reaches ("request too large")."""
    if amount > burst + rate_per_s * TICK_S:
        return float("inf")
    return max(0.0, (min(amount, burst) - tokens) / rate_per_s)
