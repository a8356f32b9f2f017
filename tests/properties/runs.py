"""A drawn scenario's run, and what a test has to know of its plan by name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from engine.traced import Traced, trace

from des.scenario import from_mapping, plans
from des.scenario.plan import Leg, Plan

HERE = Path(__file__).parent
ROUNDING_S = 1e-6


def plan_of(scenario: Mapping[str, Any]) -> Plan:
    return plans(from_mapping(scenario, HERE))["as_modelled"]


def run(scenario: Mapping[str, Any]) -> Traced:
    return trace(plan_of(scenario))


def calls(of: Traced) -> pd.DataFrame:
    """Attempts of requests, each request's in order."""
    own = of.attempts[of.attempts.kind == "call"]
    return own.sort_values(["request_id", "attempt"], ignore_index=True)


def by_request(of: Traced) -> dict[int, list[Any]]:
    """The attempts of each request that made any, in order."""
    found: dict[int, list[Any]] = {}
    for call in calls(of).itertuples():
        found.setdefault(call.request_id, []).append(call)
    return found


def legs(plan: Plan) -> dict[str, Leg]:
    return {leg.name: leg for leg in plan.chain}


def run_end_s(of: Traced) -> float:
    """The last instant that rows tell of; the run is not over before."""
    ends = [of.plan.horizon_s]
    for rows in (of.requests, of.attempts):
        if len(rows) and rows.end_s.notna().any():
            ends.append(float(rows.end_s.max()))
    return max(ends)
