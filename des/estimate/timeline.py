"""The timeline estimator: draws incidents over many years but no requests, and integrates the loss over time.

Two parts are exact: the share of time in which endpoints and the whole chain are down along the drawn timelines, and
the chance that the calls of a sampled arrival fail, given what is open when they start. The rest is sampled: the
timelines, the instants of arrivals near incidents (stratified), and the durations, back-offs and manners of failure of
one request each. Arrivals further than the longest walk from any incident meet none; their loss is estimated
separately. The interval is Student's t over independent blocks of years.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import Final

import numpy as np

from des.draws import generator
from des.errors import DesError
from des.estimate.conditions import TimelineConditions, Undisturbed, affected
from des.estimate.estimate import TIMELINE, Estimate, Inapplicable
from des.estimate.exact import ExactAnswer, exact_or_none
from des.estimate.failing_walk import FailingWalk
from des.estimate.few_outages import ENOUGH, by_total_outages, share_down, with_few_outages
from des.estimate.heterogeneous import Heterogeneous, without_intervals
from des.estimate.interaction import arrival_profile, interactions, needs_whole_horizons
from des.estimate.intervals import FEW_EPISODES, mean_of, poisson_bounds, with_controls
from des.estimate.longest_walk import longest_walk_s
from des.faults import Intervals, Timeline, draw_timeline, one_after_the_other
from des.faults.episodes import down_share, endpoint_down, episodes_started, intersection
from des.faults.incident_classes import weights_at
from des.faults.intervals import FloatArray
from des.faults.marginals import chain_endpoints
from des.faults.reach import Reach
from des.pool import Report, Where, Workers
from des.scenario.plan import (
    Component,
    MarkedRenewalIncidents,
    OwnIncidents,
    Plan,
    PoissonIncidents,
    Profile,
    RecordedIncidents,
    RenewalIncidents,
)
from des.scenario.text.units import HOUR_S, WEEK_S, YEAR_S

SAMPLES: Final = 12_000
"""Arrivals sampled in a block of years over all strata; the same number again for those that meet no incident."""
MOST_STRATA: Final = 32
_BLOCKS: Final = 40
_FEWEST_SAMPLES: Final = 100
_MOST_CONTROLS: Final = 4
_MOST_INCIDENTS: Final = 400_000
"""About the number of incidents drawn at once, which bounds memory."""


_Task = tuple[Plan, range, float, int]
"""Plan, its pieces of a block, their length in seconds, samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineAnswer:
    """Long-run figures over `years` simulated, each with a 95 % interval.

    `unavailability` is of the chain's endpoints by name; `all_down_episodes` is the number observed. The interval of
    the episode rate is the exact one of a Poisson count. The availability is control-variate adjusted by the blocks'
    own downtime where that has a closed form; `variance_reduction` is the gain. With fewer than 200 total outages, the
    difference between observed and exact downtime is taken to lose every request (`few_outages.py`).
    """

    estimator: str
    years: float
    blocks: int
    availability: Estimate
    variance_reduction: float
    all_down: Estimate
    all_down_episodes: int
    all_down_episodes_per_year: Estimate
    unavailability: dict[str, Estimate]
    wall_s: float


def timeline(
    plan: Plan,
    years: float,
    seed: int | None = None,
    workers: Where = 1,
    progress: Callable[[float], None] | None = None,
    samples: int | None = None,
) -> TimelineAnswer:
    """The same figures for any number of workers. Raises Inapplicable, naming what makes requests interact.

    `samples` arrivals are walked in each of the 40 blocks of years, `SAMPLES` unless said otherwise.
    """
    against = interactions(plan)
    if against:
        raise Inapplicable("; ".join(against))
    if not years > 0.0:
        raise DesError(f"--years: must be above 0, not {years:g}")
    started = time.perf_counter()
    samples = SAMPLES if samples is None else samples
    if seed is not None:
        plan = replace(plan, seed=seed)
    pieces, piece_s = _pieces(plan, years)
    tasks = [(plan, block, piece_s, samples) for block in _blocks(pieces)]
    blocks = len(tasks)
    done: list[_Block] = []
    with Workers(_simulate_block, workers) as pool:
        for block in pool.map(tasks):
            done.append(block)
            if progress is not None:
                progress(len(done) / blocks)
    answer = _answer(plan, done, pieces * piece_s / YEAR_S, time.perf_counter() - started)
    heterogeneous = Heterogeneous.of(plan)
    return answer if heterogeneous is None else _of_enough(answer, heterogeneous.why_no_interval(pieces))


def quick_availability(plan: Plan, years: float, samples: int, closed: ExactAnswer | None) -> Estimate:
    """The availability as `timeline` estimates it, from other draws: the requests of all blocks walk at once.

    A walk of few requests takes as long as it has steps. With 400 samples, this takes from a third to a tenth of the
    processor time of `timeline`. All timelines are in memory at once. `closed` is the plan's closed form if it has one.
    Requests must not interact, which is for the caller to know.
    """
    pieces, piece_s = _pieces(plan, years)
    beyond_s = reach_s(plan)
    reaching = _with_what_reaches_the_chain(plan)
    drawn = [draw_timeline(reaching, piece, piece_s + beyond_s) for piece in range(pieces)]
    each = max(_FEWEST_SAMPLES, samples * min(_BLOCKS, pieces) // pieces)
    lost = lost_along_each(plan, drawn, piece_s, beyond_s, each, generator(plan.seed, 0, "estimate/quick"))
    parts = [_part(plan, along, piece_s, share) for along, share in zip(drawn, lost.tolist(), strict=True)]
    heterogeneous = Heterogeneous.of(plan)
    blocks = [_mean([parts[piece] for piece in block]) for block in _blocks(pieces)]
    served = _controlled(plan, blocks, pieces * piece_s, closed, heterogeneous)
    why_not = "" if heterogeneous is None else heterogeneous.why_no_interval(pieces)
    return replace(without_intervals(served, why_not) if why_not else served, variance_reduction=None)


def _with_what_reaches_the_chain(plan: Plan) -> Plan:
    """Without the incidents that cannot hit the chain. Recorded ones stay, as they are set apart from each other."""
    reach, chained = Reach.of(plan), set(chain_endpoints(plan))

    def counts(component: Component) -> bool:
        recorded = any(isinstance(incidents, RecordedIncidents) for incidents in component.incidents)
        return recorded or not chained.isdisjoint(reach.members(component.index))

    components = tuple(each if counts(each) else replace(each, incidents=()) for each in plan.components)
    return replace(plan, components=components)


def one_part(plan: Plan, years: float, share: float = 1.0) -> tuple[Callable[[], object], int]:
    """A part of `timeline` with which to measure its speed, or this share of a part, and the number of such parts."""
    pieces, piece_s = _pieces(plan, years)
    in_a_block = math.ceil(pieces / min(_BLOCKS, pieces))
    samples = math.ceil(share * SAMPLES) // in_a_block
    if not needs_whole_horizons(plan):
        piece_s *= share
    return lambda: _simulate_block((plan, range(1), piece_s, samples)), pieces


def poisson_rate(count: int, years: float) -> Estimate:
    """A rate per year with the exact interval of a Poisson count (Garwood 1936)."""
    low, high = poisson_bounds(count)
    return Estimate(count / years, low / years, high / years, count, TIMELINE)


@dataclass(frozen=True, slots=True)
class _Block:
    lost: float
    all_down: float
    episodes: int
    down: tuple[float, ...]
    together_s: tuple[float, ...]  # durations of total outages
    down_s: tuple[tuple[float, ...], ...]  # durations of each endpoint's outages


def _answer(plan: Plan, blocks: list[_Block], years: float, wall_s: float) -> TimelineAnswer:
    episodes = sum(block.episodes for block in blocks)
    heterogeneous = Heterogeneous.of(plan)
    served = _controlled(plan, blocks, years * YEAR_S, exact_or_none(plan), heterogeneous)
    names = [f"{plan.endpoints[e].provider}/{plan.endpoints[e].model}" for e in chain_endpoints(plan)]
    return TimelineAnswer(
        estimator=TIMELINE,
        years=years,
        blocks=len(blocks),
        availability=replace(served, variance_reduction=None),
        variance_reduction=1.0 if served.variance_reduction is None else served.variance_reduction,
        all_down=_together(blocks, heterogeneous),
        all_down_episodes=episodes,
        all_down_episodes_per_year=poisson_rate(episodes, years)
        if heterogeneous is None
        else mean_of([block.episodes * len(blocks) / years for block in blocks], estimator=TIMELINE),
        unavailability={
            name: share_down([block.down[number] for block in blocks], [block.down_s[number] for block in blocks])
            for number, name in enumerate(names)
        },
        wall_s=wall_s,
    )


def _of_enough(answer: TimelineAnswer, why_not: str) -> TimelineAnswer:
    """Without intervals of joint figures where `why_not` gives a reason."""
    if not why_not:
        return answer
    return replace(
        answer,
        availability=without_intervals(answer.availability, why_not),
        all_down=without_intervals(answer.all_down, why_not),
        all_down_episodes_per_year=without_intervals(answer.all_down_episodes_per_year, why_not),
    )


def _together(blocks: Sequence[_Block], heterogeneous: Heterogeneous | None) -> Estimate:
    """All endpoints down. For `heterogeneous` horizons over blocks only, as the episodes of one are alike."""
    shares = [block.all_down for block in blocks]
    if heterogeneous is not None:
        return mean_of(shares, share=True, estimator=TIMELINE)
    return _all_down(blocks)


def _all_down(blocks: Sequence[_Block]) -> Estimate:
    return share_down([block.all_down for block in blocks], [block.together_s for block in blocks])


def _controlled(
    plan: Plan, blocks: Sequence[_Block], drawn_s: float, closed: ExactAnswer | None, mixed: Heterogeneous | None
) -> Estimate:
    """Availability, with the blocks' downtime as control variate where its mean is exact."""
    served = [1.0 - block.lost for block in blocks]
    if closed is None:
        plain = mean_of(served, share=True, estimator=TIMELINE)
        return plain if mixed is not None else by_total_outages(plain, _all_down(blocks))
    controls: list[list[float]] = []
    known: list[float] = []
    episodes = sum(block.episodes for block in blocks)
    if episodes < FEW_EPISODES:  # too few for a regression: all down is all lost
        served = [lives + block.all_down - closed.all_down for lives, block in zip(served, blocks, strict=True)]
    else:
        controls, known = [[block.all_down for block in blocks]], [closed.all_down]
    if 1 < len(closed.endpoints) <= _MOST_CONTROLS:
        controls += [[block.down[number] for block in blocks] for number in range(len(closed.endpoints))]
        known += [endpoint.unavailability for endpoint in closed.endpoints]
    found = with_controls(served, controls, known, share=True, estimator=TIMELINE)
    if episodes >= ENOUGH or not closed.all_down:
        return found
    per_s = closed.all_down_episodes_per_year / YEAR_S
    spared_s = min(closed.all_down / per_s, reach_s(plan))
    lost, down = [block.lost for block in blocks], [block.all_down for block in blocks]
    return with_few_outages(found, lost, down, per_s * spared_s, spared_s / drawn_s)


def _blocks(pieces: int) -> list[range]:
    """The pieces of each block."""
    blocks = min(_BLOCKS, pieces)
    return [range(*bounds) for bounds in pairwise(round(pieces * block / blocks) for block in range(blocks + 1))]


def _pieces(plan: Plan, years: float) -> tuple[int, float]:
    """(number, length) of timelines: whole horizons where each is one replication, else as long as memory allows."""
    if needs_whole_horizons(plan):
        return max(1, math.ceil(years * YEAR_S / plan.horizon_s)), plan.horizon_s
    per_year = incidents_per_year(plan)
    rounds = max(1, math.ceil(per_year * years / (_MOST_INCIDENTS * _BLOCKS)))
    return _BLOCKS * rounds, years * YEAR_S / (_BLOCKS * rounds)


def incidents_per_year(plan: Plan) -> float:
    """The expected number over all components, without recorded incidents."""
    rate_per_s = 0.0
    for component in plan.components:
        for incidents in component.incidents:
            match incidents:
                case PoissonIncidents():
                    rate_per_s += incidents.rate_per_s
                case RenewalIncidents():
                    rate_per_s += 1.0 / (incidents.up.mean + incidents.down.mean)
                case MarkedRenewalIncidents():
                    rate_per_s += 1.0 / incidents.between.mean
                case OwnIncidents():
                    rate_per_s += incidents.starts_per_s
    return rate_per_s * YEAR_S


def _simulate_block(task: _Task, report: Report | None = None) -> _Block:
    plan, pieces, piece_s, samples = task
    samples = max(_FEWEST_SAMPLES, samples // len(pieces))
    parts = []
    for piece in pieces:
        rng = generator(plan.seed, piece, "estimate/timeline")
        beyond_s = reach_s(plan)
        drawn = draw_timeline(plan, piece, piece_s + beyond_s)
        parts.append(_part(plan, drawn, piece_s, lost_along(plan, drawn, piece_s, beyond_s, samples, rng)))
    return _mean(parts)


def _part(plan: Plan, drawn: Timeline, until_s: float, lost: float) -> _Block:
    """One timeline until `until_s`, along which this share of the requests is lost."""
    downs = [endpoint_down(drawn, endpoint) for endpoint in chain_endpoints(plan)]
    together = intersection(downs)
    return _Block(
        lost=lost,
        all_down=down_share(together, until_s),
        episodes=episodes_started(together, until_s),
        down=tuple(down_share(down, until_s) for down in downs),
        together_s=_lengths(together, until_s),
        down_s=tuple(_lengths(down, until_s) for down in downs),
    )


def _mean(parts: Sequence[_Block]) -> _Block:
    """Of parts of equal length."""
    count = len(parts)
    return _Block(
        lost=math.fsum(part.lost for part in parts) / count,
        all_down=math.fsum(part.all_down for part in parts) / count,
        episodes=sum(part.episodes for part in parts),
        down=tuple(math.fsum(column) / count for column in zip(*(part.down for part in parts), strict=True)),
        together_s=tuple(chain.from_iterable(part.together_s for part in parts)),
        down_s=tuple(tuple(chain.from_iterable(several)) for several in zip(*(p.down_s for p in parts), strict=True)),
    )


def _lengths(down: Intervals, until_s: float) -> tuple[float, ...]:
    """The lengths of the intervals within [0, until_s). Of very many, the first."""
    few = slice(0, FEW_EPISODES)
    within = np.minimum(down.end_s, until_s) - np.maximum(down.start_s, 0.0)
    return tuple(within[within > 0.0][few].tolist())


def reach_s(plan: Plan) -> float:
    """How long after its arrival an incident can hit a request: while it starts calls, or kills one in flight."""
    classes = chain.from_iterable(component.incidents for component in plan.components)
    effects = tuple(dict.fromkeys(chain.from_iterable(incidents.every_effect for incidents in classes)))
    longest_s = longest_walk_s(plan, effects)
    if any(effect.kills_in_flight for effect in effects):
        for leg in plan.chain:
            latency = plan.endpoints[leg.endpoint].latency
            parts = [part for part in (latency.whole, latency.connect, latency.first_token) if part is not None]
            longest_s += sum(part.tail_quantile() for part in parts)
    return longest_s


def lost_along(
    plan: Plan, drawn: Timeline, until_s: float, beyond_s: float, samples: int, rng: np.random.Generator
) -> float:
    """An unbiased estimate of the share of the arrivals in [0, until_s) lost along one drawn timeline.

    The timeline must reach `beyond_s` further than `until_s`, with `beyond_s` at least `reach_s`.
    """
    endpoints = chain_endpoints(plan)
    walk = FailingWalk(plan, drawn.effects)
    clear = float(walk.lost(Undisturbed(), np.zeros(samples), rng).mean())
    parts = strata([affected(drawn, endpoint, beyond_s) for endpoint in endpoints], until_s)
    if not parts:
        return clear
    conditions = TimelineConditions(drawn, endpoints)
    profile = arrival_profile(plan)
    arrived = until_s if profile is None else expected_arrivals(profile, until_s)
    each = max(_FEWEST_SAMPLES // 4, samples // len(parts))
    excess = 0.0
    for windows in parts:
        measure, arrival_s = stratified(windows, each, rng)
        lost = walk.lost(conditions, arrival_s, rng) - clear
        if profile is not None:
            lost = lost * weights_at(profile, arrival_s)
        excess += measure * float(lost.mean())
    return clear + excess / arrived


def lost_along_each(
    plan: Plan, drawn: Sequence[Timeline], until_s: float, beyond_s: float, samples: int, rng: np.random.Generator
) -> FloatArray:
    """`lost_along` each of several drawn timelines, float64[timelines], in two walks for all of them.

    The timelines are put one after the other, each as long as its states are known.
    """
    endpoints = chain_endpoints(plan)
    walk = FailingWalk(plan, drawn[0].effects)
    count, span_s = len(drawn), until_s + beyond_s
    clear = walk.lost(Undisturbed(), np.zeros(count * samples), rng, [samples] * count)
    found = clear.reshape(count, samples).mean(axis=1)
    arrivals: list[FloatArray] = []
    weights: list[FloatArray] = []
    sizes: list[int] = []
    profile = arrival_profile(plan)
    arrived = until_s if profile is None else expected_arrivals(profile, until_s)
    for one in drawn:
        parts = strata([affected(one, endpoint, beyond_s) for endpoint in endpoints], until_s)
        each = max(_FEWEST_SAMPLES // 4, samples // max(1, len(parts)))
        sampled = [stratified(windows, each, rng) for windows in parts]
        arrivals.append(np.concatenate([np.empty(0), *(arrival_s for _, arrival_s in sampled)]))
        sizes += [each] * len(parts)
        weights.append(np.repeat([measure / (each * arrived) for measure, _ in sampled], each))
    if profile is not None:
        weights = [weight * weights_at(profile, at_s) for weight, at_s in zip(weights, arrivals, strict=True)]
    of = np.repeat(np.arange(count), [len(arrival_s) for arrival_s in arrivals])
    conditions = TimelineConditions(one_after_the_other(drawn, span_s), endpoints)
    lost = walk.lost(conditions, np.concatenate(arrivals) + of * span_s, rng, sizes)
    excess = np.concatenate(weights) * (lost - found[of])
    shares: FloatArray = found + np.bincount(of, excess, minlength=count)
    return shares


def strata(several: Sequence[Intervals], until_s: float) -> list[Intervals]:
    """The part of [0, until_s) where any of `several` holds, split by which ones hold, or by how many if too many."""
    time_s = np.concatenate([np.concatenate(intervals) for intervals in several])
    bits = [1 << number for number in range(len(several))] if len(several) <= 20 else [1] * len(several)
    change = np.concatenate(
        [np.repeat((bit, -bit), len(intervals.start_s)) for bit, intervals in zip(bits, several, strict=True)]
    )
    time_s = np.clip(time_s, 0.0, until_s)
    order = np.argsort(time_s, kind="stable")
    start_s = time_s[order]
    end_s = np.append(start_s[1:], until_s)
    held = np.cumsum(change[order])
    kept = (end_s > start_s) & (held > 0)
    start_s, end_s, held = start_s[kept], end_s[kept], held[kept]
    if len(np.unique(held)) > MOST_STRATA:
        held = np.array([bin(mask).count("1") for mask in held.tolist()], dtype=np.int64)
    return [Intervals(start_s[held == mask], end_s[held == mask]) for mask in np.unique(held).tolist()]


def stratified(windows: Intervals, count: int, rng: np.random.Generator) -> tuple[float, FloatArray]:
    """(total length, one instant from each of `count` equal parts of it)."""
    reach = np.cumsum(windows.end_s - windows.start_s)
    measure = float(reach[-1])
    at = (np.arange(count) + rng.random(count)) * (measure / count)
    window = np.minimum(np.searchsorted(reach, at, side="right"), len(reach) - 1)
    into_s = at - (reach[window] - (windows.end_s - windows.start_s)[window])
    return measure, np.minimum(windows.start_s[window] + into_s, np.nextafter(windows.end_s[window], 0.0))


def expected_arrivals(profile: Profile, until_s: float) -> float:
    """Integral over [0, until_s) of the arrivals' weights. A scenario may start within an hour of the profile."""
    before_s = profile.offset_s % HOUR_S
    weights = weights_at(profile, np.arange(168, dtype=np.float64) * HOUR_S - before_s)
    weeks, rest_s = divmod(until_s + before_s, WEEK_S)
    hours, into_s = divmod(rest_s, HOUR_S)
    whole = float(weights[: int(hours)].sum()) * HOUR_S
    since_the_hour = weeks * float(weights.sum()) * HOUR_S + whole + float(weights[int(hours) % 168]) * into_s
    return since_the_hour - float(weights[0]) * before_s
