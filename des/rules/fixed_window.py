"""The fixed window: so much in each window of the clock (a calendar minute, say), counted from nought at its start."""

from des.rules.rounding import SLACK, TICK_S


def window_of(now_s: float, window_s: float) -> int:
    """The number of the window that `now_s` lies in; window 0 starts at 0. Its last microsecond is the next one's: who
    waits just as long as told must not miss it by rounding."""
    return int((now_s + TICK_S) / window_s)


def admits(used: float, amount: float, most: float) -> bool:
    """Whether a window of which `used` has gone has room for `amount` (calls or tokens). So of a sliding log, too."""
    return used + amount <= most * (1.0 + SLACK)  # a rate times a window is whole but for rounding


def retry_after_s(now_s: float, window_s: float) -> float:
    """Time until the next window starts; not to be told to a call that takes more than a whole window has."""
    return (window_of(now_s, window_s) + 1) * window_s - now_s
