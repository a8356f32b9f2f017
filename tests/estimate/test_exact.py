"""The exact estimator agrees with the closed forms, with brute force, and with itself."""

import itertools
import math
from typing import Any

import numpy as np
import pytest

from des.estimate.estimate import Inapplicable
from des.estimate.exact import exact
from des.faults import draw_timeline
from des.faults.episodes import all_down, down_share, episodes_started
from des.theory import ledger
from des.theory.availability import pair_down_with_common_fraction
from des.theory.ledger import Shock
from estimate.exact_plans import outages, plan_of, provider, up_down

YEAR_S = 365.0 * 86_400.0


def test_three_independent_providers_at_a_tenth_and_a_half_per_mille() -> None:
    one = provider(availability="99.86%", episodes_per_year=12)
    answer = exact(plan_of(providers={"a": one, "b": one, "c": one}))
    assert answer.all_down == pytest.approx(1.4e-3**3, rel=1e-9)
    assert answer.k_eff == pytest.approx(3.0, rel=1e-9)
    assert answer.all_down_episodes_per_year == pytest.approx(3 * 12 * 1.4e-3**2, rel=1e-9)
    for endpoint in answer.endpoints:
        assert endpoint.unavailability == pytest.approx(1.4e-3, rel=1e-9)
        assert endpoint.episodes_per_year == pytest.approx(12.0, rel=1e-9)
    assert answer.availability == pytest.approx(1.0 - 1.4e-3**3, rel=1e-15)


def test_a_dependency_graph_with_marks_is_the_shock_ledger_of_theory() -> None:
    plan = plan_of(
        components={
            "network": {"incidents": [outages("20/y", "10h")]},
            "cloud": {"incidents": [outages("50/y", "8h")], "depends_on": [{"network": "50%"}]},
        },
        providers={
            "a": provider(depends_on=[{"cloud": "80%"}], incidents=[outages("30/y", "20h")]),
            "b": provider(depends_on=["cloud", {"network": "30%"}], incidents=[outages("40/y", "9h")]),
            "c": provider(depends_on=["network"], incidents=[outages("5/y", "90h")]),
        },
    )
    hour = 1.0 / 8760.0
    shocks = [
        Shock(30.0, 20 * hour, frozenset({0})),
        Shock(40.0, 9 * hour, frozenset({1})),
        Shock(5.0, 90 * hour, frozenset({2})),
    ]
    shocks += ledger.split_by_hits(50.0, 8 * hour, [0.8, 1.0, 0.0])
    for cloud, a, b in itertools.product((True, False), repeat=3):
        share = 0.5 * (0.8 if a else 0.2) * (0.3 if b else 0.7)
        hits = frozenset({2} | ({0} if cloud and a else set()) | ({1} if cloud or b else set()))
        shocks.append(Shock(20.0 * share, 10 * hour, hits))
    answer = exact(plan)
    assert answer.all_down == pytest.approx(ledger.all_down(shocks, range(3)), rel=1e-12)
    rate = ledger.all_down_episode_rate(shocks, range(3))
    assert answer.all_down_episodes_per_year == pytest.approx(rate, rel=1e-12)
    for number, endpoint in enumerate(answer.endpoints):
        assert endpoint.unavailability == pytest.approx(1.0 - ledger.all_up(shocks, [number]), rel=1e-12)
        assert endpoint.episodes_per_year == pytest.approx(ledger.episode_rate(shocks, number), rel=1e-12)


@pytest.mark.parametrize("shared", [1.0, 0.3, 0.0])
def test_the_twin_of_a_ledger_pair_at_any_share(shared: float) -> None:
    plan = plan_of(
        components={"cdn": {"incidents": [outages("100/y", "10h")]}},
        providers={"a": provider(depends_on=["cdn"]), "b": provider(depends_on=["cdn"])},
        shared=shared,
    )
    load = 1000.0 / 8760.0
    answer = exact(plan)
    assert answer.all_down == pytest.approx(pair_down_with_common_fraction(load, shared), rel=1e-12)
    assert [e.unavailability for e in answer.endpoints] == pytest.approx([-math.expm1(-load)] * 2, rel=1e-12)


@pytest.mark.parametrize("shared", [1.0, 0.25, 0.0])
def test_a_shared_renewal_component_is_common_or_copied_or_a_mixture(shared: float) -> None:
    plan = plan_of(
        components={"cdn": {"incidents": [up_down("90h", "10h")]}},
        providers={"a": provider(depends_on=["cdn"]), "b": provider(depends_on=[{"cdn": "50%"}])},
        shared=shared,
    )
    answer = exact(plan)
    assert answer.all_down == pytest.approx(shared * 0.05 + (1.0 - shared) * 0.1 * 0.05, rel=1e-12)
    assert answer.frechet_high == pytest.approx(0.05, rel=1e-12)


def test_one_call_per_leg_sums_over_every_state_of_brownouts_and_outages() -> None:
    plan = plan_of(
        components={"cdn": {"incidents": [outages("100/y", "10h", error_rate="30%")]}},
        providers={
            "a": provider(depends_on=["cdn"], incidents=[up_down("90h", "10h")], errors={"server_error": "2%"}),
            "b": provider(depends_on=["cdn"], incidents=[outages("40/y", "9h", error_rate="50%", hang="20%")]),
        },
        chain=[{"provider": "a", "timeout": "1s"}, {"provider": "b"}],
    )
    load, own = 1000.0 / 8760.0, 360.0 / 8760.0
    fails = 0.0
    for n in range(30):
        likely = math.exp(-load) * load**n / math.factorial(n)
        first = 1.0 - 0.9 * 0.98 * 0.7**n
        second = 1.0 - 0.7**n * math.exp(-own * (1.0 - 0.5 * 0.8))
        fails += likely * first * second
    assert exact(plan).availability == pytest.approx(1.0 - fails, rel=1e-12)


def test_conditioning_on_shared_outages_agrees_with_summing_all_sets() -> None:
    providers = {f"p{n}": provider(depends_on=["cdn"], incidents=[outages("9/y", "30h")]) for n in range(5)}
    providers["p4"] = provider(depends_on=["cdn"], incidents=[up_down("900h", "30h")])
    answer = exact(plan_of(components={"cdn": {"incidents": [up_down("900h", "9h")]}}, providers=providers))
    own = -math.expm1(-270.0 / 8760.0)
    shared, last = 9.0 / 909.0, 30.0 / 930.0
    assert answer.all_down == pytest.approx(shared + (1.0 - shared) * own**4 * last, rel=1e-12)


def test_recorded_windows_are_taken_as_they_stand() -> None:
    windows = [{"start": "10d", "duration": "20h"}, {"start": "100d", "duration": "40h"}]
    plan = plan_of(
        providers={
            "a": provider(incidents=[{"kind": "schedule", "windows": windows}]),
            "b": provider(incidents=[up_down("90h", "10h")]),
        },
    )
    answer = exact(plan)
    assert answer.all_down == pytest.approx(60.0 / 8760.0 * 0.1, rel=1e-12)
    # a window opens on an outage of b, or b goes down within a window
    assert answer.all_down_episodes_per_year == pytest.approx(2 * 0.1 + 60.0 / 100.0, rel=1e-12)


def test_any_classes_agree_with_drawn_timelines() -> None:
    weibull = {"kind": "weibull", "shape": 0.8, "scale": "30h"}
    lognormal = {"kind": "lognormal", "median": "3h", "sigma": 1.2}
    plan = plan_of(
        components={"cdn": {"incidents": [{"kind": "marked_renewal", "between": weibull, "duration": lognormal}]}},
        providers={
            "a": provider(
                depends_on=[{"cdn": "60%"}], incidents=[{"kind": "renewal", "up": weibull, "down": lognormal}]
            ),
            "b": provider(depends_on=["cdn"], incidents=[outages("100/y", "9h")]),
        },
    )
    until_s = 20.0 * YEAR_S
    shares, rates, own = [], [], []
    for replication in range(40):
        timeline = draw_timeline(plan, replication, until_s)
        both = all_down(timeline, [0, 1])
        shares.append(down_share(both, until_s))
        rates.append(episodes_started(both, until_s) / 20.0)
        own.append(down_share(all_down(timeline, [0]), until_s))
    answer = exact(plan)
    for drawn, expected in (
        (shares, answer.all_down),
        (rates, answer.all_down_episodes_per_year),
        (own, answer.endpoints[0].unavailability),
    ):
        error = np.std(drawn, ddof=1) / math.sqrt(len(drawn))
        assert abs(np.mean(drawn) - expected) < 4.0 * error


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"start_state": "up"}, "start_state: up"),
        (
            {
                "components": {
                    "cdn": {"incidents": [{**outages("9/y", "1h"), "profile": {"days": [1, 1, 1, 1, 1, 0, 0]}}]}
                }
            },
            "cdn: incidents[0] follow a time-of-week profile",
        ),
    ],
)
def test_what_has_no_closed_form_is_refused_by_name(change: dict[str, Any], named: str) -> None:
    plan = plan_of(**({"components": {"cdn": {}}} | change), providers={"a": provider(depends_on=["cdn"])})
    with pytest.raises(Inapplicable, match=named.replace("[", r"\[").replace("]", r"\]")):
        exact(plan)


def test_an_availability_without_a_closed_form_says_why() -> None:
    slow = {**outages("9/y", "1h", error_rate="10%"), "latency_factor": 2}
    answer = exact(plan_of(providers={"a": provider(incidents=[slow])}, chain=[{"provider": "a", "timeout": "1s"}]))
    assert answer.availability is None
    assert answer.availability_reason == "incidents slow a/model down, which has a timeout"


def test_calls_for_one_long_output_are_too_slow_together() -> None:
    """At 50 tokens a second and 10 s, a request for more than 500 tokens is lost on both legs."""
    streaming = {
        "latency": {"first_token": 0, "tokens_per_second": 50},
        "models": {"model": {"price": {"per_request": 0}}},
    }
    plan = plan_of(
        workload={
            "arrivals": {"kind": "poisson", "rate": "1/h"},
            "tokens": {"input": 1, "output": {"kind": "exponential", "mean": 100}},
        },
        providers={"a": streaming, "b": streaming},
        chain=[{"provider": "a", "timeout": "10s"}, {"provider": "b", "timeout": "10s"}],
    )
    availability = exact(plan).availability
    assert availability is not None
    assert 1.0 - availability == pytest.approx(math.exp(-5.005), rel=0.03)


def test_a_chain_that_answers_nothing_loses_no_more_than_everything() -> None:
    tokens = {
        "input": {"kind": "lognormal", "median": 1020, "p99": 4142},
        "output": {"kind": "lognormal", "median": 129, "p99": 601},
    }
    first = {"kind": "lognormal", "median": "900ms", "p99": "4s"}
    model = {
        "latency": {"first_token": first, "tokens_per_second": 60},
        "errors": {"server_error": "100%"},
        "price": {"per_request": 0},
    }
    failing = {"availability": "99.58%", "episodes_per_year": 136, "models": {"model": model}}
    workload = {"arrivals": {"kind": "poisson", "rate": "5/d"}, "tokens": tokens}
    plan = plan_of(providers={"a": failing}, workload=workload, chain=[{"provider": "a", "timeout": "30s"}])
    found = exact(plan)
    assert (found.availability, found.lost) == (0.0, 1.0)
