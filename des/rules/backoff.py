"""Back-off and jitter: how long a client waits before it tries again."""


def backoff_s(kind: str, base_s: float, factor: float, cap_s: float, k: int) -> float:
    """The wait before jitter; `k` counts retries (or rounds done) from 0.

    exponential: min(cap, base x factor^k), the power by repeated multiplication; linear: min(cap, base x (1 + k)).
    """
    if kind == "none":
        return 0.0
    if kind == "constant":
        return min(cap_s, base_s)
    if kind == "linear":
        return min(cap_s, base_s * (1 + k))
    wait_s = base_s
    for _ in range(k):
        if wait_s >= cap_s and factor >= 1.0:
            break
        wait_s *= factor
    return min(cap_s, wait_s)


def jittered_s(
    jitter: str, wait_s: float, u: float, *, base_s: float, cap_s: float, spread_s: float, previous_s: float
) -> float:
    """`wait_s` after jitter, for a uniform `u` in [0, 1).

    full: U(0, v); equal: v/2 + U(0, v/2); additive: v + U(0, spread); decorrelated: min(cap, U(base, 3 x previous))
    with the base as the first previous wait (Brooker 2015, "Exponential Backoff And Jitter").
    """
    if jitter == "none":
        return wait_s
    if jitter == "full":
        return u * wait_s
    if jitter == "equal":
        return wait_s / 2.0 + u * (wait_s / 2.0)
    if jitter == "additive":
        return wait_s + u * spread_s
    return min(cap_s, base_s + u * (3.0 * previous_s - base_s))
