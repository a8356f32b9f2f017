"""Outlier ejection: hosts that fail leave the pool for a time, but never too many of them."""

from math import isnan


def is_outlier(streak: int, consecutive: int) -> bool:
    """Envoy outlier detection: 5 consecutive 5xx by default."""
    return streak >= consecutive


def fails_too_often(failed: int, calls: int, share: float, minimum: int) -> bool:
    """Helicone 2025-07: an error share above 10 % in 60 s, of at least 20 calls."""
    return calls >= minimum and calls > 0 and failed / calls > share


def may_eject(ejected: int, hosts: int, most: float) -> bool:
    """Whether one more host may leave: at most the share of them (10 %), but at least one (Envoy)."""
    return ejected == 0 or (ejected + 1) / hosts <= most


def ejected_for_s(for_s: float, times: int, longest_s: float) -> float:
    """How long the `times`-th ejection (from 1) lasts: 30 s x times, at most 300 s (Envoy)."""
    return min(for_s * times, max(for_s, longest_s))


def times_after_healthy_check(times: int) -> int:
    """Envoy forgives one ejection at each check that finds a host in the pool and not an outlier."""
    return max(0, times - 1)


def first_check_s(after_s: float, every_s: float) -> float:
    """The first check at or after a time, checks at multiples of `every_s`: hosts return at one (Envoy: every 10 s)."""
    checks = int(after_s / every_s)
    while checks * every_s < after_s:
        checks += 1
    return checks * every_s


def removed_for_s(asked_s: float, default_s: float) -> float:
    """How long a 429 removes a provider: its Retry-After (NaN without: the default, 30 s) plus the default
    (Helicone 2025-07)."""
    return (default_s if isnan(asked_s) else asked_s) + default_s
