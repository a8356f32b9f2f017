"""Blocks are drawn in proportion to their measure, and where a request tells most."""

from collections.abc import Iterator

import numpy as np
import pytest

from des.estimate.effort import USUAL
from des.estimate.windows_population import STEADY, population
from des.estimate.windows_sample import FEWEST, Sampler, block_s
from des.estimate.windows_segments import COUNTED, LOST, OK, REQUESTS, Tally
from estimate.windowed import PAIR, plan_of

MEMORY_S = 300.0


@pytest.fixture
def sampler() -> Sampler:
    plan = plan_of(PAIR, rate="1/s")
    return Sampler(population({plan.arm: plan}, 0.5, MEMORY_S, 60.0), {plan.arm: plan})


def test_a_stratum_is_walked_through_in_proportion_to_measure(sampler: Sampler) -> None:
    """Evenly spaced places of a stratum's measure come to a segment as often as its measure is long."""
    population, places = sampler.population, 1500
    stratum = next(number for number, each in enumerate(population.strata) if each.kind == STEADY and each.down == 1)
    windows = [sampler.window(stratum, nth, (nth + 0.5) / places) for nth in range(places)]
    of = np.flatnonzero(population.segments.stratum == stratum)
    keys = [(window.piece, window.from_s, window.until_s) for window in windows]
    for segment in of[:40].tolist():
        piece, start_s, end_s = (getattr(population.segments, name)[segment] for name in ("piece", "start_s", "end_s"))
        hits = sum(one == piece and start_s <= from_s and until_s <= end_s for one, from_s, until_s in keys)
        assert hits == pytest.approx(places * (end_s - start_s) / population.measures[stratum], abs=2.0)


def test_a_draw_is_a_part_of_its_segment_of_bounded_length(sampler: Sampler) -> None:
    longest_s = block_s(sampler.plans.values(), MEMORY_S)
    for stratum, each in enumerate(sampler.population.strata):
        is_quiet = each.kind == STEADY and not each.down
        for nth in range(5):
            window = sampler.window(stratum, nth, (nth + 0.5) / 5.0)
            assert 0.0 < window.until_s - window.from_s <= (2000.0 if is_quiet else longest_s) * (1.0 + 1e-9)
            assert window.measure == pytest.approx(window.until_s - window.from_s)
            assert window.begin_s <= window.from_s - MEMORY_S
            assert window.cut_s > window.until_s


def test_the_end_of_a_window_lies_in_the_last_quarter_of_a_whole_transient(sampler: Sampler) -> None:
    ends = 0
    for stratum, each in enumerate(sampler.population.strata):
        for nth in range(30):
            window = sampler.window(stratum, nth, (nth + 0.5) / 30.0)
            from_s, until_s = window.end_s
            if each.kind == STEADY:
                assert from_s == until_s
            elif from_s < until_s:
                ends += 1
                assert window.from_s <= from_s
                assert until_s - from_s <= MEMORY_S / 4.0 * (1.0 + 1e-9)
    assert ends


def test_the_pilot_draws_from_every_stratum(sampler: Sampler) -> None:
    assert (sampler.pilot() == USUAL.pilot).all()


def test_the_pilot_is_smaller_where_its_blocks_have_many_requests() -> None:
    """Its draws follow from the scenario alone, and are no fewer than tell a spread."""
    plan = plan_of(PAIR, rate="10/s")
    drawn = population({plan.arm: plan}, 0.5, MEMORY_S, 60.0)
    assert (Sampler(drawn, {plan.arm: plan}).pilot() == FEWEST).all()
    slower = plan_of(PAIR, rate="1.5/s")
    draws = set(Sampler(population({plan.arm: slower}, 0.5, MEMORY_S, 60.0), {plan.arm: slower}).pilot().tolist())
    assert len(draws) == 1
    assert FEWEST < draws.pop() < USUAL.pilot


def tallies(sampler: Sampler, noisy: int) -> Iterator[tuple[int, Tally]]:
    """Six draws a stratum of 100 requests each; the losses differ in one stratum alone."""
    for stratum in range(len(sampler.population.strata)):
        for nth in range(USUAL.pilot):
            values = np.zeros(COUNTED + 2 + 1)
            values[REQUESTS] = 100.0
            values[LOST] = 50.0 * (nth % 2) if stratum == noisy else 0.0
            values[OK] = values[REQUESTS] - values[LOST]
            yield stratum, Tally(values, np.array([100]), np.array([values[OK]]), 100)


def test_further_draws_go_where_losses_differ(sampler: Sampler) -> None:
    measures = sampler.population.measures
    noisy = int(np.argmax(np.where([each.kind == STEADY for each in sampler.population.strata], measures, 0.0)))
    for stratum, tally in tallies(sampler, noisy):
        sampler.sample.stratum.append(stratum)
        sampler.sample.measure.append(100.0)
        sampler.sample.by_arm[0].append(tally)
    counts = sampler.next_round()
    assert counts[noisy] > counts.sum() / 2
    assert counts[noisy] * 100 == pytest.approx(sampler.budget, rel=0.5)
    assert sampler.load_of(counts) == counts.sum() * 100


def test_a_round_may_be_asked_for_fewer_requests() -> None:
    plan = plan_of(PAIR, rate="1/s")
    drawn = population({plan.arm: plan}, 0.5, MEMORY_S, 60.0)
    assert Sampler(drawn, {plan.arm: plan}, 500).budget == 500.0
    assert Sampler(drawn, {plan.arm: plan, "again": plan}, 500).budget == 1000.0


def test_a_window_played_on_has_the_same_requests(sampler: Sampler) -> None:
    """Unless an incident starts or ends before it is looked at again."""
    of = sampler.population.strata
    clear = next(number for number, each in enumerate(of) if each.kind == STEADY and not each.down)
    window = sampler.window(clear, 0, 0.31)
    on = sampler.played_on(window, window.until_s, window.until_s + 1.0)
    assert on is not None
    assert (on.begin_s, on.seed) == (window.begin_s, window.seed)
    later_s = sampler.population.pieces[window.piece].start_s
    beyond_s = float(later_s[later_s > window.until_s][0]) + 1.0
    assert sampler.played_on(window, beyond_s, beyond_s + 1.0) is None


def test_warm_ups_end_in_any_phase_of_a_cooldown_s_window() -> None:
    plan = plan_of(PAIR, rate="1/s", policy={"cooldown": {"all_failed": 3, "window": "60s", "for": "40s"}})
    sampler = Sampler(population({plan.arm: plan}, 0.5, MEMORY_S, 60.0), {plan.arm: plan})
    longer_s = []
    for nth in range(200):
        window = sampler.window(0, nth, (nth + 0.5) / 200.0)
        longer_s.append(window.from_s - MEMORY_S - window.begin_s)
    assert 0.0 <= min(longer_s) < 3.0
    assert 57.0 < max(longer_s) <= 60.0
    assert np.mean(longer_s) == pytest.approx(30.0, abs=4.5 * 60.0 / np.sqrt(12 * 200))
