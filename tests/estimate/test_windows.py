"""The windows estimator agrees with closed forms and brute force, repeats itself, and refuses what it cannot know."""

import copy
import math
import re
from dataclasses import replace
from typing import Any

import pytest

import des.estimate.windows as module
from des.engine import names, simulate
from des.estimate.estimate import Estimate, Inapplicable
from des.estimate.exact import exact
from des.estimate.timeline import timeline
from des.estimate.totals import Totals
from des.estimate.windows import ArmWindows, WindowsAnswer, why_not_windows, windows
from des.scenario.plan import Plan
from estimate.windowed import PAIR, arms_of, incidents, plan_of, provider


def assert_near(figure: Any, expected: float, errors: float = 4.5) -> None:
    """Within this number of standard errors on the side of the difference."""
    assert isinstance(figure, Estimate)
    assert figure.low is not None
    assert figure.high is not None
    end = figure.high if expected > figure.known else figure.low
    assert abs(figure.known - expected) <= errors / 1.96 * abs(end - figure.known), f"{figure}, expected {expected:.6g}"


def answer(plan: Plan, **rest: Any) -> ArmWindows:
    return windows({plan.arm: plan}, **{"rounds": 2, "years": 4.0, **rest}).arms[plan.arm]


@pytest.fixture(scope="module")
def pair() -> ArmWindows:
    return answer(plan_of(PAIR), objective=(0.99, "30d"))


def test_figures_agree_with_closed_forms(pair: ArmWindows) -> None:
    closed = exact(plan_of(PAIR))
    assert closed.lost is not None
    a_down = closed.endpoints[0].unavailability
    assert_near(pair.lost, closed.lost)
    assert_near(pair.figures["availability"], 1.0 - closed.lost)
    by_b = a_down - closed.lost
    assert_near(pair.figures["fallback_share"], by_b / (1.0 - closed.lost))
    assert_near(pair.figures["cost_usd_per_request"], 0.01 * (1.0 - a_down) + 0.03 * by_b)
    assert_near(pair.figures["attempts_per_request"], 1.0 + a_down)


def test_the_answer_names_its_parts(pair: ArmWindows) -> None:
    served, lost = pair.figures["served_share"], pair.figures["lost_by_cause"]
    assert isinstance(served, dict)
    assert isinstance(lost, dict)
    assert set(served) == {"a/m", "b/m"}
    assert sum(each.known for each in served.values()) == pytest.approx(1.0)
    assert sum(each.known for each in lost.values()) == pytest.approx(pair.lost.known, rel=0.2)
    assert sum(state.requests for state in pair.by_state) == pytest.approx(1.0)
    assert pair.unseen == ()
    assert pair.uncalled == ()


def test_the_chance_of_a_month_lies_where_months_do(pair: ArmWindows) -> None:
    """A year of this pair loses 0.2 %; with 1 % allowed most months meet it, with a hundredth of it none."""
    assert pair.objective is not None
    assert pair.objective.known > 0.9
    none = answer(plan_of(PAIR), rounds=1, objective=(0.99999, "month"))
    assert none.objective is not None
    assert none.objective.known < 0.2


def test_retries_along_outages_agree_with_the_timeline_estimator() -> None:
    plan = plan_of(
        {"a": provider(incidents("40/d", "3min")), "b": provider(incidents("40/d", "4min"))},
        rate="0.1/s",
        policy={"retries": 1, "backoff": {"kind": "constant", "base": "40s"}},
    )
    found, drawn = answer(plan, rounds=2, years=1.0), timeline(plan, 5.0, samples=600)
    apart = found.lost.known - (1.0 - drawn.availability.known)
    errors = ((found.lost.high or 0.0) - (found.lost.low or 0.0)) / 3.92
    errors = math.hypot(errors, ((drawn.availability.high or 0.0) - (drawn.availability.low or 0.0)) / 4.04)
    assert abs(apart) <= 4.5 * errors
    assert found.lost.known > 3.0 * errors


class _Summed:
    def __init__(self, plan: Plan) -> None:
        self.totals = Totals(names(plan), [leg.name for leg in plan.chain])
        self.requests, self.attempts = self.totals.requests, self.totals.attempts

    def transitions(self, block: Any) -> None: ...
    def incidents(self, block: Any) -> None: ...
    def refusals(self, block: Any) -> None: ...


def test_limits_and_cooldowns_agree_with_brute_force() -> None:
    plan = plan_of(
        {
            "a": provider(incidents("60/d", "3min")),
            "b": provider(incidents("40/d", "2min"), cost=0.03, limits={"requests": "2/min", "burst": 2}),
        },
        rate="0.05/s",
        horizon="2d",
        policy={"retries": 1, "cooldown": {"all_failed": 3, "window": "60s", "for": "40s"}},
    )
    sums = []
    for replication in range(3):
        sink = _Summed(plan)
        simulate(plan, replication, sink)
        sums.append(sink.totals.metrics())
    requests = sum(each["requests"] for each in sums)
    lost = 1.0 - sum(each["request_outcomes"]["ok"] for each in sums) / requests
    limited = sum(each["attempt_outcomes"]["rate_limited"] for each in sums) / sum(each["attempts"] for each in sums)
    found = answer(plan, rounds=2, years=0.4)
    # 360 outages of one leg: a fourteenth of what brute force finds is chance.
    assert abs(found.lost.known - lost) < 4.5 * math.hypot((found.lost.high - found.lost.low) / 3.92, lost / 14.0)
    share = found.figures["rate_limited_share"]
    assert isinstance(share, Estimate)
    assert abs(share.known - limited) < 4.5 * math.hypot((share.high - share.low) / 3.92, limited / 14.0)


def bytes_of(found: WindowsAnswer) -> str:
    return repr((found.arms, found.differences, found.years, found.rounds, found.memory_s, found.requests))


def test_the_same_rounds_give_the_same_figures_for_any_number_of_workers() -> None:
    arms = {"x": plan_of(PAIR)}
    first = windows(arms, rounds=1, years=0.5)
    assert bytes_of(windows(arms, rounds=1, years=0.5, workers=2)) == bytes_of(first)
    assert bytes_of(windows(arms, rounds=2, years=0.5)) != bytes_of(first)


def test_arms_that_share_components_share_their_blocks() -> None:
    arms = arms_of(PAIR, arms={"both": {}, "again": {}, "first": {"chain": [{"provider": "a"}]}})
    found = windows(arms, rounds=1, years=2.0)
    same = found.differences["again"]
    assert same["availability"].mean == 0.0
    assert same["cost_usd_per_request"].mean == 0.0
    less = found.differences["first"]["lost"]
    assert less.low is not None
    assert less.low > 0.0
    alone = [arm.lost for arm in found.arms.values()]
    apart = [(each.high - each.low) / 2.0 for each in (alone[0], alone[2])]
    assert (less.high - less.low) / 2.0 < 1.05 * math.hypot(*apart)


def test_an_arm_with_other_seeds_is_compared_without_pairs() -> None:
    plan = plan_of(PAIR)
    found = windows({"one": plan, "two": replace(plan, seed=9)}, rounds=1, years=2.0)
    difference = found.differences["two"]["cost_usd_per_request"]
    assert difference.mean != 0.0
    assert difference.low < 0.0 < difference.high


def test_what_no_window_met_is_named_and_keeps_an_upper_bound() -> None:
    """Calls of the only leg never fail where its rare incidents are left out of the drawn years."""
    plan = plan_of({"a": provider(incidents("1/y", "10min"), limits={"requests": "4000/min"})})
    found = windows({"x": plan}, rounds=1, years=1.0).arms["x"]
    assert found.lost.high > 0.0
    assert found.lost.high < 0.01
    legs = plan_of({**PAIR, "c": provider(limits={"requests": "4000/min"})})
    quiet = replace(legs, components=tuple(replace(each, incidents=()) for each in legs.components))
    assert windows({"x": quiet}, rounds=1, years=1.0).arms["x"].uncalled == ("b/m", "c/m")


REFUSED = {
    "closed workload": {"workload": {"arrivals": {"kind": "closed", "users": 5, "think": "20s"}}},
    "silent rot": {"chain": [{"provider": "a", "silent_rot": {"time_to_rot": "30d", "repair": "1h"}}]},
    "response cache remembers": {
        "policy": {"response_cache": {"kind": "zipf", "keys": 100, "exponent": 1, "ttl": "30d"}}
    },
    "limit ours (budgets.ours) remembers 24 h": {
        "budgets": {"ours": {"requests": "40000/d", "algorithm": {"fixed_window": "24h"}, "legs": ["a"]}}
    },
    "remembers how often it was ejected": {
        "chain": [{"group": "main", "legs": [{"provider": "a"}, {"provider": "b"}]}],
        "policy": {"ejection": {"consecutive": 3, "for": "30s", "longest": "5min"}},
    },
}


@pytest.mark.parametrize("named", REFUSED)
def test_memories_too_long_are_refused_by_name(named: str) -> None:
    plan = plan_of(PAIR, rate="1/s", **REFUSED[named])
    assert named in why_not_windows(plan)
    with pytest.raises(Inapplicable, match=re.escape(named)):
        windows({"x": plan}, rounds=1)


DAILY = {"requests": "1500/d", "algorithm": {"fixed_window": "1d"}}


@pytest.mark.parametrize(
    ("pair", "changes", "named"),
    [
        ({"a": {"limits": DAILY}}, {}, "limit a (providers.a.limits) remembers 24 h"),
        ({"a": {"models": {"m": {"limits": DAILY}}}}, {}, "limit a/m (providers.a.models.m.limits) remembers 24 h"),
        ({}, {"budgets": {"ours": DAILY | {"legs": ["a"]}}}, "limit ours (budgets.ours) remembers 24 h"),
        (
            {},
            {"budgets": {"ours": DAILY | {"legs": ["a", "b"], "split": "equal"}}},
            "limit ours/a (budgets.ours) remembers 24 h",
        ),
    ],
)
def test_a_quota_whose_waits_keep_requests_under_way_for_days_is_named(
    pair: dict[str, Any], changes: dict[str, Any], named: str
) -> None:
    providers = copy.deepcopy(PAIR)
    for name, of in pair.items():
        for field, value in of.items():
            if field == "models":
                providers[name]["models"]["m"] |= value["m"]
            else:
                providers[name][field] = value
    chain = [{"provider": "a", "retries": 8}, {"provider": "b"}]
    why = why_not_windows(plan_of(providers, rate="1/min", chain=chain, **changes))
    assert why.startswith(named)
    assert "may be under way for" in why
    assert why_not_windows(plan_of(PAIR, rate="1/min", chain=chain)) == ""


def test_waits_of_days_without_a_quota_name_none() -> None:
    chain = [{"provider": "a", "retries": 3, "retry_backoff": {"kind": "constant", "base": "4d", "jitter": "none"}}]
    why = why_not_windows(plan_of(PAIR, rate="1/min", chain=chain))
    assert why.startswith("a request may be under way for 12 days")


def test_a_mixture_is_refused() -> None:
    renewal = {"kind": "renewal", **{key: {"kind": "exponential", "mean": mean} for key, mean in _UP_DOWN}}
    shared = {
        "components": {"cdn": {"incidents": [renewal]}},
        "shared": 0.5,
    }
    plan = plan_of({name: {**each, "depends_on": ["cdn"]} for name, each in PAIR.items()}, **shared)
    assert "mixture" in why_not_windows(plan)


_UP_DOWN = (("up", "10d"), ("down", "1h"))


def test_a_storm_that_outlives_every_window_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusals count against the limit that refuses, and clients never stop: once shut by an outage it stays shut."""
    limits = {"requests": "30/min", "burst": 10, "counts_refused": True}
    plan = plan_of(
        {"a": provider(incidents("0.5/d", "10min"), limits=limits)},
        rate="0.25/s",
        policy={"retries": 12, "backoff": {"kind": "constant", "base": "5s"}},
    )
    monkeypatch.setattr(module, "_MOST_DOUBLINGS", 1)
    with pytest.raises(Inapplicable, match=r"metastable: .* so no window is long enough"):
        windows({"x": plan}, rounds=1, years=1.0)


def test_time_ends_the_rounds() -> None:
    found = windows({"x": plan_of(PAIR)}, seconds=0.001, years=1.0)
    assert found.rounds == 1
