"""A window begins with what legs that stand idle remember of their last use."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from des.engine import names, simulate
from des.estimate.estimate import Estimate, Inapplicable
from des.estimate.totals import Totals
from des.estimate.windows import windows
from des.estimate.windows_idle import LastUses, idle_legs, preceded
from des.estimate.windows_population import open_in, population
from des.faults import Timeline
from des.scenario.plan import Plan
from estimate.windowed import incidents, plan_of, provider

BREAKER = {"kind": "consecutive", "failures": 3, "open": "5s", "half_open": 1}
OTHERS: dict[str, Mapping[str, Any]] = {
    "half-open": {"breaker": {**BREAKER, "failures": 1}},
    "streak": {"breaker": {**BREAKER, "half_open": None}},
    "window of calls": {
        "breaker": {"kind": "count_window", "calls": 20, "failure_share": 0.5, "open": "5s"},
    },
}


def chain_of(*legs: Mapping[str, Any], **rest: Any) -> Plan:
    own = {
        "a": provider(incidents("20/d", "3min")),
        "b": provider(incidents("4/d", "1min")),
        "c": provider(incidents("4/d", "1min")),
    }
    return plan_of(own, chain=list(legs), **rest)


@pytest.mark.parametrize("kind", OTHERS)
def test_what_lasts_until_the_next_call_belongs_to_legs_that_outages_lead_to(kind: str) -> None:
    plan = chain_of({"provider": "a", **OTHERS[kind]}, {"provider": "b", **OTHERS[kind]}, {"provider": "c"})
    (idle,) = idle_legs(plan)
    assert idle.what == "breaker of b/m"
    assert idle.after == {frozenset({0})}
    assert idle.calls == (20.0 if kind == "window of calls" else 1.0)
    assert idle.chance_per_s == 0.0


def test_a_window_of_time_and_a_cooldown_do_not_outlast_a_failover() -> None:
    breaker = {"kind": "time_window", "window": "60s", "failure_share": 0.5, "open": "30s"}
    cooldown = {"all_failed": 3, "window": "60s", "for": "40s"}
    plan = chain_of({"provider": "a"}, {"provider": "b", "breaker": breaker}, {"provider": "c", "cooldown": cooldown})
    assert not list(idle_legs(plan))


def test_a_third_leg_is_called_while_both_before_it_fail() -> None:
    plan = chain_of({"provider": "a"}, {"provider": "b"}, {"provider": "c", "breaker": BREAKER})
    (idle,) = idle_legs(plan)
    assert idle.after == {frozenset({0}), frozenset({1})}


def test_peers_that_share_the_calls_are_one_step_and_ordered_ones_are_several() -> None:
    legs = [{"provider": "a", "breaker": BREAKER}, {"provider": "b", "breaker": BREAKER}]
    shared = chain_of({"group": "g", "legs": legs, "routing": "weighted"})
    assert not list(idle_legs(shared))
    ordered = chain_of({"group": "g", "legs": legs, "routing": "ordered"})
    assert [idle.what for idle in idle_legs(ordered)] == ["breaker of b/m"]


def last_uses(plan: Plan, spell_s: float = 100.0) -> tuple[LastUses, list[Timeline], float]:
    drawn = population({plan.arm: plan}, 0.5, 60.0, 60.0)
    uses = LastUses([plan], drawn.pieces, drawn.until_s, spell_s, anew=False)
    return uses, list(drawn.pieces), drawn.until_s


def test_the_last_use_ends_with_the_last_outage_before_the_instant() -> None:
    plan = chain_of({"provider": "a"}, {"provider": "b", "breaker": BREAKER})
    uses, pieces, _ = last_uses(plan)
    timeline = pieces[0]
    time_s = 650_000.0
    of = timeline.hits[:, 0] & (timeline.end_s < time_s)
    *_, (source, from_s, until_s) = uses.before(0, time_s)
    assert source is timeline
    assert until_s == timeline.end_s[of].max()
    assert from_s <= until_s - 100.0


def test_a_use_that_lasts_ends_at_the_instant() -> None:
    plan = chain_of({"provider": "a"}, {"provider": "b", "breaker": BREAKER})
    uses, (timeline, *_), _ = last_uses(plan)
    long = int(np.flatnonzero(timeline.hits[:, 0] & (timeline.end_s - timeline.start_s > 300.0))[0])
    time_s = float(timeline.end_s[long]) - 1.0
    ((_, _, until_s),) = uses.before(0, time_s)
    assert until_s == time_s


def test_a_piece_without_a_use_takes_the_last_of_the_one_before() -> None:
    plan = chain_of({"provider": "a"}, {"provider": "b", "breaker": BREAKER})
    uses, pieces, until_s = last_uses(plan)
    first_s = float(pieces[3].start_s[pieces[3].hits[:, 0]][0])  # an instant that it does not precede
    assert first_s > 1.0
    source, _, end_s = uses.before(3, first_s)[-1]
    assert source is pieces[2]
    assert end_s <= until_s
    anew = LastUses([plan], pieces, until_s, 100.0, anew=True)
    assert anew.before(3, first_s) == []


def test_random_errors_of_the_legs_before_make_it_forget() -> None:
    """At 1/s and one error in a hundred, a call comes about every 100 s, long before the next outage."""
    legs = {"provider": "a"}, {"provider": "b", "breaker": BREAKER}
    faulty = plan_of(
        {
            "a": {
                "incidents": [incidents("4/d", "20s")],
                "models": {"m": {"latency": "2s", "price": {"per_request": 0.01}, "errors": {"server_error": 0.01}}},
            },
            "b": provider(),
        },
        rate="1/s",
        chain=list(legs),
    )
    (idle,) = idle_legs(faulty)
    assert idle.chance_per_s == pytest.approx(0.01)
    uses, (timeline, *_), _ = last_uses(faulty)
    ends = timeline.end_s[timeline.end_s > 604_800.0]
    assert len(uses.before(0, float(ends[0]) + 50.0)) == 1
    assert uses.before(0, float(ends[0]) + 150.0) == []


def test_spells_are_moved_to_end_where_the_warm_up_begins() -> None:
    plan = chain_of({"provider": "a"}, {"provider": "b", "breaker": BREAKER})
    uses, (timeline, *_), _ = last_uses(plan)
    begin_s = 650_000.0
    own = open_in(timeline, begin_s, begin_s + 500.0)
    spell = uses.before(0, begin_s)[-1]
    found, starts_s = preceded(own, begin_s, [spell])
    assert starts_s == begin_s - (spell[2] - spell[1])
    assert (np.diff(found.start_s) >= 0.0).all()
    of_spell = found.start_s < begin_s
    a_down = found.hits[of_spell, 0]
    assert a_down.any()
    assert found.end_s[of_spell][a_down].max() == pytest.approx(begin_s)
    assert (~of_spell).sum() == len(own)


class _Summed:
    def __init__(self, plan: Plan) -> None:
        self.totals = Totals(names(plan), [leg.name for leg in plan.chain])
        self.requests, self.attempts = self.totals.requests, self.totals.attempts

    def transitions(self, block: Any) -> None: ...
    def incidents(self, block: Any) -> None: ...
    def refusals(self, block: Any) -> None: ...


def failing() -> Plan:
    """The fallback always fails: a failover calls it three times before its breaker opens, or once if half-open."""
    broken = {"m": {"latency": "2s", "price": {"per_request": 0.03}, "errors": {"server_error": 1.0}}}
    own = {"a": provider(incidents("400/d", "20s")), "b": {"models": broken}}
    return plan_of(own, rate="0.5/s", horizon="6h", chain=[{"provider": "a"}, {"provider": "b", "breaker": BREAKER}])


def test_a_breaker_left_half_open_agrees_with_brute_force(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = failing()
    sink = _Summed(plan)
    simulate(plan, 0, sink)
    brute = sink.totals.metrics()
    attempts = brute["attempts"] / brute["requests"]

    def found() -> Estimate:
        figure = windows({"x": plan}, rounds=1, years=0.5).arms["x"].figures["attempts_per_request"]
        assert isinstance(figure, Estimate)
        return figure

    figure = found()
    assert figure.high is not None
    error = math.hypot((figure.high - figure.known) / 1.96, (attempts - 1.0) / math.sqrt(100.0))
    assert abs(figure.known - attempts) < 4.0 * error
    monkeypatch.setattr(LastUses, "before", lambda self, piece, time_s: [])
    assert found().known - 1.0 > 1.2 * (figure.known - 1.0)


def test_a_leg_that_remembers_more_failovers_than_can_be_played_is_refused() -> None:
    breaker = {"kind": "count_window", "calls": 500, "failure_share": 0.5, "minimum": 20, "open": "5s"}
    plan = chain_of({"provider": "a"}, {"provider": "b", "breaker": breaker}, rate="0.1/s")
    with pytest.raises(Inapplicable, match=r"breaker of b/m remembers 500 calls, and a failover makes"):
        windows({"x": plan}, rounds=1, years=0.5)


def test_slow_responses_lead_to_the_next_leg_by_timeouts_and_hedges() -> None:
    """One response in a hundred takes longer than 8 s."""
    slow = {"kind": "lognormal", "median": "2s", "p99": "8s"}
    own = {"a": provider(incidents("20/d", "3min"), latency=slow), "b": provider()}
    after = {"provider": "b", "breaker": BREAKER}
    for first in ({"timeout": "8s"}, {"hedge": {"after": "8s", "to": "next"}}):
        plan = plan_of(own, rate="1/s", chain=[{"provider": "a", **first}, after])
        (idle,) = idle_legs(plan)
        assert idle.chance_per_s == pytest.approx(0.01, rel=1e-3)
