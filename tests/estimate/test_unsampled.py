"""The figures of a short run claim nothing of the incidents that it has not met, and all of the rest."""

import math
from dataclasses import replace
from typing import Any

import pytest

from des.engine import simulate
from des.estimate.estimate import EXACT, INCONCLUSIVE, MET, MISSED, Estimate
from des.estimate.exact import exact
from des.estimate.intervals import mean_of
from des.estimate.longest_walk import longest_walk_s
from des.estimate.summary import Pool, summarise
from des.estimate.timeline import timeline
from des.estimate.unsampled import (
    LongRuns,
    Unsampled,
    judge_by_ends,
    most_calls,
    noticeable,
    quick_long_run,
    up_with_unseen,
    with_unseen,
    words_of,
)
from des.estimate.unseen import Unseen, unseen
from des.scenario.plan import Plan
from des.study.replication import Part, Replicator
from estimate.exact_plans import outages, plan_of, provider

SHORT = "2h"
RATE = {"arrivals": {"kind": "poisson", "rate": "5/min"}}


def behind_a_cdn(**rest: Any) -> Plan:
    """One provider that fails 2 % of its calls, behind a CDN that is out for an hour some sixty times a year."""
    failing = {"model": {"price": {"per_request": 0.01}, "errors": {"server_error": "2%"}}}
    return plan_of(
        components={"cdn": {"incidents": [outages("60/y", "1h")]}},
        providers={"a": provider(depends_on=["cdn"], models=failing, **rest.pop("of_a", {}))},
        **{"horizon": SHORT, "workload": RATE} | rest,
    )


def pool_of(plan: Plan, replications: int) -> Pool:
    pool = Pool()
    replicate = Replicator({plan.arm: plan}, None, "{}")
    for replication in range(replications):
        pool.add(replicate(Part(plan.arm, replication), None).observed)
    return pool


def told_of(plan: Plan, replications: int) -> tuple[dict[str, Any], Unsampled | None]:
    pool = pool_of(plan, replications)
    return with_unseen(plan, summarise(pool), pool.latency, replications, LongRuns({plan.arm: plan}))


def test_the_interval_reaches_the_long_run_where_that_is_known() -> None:
    plan = behind_a_cdn()
    figures, told = told_of(plan, 3)
    assert told is not None
    known = exact(plan).availability
    assert known is not None
    found = figures["availability"]
    assert told.long_run == Estimate(known, estimator=EXACT)
    assert found.mean == told.between.mean > known
    assert found.low <= known <= found.high
    assert found.interval == "extended to the long run: 0 of 0.062 expected outages of cdn met"
    assert told.ends["availability"] == (found.low, found.high)


def test_without_a_long_run_there_is_no_interval_and_only_an_upper_end() -> None:
    plan = behind_a_cdn(of_a={"limits": {"requests": "20/min", "burst": 5}})
    figures, told = told_of(plan, 3)
    assert told is not None
    assert told.long_run is None
    assert "limit" in told.reason
    found = figures["availability"]
    assert (found.low, found.high) == (None, None)
    assert found.interval == "none: 0 of 0.062 expected outages of cdn met"
    assert told.between.low is not None
    assert told.ends["availability"] == (-math.inf, told.between.high)


def test_one_replication_has_ends_but_no_interval() -> None:
    figures, told = told_of(behind_a_cdn(), 1)
    assert told is not None
    assert (figures["availability"].low, figures["availability"].high) == (None, None)
    assert told.ends["availability"] == (told.long_run.mean, told.between.mean)  # type: ignore[union-attr]


def test_a_run_that_meets_its_outages_keeps_its_intervals() -> None:
    plan = behind_a_cdn(horizon="1y", workload={"arrivals": {"kind": "poisson", "rate": "10/d"}})
    pool = pool_of(plan, 3)
    plain = summarise(pool)
    figures, told = with_unseen(plan, plain, pool.latency, 3, LongRuns({plan.arm: plan}))
    assert told is None
    assert figures == plain


def test_incidents_that_hardly_cost_anything_are_not_told() -> None:
    """A class open for a second a year, beside two per cent of random errors."""
    rare = plan_of(
        components={"cdn": {"incidents": [outages("1/y", "1s")]}},
        providers={"a": provider(depends_on=["cdn"], errors={"server_error": "2%"})},
        horizon=SHORT,
        workload=RATE,
    )
    assert [one.component for one in unseen(rare, 2)] == ["cdn"]
    assert told_of(rare, 2)[1] is None
    assert noticeable(unseen(rare, 2), Estimate(1.0)) == unseen(rare, 2)  # nothing else was lost
    assert noticeable(unseen(rare, 2), Estimate(0.98, 0.98 - 1e-9, 0.98 + 1e-9)) == unseen(rare, 2)


def brownouts(horizon: str, **of_a: Any) -> Plan:
    """A tenth of the time the first provider fails most calls slowly, and its fallback is dearer and slower."""
    return plan_of(
        providers={
            "a": provider(
                latency={"kind": "lognormal", "median": "1s", "sigma": 0.5},
                models={"model": {"price": {"per_request": 0.01}, "errors": {"server_error": "5%"}}},
                incidents=[outages("365/y", "146min", error_rate="90%", error_latency="3s")],
                **of_a,
            ),
            "b": provider(latency="4s", models={"model": {"price": {"per_request": 0.05}}}),
        },
        chain=[{"provider": "a", "retries": 1}, {"provider": "b"}],
        policy={"billing": "per_attempt"},
        horizon=horizon,
        workload={"arrivals": {"kind": "poisson", "rate": "30/h"}},
    )


def test_widened_figures_hold_those_of_the_long_run() -> None:
    """Twelve hours without an incident, against fifty days with about fifty."""
    short = next(
        plan
        for seed in range(100)
        if (plan := replace(brownouts("12h"), seed=seed)) and all(one.met == 0 for one in unseen(plan, 3))
    )
    figures, told = told_of(short, 3)
    assert told is not None
    long = summarise(pool_of(brownouts("50d"), 1))
    between = summarise(pool_of(short, 3))
    missed = []
    for metric in (
        "cost_usd_per_request",
        "cost_usd_per_success",
        "latency_s_mean",
        "latency_s_p95",
        "latency_s_p99",
        "fallback_share",
        "attempts_per_request",
        "wasted_cost_share",
    ):
        low, high = told.ends[metric]
        assert low <= long[metric].mean <= high, metric
        if figures[metric].low is not None:
            assert (figures[metric].low, figures[metric].high) == (low, high)
            assert "widened: 0 of" in figures[metric].interval
        missed.append(not between[metric].low <= long[metric].mean <= between[metric].high)
    assert sum(missed) >= 6  # what the plain intervals would have claimed


def test_a_percentile_that_unseen_requests_could_all_exceed_may_be_as_long_as_the_longest_walk() -> None:
    plan = replace(brownouts("12h"), seed=3)
    figures, told = told_of(plan, 2)
    assert told is not None
    longest_s = longest_walk_s(plan, tuple(one.effect for one in plan.components[0].incidents))
    assert told.ends["latency_s_p99"][1] >= longest_s > 10.0
    assert told.ends["latency_s_p50"][1] < figures["latency_s_p95"].mean


def test_a_time_up_is_extended_by_what_its_outages_could_take() -> None:
    one = Unseen(component="cdn", number=0, endpoints=("a/m",), outages=True, expected=0.5, met=0, unavailability=0.003)
    up = mean_of([0.995, 0.999], share=True)
    times = {
        "components": {"cdn": {"availability": up}, "other": {"availability": up}},
        "endpoints": {"a/m": {"availability": up}, "b/m": {"availability": up}},
        "chain": {"every leg": {"availability": replace(up, low=0.9, high=1.0)}},
    }
    told = Unsampled(incidents=(one,), between=up, long_run=None, reason="", ends={})
    found = up_with_unseen(times, told)
    assert up.low is not None
    steady = replace(up, low=0.9999, high=1.0)
    assert found["components"]["other"]["availability"] == found["endpoints"]["b/m"]["availability"] == up
    assert found["chain"]["every leg"]["availability"].low == 0.9  # a tenth is wide enough
    narrow = up_with_unseen({"components": {"cdn": {"availability": steady}}}, told)["components"]["cdn"]
    assert narrow["availability"].low == pytest.approx(0.9969)
    assert narrow["availability"].interval == "Student's t, widened: 0 of 0.5 expected outages of cdn met"


@pytest.mark.parametrize(
    ("comparison", "bound", "ends", "result"),
    [
        (">=", 0.99, (0.995, 0.999), MET),
        (">=", 0.9995, (0.995, 0.999), MISSED),
        (">=", 0.997, (0.995, 0.999), INCONCLUSIVE),
        (">=", 0.9, (None, 0.999), INCONCLUSIVE),
        (">=", 0.9999, (None, 0.999), MISSED),
        ("<", 0.9999, (None, 0.999), MET),
        ("<", 5.0, (1.0, None), INCONCLUSIVE),
        (">", 0.5, (1.0, None), MET),
    ],
)
def test_both_ends_have_to_agree(
    comparison: str, bound: float, ends: tuple[float | None, float | None], result: str
) -> None:
    assert judge_by_ends(comparison, bound, ends) == result


def test_a_sentence_names_three_classes_and_counts_the_others() -> None:
    one = Unseen(component="a", number=0, endpoints=(), outages=True, expected=0.5, met=0, unavailability=0.1)
    several = [replace(one, component=name) for name in "abcde"]
    assert words_of(several[:1]) == "0 of 0.5 expected outages of a met"
    assert words_of(several[:2]) == "0 of 0.5 expected outages of a and 0 of 0.5 of b met"
    assert words_of([one, replace(one, component="b", outages=False)]) == (
        "0 of 0.5 expected outages of a and 0 of 0.5 expected incidents of b met"
    )
    assert words_of(several) == (
        "0 of 0.5 expected outages of a, 0 of 0.5 of b, 0 of 0.5 of c and too few of 2 others met"
    )


def test_a_request_that_always_fails_makes_the_most_calls() -> None:
    class Calls:
        most = 0

        def requests(self, block: Any) -> None:
            self.most = max(self.most, int(block["attempts"].max()))

        def attempts(self, block: Any) -> None: ...
        def transitions(self, block: Any) -> None: ...
        def incidents(self, block: Any) -> None: ...
        def refusals(self, block: Any) -> None: ...

    plan = plan_of(
        providers={name: provider(errors={"server_error": "100%"}) for name in ("a", "b")},
        chain=[{"provider": "a", "retries": 2}, {"provider": "b", "retries": 1}],
        policy={"rounds": 3, "application": {"retries": 1}},
        horizon="3h",
    )
    calls = Calls()
    simulate(plan, 0, calls)
    assert most_calls(plan) == calls.most == 3 * (3 + 2) * 2


def test_the_quick_long_run_agrees_with_a_longer_timeline() -> None:
    plan = plan_of(
        components={"cdn": {"incidents": [outages("2/y", "3h")]}},
        providers={name: provider(depends_on=["cdn"], incidents=[outages("20/y", "2h")]) for name in ("a", "b")},
        chain=[{"provider": "a", "retries": 1}, {"provider": "b"}],
        policy={"backoff": "2s"},
    )
    quick, reason = quick_long_run(plan)
    longer = timeline(plan, 4_000.0, samples=300).availability
    assert reason == ""
    assert quick is not None
    assert quick.low is not None
    assert longer.high is not None
    error = math.hypot(quick.known - quick.low, longer.high - longer.known) / 2.0
    assert abs(quick.known - longer.known) < 4.0 * error
