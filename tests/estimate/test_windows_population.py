"""The drawn years as segments in strata: every instant in one segment, and strata that say what they are."""

import math
from dataclasses import replace

import numpy as np
import pytest

from des.estimate.windows_population import (
    BETTER,
    DOWN,
    STEADY,
    WORSE,
    Population,
    default_years,
    open_in,
    population,
    relevant_endpoints,
)
from des.faults.episodes import all_down, down_share
from des.scenario.text.units import WEEK_S, YEAR_S
from estimate.windowed import PAIR, arms_of, incidents, plan_of, provider

MEMORY_S = 300.0


@pytest.fixture(scope="module")
def drawn() -> Population:
    arms = arms_of(PAIR, arms={"both": {}, "first": {"chain": [{"provider": "a"}]}})
    return population(arms, 1.0, MEMORY_S, 60.0)


def test_segments_cover_all_counted_time_once(drawn: Population) -> None:
    of = drawn.segments
    lengths_s = of.end_s - of.start_s
    assert (lengths_s > 0.0).all()
    follows = of.piece[1:] == of.piece[:-1]
    assert (of.start_s[1:][follows] == of.end_s[:-1][follows]).all()
    assert math.fsum(lengths_s) == pytest.approx(len(drawn.pieces) * (drawn.until_s - drawn.from_s))
    assert drawn.measures.sum() == pytest.approx(math.fsum(of.measure))


def test_transients_are_as_long_as_the_memory_at_most(drawn: Population) -> None:
    of = drawn.segments
    kind = np.array([stratum.kind for stratum in drawn.strata])[of.stratum]
    lengths_s = of.end_s - of.start_s
    assert lengths_s[kind != STEADY].max() <= MEMORY_S * (1.0 + 1e-9)
    assert lengths_s[kind == STEADY].max() > 10.0 * MEMORY_S
    follows = (of.piece[1:] == of.piece[:-1]) & (kind[1:] == STEADY)
    assert follows.any()
    assert (kind[:-1][follows] != STEADY).all()


def test_a_stratum_has_the_endpoints_down_that_it_says(drawn: Population) -> None:
    for number, stratum in enumerate(drawn.strata):
        of = np.flatnonzero(drawn.segments.stratum == number)[:5]
        for segment in of.tolist():
            middle_s = (drawn.segments.start_s[segment] + drawn.segments.end_s[segment]) / 2.0
            timeline = drawn.pieces[int(drawn.segments.piece[segment])]
            is_open = (timeline.start_s <= middle_s) & (timeline.end_s > middle_s)
            down = [bool((is_open & timeline.hits[:, endpoint]).any()) for endpoint in drawn.endpoints]
            assert down == [level == DOWN for level in stratum.state]
            assert stratum.all_down == (all(down), down[0])


def test_an_endpoint_that_goes_down_makes_a_stratum_worse(drawn: Population) -> None:
    kinds = {(stratum.state, stratum.kind) for stratum in drawn.strata}
    assert ((DOWN, DOWN), WORSE) in kinds
    assert ((0, 0), BETTER) in kinds
    assert ((0, 0), WORSE) not in kinds


def test_the_time_with_all_down_is_that_of_the_timelines(drawn: Population) -> None:
    down = np.array([stratum.all_down[0] for stratum in drawn.strata])
    share = drawn.by_block[:, down].sum() / drawn.by_block.sum()
    shares = []
    for timeline in drawn.pieces:
        spells = all_down(timeline, list(drawn.endpoints))
        lasted_s = down_share(spells, drawn.until_s) * drawn.until_s - down_share(spells, drawn.from_s) * drawn.from_s
        shares.append(lasted_s / (drawn.until_s - drawn.from_s))
    assert share == pytest.approx(np.mean(shares), rel=1e-9)


def test_years_are_drawn_in_blocks_and_start_after_a_few_memories(drawn: Population) -> None:
    assert drawn.by_block.shape == (40, len(drawn.strata))
    assert drawn.years == pytest.approx(40 * WEEK_S / YEAR_S)
    assert drawn.from_s == WEEK_S
    assert default_years(plan_of(PAIR)) == pytest.approx(250_000 / (7 * 365.0), rel=0.01)


def test_rare_states_are_merged_but_never_those_with_a_whole_chain_down() -> None:
    own = {name: provider(incidents("9/d", "40min")) for name in "abcde"}
    plan = plan_of(own, rate="1/min")
    drawn = population({plan.arm: plan}, 0.5, 60.0, 60.0)
    assert len(drawn.strata) < 60
    merged = [stratum for stratum in drawn.strata if not stratum.state]
    assert merged
    names = [stratum.name for stratum in drawn.strata]
    assert len(set(names)) == len(names)
    whole = [number for number, stratum in enumerate(drawn.strata) if stratum.all_down[0]]
    for number in whole:
        assert drawn.strata[number].down == len(own)
    assert sum(drawn.measures[whole]) > 0.0


def test_a_profile_weighs_time_by_the_arrivals_to_be_expected() -> None:
    hours = {"hours": [0.5] * 12 + [1.5] * 12}
    plan = plan_of(PAIR, workload={"arrivals": {"kind": "poisson", "rate": "1/s", "profile": hours}})
    drawn = population({plan.arm: plan}, 0.5, MEMORY_S, 60.0)
    night, day = drawn.exposure.until(np.array([12 * 3600.0, 24 * 3600.0]))
    assert (night, day) == pytest.approx((6 * 3600.0, 24 * 3600.0))
    assert drawn.measures.sum() == pytest.approx(len(drawn.pieces) * (drawn.until_s - drawn.from_s))


def test_incidents_open_in_a_window_are_all_that_reach_into_it(drawn: Population) -> None:
    timeline = drawn.pieces[0]
    begin_s, until_s = float(timeline.start_s[3]) + 1.0, float(timeline.start_s[6])
    found = open_in(timeline, begin_s, until_s)
    assert found.until_s == math.inf
    assert set(found.start_s) == {
        start for start, end in zip(timeline.start_s, timeline.end_s, strict=True) if start < until_s and end > begin_s
    }


def test_arms_are_relevant_with_every_endpoint_they_call() -> None:
    plan = plan_of(PAIR)
    assert relevant_endpoints([replace(plan, chain=plan.chain[:1])]) == (0,)
    assert relevant_endpoints([replace(plan, chain=plan.chain[:1]), plan]) == (0, 1)
