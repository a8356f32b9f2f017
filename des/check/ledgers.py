"""Shock ledgers and their twins: what several endpoints suffer at once, and how much of it is common."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np

from des.check.case import DES_RUN, ESTIMATOR, TIMELINES, Case, Finding, Size, compared, equal
from des.check.replications import (
    availability,
    exponential,
    lost_share,
    outages,
    plan_of,
    provider,
    replicate,
    scenario,
    served_share,
    shocks,
)
from des.distributions import Lognormal
from des.estimate.exact import exact as exact_answer
from des.faults import draw_timeline, marginals
from des.faults.episodes import all_down, down_share, endpoint_down, episodes_started
from des.scenario.plan import Plan
from des.scenario.text.units import WEEK_S, YEAR_S
from des.theory import availability as exact
from des.theory import ledger
from des.theory.ledger import Shock

_LONG_S: Final = 150_000.0

_MARKED: Final[dict[str, Any]] = {
    "components": {"cdn": {"incidents": shocks("1/100s", {"kind": "lognormal", "mean": "15s", "cv": 2.0})}},
    "providers": {
        "a": provider(depends_on=[{"cdn": "80%"}], incidents=shocks("1/50s", {"kind": "constant", "value": "20s"})),
        "b": provider(depends_on=[{"cdn": "50%"}], incidents=shocks("1/30s", exponential("10s"))),
        "c": provider(depends_on=["cdn"], incidents=shocks("1/40s", {"kind": "gamma", "shape": 0.5, "scale": "40s"})),
    },
}
_MARKED_SHOCKS: Final = (
    *ledger.split_by_hits(1.0 / 100.0, 15.0, [0.8, 0.5, 1.0]),
    Shock(1.0 / 50.0, 20.0, frozenset({0})),
    Shock(1.0 / 30.0, 10.0, frozenset({1})),
    Shock(1.0 / 40.0, 20.0, frozenset({2})),
)

_LEDGER: Final = "M/G/infinity, inclusion and exclusion over hit sets"


def ledger_requests(size: Size) -> Iterator[Finding]:
    got = replicate(
        size,
        scenario(horizon="2000s", rate="1/s", **_MARKED),
        {
            "lost": lost_share,
            "a": served_share(0),
            "a or b": lambda run: float(np.isin(run.requests["chain_position"], (0, 1)).mean()),
        },
    )
    yield compared("ledger with marks: lost (all down)", got["lost"], ledger.all_down(_MARKED_SHOCKS, [0, 1, 2]))
    yield compared("  served by the first (it is up)", got["a"], ledger.all_up(_MARKED_SHOCKS, [0]))
    yield compared("  served by one of two", got["a or b"], 1.0 - ledger.all_down(_MARKED_SHOCKS, [0, 1]))


def ledger_timelines(size: Size) -> Iterator[Finding]:
    plan = plan_of(scenario(horizon="2000s", rate="1/s", **_MARKED))
    drawn = [draw_timeline(plan, k, _LONG_S) for k in range(size.count(32))]
    everything = [all_down(one, [0, 1, 2]) for one in drawn]
    pair_share = [down_share(all_down(one, [0, 1]), _LONG_S) for one in drawn]
    yield compared("ledger with marks: P(two down)", pair_share, ledger.all_down(_MARKED_SHOCKS, [0, 1]))
    share = [down_share(one, _LONG_S) for one in everything]
    yield compared("  P(three down)", share, ledger.all_down(_MARKED_SHOCKS, [0, 1, 2]))
    episodes = [episodes_started(one, _LONG_S) / _LONG_S for one in everything]
    rate = ledger.all_down_episode_rate(_MARKED_SHOCKS, [0, 1, 2])
    yield compared("  episodes of three down per second", episodes, rate)
    of_b = [episodes_started(endpoint_down(one, 1), _LONG_S) / _LONG_S for one in drawn]
    yield compared("  episodes of one provider per second", of_b, ledger.episode_rate(_MARKED_SHOCKS, 1))


def ledger_exact(size: Size) -> Iterator[Finding]:
    plan = plan_of(scenario(horizon="2000s", rate="1/s", **_MARKED))
    whole = exact_answer(plan)
    yield equal("exact estimator: P(three down)", whole.all_down, ledger.all_down(_MARKED_SHOCKS, [0, 1, 2]))
    rate = ledger.all_down_episode_rate(_MARKED_SHOCKS, [0, 1, 2])
    yield equal("  episodes per second", whole.all_down_episodes_per_year / YEAR_S, rate)


def exact_against_timelines(size: Size) -> Iterator[Finding]:
    """Every kind of incident with a closed form, at several shares of common incidents."""
    incidents = scenario(
        horizon="2000s",
        rate="1/s",
        components={
            "cloud": {"incidents": outages(exponential("300s"), exponential("30s"))},
            "cdn": {"depends_on": [{"cloud": "60%"}], "incidents": shocks("1/150s", exponential("20s"))},
        },
        providers={
            "a": provider(depends_on=["cdn"], incidents=outages(exponential("90s"), exponential("25s"))),
            "b": provider(depends_on=[{"cdn": "70%"}], incidents=shocks("1/60s", exponential("20s"))),
        },
    )
    for phi in (1.0, 0.4, 0.0):
        plan = plan_of({**incidents, "shared": phi})
        both = [all_down(draw_timeline(plan, k, _LONG_S), [0, 1]) for k in range(size.count(64))]
        share = [down_share(one, _LONG_S) for one in both]
        answer = exact_answer(plan)
        yield compared(f"P(all down) as the exact estimator says, shared {phi:g}", share, answer.all_down)
        per_year = [episodes_started(one, _LONG_S) / _LONG_S * YEAR_S for one in both]
        yield compared("  its episodes per year", per_year, answer.all_down_episodes_per_year)


def common_fraction(size: Size) -> Iterator[Finding]:
    """Load 0.3, a third of it common."""
    pair = scenario(
        horizon="2000s",
        rate="1/s",
        components={"common": {"incidents": shocks("1/200s", exponential("20s"))}},
        providers={
            name: provider(depends_on=["common"], incidents=shocks("1/100s", exponential("20s"))) for name in "ab"
        },
    )
    got = replicate(size, pair, {"lost": lost_share})["lost"]
    yield compared("ledger pair, a third common: lost", got, exact.pair_down_with_common_fraction(0.3, 1.0 / 3.0))


def common_cause(size: Size) -> Iterator[Finding]:
    """`common_cause` makes a fraction of each endpoint's incidents common, so marginals stay the same."""
    for fraction in (0.1, 0.5):
        plan = plan_of(
            scenario(
                horizon="2000s",
                rate="1/s",
                providers={name: provider(incidents=shocks("1/80s", exponential("20s"))) for name in "ab"},
                common_cause={"members": ["a", "b"], "fraction": fraction},
            )
        )
        drawn = [draw_timeline(plan, k, _LONG_S) for k in range(size.count(32))]
        both = [down_share(all_down(one, [0, 1]), _LONG_S) for one in drawn]
        one = [down_share(endpoint_down(timeline, 0), _LONG_S) for timeline in drawn]
        together = exact.pair_down_with_common_fraction(0.25, fraction)
        yield compared(f"common_cause of {fraction:.0%}: P(both down)", both, together)
        yield compared("  each one's unavailability", one, -float(np.expm1(-0.25)))


def twin(size: Size) -> Iterator[Finding]:
    """A pair whose incidents are all shared, of which a share phi stays common."""
    pair = plan_of(
        scenario(
            horizon="2000s",
            rate="1/s",
            components={"common": {"incidents": shocks("1/60s", {"kind": "lognormal", "mean": "20s", "cv": 1.5})}},
            providers={name: provider(depends_on=["common"]) for name in "ab"},
        )
    )
    load = 20.0 / 60.0
    for phi in (0.0, 0.3, 1.0):
        plan = replace(pair, shared=phi)
        parts = [marginals(draw_timeline(plan, k, _LONG_S), _LONG_S, (0, 1)) for k in range(size.count(32))]
        both = [part.all_down.unavailability for part in parts]
        one = [part.endpoints[1].unavailability for part in parts]
        episodes = [part.endpoints[1].episodes / _LONG_S for part in parts]
        together = exact.pair_down_with_common_fraction(load, phi)
        yield compared(f"twin, share {phi:g} common: P(both down)", both, together)
        yield compared("  each one's unavailability", one, -float(np.expm1(-load)))
        yield compared("  each one's episodes per second", episodes, float(np.exp(-load)) / 60.0)


def twin_requests(size: Size) -> Iterator[Finding]:
    """Arms `as_modelled` and `independent` of one scenario, by requests."""
    pair = scenario(
        horizon=size.horizon(2000.0),
        rate="1/s",
        components={"cdn": {"incidents": outages(exponential("60s"), exponential("20s"))}},
        providers={name: provider(depends_on=["cdn"]) for name in "ab"},
    )
    for phi, label in ((1.0, "as modelled"), (0.5, "half of the replications common"), (0.0, "independent")):
        got = replicate(size, {**pair, "shared": phi}, {"lost": lost_share}, 64 if phi == 0.5 else 32)["lost"]
        lost = phi * 0.25 + (1.0 - phi) * 0.25**2
        yield compared(f"twin of a shared renewal component, {label}: lost", got, lost)


def intent(size: Size) -> Iterator[Finding]:
    """Availability and episodes a year as asked for, behind a component with its own incidents."""
    plan = plan_of(
        scenario(
            horizon="1y",
            rate="1/y",
            components={"cdn": {"incidents": shocks("3/y", exponential("2h"))}},
            providers={name: provider(depends_on=["cdn"], availability="99.5%", episodes_per_year=10) for name in "ab"},
        )
    )
    years = 3000.0
    until_s = years * YEAR_S
    rate, duration = ledger.ledger_for(0.995, 10.0)  # in years
    shared = Shock(3.0, 2.0 / 8760.0, frozenset({0, 1}))
    private = [Shock(rate - 3.0, (rate * duration - shared.load) / (rate - 3.0), frozenset({k})) for k in (0, 1)]
    drawn = [draw_timeline(plan, k, until_s) for k in range(size.count(32))]
    alone = [endpoint_down(one, 0) for one in drawn]
    both = [down_share(all_down(one, [0, 1]), until_s) for one in drawn]
    yield compared("intent of 99.5 %, 10 a year: unavailability", [down_share(one, until_s) for one in alone], 0.005)
    yield compared("  episodes per year", [episodes_started(one, until_s) / years for one in alone], 10.0)
    yield compared("  P(both down)", both, ledger.all_down([shared, *private], [0, 1]))


def brownouts(size: Size) -> Iterator[Finding]:
    """40 % of the calls that meet an incident fail, so effective incidents are a thinned ledger."""
    latency = Lognormal(float(np.log(3.0)), 0.8)
    for kills, label in ((False, "kill nothing"), (True, "kill in flight")):
        incidents = shocks("1/20s", exponential("15s"), error_rate="40%", kills_in_flight=kills)
        written = {"kind": "lognormal", "median": "3s", "sigma": 0.8}
        one = scenario(
            horizon=size.horizon(1500.0), rate="1/s", providers={"p": provider(written, incidents=incidents)}
        )
        served = float(np.exp(-0.4 * 15.0 / 20.0)) * (latency.laplace(0.4 / 20.0) if kills else 1.0)
        got = replicate(size, one, {"availability": availability})["availability"]
        yield compared(f"ledger of brownouts that {label}: availability", got, served)


_RECORDED: Final = ((30, 40), (45, 52), (205, 215), (380, 384), (700, 712), (873, 880))
_RECORDED_WEEKS: Final = 6


def week_shifts(size: Size) -> Iterator[Finding]:
    """Recorded incidents made independent: the mean over whole-week shifts, given the hour of the week."""
    plan = _recorded(0.0)
    until_s = _RECORDED_WEEKS * WEEK_S
    parts = [marginals(draw_timeline(plan, k, until_s), until_s, (0, 1)) for k in range(_RECORDED_WEEKS - 1)]
    hours = np.zeros(_RECORDED_WEEKS * 168)
    for start, end in _RECORDED:
        hours[start:end] = 1.0
    by_hour = hours.reshape(_RECORDED_WEEKS, 168).sum(axis=0)
    over_all = float((by_hour**2).sum()) / _RECORDED_WEEKS  # over every shift, zero included
    other = (over_all * _RECORDED_WEEKS - float(hours.sum())) / (_RECORDED_WEEKS - 1)
    joint = [part.all_down.unavailability for part in parts]
    yield equal("whole-week shifts: mean joint share", float(np.mean(joint)), other / len(hours))
    one = float(np.mean([part.endpoints[1].unavailability for part in parts]))
    yield equal("  each one's share is the recorded one", one, float(hours.mean()))


def _recorded(phi: float) -> Plan:
    windows = [{"start": f"{start}h", "end": f"{end}h"} for start, end in _RECORDED]
    return plan_of(
        scenario(
            horizon=f"{7 * _RECORDED_WEEKS}d",
            rate="1/y",
            components={"cloud": {"incidents": [{"kind": "schedule", "windows": windows}]}},
            providers={name: provider(depends_on=["cloud"]) for name in "ab"},
            shared=phi,
        )
    )


CASES: Final = (
    Case("ledger_requests", DES_RUN, ledger_requests, _LEDGER),
    Case("ledger_timelines", TIMELINES, ledger_timelines, _LEDGER),
    Case("ledger_exact", ESTIMATOR, ledger_exact, _LEDGER),
    Case("exact_against_timelines", TIMELINES, exact_against_timelines, "conditioning on the shared components"),
    Case("common_fraction", DES_RUN, common_fraction, "1 - 2 e^-r + e^-(2 - phi) r"),
    Case("common_cause", TIMELINES, common_cause, "1 - 2 e^-r + e^-(2 - phi) r"),
    Case("twin", TIMELINES, twin, "superposition of Poisson processes"),
    Case("twin_requests", DES_RUN, twin_requests, "mixture of the common and the independent pair"),
    Case("intent", TIMELINES, intent, "M/G/infinity: A = e^-load, E = rate x A"),
    Case("brownouts", DES_RUN, brownouts, "thinning of a Poisson process"),
    Case("week_shifts", TIMELINES, week_shifts, "mean over all relative shifts of whole weeks"),
)
