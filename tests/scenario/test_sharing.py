"""What is shared resolves to the numbers it means, and changes nobody's own availability, episodes or durations."""

import copy
import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from des.distributions import Constant, Exponential, Lognormal
from des.scenario import from_mapping, plans
from des.scenario.plan import Component, Plan, PoissonIncidents, Surge
from des.scenario.resolution.intent import reach_probability
from des.theory.ledger import Shock, all_down, all_up, episode_rate

YEAR_S = 31_536_000.0
INTENT = {"availability": "99.9%", "episodes_per_year": 12}
SHARES = [0.0, 0.01, 0.05, 0.1, 0.3, 1.0]


def scenario(providers: dict[str, dict[str, Any]], **root: Any) -> dict[str, Any]:
    model = {"latency": "1s", "price": {"per_request": 0}}
    return {
        "horizon": "1y",
        "workload": {"arrivals": {"kind": "poisson", "rate": "1/h"}},
        "providers": {name: {"models": {"m": {**model}}, **provider} for name, provider in providers.items()},
        "chain": [{"provider": name, "model": "m"} for name in providers],
        **root,
    }


def pair(fraction: Any, one: dict[str, Any], other: dict[str, Any] | None = None, **root: Any) -> dict[str, Any]:
    common_cause = {"members": ["a", "b"], "fraction": fraction}
    return scenario({"a": one, "b": one if other is None else other}, common_cause=common_cause, **root)


def poisson(rate: str, duration: Any = "30min", **effect: Any) -> dict[str, Any]:
    return {"kind": "poisson", "rate": rate, "duration": duration, **effect}


def plan_of(content: dict[str, Any], arm: str = "as_modelled") -> Plan:
    return plans(from_mapping(content))[arm]


def component(plan: Plan, name: str) -> Component:
    return next(each for each in plan.components if each.name == name)


def outages(plan: Plan, name: str) -> PoissonIncidents:
    (incidents,) = component(plan, name).incidents
    assert isinstance(incidents, PoissonIncidents)
    return incidents


def met_by(plan: Plan, endpoint: int) -> Iterator[tuple[int, float, PoissonIncidents]]:
    """(component, probability that an incident arrives, class) of all that can strike an endpoint."""
    edges = {
        str(each.index): [(str(edge.component), edge.share) for edge in each.depends_on] for each in plan.components
    }
    target = str(plan.endpoints[endpoint].component)
    for each in plan.components:
        share = reach_probability(edges, target, str(each.index))
        for incidents in each.incidents:
            assert isinstance(incidents, PoissonIncidents)
            if share > 0.0:
                yield each.index, share, incidents


def availability(plan: Plan, endpoint: int) -> float:
    loads = [share * each.rate_per_s * each.duration.mean for _, share, each in met_by(plan, endpoint)]
    return math.exp(-math.fsum(loads))


def episodes_per_year(plan: Plan, endpoint: int) -> float:
    rate_per_s = math.fsum(share * each.rate_per_s for _, share, each in met_by(plan, endpoint))
    return rate_per_s * YEAR_S * availability(plan, endpoint)


def shocks(plan: Plan) -> list[Shock]:
    """The plan's classes with the endpoints they strike, where every edge is certain."""
    hits: dict[int, set[int]] = {}
    classes: dict[int, PoissonIncidents] = {}
    for endpoint in range(len(plan.endpoints)):
        for index, share, incidents in met_by(plan, endpoint):
            assert share == 1.0
            hits.setdefault(index, set()).add(endpoint)
            classes[index] = incidents
    return [Shock(each.rate_per_s, each.duration.mean, frozenset(hits[index])) for index, each in classes.items()]


# Common causes


@pytest.mark.parametrize("fraction", SHARES)
@pytest.mark.parametrize("provider", [INTENT, {"incidents": [poisson("12/y", {"kind": "exponential", "mean": "40h"})]}])
def test_a_pair_with_a_share_in_common_is_down_together_as_theory_says(
    fraction: float, provider: dict[str, Any]
) -> None:
    plan = plan_of(pair(fraction, provider))
    load = -math.log(0.999) if "availability" in provider else 12.0 * 40.0 / 8760.0
    found = shocks(plan)
    both_up = math.exp(-(2.0 - fraction) * load)
    assert all_up(found, [0, 1]) == pytest.approx(both_up, rel=1e-12)
    assert all_down(found, [0, 1]) == pytest.approx(1.0 - 2.0 * math.exp(-load) + both_up, rel=1e-9)
    for endpoint in (0, 1):
        assert all_down(found, [endpoint]) == pytest.approx(-math.expm1(-load), rel=1e-12)


@given(
    available=st.floats(0.9, 0.99999),
    episodes=st.floats(1.0, 200.0),
    taken=st.floats(0.0, 1.0),
    cdn_share=st.floats(0.0, 0.9),
    through=st.floats(0.01, 1.0),
)
def test_members_keep_their_availability_and_their_episodes(
    available: float, episodes: float, taken: float, cdn_share: float, through: float
) -> None:
    """Behind a CDN, too, and for any part `taken` of what it leaves to the members."""
    rate = cdn_share * episodes / available
    mean_h = -math.log(available) * 8760.0 / (episodes / available) * 0.7
    member = {"availability": available, "episodes_per_year": episodes, "depends_on": [{"cdn": through}]}
    cdn = {"incidents": [poisson(f"{rate}/y", f"{mean_h}h")]}
    plan = plan_of(pair(taken * (1.0 - cdn_share * through), member, components={"cdn": cdn}))
    for endpoint in (0, 1):
        assert availability(plan, endpoint) == pytest.approx(available, rel=1e-12)
        assert episodes_per_year(plan, endpoint) == pytest.approx(episodes, rel=1e-9)


def test_what_is_common_lasts_as_long_as_what_is_left_so_durations_stay_as_they_were() -> None:
    cdn = {"cdn": {"incidents": [poisson("2/y", "5min")]}}
    plan = plan_of(pair("10%", {**INTENT, "depends_on": ["cdn"]}, components=cdn))
    alone = plan_of(pair(0, {**INTENT, "depends_on": ["cdn"]}, components=cdn))
    assert component(alone, "common_cause").incidents == ()
    assert outages(plan, "common_cause").duration == outages(plan, "a").duration == outages(alone, "a").duration
    assert outages(plan, "common_cause").rate_per_s * YEAR_S == pytest.approx(0.1 * 12.0 / 0.999)
    assert outages(plan, "a").rate_per_s * YEAR_S == pytest.approx(0.9 * 12.0 / 0.999 - 2.0)


def test_the_member_with_the_fewest_outages_says_how_many_are_common() -> None:
    plan = plan_of(pair("50%", {"incidents": [poisson("4/y")]}, {"incidents": [poisson("10/y")]}))
    rates = [outages(plan, name).rate_per_s * YEAR_S for name in ("common_cause", "a", "b")]
    assert rates == pytest.approx([2.0, 2.0, 8.0])


def test_common_causes_come_after_components_and_their_members_depend_on_them() -> None:
    content = scenario(
        dict.fromkeys("abc", INTENT),
        components={"cdn": {}},
        common_cause=[
            {"members": ["a", "b"], "fraction": "10%"},
            {"members": ["a", "b", "c"], "fraction": "20%"},
            {"members": ["c/m", "cdn"], "fraction": "20%", "name": "fire"},
        ],
    )
    content["components"]["cdn"] = {"incidents": [poisson("1/y")]}
    content["providers"]["c"]["models"]["m"]["incidents"] = [poisson("1/y")]
    plan = plan_of(content)
    assert [each.name for each in plan.components] == [
        *("cdn", "common_cause", "common_cause#2", "fire"),
        *("a", "b", "c", "a/m", "b/m", "c/m"),
    ]
    assert [each.index for each in plan.components] == list(range(10))
    assert [[edge.component for edge in each.depends_on] for each in plan.components] == [
        *([3], [], [], []),
        *([1, 2], [1, 2], [2], [4], [5], [6, 3]),
    ]
    assert {each.kind for each in plan.components[:4]} == {"component"}
    assert episode_rate(shocks(plan), 0) * YEAR_S == pytest.approx(12.0)


def test_brownouts_are_left_alone_and_keep_their_number() -> None:
    brownout = poisson("50/y", "1h", error_rate="10%")
    for fraction in (0.5, 1):
        plan = plan_of(pair(fraction, {"incidents": [poisson("4/y"), brownout]}))
        own, slow = component(plan, "a").incidents
        assert isinstance(own, PoissonIncidents)
        assert own.rate_per_s * YEAR_S == pytest.approx(4.0 * (1.0 - fraction))
        assert slow.effect.error_rate == 0.1  # type: ignore[union-attr]
    assert component(plan_of(pair(1, INTENT)), "a").incidents == ()


def test_what_depends_on_a_member_counts_the_common_cause_towards_its_own_target() -> None:
    content = pair("30%", {"incidents": [poisson("4/y", "30min")]})
    content["providers"]["a"]["models"]["m"] |= {"availability": "99.9%", "episodes_per_year": 20}
    plan = plan_of(content)
    assert availability(plan, 0) == pytest.approx(0.999, rel=1e-12)
    assert episodes_per_year(plan, 0) == pytest.approx(20.0, rel=1e-12)


def test_effect_and_profile_of_the_members_are_those_of_the_common_cause() -> None:
    listed = poisson("4/y", {"kind": "exponential", "mean": "1h"}, outcome="overloaded", kills_in_flight=True)
    listed["profile"] = {"days": [1, 1, 1, 1, 1, 0, 0]}
    plan = plan_of(pair("10%", {"incidents": [listed]}))
    common, own = outages(plan, "common_cause"), outages(plan, "a")
    assert (common.effect, common.profile, common.duration) == (own.effect, own.profile, own.duration)
    assert common.effect.kills_in_flight
    assert common.duration == Exponential(3600.0)


def test_one_cause_may_be_written_without_a_list_and_set_from_outside() -> None:
    content = pair("10%", INTENT, arms={"as_modelled": {}, "more": {"common_cause": {"fraction": "30%"}}})
    listed = copy.deepcopy(content)
    listed["common_cause"] = [listed["common_cause"]]
    listed["arms"]["more"] = {"common_cause[0].fraction": "30%"}
    assert plans(from_mapping(content)) == plans(from_mapping(listed))
    rates = [outages(plan, "common_cause").rate_per_s for plan in plans(from_mapping(content)).values()]
    assert rates[1] / rates[0] == pytest.approx(3.0)


# Surges and the twin


def test_a_surge_names_providers_or_models_one_or_several() -> None:
    surge: Any = {"when": "a", "to": ["b", "c/m"], "load": 1.4, "capacity": "50/s"}
    content = scenario({name: {} for name in "abc"}, surge=surge)
    content["providers"]["b"]["models"]["n"] = content["providers"]["b"]["models"]["m"]
    assert plan_of(content).surges == (Surge(when=(0,), to=(1, 2, 3), load=1.4, capacity_per_s=50.0),)
    content["surge"] = [{"when": ["a/m", "b"], "to": "c", "load": 2}, {"when": "b", "to": "c", "load": 3}]
    assert plan_of(content).surges == (
        Surge(when=(0, 1, 2), to=(3,), load=2.0),
        Surge(when=(1, 2), to=(3,), load=3.0),
    )


def test_nothing_is_shared_less_and_nobody_surges_unless_said() -> None:
    plan = plan_of(scenario({"a": {}}))
    assert (plan.shared, plan.surges) == (1.0, ())


def test_an_arm_says_how_much_stays_common_and_changes_nothing_else() -> None:
    arms: dict[str, Any] = {"as_modelled": {}, "independent": {"shared": 0}, "less": {"shared": "30%"}}
    found = plans(from_mapping(pair("10%", INTENT, arms=arms)))
    assert [plan.shared for plan in found.values()] == [1.0, 0.0, 0.3]
    as_modelled = found["as_modelled"]
    for arm, plan in found.items():
        assert dataclasses.replace(plan, arm="as_modelled", shared=1.0) == as_modelled, arm


def test_default_durations_are_lognormal_for_common_causes_too() -> None:
    distribution = outages(plan_of(pair("10%", INTENT)), "common_cause").duration
    assert isinstance(distribution, Lognormal)
    assert distribution.sigma == 1.3
    constant = outages(plan_of(pair("10%", {**INTENT, "duration": "1min"})), "common_cause").duration
    assert isinstance(constant, Constant)
