"""What admits calls: limits of rate, concurrency and capacity, each by its algorithm, and overload.

Amounts are calls or tokens. A rounding error in a sum of floats or in a time refuses no call.
"""

from bisect import bisect_right
from collections.abc import Sequence
from math import inf
from typing import Final

SLACK: Final = 1e-9
"""Rounding tolerance of a number of calls or tokens, absolute or relative to it."""

WHOLE: Final = 1.0 - SLACK
"""What counts as a whole token, so that a client which waits exactly as long as told is not refused by rounding."""

TICK_S: Final = 1e-6
"""Tolerance of the clock: an event due this soon counts as due. Like `WHOLE`, for amounts and rates of any size."""


def rounded_up_s(wait_s: float, step_s: float) -> float:
    """The least whole multiple of a step that is no shorter, apart from rounding. HTTP headers have whole seconds."""
    if not wait_s < inf:
        return wait_s
    steps = int(wait_s / step_s)
    while steps * step_s < wait_s - TICK_S:
        steps += 1
    return steps * step_s


# The token bucket: refilled continuously up to its burst, one token per call.


def bucket_without_one(tokens: float) -> float:
    """Tokens left after taking one from a bucket with at least `WHOLE`; never below 0."""
    return tokens - 1.0 if tokens > 1.0 else 0.0


def bucket_refilled(tokens: float, refilled_at_s: float, now_s: float, rate_per_s: float, burst: float) -> float:
    """Tokens at `now_s` of a bucket that held `tokens` at `refilled_at_s`."""
    tokens += (now_s - refilled_at_s) * rate_per_s
    return tokens if tokens < burst else burst


def token_after_s(tokens: float, rate_per_s: float) -> float:
    """Time until the bucket holds a whole token; `tokens` is below one."""
    return (1.0 - tokens) / rate_per_s


def bucket_holds(tokens: float, amount: float, rate_per_s: float) -> bool:
    """Whether a call that takes `amount` tokens is admitted. The refill of one tick is granted in advance.

    A bucket in debt, after a correction, holds less than 0.
    """
    return tokens + rate_per_s * TICK_S >= amount


def bucket_without(tokens: float, amount: float) -> float:
    """Tokens left after taking `amount` from a bucket for which `bucket_holds` is true; never below 0."""
    return tokens - amount if tokens > amount else 0.0


def bucket_corrected(tokens: float, estimated: float, actual: float, burst: float) -> float:
    """Tokens after a call that took `estimated` has used `actual`. A surplus is returned, a shortfall becomes debt."""
    return min(burst, tokens + estimated - actual)


def bucket_holds_again_after_s(tokens: float, amount: float, rate_per_s: float, burst: float) -> float:
    """Time until a bucket holds the amount; infinite above the burst, which no refill reaches ("request too large")."""
    if amount > burst + rate_per_s * TICK_S:
        return float("inf")
    return max(0.0, (min(amount, burst) - tokens) / rate_per_s)


# The generic cell rate algorithm: a token bucket kept as one time, and with it the release times of a shaper. A
# bucket of rate r and burst B that is full to start with admits at t where t >= tat - (B - 1)/r and then sets tat =
# max(t, tat) + 1/r (ITU-T I.371, virtual scheduling, with increment 1/r and limit (B - 1)/r).


def release_s(tat_s: float, now_s: float, rate_per_s: float, burst: float) -> float:
    """When a call that comes now may go: now, or as soon as the bucket holds a whole token.

    `tat_s` is the theoretical arrival time after the calls released before; 0 at first.
    """
    return max(now_s, tat_s - (burst - 1.0) / rate_per_s)


def after_release(tat_s: float, released_s: float, rate_per_s: float) -> float:
    """The theoretical arrival time after a release."""
    return max(tat_s, released_s) + 1.0 / rate_per_s


# The fixed window: an amount in each window of the clock, such as a calendar minute, counted from zero.


def window_of(now_s: float, window_s: float) -> int:
    """The number of the window that contains `now_s`; window 0 starts at 0.

    A window's last microsecond belongs to the next one, so that a client which waits exactly as long as told is not
    refused by rounding.
    """
    return int((now_s + TICK_S) / window_s)


def window_admits(used: float, amount: float, most: float) -> bool:
    """Whether a window with `used` taken has room for `amount` (calls or tokens). Also for a sliding log."""
    return used + amount <= most * (1.0 + SLACK)  # a rate times a window may be rounded down


def next_window_after_s(now_s: float, window_s: float) -> float:
    """Time until the next window starts. A call larger than a whole window must not be told this."""
    return (window_of(now_s, window_s) + 1) * window_s - now_s


# The sliding log: an amount in any window that ends now, by a log of the instants and amounts of admitted calls.


def left_log(times_s: Sequence[float], now_s: float, window_s: float) -> int:
    """The number of oldest entries that are at least a window old and no longer count; times ascending."""
    count = 0
    for time_s in times_s:
        if time_s > now_s - window_s + TICK_S:
            break
        count += 1
    return count


def log_retry_after_s(
    times_s: Sequence[float], amounts: Sequence[float], too_much: float, now_s: float, window_s: float
) -> float:
    """Time until entries of `too_much` in all (calls or tokens, above 0) have left the window.

    Infinite if all entries are not enough. `times_s` (ascending) and `amounts` are the entries that still count.
    """
    for entry, time_s in enumerate(times_s):
        too_much -= amounts[entry]
        if too_much <= SLACK:
            return max(0.0, time_s + window_s - now_s)
    return float("inf")


# The acceleration limit: a window may have a multiple of the amount of the one before it, and at least a floor.


def acceleration_allowance(before: float, growth: float, floor: float) -> float:
    """The largest amount of a window (calls or tokens): max(floor, growth x before).

    `before` is what was admitted in the whole window before this one (0 after an idle one); `floor` is per window too.
    Anthropic's API answers 429 to sharp increases of use (its "acceleration limits") without saying how sharp.
    """
    return max(floor, growth * before)


# The concurrency limit: a number of simultaneous calls, each in its place until its natural end.


def place_is_free(busy: int, most: float) -> bool:
    """Whether one more call finds a place beside the `busy` ones."""
    return busy + 1 <= most


def place_after_s(ends_s: Sequence[float], now_s: float) -> float:
    """Time until the first of the calls in place ends, `ends_s` in any order; infinite where none does."""
    return max(0.0, min(ends_s, default=float("inf")) - now_s)


# First come, first served: when a job starts that comes to servers whose free times are known. `free_at_s` is a heap
# with one entry for each server: when it has done all that was given to it. Jobs come in order of time, so that they
# start in that order too. Who takes a job puts its end in the place of the heap's first entry.


def service_start_s(free_at_s: Sequence[float], now_s: float) -> float:
    """When a job that comes now starts: at once, or when the first server is free."""
    return max(now_s, free_at_s[0])


def waiting_calls(starts_s: Sequence[float], now_s: float) -> int:
    """How many jobs are waiting now. `starts_s` are the starts of the latest admitted jobs, ascending."""
    return len(starts_s) - bisect_right(starts_s, now_s)


def queue_is_full(waiting: int, queue: float) -> bool:
    """Whether a job that would have to wait is refused (529) because `queue` jobs are waiting already."""
    return waiting >= queue


# Overload: the share of calls that a provider beyond its capacity refuses.


def turned_away(load: float, capacity: float) -> float:
    """max(0, 1 - capacity / load), in any unit of load: the excess over the capacity, as a share of the load."""
    return 1.0 - capacity / load if load > capacity else 0.0
