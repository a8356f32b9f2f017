"""Requests and component time against the closed forms of availability."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from des.distributions import Distribution, Exponential, Lognormal, Weibull
from des.faults import draw_timeline
from des.faults.episodes import all_down, down_share, episodes_started
from des.theory import availability as exact
from des.theory import ledger
from des.theory.availability import downtime_cdf, downtime_share_variance, no_downtime, residual_mean
from des.theory.ledger import Shock
from des.theory.markov import mean_time_to_total_outage
from oracles.conftest import Agree
from oracles.replications import (
    Run,
    availability,
    exponential,
    lost_share,
    outages,
    plan_of,
    provider,
    replicate,
    scenario,
    shocks,
)

YEAR_S = 365.0 * 86400.0
IDLE = "1/y"  # requests only where they are asked for: here the components are watched

UP_AND_DOWN: list[tuple[str, Any, Any, Distribution, Distribution]] = [
    ("exponential", exponential("80s"), exponential("20s"), Exponential(80.0), Exponential(20.0)),
    (
        "weibull and lognormal",
        {"kind": "weibull", "shape": 0.7, "scale": "60s"},
        {"kind": "lognormal", "median": "12s", "sigma": 1.0},
        Weibull(0.7, 60.0),
        Lognormal(np.log(12.0), 1.0),
    ),
]


@pytest.mark.parametrize(
    ("label", "up", "down", "up_law", "down_law"), UP_AND_DOWN, ids=[row[0] for row in UP_AND_DOWN]
)
def test_requests_are_lost_at_the_unavailability_of_a_renewal_component(
    agree: Agree, label: str, up: Any, down: Any, up_law: Distribution, down_law: Distribution
) -> None:
    one = scenario(horizon="3000s", rate="1/s", providers={"p": provider(incidents=outages(up, down))})
    got = replicate(
        one,
        {
            "availability": availability,
            "first minutes": lambda run: float(run.ok[run.requests["arrival_s"] < 120.0].mean()),
            "down share": lambda run: run.down_share("p"),
            "episodes": lambda run: sum(start > 0.0 for start, _ in run.down_intervals("p")) / 3000.0,
            # Poisson arrivals see time averages, and do so within each replication
            "seen less lived": lambda run: lost_share(run) - run.down_share("p"),
        },
    )
    u = exact.unavailability(up_law.mean, down_law.mean)
    agree("availability", got["availability"], 1.0 - u)
    agree("availability of the first minutes", got["first minutes"], 1.0 - u)
    agree("down share", got["down share"], u)
    agree("episodes", got["episodes"], exact.episode_rate(up_law.mean, down_law.mean))
    agree("seen less lived", got["seen less lived"], 0.0)


def test_downtime_varies_over_windows_as_much_as_it_should(agree: Agree) -> None:
    one = scenario(
        horizon="120s",
        rate=IDLE,
        providers={"p": provider(incidents=outages(exponential("80s"), exponential("20s")))},
    )
    shares = replicate(one, {"share": lambda run: run.down_share("p")}, 600)["share"]
    u = 0.2
    agree("variance", (shares - u) ** 2, downtime_share_variance(80.0, 20.0, 120.0))
    agree("no downtime", shares == 0.0, no_downtime(80.0, 20.0, 120.0))


@pytest.mark.parametrize(
    ("down", "law"),
    [
        (exponential("45min"), Exponential(2700.0)),
        ({"kind": "lognormal", "median": "30min", "sigma": 1.2}, Lognormal(np.log(1800.0), 1.2)),
    ],
    ids=["exponential", "lognormal"],
)
def test_a_monthly_objective_is_met_as_often_as_takacs_says(agree: Agree, down: Any, law: Distribution) -> None:
    one = scenario(
        horizon="30d",
        rate=IDLE,
        start_state="up",
        providers={"p": provider(incidents=outages(exponential("15d"), down))},
    )
    spent_s = replicate(one, {"spent": lambda run: run.down_share("p")}, 500)["spent"] * 30.0 * 86400.0
    for minutes in (0.0, 43.2, 216.0):
        met = downtime_cdf(15.0 * 86400.0, law, 30.0 * 86400.0, minutes * 60.0)
        agree(f"at most {minutes} min", spent_s <= minutes * 60.0, met)


def test_components_start_in_equilibrium(agree: Agree) -> None:
    up, down = {"kind": "weibull", "shape": 0.7, "scale": "4h"}, {"kind": "lognormal", "median": "1h", "sigma": 1.2}
    up_law, down_law = Weibull(0.7, 4.0), Lognormal(0.0, 1.2)
    one = scenario(horizon="400h", rate=IDLE, providers={"p": provider(incidents=outages(up, down))})

    def first_up_h(run: Run) -> float:
        intervals = run.down_intervals("p")
        if intervals and intervals[0][0] == 0.0:
            return 0.0
        return (intervals[0][0] if intervals else 400.0) / 3600.0

    def first_down_h(run: Run) -> float:
        intervals = run.down_intervals("p")
        return intervals[0][1] / 3600.0 if intervals and intervals[0][0] == 0.0 else 0.0

    got = replicate(one, {"up": first_up_h, "down": first_down_h}, 600)
    u = exact.unavailability(up_law.mean, down_law.mean)
    agree("down at the start", got["down"] > 0.0, u)
    agree("left of the first up time", got["up"], (1.0 - u) * residual_mean(up_law))
    agree("left of the first down time", got["down"], u * residual_mean(down_law))


def test_an_independent_pair_loses_the_product_of_its_unavailabilities(agree: Agree) -> None:
    pair = scenario(
        horizon="3000s",
        rate="1/s",
        providers={
            "a": provider(incidents=outages(exponential("60s"), {"kind": "gamma", "shape": 2.0, "scale": "10s"})),
            "b": provider(incidents=outages({"kind": "uniform", "low": "20s", "high": "60s"}, exponential("15s"))),
        },
    )

    def overlaps(run: Run) -> list[tuple[float, float]]:
        return [
            (max(a[0], b[0]), min(a[1], b[1]))
            for a in run.down_intervals("a")
            for b in run.down_intervals("b")
            if max(a[0], b[0]) < min(a[1], b[1])
        ]

    def both_down(run: Run) -> float:
        return sum(end - start for start, end in overlaps(run)) / 3000.0

    mean_overlap_s = exact.mean_overlap_if_independent(20.0, 15.0)  # of exponential down times only
    u = [exact.unavailability(60.0, 20.0), exact.unavailability(40.0, 15.0)]
    rates = [exact.episode_rate(60.0, 20.0), exact.episode_rate(40.0, 15.0)]
    episodes = exact.all_down_episode_rate_if_independent(u, rates)
    got = replicate(
        pair,
        {
            "lost": lost_share,
            "both down": both_down,
            "episodes": lambda run: sum(start > 0.0 for start, _ in overlaps(run)) / 3000.0,
            "overlap": lambda run: both_down(run) - mean_overlap_s * len(overlaps(run)) / 3000.0,
        },
    )
    agree("lost", got["lost"], exact.all_down_if_independent(u))
    agree("both down", got["both down"], exact.all_down_if_independent(u))
    agree("episodes", got["episodes"], episodes)
    # share = rate x mean length, whatever the laws
    agree("mean overlap", got["overlap"], 0.0)


def test_two_like_components_are_both_down_for_the_first_time_after_the_chains_mean(agree: Agree) -> None:
    pair = scenario(
        horizon="1h",
        rate=IDLE,
        start_state="up",
        providers={name: provider(incidents=outages(exponential("20s"), exponential("5s"))) for name in "ab"},
    )
    plan = plan_of(pair)
    first_s = [all_down(draw_timeline(plan, number, 3600.0), [0, 1]).start_s[0] for number in range(400)]
    agree("first total outage", first_s, mean_time_to_total_outage(1.0 / 20.0, 0.0, 1.0 / 5.0))


def test_a_shared_component_takes_both_legs_down_at_once(agree: Agree) -> None:
    pair = scenario(
        horizon="3000s",
        rate="1/s",
        components={"cdn": {"incidents": outages(exponential("190s"), exponential("10s"))}},
        providers={
            "a": provider(depends_on=["cdn"], incidents=outages(exponential("80s"), exponential("20s"))),
            "b": provider(depends_on=["cdn"], incidents=outages(exponential("45s"), exponential("15s"))),
        },
    )
    got = replicate(pair, {"lost": lost_share})
    agree("lost", got["lost"], exact.all_down_with_shared_component(0.05, [0.2, 0.25]))


def test_a_pair_of_ledgers_with_a_common_fraction_is_down_together_as_it_should(agree: Agree) -> None:
    # load 0.3, a third of it common
    pair = scenario(
        horizon="3000s",
        rate="1/s",
        components={"common": {"incidents": shocks("1/200s", exponential("20s"))}},
        providers={
            name: provider(depends_on=["common"], incidents=shocks("1/100s", exponential("20s"))) for name in "ab"
        },
    )
    got = replicate(pair, {"lost": lost_share})
    agree("lost", got["lost"], exact.pair_down_with_common_fraction(0.3, 1.0 / 3.0))


THREE: dict[str, Any] = {
    "components": {"cdn": {"incidents": shocks("1/100s", {"kind": "lognormal", "mean": "15s", "cv": 2.0})}},
    "providers": {
        "a": provider(depends_on=[{"cdn": "80%"}], incidents=shocks("1/50s", {"kind": "constant", "value": "20s"})),
        "b": provider(depends_on=[{"cdn": "50%"}], incidents=shocks("1/30s", exponential("10s"))),
        "c": provider(depends_on=["cdn"], incidents=shocks("1/40s", {"kind": "gamma", "shape": 0.5, "scale": "40s"})),
    },
}
THREE_SHOCKS = (
    *ledger.split_by_hits(1.0 / 100.0, 15.0, [0.8, 0.5, 1.0]),
    Shock(1.0 / 50.0, 20.0, frozenset({0})),
    Shock(1.0 / 30.0, 10.0, frozenset({1})),
    Shock(1.0 / 40.0, 20.0, frozenset({2})),
)


def test_a_ledger_with_marks_loses_requests_by_inclusion_and_exclusion(agree: Agree) -> None:
    one = scenario(horizon="3000s", rate="1/s", **THREE)
    got = replicate(
        one,
        {
            "lost": lost_share,
            "by a": lambda run: float((run.requests["chain_position"] == 0).mean()),
            "a or b": lambda run: float(np.isin(run.requests["chain_position"], (0, 1)).mean()),
        },
    )
    agree("all down", got["lost"], ledger.all_down(THREE_SHOCKS, [0, 1, 2]))
    agree("first up", got["by a"], ledger.all_up(THREE_SHOCKS, [0]))
    agree("one of two up", got["a or b"], 1.0 - ledger.all_down(THREE_SHOCKS, [0, 1]))


def test_a_ledger_with_marks_has_its_episodes_of_total_outage(agree: Agree) -> None:
    plan, until_s = plan_of(scenario(horizon="3000s", rate="1/s", **THREE)), 60_000.0
    everything = [all_down(draw_timeline(plan, number, until_s), [0, 1, 2]) for number in range(32)]
    alone = [all_down(draw_timeline(plan, number, until_s), [1]) for number in range(32)]
    share = [down_share(intervals, until_s) for intervals in everything]
    agree("share", share, ledger.all_down(THREE_SHOCKS, [0, 1, 2]))
    episodes = [episodes_started(intervals, until_s) / until_s for intervals in everything]
    agree("episodes", episodes, ledger.all_down_episode_rate(THREE_SHOCKS, [0, 1, 2]))
    of_one = [episodes_started(intervals, until_s) / until_s for intervals in alone]
    agree("episodes of one", of_one, ledger.episode_rate(THREE_SHOCKS, 1))


def test_an_intent_behind_a_shared_component_keeps_its_availability_and_episodes(agree: Agree) -> None:
    plan = plan_of(
        scenario(
            horizon="1y",
            rate=IDLE,
            components={"cdn": {"incidents": shocks("3/y", exponential("2h"))}},
            providers={
                name: provider(depends_on=["cdn"], availability="99.5%", episodes_per_year=10) for name in ("a", "b")
            },
        )
    )
    until_s = 2000.0 * YEAR_S
    timelines = [draw_timeline(plan, number, until_s) for number in range(32)]
    rate, duration = ledger.ledger_for(0.995, 10.0)  # years
    shared = Shock(3.0, 2.0 / 8760.0, frozenset({0, 1}))
    private = [
        Shock(rate - 3.0, (rate * duration - shared.load) / (rate - 3.0), frozenset({member})) for member in (0, 1)
    ]
    alone = [all_down(one, [0]) for one in timelines]
    both = [all_down(one, [0, 1]) for one in timelines]
    agree("unavailability", [down_share(one, until_s) for one in alone], 0.005)
    agree("episodes", [episodes_started(one, until_s) / 2000.0 for one in alone], 10.0)
    agree("both down", [down_share(one, until_s) for one in both], ledger.all_down([shared, *private], [0, 1]))


@pytest.mark.parametrize(("members", "years", "published"), [(2, 3000.0, 0.999975), (3, 8_000.0, 0.999999875)])
def test_independent_providers_at_995_have_the_published_nines(
    agree: Agree, members: int, years: float, published: float
) -> None:
    names: Sequence[str] = "abc"[:members]
    plan = plan_of(
        scenario(
            horizon="1y",
            rate=IDLE,
            providers={name: provider(availability="99.5%", episodes_per_year=10) for name in names},
        )
    )
    shares = [
        down_share(all_down(draw_timeline(plan, number, years * YEAR_S), range(members)), years * YEAR_S)
        for number in range(32)
    ]
    assert 1.0 - exact.all_down_if_independent([0.005] * members) == pytest.approx(published, abs=1e-12)
    agree("all down", shares, exact.all_down_if_independent([0.005] * members))


@pytest.mark.parametrize("kills", [False, True])
def test_a_ledger_of_brownouts_strikes_as_a_thinner_ledger_of_outages(agree: Agree, kills: bool) -> None:
    # 40 % of the calls that meet one of Poisson incidents fail: none strikes with e^{-0.4 load}, and where they kill
    # calls in flight, none within the latency with E[e^{-0.4 rate L}]
    incidents = shocks("1/20s", exponential("15s"), error_rate="40%", kills_in_flight=kills)
    one = scenario(
        horizon="3000s",
        rate="1/s",
        providers={"p": provider({"kind": "lognormal", "median": "3s", "sigma": 0.8}, incidents=incidents)},
    )
    got = replicate(one, {"availability": availability})
    survives = Lognormal(np.log(3.0), 0.8).laplace(0.4 / 20.0) if kills else 1.0
    agree("availability", got["availability"], np.exp(-0.4 * 15.0 / 20.0) * survives)
