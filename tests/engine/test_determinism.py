"""One seed gives one run, and what a change does not touch stays as it was."""

import copy
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from des.engine.arrivals import think_time
from des.engine.marks import RequestMarks
from engine.rich_scenario import rich_scenario
from engine.traced import Traced, plan_of, provider, run, scenario, trace, window

TESTS = Path(__file__).parents[1]
CLOSED = {"kind": "closed", "users": 40, "think": {"kind": "exponential", "mean": "30s"}}
BURSTY = {"kind": "bursty", "rate": "1/s", "cv": 3, "clients": 4}
DRAWN = ["start_s", "end_s", "outcome", "cause", "input_tokens", "output_tokens"]


@pytest.fixture(scope="module")
def rich() -> Traced:
    return run(rich_scenario())


def test_the_rich_run_has_something_of_everything(rich: Traced) -> None:
    """Or the claims below would say nothing."""
    assert set(rich.attempts.cause.dropna()) == {"incident", "limit", "random", "deadline", "silent_rot"}
    assert len(set(rich.attempts.outcome)) == 9
    assert set(rich.requests.outcome) == {"ok", "failed", "deadline"}
    assert set(rich.transitions.kind) == {"component", "provider", "model", "leg", "limit"}
    assert rich.requests.response_cache_hit.any()
    assert (rich.attempts.cached_tokens > 0).any()
    assert (rich.attempts.kind == "probe").any()
    assert rich.requests.rounds.max() == 2


@pytest.mark.parametrize("arrivals", [None, CLOSED, BURSTY, {"kind": "batch", "every": "10s", "size": 9}])
def test_the_same_plan_gives_the_same_bytes(arrivals: dict[str, Any] | None) -> None:
    plan = plan_of(rich_scenario(arrivals, horizon="5min"))
    assert trace(plan, 2).digest() == trace(plan, 2).digest()


def test_seeds_and_replications_differ() -> None:
    short = rich_scenario(horizon="5min")
    plan = plan_of(short)
    digests = {trace(plan, replication).digest() for replication in range(3)}
    digests.add(run({**short, "seed": 4}).digest())
    assert len(digests) == 4


def test_replications_can_be_run_in_any_order() -> None:
    plan = plan_of(rich_scenario(horizon="5min"))
    forwards = [trace(plan, replication).digest() for replication in range(3)]
    backwards = [trace(plan, replication).digest() for replication in (2, 1, 0)]
    assert forwards == backwards[::-1]


def test_the_hash_seed_of_the_interpreter_changes_nothing() -> None:
    """This process has another one: a random seed, or that of its environment, which is hardly ever this."""
    environment = {**os.environ, "PYTHONHASHSEED": "4242", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "engine.rich_scenario"]
    done = subprocess.run(command, cwd=TESTS, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == run(rich_scenario()).digest()


def changed(change: Callable[[dict[str, Any]], None]) -> Traced:
    other = copy.deepcopy(rich_scenario())
    change(other)
    return run(other)


def arrivals_of(of: Traced) -> pd.DataFrame:
    columns = ["request_id", "arrival_s", "input_tokens"]
    return of.requests[columns].sort_values("request_id", ignore_index=True)


def incidents_of(of: Traced, *, but: str = "", until_s: float = 1200.0) -> list[tuple[Any, ...]]:
    """Incidents that start by the horizon, without their numbers."""
    own = of.incidents[(of.incidents.component != but) & (of.incidents.start_s < until_s)]
    return sorted(zip(own.component, own.kind, own.start_s, own.end_s, map(tuple, own.endpoints), strict=True))


def unnumbered(of: Traced) -> pd.DataFrame:
    """Attempts without the numbers of incidents and in an order that does not depend on codes."""
    own = of.attempts.drop(columns=["cause_id", "request_id"]).assign(request_id=of.attempts.request_id)
    return own.sort_values(["start_s", "end_s", "request_id", "attempt"], ignore_index=True)


def test_a_leg_added_at_the_end_changes_no_arrival_token_incident_or_earlier_draw(rich: Traced) -> None:
    """Without limits, caches and rot, through which requests interact, every attempt up to the added leg stays."""

    def independent(other: dict[str, Any]) -> None:
        del other["providers"]["a"]["limits"]
        del other["policy"]["response_cache"]
        del other["chain"][1]["silent_rot"]
        other["policy"]["rounds"] = 1

    def longer(other: dict[str, Any]) -> None:
        independent(other)
        other["providers"]["c"] = provider("3s", incidents=[{"kind": "poisson", "rate": "1/min", "duration": "9s"}])
        other["chain"].append({"provider": "c", "tags": {"region": "eu"}})

    short, long = changed(independent), changed(longer)
    assert arrivals_of(short).equals(arrivals_of(rich))
    assert arrivals_of(long).equals(arrivals_of(rich))
    assert incidents_of(long, but="c") == incidents_of(short) == incidents_of(rich)
    kept = unnumbered(long)
    kept = kept[kept.leg != "c/m"].reset_index(drop=True)
    assert len(kept) > 1500
    assert len(long.attempts) > len(kept)
    assert kept.equals(unnumbered(short))


def test_an_unused_provider_changes_nothing(rich: Traced) -> None:
    def extend(other: dict[str, Any]) -> None:
        other["providers"] = {"zero": provider(), **other["providers"]}

    extended = changed(extend)
    pd.testing.assert_frame_equal(extended.requests, rich.requests)
    pd.testing.assert_frame_equal(extended.attempts, rich.attempts)
    pd.testing.assert_frame_equal(extended.transitions, rich.transitions)


def test_the_order_of_providers_and_components_in_the_file_changes_nothing(rich: Traced) -> None:
    def reorder(other: dict[str, Any]) -> None:
        other["providers"] = dict(reversed(other["providers"].items()))
        other["components"] = dict(reversed(other["components"].items()))

    reordered = changed(reorder)
    columns = [name for name in rich.requests if name not in ("provider", "model")]
    pd.testing.assert_frame_equal(reordered.requests[columns], rich.requests[columns])
    pd.testing.assert_frame_equal(unnumbered(reordered), unnumbered(rich))
    assert reordered.incidents.start_s.equals(rich.incidents.start_s)


def test_a_component_that_nobody_depends_on_changes_no_request(rich: Traced) -> None:
    def extend(other: dict[str, Any]) -> None:
        incidents = [{"kind": "poisson", "rate": "2/min", "duration": "9s"}]
        other["components"] = {"other": {"incidents": incidents}, **other["components"]}

    extended = changed(extend)
    assert (extended.transitions.entity == "other").any()
    pd.testing.assert_frame_equal(extended.requests, rich.requests)
    pd.testing.assert_frame_equal(unnumbered(extended), unnumbered(rich))
    assert incidents_of(extended, but="other") == incidents_of(rich)


def test_a_second_class_of_incidents_leaves_the_first_as_it_was(rich: Traced) -> None:
    def extend(other: dict[str, Any]) -> None:
        other["components"]["cloud"]["incidents"].append(window("10s", "11s", error_rate=0.5))

    extended = changed(extend)
    poisson = [row for row in incidents_of(extended) if row[1] != "schedule"]
    assert poisson == incidents_of(rich)


@pytest.mark.parametrize("arrivals", [None, CLOSED, BURSTY])
def test_a_shorter_horizon_is_the_beginning_of_a_longer_one(arrivals: dict[str, Any] | None) -> None:
    short, long = (run(rich_scenario(arrivals, horizon)) for horizon in ("4min", "9min"))
    early = short.requests[short.requests.end_s < 240.0]
    assert len(early) > 100
    pd.testing.assert_frame_equal(early, long.requests[long.requests.end_s < 240.0])
    pd.testing.assert_frame_equal(
        short.attempts[short.attempts.end_s < 240.0], long.attempts[long.attempts.end_s < 240.0]
    )
    pd.testing.assert_frame_equal(
        short.transitions[short.transitions.time_s < 240.0], long.transitions[long.transitions.time_s < 240.0]
    )
    assert incidents_of(short, until_s=240.0) == incidents_of(long, until_s=240.0)


def nth_calls(of: Traced) -> pd.DataFrame:
    """Attempts by (request, leg, n-th call of that leg)."""
    calls = of.attempts[of.attempts.kind == "call"].sort_values(["request_id", "attempt"])
    nth = calls.groupby(["request_id", "leg"]).cumcount()
    return calls.assign(nth=nth).set_index(["request_id", "leg", "nth"])


def test_arms_share_luck_call_by_call() -> None:
    """Reordered legs make the same calls with the same fate, at other times."""
    flaky = {"errors": {"server_error": 0.3, "overloaded": 0.2}}
    lognormal = {"kind": "lognormal", "median": "1s", "p95": "4s"}
    base = scenario(
        {"a": provider(lognormal, **flaky), "b": provider(lognormal, **flaky)},
        arrivals={"kind": "poisson", "rate": "5/s"},
        horizon="200s",
        chain=[{"provider": "a", "retries": 2}, {"provider": "b", "retries": 1}],
        policy={"backoff": {"kind": "constant", "base": "2s", "jitter": "full"}},
        arms={"as_modelled": {}, "turned": {"chain": ["b", "a"]}, "rounds": {"policy.rounds": 3}},
    )
    plain, turned, rounds = (nth_calls(trace(plan_of(base, arm))) for arm in ("as_modelled", "turned", "rounds"))
    for other in (turned, rounds):
        common = plain.index.intersection(other.index)
        assert len(common) > 400
        assert (plain.outcome[common] == other.outcome[common]).all()
        assert np.allclose(plain.duration_s[common], other.duration_s[common], rtol=0, atol=1e-9)


def test_the_waits_of_a_request_are_shared_between_arms() -> None:
    failing = provider(0, errors={"server_error": {"rate": 1, "latency": 0}})
    base = scenario(
        {"a": failing, "b": failing},
        chain=[{"provider": "a", "retries": 2}],
        policy={"backoff": {"kind": "constant", "base": "2s", "jitter": "full"}},
        arms={"as_modelled": {}, "longer": {"chain": ["a", "b"]}, "doubled": {"policy.backoff.base": "4s"}},
    )
    base["chain"].append({"provider": "b"})
    base["arms"]["as_modelled"] = {"chain": ["a"]}
    plain, longer, doubled = (trace(plan_of(base, arm)).requests.backoff_s for arm in base["arms"])
    assert np.allclose(plain, longer)
    assert np.allclose(2.0 * plain, doubled)


def test_users_of_a_closed_workload_carry_their_luck_whatever_delays_them() -> None:
    """The user's n-th request is as large in an arm where answers take longer."""
    arrivals = {"kind": "closed", "users": 1, "think": {"kind": "exponential", "mean": "5s"}}
    workload = {"tokens": {"input": {"kind": "lognormal", "median": 500, "p95": 2000}}}
    quick = run(scenario({"a": provider("1s")}, arrivals=arrivals, workload=workload, horizon="500s")).requests
    slow = run(scenario({"a": provider("3s")}, arrivals=arrivals, workload=workload, horizon="500s")).requests
    both = min(len(quick), len(slow))
    assert both > 30
    assert list(quick.input_tokens[:both]) == list(slow.input_tokens[:both])
    thought = [rows.arrival_s.to_numpy()[1:both] - rows.end_s.to_numpy()[: both - 1] for rows in (quick, slow)]
    assert np.allclose(thought[0], thought[1], rtol=0, atol=1e-9)


def test_luck_in_a_closed_workload_belongs_to_the_user_and_the_users_nth_request() -> None:
    users = 3
    workload = {"tokens": {"input": {"kind": "lognormal", "median": 500, "p95": 2000}}}
    arrivals = {"kind": "closed", "users": users, "think": {"kind": "exponential", "mean": "5s"}}
    latency = {"kind": "exponential", "mean": "3s"}
    of = run(scenario({"a": provider(latency)}, arrivals=arrivals, workload=workload, horizon="300s"))
    marks, thinks = RequestMarks(of.plan, 0), think_time(of.plan, 0)
    rows = {row.arrival_s: row for row in of.requests.itertuples()}
    followed = 0
    for user in range(users):
        now_s, nth = 0.0, 0
        while (arrival_s := now_s + thinks.at(nth * users + user)) < 300.0:
            row = rows[arrival_s]
            assert row.input_tokens == marks(nth * users + user)[0]
            now_s, nth, followed = row.end_s, nth + 1, followed + 1
    assert followed == of.arrived
