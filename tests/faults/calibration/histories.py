"""Histories made by hand, in seconds after a Monday 00:00 UTC."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from des.faults.calibration import ServiceHistory

MONDAY_S = 1_704_067_200.0
"""2024-01-01 00:00 UTC, a Monday."""
HOUR = 3600.0
DAY = 86_400.0
WEEK = 7 * DAY
YEAR = 365 * DAY


def history(
    starts: ArrayLike,
    durations: ArrayLike,
    until_s: float,
    *,
    service: str = "api",
    severity: Sequence[str] = (),
    ids: Sequence[str] = (),
    from_s: float = 0.0,
) -> ServiceHistory:
    """Observed from `from_s` to `until_s`; an infinite duration is an incident that is still open."""
    start = np.asarray(starts, dtype=np.float64)
    order = np.argsort(start, kind="stable")
    start = start[order]
    duration = np.broadcast_to(np.asarray(durations, dtype=np.float64), start.shape)[order]
    return ServiceHistory(
        provider="",
        service=service,
        from_s=MONDAY_S + from_s,
        until_s=MONDAY_S + until_s,
        start_s=MONDAY_S + start,
        end_s=MONDAY_S + start + duration,
        severity=tuple(severity) or ("",) * len(start),
        incident_id=tuple(ids) or ("",) * len(start),
    )


def renewal_starts(rng: np.random.Generator, shape: float, scale_s: float, until_s: float) -> np.ndarray:
    """Starts with Weibull gaps, the first one after a gap of its own."""
    count = int(3 * until_s / scale_s) + 100
    starts = np.cumsum(scale_s * rng.weibull(shape, count))
    return starts[starts < until_s]
