"""The timeline estimator: incidents are drawn over many years, requests are not; each instant's loss is integrated.

Exact: the share of time in which endpoints and the whole chain are down along the drawn timelines, and, for every
sampled arrival, the chance that its calls fail given what is open when they start. Sampled: the timelines, arrival
instants within the neighbourhood of incidents (stratified over it), and the durations, back-offs and manners of failure
of one request each. An arrival further than the longest walk from any incident fares as under a clear sky, whose loss
is estimated apart. The interval is Student's over blocks of years with luck of their own.
"""

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import Any, Final

import numpy as np

from des.draws import generator
from des.errors import DesError
from des.estimate.control_variates import Controlled, with_controls
from des.estimate.exact_availability import exact
from des.estimate.failing_walk import FailingWalk, longest_walk_s
from des.estimate.inapplicable import Inapplicable
from des.estimate.intervals import poisson_bounds
from des.estimate.strata import expected_arrivals, strata, stratified
from des.estimate.summary import MOSTLY, complement, entry, up_entry
from des.estimate.timeline_refusals import arrival_profile, needs_whole_horizons, refusals
from des.estimate.timeline_sky import ClearSky, TimelineSky, affected
from des.estimate.uneven import Uneven, without_intervals
from des.faults import Intervals, Timeline, draw_timeline
from des.faults.episodes import down_share, endpoint_down, episodes_started, intersection
from des.faults.incident_classes import weights_at
from des.faults.marginals import chain_endpoints
from des.scenario.plan import MarkedRenewalIncidents, Plan, PoissonIncidents, RenewalIncidents
from des.scenario.text.units import YEAR_S

TIMELINE: Final = "timeline"
BLOCKS: Final = 40
SAMPLES: Final = 12_000
"""Arrivals sampled in a block of years, over all strata; and as many under a clear sky."""
FEWEST_SAMPLES: Final = 100
MOST_CONTROLS: Final = 4
FEW_EPISODES: Final = 200
MOST_INCIDENTS: Final = 400_000
"""Incidents drawn at once, about: what a timeline takes of memory."""

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineAnswer:
    """Long-run figures over `years` simulated, each `{mean, low, high, n, estimator}` with a 95 % interval.

    `unavailability` is of the chain's endpoints by name; `all_down_episodes` were seen in all. The interval of the
    episode rate is the exact one of a Poisson count. The availability is controlled by the blocks' own downtime where
    that has a closed form, which made its variance `variance_reduction` times smaller. Of fewer than 200 total outages
    the ones that are missing or too many are taken to lose every request.
    """

    estimator: str
    years: float
    blocks: int
    availability: Entry
    variance_reduction: float
    all_down: Entry
    all_down_episodes: int
    all_down_episodes_per_year: Entry
    unavailability: dict[str, Entry]
    wall_s: float


def timeline(
    plan: Plan,
    years: float,
    seed: int | None = None,
    workers: int = 1,
    progress: Callable[[float], None] | None = None,
    samples: int = SAMPLES,
) -> TimelineAnswer:
    """Raises Inapplicable, naming what makes requests interact. The same for any number of workers.

    `samples` arrivals are walked in each of the 40 blocks of years.
    """
    against = refusals(plan)
    if against:
        raise Inapplicable("; ".join(against))
    if not years > 0.0:
        raise DesError(f"--years: must be above 0, not {years:g}")
    started = time.perf_counter()
    if seed is not None:
        plan = replace(plan, seed=seed)
    pieces, piece_s = _pieces(plan, years)
    blocks = min(BLOCKS, pieces)
    bounds = [round(pieces * block / blocks) for block in range(blocks + 1)]
    tasks = [(plan, range(low, high), piece_s, samples) for low, high in pairwise(bounds)]
    done: list[_Block] = []
    if workers > 1:
        with ProcessPoolExecutor(workers) as pool:
            for block in pool.map(_simulate_block, tasks):
                done.append(block)
                _tell(progress, len(done) / blocks)
    else:
        for task in tasks:
            done.append(_simulate_block(task))
            _tell(progress, len(done) / blocks)
    answer = _answer(plan, done, pieces * piece_s / YEAR_S, time.perf_counter() - started)
    uneven = Uneven.of(plan)
    return answer if uneven is None else _of_enough(answer, uneven.why_no_interval(pieces))


def one_part(plan: Plan, years: float, samples: int = SAMPLES) -> tuple[Callable[[], object], int]:
    """A part of what `timeline` does, to see how long it takes, and how many of such parts there are."""
    pieces, piece_s = _pieces(plan, years)
    in_a_block = math.ceil(pieces / min(BLOCKS, pieces))
    return lambda: _simulate_block((plan, range(1), piece_s, samples // in_a_block)), pieces


def poisson_rate(count: int, years: float) -> Entry:
    """A rate per year with the exact interval of a Poisson count (Garwood 1936)."""
    low, high = poisson_bounds(count)
    return {"mean": count / years, "low": low / years, "high": high / years, "n": count, "estimator": TIMELINE}


@dataclass(frozen=True, slots=True)
class _Block:
    lost: float
    all_down: float
    episodes: int
    down: tuple[float, ...]
    together_s: tuple[float, ...]  # how much of the block each time of everybody down took
    down_s: tuple[tuple[float, ...], ...]  # and each time of each endpoint


def _answer(plan: Plan, blocks: list[_Block], years: float, wall_s: float) -> TimelineAnswer:
    episodes = sum(block.episodes for block in blocks)
    uneven = Uneven.of(plan)
    served = _controlled(plan, blocks, uneven)
    names = [f"{plan.endpoints[e].provider}/{plan.endpoints[e].model}" for e in chain_endpoints(plan)]
    return TimelineAnswer(
        estimator=TIMELINE,
        years=years,
        blocks=len(blocks),
        availability=served.entry,
        variance_reduction=served.variance_reduction,
        all_down=_together(blocks, uneven),
        all_down_episodes=episodes,
        all_down_episodes_per_year=poisson_rate(episodes, years)
        if uneven is None
        else entry([block.episodes * len(blocks) / years for block in blocks], estimator=TIMELINE),
        unavailability={
            name: _share_down([block.down[number] for block in blocks], [block.down_s[number] for block in blocks])
            for number, name in enumerate(names)
        },
        wall_s=wall_s,
    )


def _of_enough(answer: TimelineAnswer, why_not: str) -> TimelineAnswer:
    """Without intervals of what endpoints meet together, if there is a reason against them."""
    if not why_not:
        return answer
    return replace(
        answer,
        availability=without_intervals(answer.availability, why_not),
        all_down=without_intervals(answer.all_down, why_not),
        all_down_episodes_per_year=without_intervals(answer.all_down_episodes_per_year, why_not),
    )


def _together(blocks: Sequence[_Block], uneven: Uneven | None) -> Entry:
    """Everybody down: over blocks alone where horizons are `uneven`, as the episodes of one are then alike."""
    shares = [block.all_down for block in blocks]
    if uneven is not None:
        return entry(shares, share=True, estimator=TIMELINE)
    return _share_down(shares, [block.together_s for block in blocks])


def _share_down(shares: Sequence[float], episodes_s: Sequence[Sequence[float]]) -> Entry:
    """Over few episodes by these, as of a run; over many by the blocks."""
    return complement(up_entry([1.0 - share for share in shares], episodes_s, estimator=TIMELINE)) | {
        "mean": math.fsum(shares) / len(shares)
    }


def _controlled(plan: Plan, blocks: Sequence[_Block], uneven: Uneven | None) -> Controlled:
    """Availability, with the blocks' downtime as control where its mean is known exactly."""
    served = [1.0 - block.lost for block in blocks]
    try:
        closed = exact(plan)
    except Inapplicable:
        plain = entry(served, share=True, estimator=TIMELINE)
        return Controlled(plain if uneven is not None else _by_total_outages(plain, blocks), 1.0)
    controls: list[list[float]] = []
    known: list[float] = []
    if sum(block.episodes for block in blocks) < FEW_EPISODES:  # too few to regress on, or none: all down is all lost
        served = [lives + block.all_down - closed.all_down for lives, block in zip(served, blocks, strict=True)]
    else:
        controls, known = [[block.all_down for block in blocks]], [closed.all_down]
    if 1 < len(closed.endpoints) <= MOST_CONTROLS:
        controls += [[block.down[number] for block in blocks] for number in range(len(closed.endpoints))]
        known += [endpoint.unavailability for endpoint in closed.endpoints]
    return with_controls(served, controls, known, share=True, estimator=TIMELINE)


def _by_total_outages(plain: Entry, blocks: Sequence[_Block]) -> Entry:
    """The wider of the interval over blocks and, where total outages are few and most of the loss, one over these."""
    down = _share_down([block.all_down for block in blocks], [block.together_s for block in blocks])
    lost, share = 1.0 - plain["mean"], down["mean"]
    if plain["low"] is None or down["low"] is None or share < MOSTLY * lost:
        return plain
    low, high = (min(1.0, lost * down[end] / share) for end in ("low", "high"))
    return plain | {"low": min(plain["low"], 1.0 - high), "high": max(plain["high"], 1.0 - low)}


def _pieces(plan: Plan, years: float) -> tuple[int, float]:
    """(how many timelines, how long): whole horizons where a replication is one, else as long as memory allows."""
    if needs_whole_horizons(plan):
        return max(1, math.ceil(years * YEAR_S / plan.horizon_s)), plan.horizon_s
    per_year = incidents_per_year(plan)
    rounds = max(1, math.ceil(per_year * years / (MOST_INCIDENTS * BLOCKS)))
    return BLOCKS * rounds, years * YEAR_S / (BLOCKS * rounds)


def incidents_per_year(plan: Plan) -> float:
    """Expected, of all components together, those on record left out."""
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
    return rate_per_s * YEAR_S


def _simulate_block(task: tuple[Plan, range, float, int]) -> _Block:
    plan, pieces, piece_s, samples = task
    endpoints = chain_endpoints(plan)
    samples = max(FEWEST_SAMPLES, samples // len(pieces))
    parts = []
    for piece in pieces:
        rng = generator(plan.seed, piece, "estimate/timeline")
        beyond_s = reach_s(plan)
        drawn = draw_timeline(plan, piece, piece_s + beyond_s)
        downs = [endpoint_down(drawn, endpoint) for endpoint in endpoints]
        together = intersection(downs)
        parts.append(
            _Block(
                lost=lost_along(plan, drawn, piece_s, beyond_s, samples, rng),
                all_down=down_share(together, piece_s),
                episodes=episodes_started(together, piece_s),
                down=tuple(down_share(down, piece_s) for down in downs),
                together_s=_lengths(together, piece_s),
                down_s=tuple(_lengths(down, piece_s) for down in downs),
            )
        )
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
    """Of what of them lies in [0, until_s); of very many the first."""
    few = slice(0, FEW_EPISODES)
    within = np.minimum(down.end_s, until_s) - np.maximum(down.start_s, 0.0)
    return tuple(within[within > 0.0][few].tolist())


def reach_s(plan: Plan) -> float:
    """How long after its arrival a request can be met by an incident: in a call it starts, or, killed, within one."""
    classes = chain.from_iterable(component.incidents for component in plan.components)
    effects = tuple(dict.fromkeys(chain.from_iterable(incidents.every_effect for incidents in classes)))
    longest_s = longest_walk_s(plan, effects)
    if any(effect.kills_in_flight for effect in effects):
        for leg in plan.chain:
            latency = plan.endpoints[leg.endpoint].latency
            laws = [law for law in (latency.whole, latency.connect, latency.first_token) if law is not None]
            longest_s += sum(law.tail_quantile() for law in laws)
    return longest_s


def lost_along(
    plan: Plan, drawn: Timeline, until_s: float, beyond_s: float, samples: int, rng: np.random.Generator
) -> float:
    """Unbiased for the share of requests lost that arrive in [0, until_s) along one drawn timeline.

    The timeline reaches `beyond_s` further than `until_s`, which is at least what `reach_s` says.
    """
    endpoints = chain_endpoints(plan)
    walk = FailingWalk(plan, drawn.effects)
    clear = float(walk.lost(ClearSky(), np.zeros(samples), rng).mean())
    parts = strata([affected(drawn, endpoint, beyond_s) for endpoint in endpoints], until_s)
    if not parts:
        return clear
    sky = TimelineSky(drawn, endpoints)
    profile = arrival_profile(plan)
    arrived = until_s if profile is None else expected_arrivals(profile, until_s)
    each = max(FEWEST_SAMPLES // 4, samples // len(parts))
    excess = 0.0
    for windows in parts:
        measure, arrival_s = stratified(windows, each, rng)
        lost = walk.lost(sky, arrival_s, rng) - clear
        if profile is not None:
            lost = lost * weights_at(profile, arrival_s)
        excess += measure * float(lost.mean())
    return clear + excess / arrived


def _tell(progress: Callable[[float], None] | None, share: float) -> None:
    if progress is not None:
        progress(share)
