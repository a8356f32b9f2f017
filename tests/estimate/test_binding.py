"""Limits that never matter are left out: a bound is never below what is simulated, and is not there to please."""

from typing import Any

import pytest
from engine.traced import Traced, plan_of, poisson, provider, scenario, trace

from des.estimate.availability import availability, choose
from des.estimate.binding import NEGLIGIBLE, bindings, without_limits
from des.estimate.estimate import EXACT, REQUEST_LEVEL, TIMELINE
from des.estimate.interaction import interactions, relieved
from des.scenario.plan import Plan
from estimate.stressed_chains import LIMITERS, close_to_binding

OUTAGES = {"kind": "poisson", "rate": "12/y", "duration": {"kind": "exponential", "mean": "1h"}}
SEEDS = {
    "bucket": 12,
    "fixed window": 25,
    "sliding log": 2,
    "all tokens": 27,
    "input in windows": 16,
    "output": 5,
    "acceleration": 18,
    "concurrency": 19,
    "capacity": 20,
    "budget": 33,
    "shaping": 10,
    "bulkhead": 35,
}
"""A stressed chain for each kind of limiter."""


def held_up(run: Traced) -> bool:
    """Whether a limit, a capacity or a queue has refused or delayed any call of the run."""
    causes = run.attempts.cause.isin(["limit", "capacity"])
    return bool(causes.any() or (run.requests.queued_s > 0.0).any() or run.blocks["refusals"])


def chained(arrivals: Any = None, *, limits: Any = None, model: Any = None, **rest: Any) -> Plan:
    of = provider("1s", incidents=[OUTAGES], model=model or {})
    if limits is not None:
        of["limits"] = limits
    rest = {"horizon": "1y", "policy": {"retries": 2, "backoff": "500ms"}} | rest
    return plan_of(
        scenario({"a": of, "b": provider("1s", incidents=[OUTAGES])}, arrivals=arrivals or poisson("3/s"), **rest)
    )


@pytest.mark.parametrize("kind", LIMITERS)
@pytest.mark.parametrize("batches", [False, True])
def test_no_limiter_holds_up_calls_more_often_than_bounded(kind: str, batches: bool) -> None:
    found = close_to_binding(SEEDS[kind], kind, batches=batches)
    assert found is not None
    plan, binding = found
    assert binding.chance <= 0.05
    assert sum(held_up(trace(plan, replication)) for replication in range(6)) <= 2


@pytest.mark.parametrize(
    ("kind", "times"),
    [
        *(
            (kind, 2.0)
            for kind in ("bucket", "fixed window", "sliding log", "all tokens", "budget", "shaping", "capacity")
        ),
        ("concurrency", 4.0),
        ("bulkhead", 4.0),
    ],
)
def test_a_part_of_what_is_bounded_is_too_little(kind: str, times: float) -> None:
    """The bounds are not idle: while everything fails, a limiter half as generous holds up calls.

    A quarter where calls keep places, since answers and errors both count as long as they last.
    """
    low, high = 1.0, 1e6
    for _ in range(30):
        middle = (low * high) ** 0.5
        low, high = (low, middle) if bindings(down(kind, middle))[0].chance <= 0.01 else (middle, high)
    assert bindings(down(kind, high))[0].chance <= 0.01
    assert not held_up(trace(down(kind, high)))
    assert held_up(trace(down(kind, high / times)))


def down(kind: str, size: float) -> Plan:
    """A leg that is down for the whole run, each request making three calls; for capacity, one that answers."""
    effect = {"error_rate": "0%"} if kind == "capacity" else {"error_latency": "1s"}
    content = scenario(
        {"p0": provider("1s", incidents=[{"kind": "schedule", "windows": [{"start": "0s", "end": "1h"}], **effect}])},
        arrivals=poisson("8/s"),
        workload={"tokens": {"input": 1000, "output": 100}},
        horizon="60s",
        policy={"retries": 2},
    )
    LIMITERS[kind](size)(content)
    return plan_of(content)


def test_a_limit_far_above_the_load_is_left_out() -> None:
    plan = chained(limits={"requests": "4000/min"})
    (binding,) = bindings(plan)
    assert binding.name == "limit a"
    assert 0.0 < binding.chance <= NEGLIGIBLE
    assert binding.why == "at most 9 calls/s against 66.67 requests/s, burst 66.67"
    assert interactions(plan) == ()
    free, left_out = relieved(plan)
    assert left_out == (binding,)
    assert free.endpoints[0].limits == ()


def test_the_answer_is_that_of_the_plan_without_the_limit() -> None:
    limited, free = chained(limits={"requests": "4000/min"}), chained()
    found, expected = (availability(plan, 50.0, estimator=TIMELINE) for plan in (limited, free))
    assert found.availability == expected.availability
    assert [one.name for one in found.choice.limits_left_out] == ["limit a"]
    assert expected.choice.limits_left_out == ()


def test_without_retries_the_answer_is_exact_again() -> None:
    plan = chained(limits={"requests": "4000/min"}, policy={})
    assert choose(plan).estimator == EXACT


def test_a_limit_near_the_load_of_an_outage_binds() -> None:
    """3 requests a second are 9 calls while the provider is down."""
    plan = chained(limits={"requests": "600/min"})
    assert bindings(plan)[0].chance == 1.0
    assert interactions(plan) == ("limit a: requests share its tokens",)
    assert choose(plan).estimator == REQUEST_LEVEL
    assert relieved(plan) == (plan, ())


def test_the_worst_hour_of_the_week_decides() -> None:
    hours = [0.0] * 23 + [24.0]
    arrivals = {**poisson("3/s"), "profile": {"hours": hours}}
    assert interactions(chained(arrivals, limits={"requests": "4000/min"}))
    assert not interactions(chained(arrivals, limits={"requests": "40000/min"}))


def test_legs_that_share_a_limit_add_up() -> None:
    chain = [{"provider": "a"}, {"provider": "a", "name": "again"}, {"provider": "a", "name": "once_more"}]
    (alone,) = bindings(chained(limits={"requests": "4000/min"}))
    (shared,) = bindings(chained(limits={"requests": "4000/min"}, chain=chain))
    assert "at most 27 calls/s" in shared.why
    assert shared.chance > alone.chance


def test_one_limit_that_binds_keeps_all() -> None:
    plan = chained(limits=[{"requests": "4000/min"}, {"concurrency": 2}])
    assert [one.is_negligible for one in bindings(plan)] == [True, False]
    assert interactions(plan) == ("limit a concurrency: requests share its tokens",)
    assert relieved(plan) == (plan, ())


@pytest.mark.parametrize(
    ("limits", "model", "why"),
    [
        ({"tokens": "1000000/min", "counting": {"estimate": 100}}, {}, "what a call counts for is known at its end"),
        ({"requests": "4000/min", "counting": "success"}, {}, "what a call counts for is known at its end"),
        ({"concurrency": 1000}, {"errors": {"hang": "1%"}}, "nothing bounds how long a call of a/m is under way"),
    ],
)
def test_what_has_no_bound_binds_and_says_why(limits: Any, model: Any, why: str) -> None:
    plan = chained(limits=limits, model=model, workload={"tokens": {"input": 10, "output": 10}})
    (binding,) = bindings(plan)
    assert (binding.chance, binding.why) == (1.0, why)
    assert interactions(plan)


def test_bursty_arrivals_have_no_bound() -> None:
    plan = chained({"kind": "bursty", "rate": "1/h", "cv": 2}, limits={"requests": "40000/min"})
    assert bindings(plan)[0].why.startswith("no bound is known of bursty arrivals")
    assert interactions(plan)


def test_limits_are_not_looked_at_where_requests_interact_anyway() -> None:
    policy = {"retries": 2, "breaker": {"kind": "consecutive", "failures": 5, "open": "30s"}}
    plan = chained(limits={"requests": "4000/min"}, policy=policy)
    assert [each.split(":")[0] for each in interactions(plan)] == ["limit a", "breaker of a/m, b/m"]
    assert relieved(plan) == (plan, ())


def test_queues_of_the_client_are_left_out_too() -> None:
    policy = {
        "retries": 2,
        "shaping": {"rate": "200/s", "burst": 200, "queue": 10},
        "bulkhead": {"concurrent": 200},
    }
    plan = chained(policy=policy)
    _, left_out = relieved(plan)
    assert [one.name for one in left_out] == ["shaping a/m, b/m", "bulkhead a/m", "bulkhead b/m"]
    assert interactions(plan) == ()


def test_a_plan_without_limits_is_returned_as_it_is() -> None:
    plan = chained()
    assert without_limits(plan) is plan
    assert relieved(plan) == (plan, ())


def test_recorded_arrivals_are_bounded_by_their_own_bursts(tmp_path: Any) -> None:
    file = tmp_path / "arrivals.csv"
    file.write_text("time\n" + "\n".join(str(10 * (number // 5)) for number in range(500)) + "\n")
    arrivals = {"kind": "replay", "file": str(file), "columns": {"time": "time"}, "loop": True}
    few, many = ({"requests": f"{size}/min", "burst": size} for size in (40, 4000))
    assert interactions(chained(arrivals, limits=few, horizon="1d"))
    assert not interactions(chained(arrivals, limits=many, horizon="1d"))
