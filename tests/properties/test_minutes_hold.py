"""Minutes add up to the other tables, and each row stands in the minute in which what it counts took place."""

from typing import Any

import numpy as np
import pandas as pd
from engine.traced import Traced, trace
from numpy.typing import NDArray

from des.estimate.cascades import budgets
from des.estimate.minutes import Bins, Minutes
from properties.runs import plan_of
from properties.whole_scenarios import of_whole_scenarios

Scenario = dict[str, Any]
LOST = ["failed", "deadline", "rejected"]


def bins_of(of: Traced) -> Bins:
    minutes = Minutes(of.plan.horizon_s, budgets(of.plan))
    for table, take in (
        ("attempts", minutes.attempts),
        ("requests", minutes.requests),
        ("refusals", minutes.refusals),
    ):
        for block in of.blocks[table]:
            take(block)
    return minutes.bins()


def by_minute(time_s: pd.Series, count: int) -> NDArray[np.int64]:
    return np.bincount((time_s.to_numpy(np.float64) // 60.0).astype(np.int64), minlength=count)


def every_count_is_that_of_the_rows_of_its_minute(of: Traced, bins: Bins) -> None:
    requests, attempts = of.requests, of.attempts[of.attempts.kind != "probe"]
    ok = requests.outcome == "ok"
    refused = (attempts.outcome == "rate_limited") & (attempts.cause == "limit")
    of_client = {limit for leg in of.plan.chain for limit in leg.limits}
    by_budget = refused & attempts.cause_id.isin(of_client)
    by_limit = refused & ~attempts.cause_id.isin(of_client)
    by_capacity = (attempts.outcome == "overloaded") & (attempts.cause == "capacity")
    expected = {
        "offered": requests.arrival_s,
        "served": requests.arrival_s[ok],
        "failed": requests.arrival_s[requests.outcome.isin(LOST)],
        "goodput": requests.end_s[ok],
        "calls": attempts.start_s[attempts.kind == "call"],
        "hedges": attempts.start_s[attempts.kind == "hedge"],
        "retries": attempts.start_s[(attempts.kind == "call") & (attempts.attempt > 0)],
        "refused_by_budget": attempts.start_s[by_budget],
        "refused_by_limit": attempts.start_s[by_limit],
        "refused_by_capacity": attempts.start_s[by_capacity],
        "admitted": attempts.start_s[~refused & ~by_capacity],
        "late_work": attempts.end_s[attempts.outcome.isin(["timeout", "cancelled"])].dropna(),
    }
    assert bins.bin_s == 60.0
    for name, times in expected.items():
        assert bins.of[name].tolist() == by_minute(times, len(bins)).tolist(), name


def sums_are_the_totals_of_the_tables(of: Traced, bins: Bins) -> None:
    in_flight = int((of.requests.outcome == "in_flight").sum())
    refused = sum(int(block["count"].sum()) for block in of.blocks["refusals"])
    assert bins.total("offered") == of.arrived == len(of.requests)
    assert bins.total("served") == bins.total("goodput") == int((of.requests.outcome == "ok").sum())
    assert bins.total("served") + bins.total("failed") + in_flight == of.arrived
    made = bins.total("calls") + bins.total("hedges")
    assert made == int(of.requests.attempts.sum()) == int((of.attempts.kind != "probe").sum())
    refusals = ("refused_by_budget", "refused_by_limit", "refused_by_capacity")
    assert made == bins.total("admitted") + sum(bins.total(name) for name in refusals)
    assert bins.total("refused_by_client") == refused


@of_whole_scenarios
def test_minutes_add_up(scenario: Scenario) -> None:
    of = trace(plan_of(scenario))
    bins = bins_of(of)
    assert len(bins) >= of.plan.horizon_s / 60.0
    if of.arrived:
        every_count_is_that_of_the_rows_of_its_minute(of, bins)
        sums_are_the_totals_of_the_tables(of, bins)
