"""Surges: while one provider is down, the other is overloaded by everybody who fails over to it."""

from dataclasses import replace

import pytest

from des.scenario.plan import Plan, Surge
from engine.traced import plan_of, trace

OUTAGE = {"kind": "schedule", "windows": [{"start": "100s", "end": "200s"}]}


def two_providers(surge: Surge) -> Plan:
    model = {"latency": "100ms", "price": {"per_request": 1}}
    scenario = {
        "title": "Failover",
        "question": "?",
        "horizon": "300s",
        "seed": 7,
        "workload": {"arrivals": {"kind": "poisson", "rate": "50/s"}},
        "providers": {
            "a": {"incidents": [OUTAGE], "models": {"x": model}},
            "b": {"models": {"x": model}},
        },
        "chain": [{"provider": "a"}, {"provider": "b"}],
    }
    return replace(plan_of(scenario), surges=(surge,))


def test_a_crowd_turns_away_the_share_beyond_the_capacity_while_its_provider_is_down() -> None:
    of = trace(two_providers(Surge(when=(0,), to=(1,), load=1.4)))
    at_b = of.attempts[of.attempts.leg == "b/x"]
    assert at_b.start_s.between(100.0, 200.3).all()
    expected = 1.0 - 1.0 / 1.4
    share = (at_b.outcome == "overloaded").mean()
    assert abs(share - expected) < 4 * (expected * (1 - expected) / len(at_b)) ** 0.5
    turned_away = at_b[at_b.outcome == "overloaded"]
    assert set(turned_away.cause) == {"capacity"}
    assert set(turned_away.http_status) == {529}
    lost = of.requests[of.requests.outcome == "failed"]
    assert set(lost.lost_to) == {"overload"}


def test_our_own_attempts_add_to_the_crowd_where_the_capacity_is_given() -> None:
    of = trace(two_providers(Surge(when=(0,), to=(1,), load=0.8, capacity_per_s=100.0)))
    late = of.attempts[(of.attempts.leg == "b/x") & (of.attempts.start_s > 165.0)]
    expected = 1.0 - 1.0 / (0.8 + 0.5)  # 50 of our attempts a second come on top, once a minute of them is counted
    share = (late.outcome == "overloaded").mean()
    assert share == pytest.approx(expected, abs=4 * (expected / len(late)) ** 0.5)


def test_a_crowd_within_the_capacity_does_nothing() -> None:
    of = trace(two_providers(Surge(when=(0,), to=(1,), load=1.0)))
    assert set(of.requests.outcome) == {"ok"}
