"""Entries without retries that wait before the next one: all attempts fail in an outage that outlasts the waits."""

from math import exp

import pytest
from engine.traced import provider, run, scenario, window

GAPS_S = (10, 30, 60, 120)
DAYS = 500


def test_the_waits_of_entries_without_retries_keep_the_attempts_apart() -> None:
    chain = [
        {"provider": "a", "name": f"l{number}", "wait_after_last": True, "retry_backoff": f"{gap_s}s"}
        for number, gap_s in enumerate(GAPS_S)
    ]
    down = window("100s", "1000s", error_latency="0s")
    of = scenario({"a": provider(0, incidents=[down])}, chain=[*chain, {"provider": "a", "name": "last"}])
    of |= {"horizon": "1000s", "workload": {"arrivals": {"kind": "batch", "every": "7s", "size": 1}}}
    traced = run(of)
    outlasted = traced.requests.arrival_s + sum(GAPS_S) < 1000.0
    met = (traced.requests.arrival_s >= 100.0) & outlasted
    assert set(traced.requests[met].outcome) == {"failed"}
    assert set(traced.requests[~met].outcome) == {"ok"}
    assert traced.requests[met].backoff_s.to_numpy() == pytest.approx(sum(GAPS_S))


@pytest.mark.parametrize(("mean_s", "rate"), [(150.0, "10/h"), (600.0, "3/h")])
def test_the_share_lost_is_that_of_outages_longer_than_the_waits(mean_s: float, rate: str) -> None:
    """U exp(-220 s / mean) of Poisson outages with exponential durations, with little overlap."""
    chain = [
        {"provider": "a", "name": f"l{number}", "wait_after_last": True, "retry_backoff": f"{gap_s}s"}
        for number, gap_s in enumerate(GAPS_S)
    ]
    incidents = {
        "kind": "poisson",
        "rate": "1/d",
        "duration": {"kind": "exponential", "mean": f"{mean_s}s"},
        "error_latency": "0s",
    }
    of = scenario({"a": provider(0, incidents=[incidents])}, chain=[*chain, {"provider": "a", "name": "last"}])
    of |= {"horizon": f"{DAYS}d", "workload": {"arrivals": {"kind": "poisson", "rate": rate}}}
    lost = (run(of).requests.outcome == "failed").mean()
    outages = DAYS * exp(-sum(GAPS_S) / mean_s)
    expected = mean_s / 86400.0 * exp(-sum(GAPS_S) / mean_s)
    assert lost == pytest.approx(expected, rel=4.0 * (2.0 / outages) ** 0.5)
