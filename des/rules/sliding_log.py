"""The sliding log: so much in any window that ends now, by a log of when each call was admitted and what it took."""

from collections.abc import Sequence

from des.rules.rounding import SLACK, TICK_S


def left_log(times_s: Sequence[float], now_s: float, window_s: float) -> int:
    """How many of the oldest entries are a whole window old or older, and count no more; times in ascending order."""
    count = 0
    for time_s in times_s:
        if time_s > now_s - window_s + TICK_S:
            break
        count += 1
    return count


def retry_after_s(
    times_s: Sequence[float], amounts: Sequence[float], too_much: float, now_s: float, window_s: float
) -> float:
    """Time until entries that make up `too_much` (calls or tokens, above 0) are a window old; infinite if all do not.

    `times_s` (ascending) and `amounts` are the entries that still count.
    """
    for time_s, amount in zip(times_s, amounts, strict=True):
        too_much -= amount
        if too_much <= SLACK:
            return max(0.0, time_s + window_s - now_s)
    return float("inf")
