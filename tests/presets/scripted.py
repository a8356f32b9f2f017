"""Scripted providers, and what a preset's client makes of them, call for call."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from engine.traced import Traced, at, provider, run, scenario

LATENCY_S = 1.0
"""Of an answer, and of a failure."""
MANY = 400
"""Requests of which the extremes of a jitter come near its bounds."""


def failing(outcome: str = "server_error", status: int | None = None, **rest: Any) -> dict[str, Any]:
    """A provider all of whose calls fail alike, after a second."""
    error: dict[str, Any] = {"rate": "100%", "latency": f"{LATENCY_S}s"}
    if status is not None:
        error["status"] = status
    return provider(f"{LATENCY_S}s", model={"errors": {outcome: error}}, **rest)


def hanging() -> dict[str, Any]:
    """A provider that never answers."""
    return provider(f"{LATENCY_S}s", model={"errors": {"hang": "100%"}})


def serving(**rest: Any) -> dict[str, Any]:
    """A provider that answers after a second."""
    return provider(f"{LATENCY_S}s", **rest)


def refusing_for(period: str) -> dict[str, Any]:
    """A provider of one request a period: the second of two at once is told to come again after the period."""
    return serving(limits={"requests": f"1/{period}", "burst": 1, "refusal_latency": "1s"})


def telling(outcome: str, told: str) -> dict[str, Any]:
    """A provider all of whose calls fail alike, after a second, with this Retry-After."""
    return provider(
        f"{LATENCY_S}s", model={"errors": {outcome: {"rate": "100%", "latency": f"{LATENCY_S}s", "retry_after": told}}}
    )


def played(
    preset: str,
    providers: Mapping[str, Any],
    *,
    requests: int = 1,
    chain: Sequence[Any] | None = None,
    arrivals: Mapping[str, Any] | None = None,
    horizon: str = "100s",
    **policy: Any,
) -> Traced:
    """Requests at once, unless `arrivals` says otherwise, under a preset with other fields of the policy."""
    return run(
        scenario(
            providers,
            arrivals=arrivals or at("0s", size=requests),
            chain=chain,
            horizon=horizon,
            policy={"preset": preset, **policy},
        )
    )


def gaps(traced: Traced, number: int = 0) -> list[float]:
    """The waits of a request between its calls."""
    calls = traced.calls(number)
    return [after.start_s - before.end_s for before, after in pairwise(calls)]


def all_gaps(traced: Traced, calls: int) -> np.ndarray[Any, Any]:
    """The waits of every request, each of which makes the same number of calls: one row a request."""
    frame = traced.attempts.sort_values(["request_id", "attempt"])
    assert len(frame) == calls * traced.arrived
    starts = frame.start_s.to_numpy().reshape(-1, calls)
    ends = frame.end_s.to_numpy().reshape(-1, calls)
    return starts[:, 1:] - ends[:, :-1]


def fill(values: np.ndarray[Any, Any], low: float, high: float) -> None:
    """That values lie between two bounds and come near to both."""
    assert values.min() >= low - 1e-9
    assert values.max() <= high + 1e-9
    if high > low:
        assert values.min() < low + 0.1 * (high - low)
        assert values.max() > high - 0.1 * (high - low)


def exactly(values: Sequence[float]) -> Any:
    return pytest.approx(list(values), abs=1e-9)
