"""The concurrency limit: so many calls at once, each in its place until its natural end."""

from collections.abc import Sequence


def admits(busy: int, most: float) -> bool:
    """Whether one more call finds a place beside the `busy` ones."""
    return busy + 1 <= most


def retry_after_s(ends_s: Sequence[float], now_s: float) -> float:
    """Time until the first of the calls in their places ends, `ends_s` in any order; infinite where none does."""
    return max(0.0, min(ends_s, default=float("inf")) - now_s)
