"""Back-off and jitter: how long a client waits before it tries again."""


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
    """base x factor^times, by repeated multiplication that stops once it can only stay above `enough_s`."""
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
