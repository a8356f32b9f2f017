"""What one run says of another: a shorter one, and one in which everything takes twice as long."""

from dataclasses import replace
from typing import Any

import pandas as pd
from engine.traced import trace

from properties.runs import plan_of
from properties.time_scale import in_half_time, twice_as_slow
from properties.whole_scenarios import of_whole_scenarios

Scenario = dict[str, Any]


@of_whole_scenarios
def test_a_shorter_horizon_is_the_beginning_of_a_longer_one(scenario: Scenario) -> None:
    plan = replace(plan_of(scenario), drain_s=None)
    until_s = plan.horizon_s / 2.0
    long, short = trace(plan), trace(replace(plan, horizon_s=until_s))
    for table in ("requests", "attempts"):
        early, all_of_it = (frame[frame.end_s < until_s] for frame in (short.frame(table), long.frame(table)))
        the_same_rows(early, all_of_it)
    the_same_rows(*[of.transitions[of.transitions.time_s < until_s] for of in (short, long)])
    the_same_rows(*[of.incidents[of.incidents.start_s < until_s] for of in (short, long)])


def the_same_rows(frame: pd.DataFrame, other: pd.DataFrame) -> None:
    """To the last bit. A frame of a run that recorded nothing has fewer columns, so no rows are the same as no rows."""
    assert len(frame) == len(other)
    if len(frame):
        pd.testing.assert_frame_equal(
            frame.reset_index(drop=True), other.reset_index(drop=True), check_exact=True, check_dtype=False
        )


def without(content: Any, *, kind: str) -> Any:
    """A scenario's content with distributions and profiles that do not scale replaced or left out."""
    if isinstance(content, dict):
        if content.get("kind") == kind and isinstance(content["median"], str):
            return {"kind": "exponential", "mean": content["median"]}
        return {name: without(part, kind=kind) for name, part in content.items() if name != "profile"}
    if isinstance(content, list):
        return [without(part, kind=kind) for part in content]
    return content


@of_whole_scenarios
def test_when_everything_takes_twice_as_long_every_time_doubles_and_nothing_else_changes(scenario: Scenario) -> None:
    plan = plan_of(without(scenario, kind="lognormal"))
    plain, slow = trace(plan), trace(twice_as_slow(plan))
    for table in ("requests", "attempts", "transitions", "incidents"):
        halved = in_half_time(table, slow.frame(table))
        pd.testing.assert_frame_equal(halved, plain.frame(table), check_exact=True, check_dtype=False)
