"""Components that go up and down: unavailability, episodes, monthly downtime, pairs, and shared components."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from des.check.case import DES_RUN, TIMELINES, Case, Finding, Size, compared, equal
from des.check.replications import (
    Run,
    availability,
    exponential,
    lost_share,
    outages,
    plan_of,
    provider,
    replicate,
    scenario,
)
from des.distributions import Distribution, Exponential, Lognormal, Weibull
from des.faults import draw_timeline
from des.faults.episodes import all_down, down_share, endpoint_down, episodes_started
from des.scenario.plan import Plan
from des.scenario.text.units import DAY_S, YEAR_S
from des.theory import availability as exact
from des.theory.availability import downtime_cdf, downtime_share_variance, no_downtime, residual_mean
from des.theory.markov import mean_time_to_total_outage

_IDLE: Final = "1/y"
"""The fewest requests, where only components are observed."""


def renewal(size: Size) -> Iterator[Finding]:
    weibull = {"kind": "weibull", "shape": 0.7, "scale": "60s"}
    lognormal = {"kind": "lognormal", "median": "12s", "sigma": 1.0}
    for name, up_s, down_s, written in (
        ("exponential times", 80.0, 20.0, outages(exponential("80s"), exponential("20s"))),
        (
            "Weibull up and lognormal down",
            Weibull(0.7, 60.0).mean,
            Lognormal(float(np.log(12.0)), 1.0).mean,
            outages(weibull, lognormal),
        ),
    ):
        got = replicate(
            size,
            scenario(horizon="2000s", rate="1/s", providers={"p": provider(incidents=written)}),
            {
                "availability": availability,
                "first": lambda run: float(run.ok[run.requests["arrival_s"] < 120.0].mean()),
                "down": lambda run: run.down_share("p"),
                "episodes": lambda run: sum(start > 0.0 for start, _ in run.down_intervals("p")) / 2000.0,
                "seen less lived": lambda run: lost_share(run) - run.down_share("p"),
            },
        )
        u = exact.unavailability(up_s, down_s)
        yield compared(f"renewal, {name}: availability", got["availability"], 1.0 - u)
        yield compared("  in the first two minutes already", got["first"], 1.0 - u)
        yield compared("  share of the time down", got["down"], u)
        yield compared("  episodes per second", got["episodes"], exact.episode_rate(up_s, down_s))
        yield compared("  requests lost less time down (PASTA)", got["seen less lived"], 0.0)


def downtime_of_a_window(size: Size) -> Iterator[Finding]:
    plan = plan_of(
        scenario(
            horizon="120s",
            rate=_IDLE,
            providers={"p": provider(incidents=outages(exponential("80s"), exponential("20s")))},
        )
    )
    shares = np.array(
        [down_share(endpoint_down(draw_timeline(plan, k, 120.0), 0), 120.0) for k in range(size.count(3000))]
    )
    yield compared("share of a window down: variance", (shares - 0.2) ** 2, downtime_share_variance(80.0, 20.0, 120.0))
    yield compared("  P(no downtime in it)", shares == 0.0, no_downtime(80.0, 20.0, 120.0))


def monthly_objective(size: Size) -> Iterator[Finding]:
    month_s = 30.0 * DAY_S
    times: tuple[tuple[str, Any, Distribution], ...] = (
        ("exponential", exponential("45min"), Exponential(2700.0)),
        ("lognormal", {"kind": "lognormal", "median": "30min", "sigma": 1.2}, Lognormal(float(np.log(1800.0)), 1.2)),
    )
    for name, written, down in times:
        incidents = outages(exponential("15d"), written)
        plan = plan_of(
            scenario(horizon="30d", rate=_IDLE, start_state="up", providers={"p": provider(incidents=incidents)})
        )
        spent_s = np.array(
            [down_share(endpoint_down(draw_timeline(plan, k, month_s), 0), month_s) for k in range(size.count(3000))]
        )
        for minutes in (0.0, 43.2, 216.0):
            met = downtime_cdf(15.0 * DAY_S, down, month_s, minutes * 60.0)
            yield compared(
                f"month of at most {minutes:g} min down, {name} (Takacs)", spent_s * month_s <= minutes * 60.0, met
            )


def equilibrium(size: Size) -> Iterator[Finding]:
    up, down = Weibull(0.7, 14_400.0), Lognormal(float(np.log(3600.0)), 1.2)
    written = outages(
        {"kind": "weibull", "shape": 0.7, "scale": "4h"}, {"kind": "lognormal", "median": "1h", "sigma": 1.2}
    )
    until_s = 400.0 * 3600.0
    plan = plan_of(scenario(horizon="400h", rate=_IDLE, providers={"p": provider(incidents=written)}))
    first_up_s, first_down_s = [], []
    for k in range(size.count(3000)):
        spells = endpoint_down(draw_timeline(plan, k, until_s), 0)
        start_s, end_s = (spells.start_s[0], spells.end_s[0]) if len(spells.start_s) else (until_s, until_s)
        first_up_s.append(max(0.0, start_s))
        first_down_s.append(end_s if start_s <= 0.0 else 0.0)
    u = exact.unavailability(up.mean, down.mean)
    yield compared("equilibrium at the start: P(down)", np.array(first_down_s) > 0.0, u)
    yield compared("  left of the first up time, s (Weibull)", first_up_s, (1.0 - u) * residual_mean(up))
    yield compared("  left of the first down time, s (lognormal)", first_down_s, u * residual_mean(down))


def independent_pair(size: Size) -> Iterator[Finding]:
    plan = plan_of(
        scenario(
            horizon="1h",
            rate=_IDLE,
            providers={
                "a": provider(incidents=outages({"kind": "uniform", "low": "20s", "high": "100s"}, exponential("20s"))),
                "b": provider(incidents=outages({"kind": "uniform", "low": "20s", "high": "60s"}, exponential("15s"))),
            },
        )
    )
    until_s = 100_000.0
    both = [all_down(draw_timeline(plan, k, until_s), [0, 1]) for k in range(size.count(32))]
    share = np.array([down_share(one, until_s) for one in both])
    episodes = np.array([episodes_started(one, until_s) / until_s for one in both])
    u = [exact.unavailability(60.0, 20.0), exact.unavailability(40.0, 15.0)]
    rates = [exact.episode_rate(60.0, 20.0), exact.episode_rate(40.0, 15.0)]
    overlap_s = exact.mean_overlap_if_independent(20.0, 15.0)
    yield compared("independent pair: P(both down)", share, exact.all_down_if_independent(u))
    yield compared("  episodes of both down per second", episodes, exact.all_down_episode_rate_if_independent(u, rates))
    # share = rate x mean length as a difference, since a ratio would be biased
    yield compared("  share less rate x mean overlap R1 R2/(R1 + R2)", share - overlap_s * episodes, 0.0)


def independent_pair_requests(size: Size) -> Iterator[Finding]:
    """Requests lost and traced transitions, for any distributions of the times."""
    pair = scenario(
        horizon="2000s",
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
        return sum(end - start for start, end in overlaps(run)) / 2000.0

    got = replicate(
        size,
        pair,
        {
            "lost": lost_share,
            "both": both_down,
            "episodes": lambda run: sum(start > 0.0 for start, _ in overlaps(run)) / 2000.0,
            "overlap": lambda run: (
                both_down(run) - exact.mean_overlap_if_independent(20.0, 15.0) * len(overlaps(run)) / 2000.0
            ),
        },
    )
    u = [exact.unavailability(60.0, 20.0), exact.unavailability(40.0, 15.0)]
    rates = [exact.episode_rate(60.0, 20.0), exact.episode_rate(40.0, 15.0)]
    yield compared("independent pair with gamma down times: lost", got["lost"], exact.all_down_if_independent(u))
    yield compared("  P(both down)", got["both"], exact.all_down_if_independent(u))
    yield compared(
        "  episodes of both down per second", got["episodes"], exact.all_down_episode_rate_if_independent(u, rates)
    )
    yield compared("  share less rate x mean overlap", got["overlap"], 0.0)


def first_outage_of_a_pair(size: Size) -> Iterator[Finding]:
    pair = scenario(
        horizon="1h",
        rate=_IDLE,
        start_state="up",
        providers={name: provider(incidents=outages(exponential("20s"), exponential("5s"))) for name in "ab"},
    )
    plan = plan_of(pair)
    first_s = [all_down(draw_timeline(plan, k, 3600.0), [0, 1]).start_s[0] for k in range(size.count(1000))]
    mean_s = mean_time_to_total_outage(1.0 / 20.0, 0.0, 1.0 / 5.0)
    yield compared("like pair, up at the start: both down after, mean, s", first_s, mean_s)


def shared_component(size: Size) -> Iterator[Finding]:
    pair = scenario(
        horizon="2000s",
        rate="1/s",
        components={"cdn": {"incidents": outages(exponential("190s"), exponential("10s"))}},
        providers={
            "a": provider(depends_on=["cdn"], incidents=outages(exponential("80s"), exponential("20s"))),
            "b": provider(depends_on=["cdn"], incidents=outages(exponential("45s"), exponential("15s"))),
        },
    )
    lost = exact.all_down_with_shared_component(0.05, [0.2, 0.25])
    yield compared("pair behind a shared component: lost", replicate(size, pair, {"lost": lost_share})["lost"], lost)


def published_nines(size: Size) -> Iterator[Finding]:
    """0.999975 and 0.999999875, as fractions without rounding by a subtraction."""
    for members, years, published in ((2, 2000.0, 2.5e-5), (3, 8000.0, 1.25e-7)):
        plan = _at_995(members)
        until_s = years * YEAR_S
        down = [
            down_share(all_down(draw_timeline(plan, k, until_s), range(members)), until_s)
            for k in range(size.count(32))
        ]
        yield compared(f"{members} independent providers at 99.5 %: share down", down, published)
        yield equal("  as the closed form says", exact.all_down_if_independent([0.005] * members), published)


def _at_995(members: int) -> Plan:
    return plan_of(
        scenario(
            horizon="1y",
            rate=_IDLE,
            providers={name: provider(availability="99.5%", episodes_per_year=10) for name in "abc"[:members]},
        )
    )


CASES: Final = (
    Case("renewal", DES_RUN, renewal, "renewal-reward theorem; PASTA: Wolff 1982"),
    Case("downtime_of_a_window", TIMELINES, downtime_of_a_window, "autocovariance of a two-state Markov chain"),
    Case("monthly_objective", TIMELINES, monthly_objective, "Takacs 1957"),
    Case("equilibrium", TIMELINES, equilibrium, "equilibrium renewal process: residual mean E[X^2] / (2 E[X])"),
    Case("independent_pair", TIMELINES, independent_pair, "product of the marginals"),
    Case("independent_pair_requests", DES_RUN, independent_pair_requests, "product of the marginals; PASTA"),
    Case("first_outage_of_a_pair", TIMELINES, first_outage_of_a_pair, "first passage of a Markov chain"),
    Case("shared_component", DES_RUN, shared_component, "conditioning on the shared component"),
    Case("published_nines", TIMELINES, published_nines, "1 - 0.005^2 and 1 - 0.005^3, as published"),
)
