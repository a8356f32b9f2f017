"""The generic cell rate algorithm: a token bucket kept as one time, and with it the release times of a shaper.

A bucket of rate r and burst B that is full to start with admits at t where t >= tat - (B - 1)/r and then sets
tat = max(t, tat) + 1/r (ITU-T I.371, virtual scheduling, with increment 1/r and limit (B - 1)/r).
"""


def release_s(tat_s: float, now_s: float, rate_per_s: float, burst: float) -> float:
    """When one call that comes now may go: now, or as soon as the bucket holds a whole token.

    `tat_s` is the theoretical arrival time after the calls released before; 0 at first.
    """
    return max(now_s, tat_s - (burst - 1.0) / rate_per_s)


def after_release(tat_s: float, released_s: float, rate_per_s: float) -> float:
    """The theoretical arrival time after a release."""
    return max(tat_s, released_s) + 1.0 / rate_per_s
