"""Retries and copies: how long a client waits before a retry, whether its budget allows it, when it hedges."""

from math import inf, isnan, nan

from des.rules.limits import SLACK, WHOLE

# Back-off and jitter: how long a client waits before it tries again.


def backoff_s(kind: str, base_s: float, factor: float, cap_s: float, k: int) -> float:
    """The wait before jitter; `k` counts retries (or rounds done) from 0.

    exponential: min(cap, base x factor^k), the power by repeated multiplication; linear: min(cap, base x (1 + k));
    envoy: min(cap, base x (factor^(k + 1) - 1)) (Envoy's router: 25 ms x (2^n - 1), n = 1 for the first retry, up to
    250 ms, with full jitter).
    """
    if kind == "none":
        return 0.0
    if kind == "constant":
        return min(cap_s, base_s)
    if kind == "linear":
        return min(cap_s, base_s * (1 + k))
    if kind == "envoy":
        return min(cap_s, _grown(base_s, factor, base_s + cap_s, k + 1) - base_s)
    return min(cap_s, _grown(base_s, factor, cap_s, k))


def _grown(base_s: float, factor: float, enough_s: float, times: int) -> float:
    """base x factor^times, by repeated multiplication that stops once the result stays above `enough_s`."""
    for _ in range(times):
        if base_s >= enough_s and factor >= 1.0:
            break
        base_s *= factor
    return base_s


def jittered_s(
    jitter: str,
    wait_s: float,
    u: float,
    *,
    base_s: float,
    cap_s: float,
    spread_s: float,
    previous_s: float,
    low: float = 1.0,
    high: float = 1.0,
) -> float:
    """`wait_s` after jitter, for a uniform `u` in [0, 1).

    full: U(0, v); equal: v/2 + U(0, v/2); additive: v + U(0, spread); decorrelated: min(cap, U(base, 3 x previous))
    with the base as the first previous wait (Brooker 2015, "Exponential Backoff And Jitter"); scaled: v x U(low, high)
    (openai-python 3.54, _base_client.py: U(0.75, 1); bifrost 2026: U(0.8, 1.2)).
    """
    if jitter == "none":
        return wait_s
    if jitter == "full":
        return u * wait_s
    if jitter == "equal":
        return wait_s / 2.0 + u * (wait_s / 2.0)
    if jitter == "additive":
        return wait_s + u * spread_s
    if jitter == "scaled":
        return wait_s * (low + u * (high - low))
    return min(cap_s, base_s + u * (3.0 * previous_s - base_s))


# How a client treats a `Retry-After`: honoured, clipped, refused or ignored, and combined with its own back-off.
# NaN is no header, infinity no retry at all.


def honoured_s(asked_s: float, cap_s: float, above: str) -> float:
    """The wait by the header; NaN where only the back-off counts, infinity for no retry.

    Above the cap: `clip` waits the cap, `refuse` does not retry, `ignore` uses the back-off. openai-python 3.54
    (_base_client.py): cap 120 s, refuse; anthropic-sdk 2.12 (_base_client.py): no cap; litellm 1.109
    (router_python_core.py) and 1.110 (utils.py): cap 60 s, ignore. A header of 0 counts as none: all of them, and
    portkey 2026-05 (src/handlers/retryHandler.ts), compare it with `> 0` or for truth before they wait.
    """
    if isnan(asked_s) or asked_s <= 0.0:
        return nan
    if asked_s <= cap_s:
        return asked_s
    if above == "clip":
        return cap_s
    return inf if above == "refuse" else nan


def spread_out_s(honoured_s: float, u: float, spread_s: float) -> float:
    """The header's wait plus U(0, spread): litellm 1.109 adds 0.75 U. NaN and infinity are unchanged."""
    return honoured_s + u * spread_s


def combined_s(backoff_s: float, honoured_s: float, combine: str) -> float:
    """The wait before the retry: the back-off where no header counts, else by `combine`.

    `max`: the longer of both. `replace`: the header alone (openai-python, anthropic-sdk, litellm).
    """
    if isnan(honoured_s):
        return backoff_s
    return max(backoff_s, honoured_s) if combine == "max" else honoured_s


def cap_within_total_s(cap_s: float, waited_s: float, total_s: float) -> float:
    """The cap of the next header, where all headers of a request may add up to `total_s` and have reached `waited_s`.

    portkey 2026-05 (src/handlers/retryHandler.ts): 60 s in all, and no retry beyond it.
    """
    return max(0.0, min(cap_s, total_s - waited_s))


# Retry budgets: whether a client may retry once more, by its recent requests and retries.


def active_share_admits(retrying: int, active: int, share: float, minimum: int) -> bool:
    """Envoy's retry budget: fewer retries in flight than max(minimum, share x active requests), rounded down.

    `active` counts every request in flight, including those that retry and the one that asks. Defaults: 20 %, 3 (envoy,
    `retry_budget` of the circuit breakers).
    """
    return retrying < max(minimum, int(share * active + SLACK))


def ratio_balance(requests: int, retries: int, share: float, per_second: float, ttl_s: float) -> float:
    """Finagle's leaky bucket (`RetryBudget`): the number of retries allowed. A retry takes a balance of at least 1.

    share x requests + per_second x ttl - retries, with requests (first attempts) and retries of the last `ttl_s`
    seconds. Deposits and withdrawals expire alike. Defaults: 20 %, 10 a second, 10 s.
    """
    return share * requests + per_second * ttl_s - retries


def ratio_admits(requests: int, retries: int, share: float, per_second: float, ttl_s: float) -> bool:
    """Whether Finagle's balance covers one more retry, apart from rounding."""
    return ratio_balance(requests, retries, share, per_second, ttl_s) >= WHOLE


def quota_admits(quota: float, cost: float) -> bool:
    """AWS retry quota (botocore 1.44, retries/quota.py): a retry takes its cost from the bucket, which must hold it.

    The bucket starts full with 500; a retry costs 14 after a transient error, 5 after a throttle.
    """
    return quota >= cost


def quota_returned(quota: float, capacity: float, amount: float) -> float:
    """AWS quota after a success, up to the capacity (botocore 1.44, retries/quota.py).

    `amount` is 1 for a success without a retry; after a retry it is what that retry took.
    """
    return min(capacity, quota + amount)


def throttle_admits(tokens: int, max_tokens: int) -> bool:
    """gRPC retry throttling (gRFC A6): retries and hedges are allowed while more than half of the tokens are left.

    It counts in thousandths of a token, as gRPC does, so sums are exact.
    """
    return 2 * tokens > max_tokens


def throttle_after(tokens: int, max_tokens: int, token_ratio: int, *, success: bool) -> int:
    """gRPC bucket after an attempt: -1 for a failure, +tokenRatio for a success, within 0 and maxTokens.

    In thousandths of a token; defaults 10_000 and 100. A share ratio/(1 + ratio) of failures holds the level: 9.09 %.
    """
    return min(max_tokens, tokens + token_ratio) if success else max(0, tokens - 1000)


def bucket_admits(tokens: int) -> bool:
    """Brooker's retry bucket, in thousandths of a token: a retry is allowed while a whole one is left.

    Each request adds 0.1 tokens whatever its outcome, a retry takes 1, and the bucket starts full with 5 (Brooker 2022,
    "Fixing retries with token buckets and circuit breakers").
    """
    return tokens >= 1000


def thousandths(tokens: float) -> int:
    """A number of tokens rounded to thousandths: 0.1 is 100."""
    return round(1000.0 * tokens)


# Hedged calls: copies sent after a delay each; the first good answer wins, a failure counts when no other copy is
# open (gRPC's gRFC A6, Polly v8: after 2 s).


def sends_copy(sent: int, at_most: int, decided_s: float, copy_s: float) -> bool:
    """Whether the next copy is sent at `copy_s`: fewer than `at_most` extra ones were sent, and the call is still open.

    `decided_s` is when the copies sent so far decide the call. A call decided at exactly that instant is over.
    """
    return sent < at_most and copy_s < decided_s
