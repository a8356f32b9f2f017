"""Components that go up and down: unavailability, episodes, downtime of a month, pairs, and what they share."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from des.check.case import DES_RUN, TIMELINES, Case, Finding, compared
from des.check.replications import (
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

IDLE: Final = "1/y"
"""Requests where nobody asks for them: the components alone are watched."""


def renewal() -> Iterator[Finding]:
    up, down = Weibull(0.7, 60.0), Lognormal(float(np.log(12.0)), 1.0)
    written = outages(
        {"kind": "weibull", "shape": 0.7, "scale": "60s"}, {"kind": "lognormal", "median": "12s", "sigma": 1.0}
    )
    one = scenario(horizon="2000s", rate="1/s", providers={"p": provider(incidents=written)})
    got = replicate(
        one,
        {
            "availability": availability,
            "first": lambda run: float(run.ok[run.requests["arrival_s"] < 120.0].mean()),
            "down": lambda run: run.down_share("p"),
            "episodes": lambda run: sum(start > 0.0 for start, _ in run.down_intervals("p")) / 2000.0,
            "seen less lived": lambda run: lost_share(run) - run.down_share("p"),
        },
    )
    u = exact.unavailability(up.mean, down.mean)
    yield compared("renewal, Weibull up and lognormal down: availability", got["availability"], 1.0 - u)
    yield compared("  in the first two minutes already", got["first"], 1.0 - u)
    yield compared("  share of the time down", got["down"], u)
    yield compared("  episodes per second", got["episodes"], exact.episode_rate(up.mean, down.mean))
    yield compared("  requests lost less time down (PASTA)", got["seen less lived"], 0.0)


def downtime_of_a_window() -> Iterator[Finding]:
    plan = plan_of(
        scenario(
            horizon="120s",
            rate=IDLE,
            providers={"p": provider(incidents=outages(exponential("80s"), exponential("20s")))},
        )
    )
    shares = np.array([down_share(endpoint_down(draw_timeline(plan, k, 120.0), 0), 120.0) for k in range(3000)])
    yield compared("share of a window down: variance", (shares - 0.2) ** 2, downtime_share_variance(80.0, 20.0, 120.0))
    yield compared("  P(no downtime in it)", shares == 0.0, no_downtime(80.0, 20.0, 120.0))


def monthly_objective() -> Iterator[Finding]:
    month_s = 30.0 * DAY_S
    laws: tuple[tuple[str, Any, Distribution], ...] = (
        ("exponential", exponential("45min"), Exponential(2700.0)),
        ("lognormal", {"kind": "lognormal", "median": "30min", "sigma": 1.2}, Lognormal(float(np.log(1800.0)), 1.2)),
    )
    for name, written, law in laws:
        incidents = outages(exponential("15d"), written)
        plan = plan_of(
            scenario(horizon="30d", rate=IDLE, start_state="up", providers={"p": provider(incidents=incidents)})
        )
        spent_s = np.array(
            [down_share(endpoint_down(draw_timeline(plan, k, month_s), 0), month_s) for k in range(3000)]
        )
        for minutes in (43.2, 216.0):
            met = downtime_cdf(15.0 * DAY_S, law, month_s, minutes * 60.0)
            yield compared(
                f"month of at most {minutes:g} min down, {name} (Takacs)", spent_s * month_s <= minutes * 60.0, met
            )


def equilibrium() -> Iterator[Finding]:
    up, down = Weibull(0.7, 14_400.0), Lognormal(float(np.log(3600.0)), 1.2)
    written = outages(
        {"kind": "weibull", "shape": 0.7, "scale": "4h"}, {"kind": "lognormal", "median": "1h", "sigma": 1.2}
    )
    until_s = 400.0 * 3600.0
    plan = plan_of(scenario(horizon="400h", rate=IDLE, providers={"p": provider(incidents=written)}))
    first_up_s, first_down_s = [], []
    for k in range(3000):
        spells = endpoint_down(draw_timeline(plan, k, until_s), 0)
        start_s, end_s = (spells.start_s[0], spells.end_s[0]) if len(spells.start_s) else (until_s, until_s)
        first_up_s.append(max(0.0, start_s))
        first_down_s.append(end_s if start_s <= 0.0 else 0.0)
    u = exact.unavailability(up.mean, down.mean)
    yield compared("equilibrium at the start: P(down)", np.array(first_down_s) > 0.0, u)
    yield compared("  left of the first up time, s (Weibull)", first_up_s, (1.0 - u) * residual_mean(up))
    yield compared("  left of the first down time, s (lognormal)", first_down_s, u * residual_mean(down))


def independent_pair() -> Iterator[Finding]:
    plan = plan_of(
        scenario(
            horizon="1h",
            rate=IDLE,
            providers={
                "a": provider(incidents=outages({"kind": "uniform", "low": "20s", "high": "100s"}, exponential("20s"))),
                "b": provider(incidents=outages({"kind": "uniform", "low": "20s", "high": "60s"}, exponential("15s"))),
            },
        )
    )
    until_s = 100_000.0
    both = [all_down(draw_timeline(plan, k, until_s), [0, 1]) for k in range(32)]
    share = np.array([down_share(one, until_s) for one in both])
    episodes = np.array([episodes_started(one, until_s) / until_s for one in both])
    u = [exact.unavailability(60.0, 20.0), exact.unavailability(40.0, 15.0)]
    rates = [exact.episode_rate(60.0, 20.0), exact.episode_rate(40.0, 15.0)]
    overlap_s = exact.mean_overlap_if_independent(20.0, 15.0)
    yield compared("independent pair: P(both down)", share, exact.all_down_if_independent(u))
    yield compared("  episodes of both down per second", episodes, exact.all_down_episode_rate_if_independent(u, rates))
    # share = rate x mean length, and a difference has no bias of a ratio
    yield compared("  share less rate x mean overlap R1 R2/(R1 + R2)", share - overlap_s * episodes, 0.0)


def shared_component() -> Iterator[Finding]:
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
    yield compared("pair behind a shared component: lost", replicate(pair, {"lost": lost_share})["lost"], lost)


def published_nines() -> Iterator[Finding]:
    for members, years, published in ((2, 2000.0, 0.999975), (3, 8000.0, 0.999999875)):
        plan = _at_995(members)
        until_s = years * YEAR_S
        down = [down_share(all_down(draw_timeline(plan, k, until_s), range(members)), until_s) for k in range(32)]
        yield compared(f"{members} independent providers at 99.5 %: share down", down, 1.0 - published)


def _at_995(members: int) -> Plan:
    return plan_of(
        scenario(
            horizon="1y",
            rate=IDLE,
            providers={name: provider(availability="99.5%", episodes_per_year=10) for name in "abc"[:members]},
        )
    )


CASES: Final = (
    Case("renewal", DES_RUN, renewal),
    Case("downtime_of_a_window", TIMELINES, downtime_of_a_window),
    Case("monthly_objective", TIMELINES, monthly_objective),
    Case("equilibrium", TIMELINES, equilibrium),
    Case("independent_pair", TIMELINES, independent_pair),
    Case("shared_component", DES_RUN, shared_component),
    Case("published_nines", TIMELINES, published_nines),
)
