"""Retry budgets: whether a client may retry once more, by what it has done lately."""

from des.rules.rounding import SLACK, WHOLE


def active_share_admits(retrying: int, active: int, share: float, minimum: int) -> bool:
    """Envoy's retry budget: fewer retries under way than max(minimum, share x active requests), rounded down.

    `active` counts every request under way, those that retry and the one that asks included. Defaults: 20 %, 3
    (envoy, `retry_budget` of the circuit breakers).
    """
    return retrying < max(minimum, int(share * active + SLACK))


def ratio_balance(requests: int, retries: int, share: float, per_second: float, ttl_s: float) -> float:
    """Finagle's leaky bucket (`RetryBudget`): retries that may still be made; one needs a balance of at least 1.

    share x requests + per_second x ttl - retries, requests (first attempts) and retries counted over the last `ttl_s`
    seconds: what is put in and what is taken out leaks away alike. Defaults: 20 %, 10 a second, 10 s.
    """
    return share * requests + per_second * ttl_s - retries


def ratio_admits(requests: int, retries: int, share: float, per_second: float, ttl_s: float) -> bool:
    """Whether Finagle's balance is worth one more retry, but for rounding."""
    return ratio_balance(requests, retries, share, per_second, ttl_s) >= WHOLE


def quota_admits(quota: float, cost: float) -> bool:
    """AWS retry quota (botocore 1.44, retries/quota.py): a retry needs its cost in the bucket, and takes it.

    The bucket starts full with 500; a retry costs 14 after a transient error, 5 after a throttle.
    """
    return quota >= cost


def quota_returned(quota: float, capacity: float, amount: float) -> float:
    """AWS quota after a success: +1 for one without a retry, after a retry what that retry took; never above the
    capacity (botocore 1.44, retries/quota.py)."""
    return min(capacity, quota + amount)


def throttle_admits(tokens: int, max_tokens: int) -> bool:
    """gRPC retry throttling (gRFC A6): retries and hedges go while more than half of the tokens are there.

    All three functions of it count in thousandths of a token, as gRPC does: no sum is off by rounding.
    """
    return 2 * tokens > max_tokens


def throttle_after(tokens: int, max_tokens: int, token_ratio: int, *, success: bool) -> int:
    """gRPC bucket after an attempt: -1 for a failure, +tokenRatio for a success, within 0 and maxTokens.

    In thousandths of a token; defaults 10_000 and 100. A share ratio/(1 + ratio) of failures holds the level: 9.09 %.
    """
    return min(max_tokens, tokens + token_ratio) if success else max(0, tokens - 1000)


def thousandths(tokens: float) -> int:
    """A number of tokens in thousandths, the nearest one: 0.1 is 100."""
    return round(1000.0 * tokens)
