"""The procedures of selection keep their promise on synthetic figures with a known best system."""

import numpy as np
import pytest

from des.draws import generator
from des.estimate.selection import FIRST, Selection, Zone

REPETITIONS = 100
_MOST = 20_000


def selected(
    means: list[float],
    spreads: list[float],
    zone: Zone,
    repetition: int,
    *,
    correlation: float,
    misses: list[float] | None = None,
) -> Selection:
    """One selection among normal systems that share a part of their noise, as with common random numbers."""
    rng = generator(5, repetition, "test/selection")
    selection = Selection(len(means), zone)
    while selection.running and selection.replications < _MOST:
        shared, own = rng.standard_normal(2), rng.standard_normal((2, len(means)))
        noise = np.sqrt(correlation) * shared[:, None] + np.sqrt(1.0 - correlation) * own
        selection.observe(
            {
                system: (
                    means[system] + spreads[system] * noise[0, system],
                    [] if misses is None else [misses[system] + 0.5 * noise[1, system]],
                )
                for system in selection.running
            }
        )
    return selection


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_the_best_is_picked_in_at_least_95_of_100_repetitions(correlation: float) -> None:
    """All others are worse by the indifference, the least favourable case; unequal variances."""
    means, spreads = [1.0] * 4 + [0.0], [0.5, 1.0, 2.0, 1.0, 1.5]
    picked = [
        selected(means, spreads, Zone(indifference=1.0), repetition, correlation=correlation).best
        for repetition in range(REPETITIONS)
    ]
    assert picked.count(4) >= 95


def test_one_within_the_indifference_zone_is_picked_in_at_least_95_of_100_repetitions() -> None:
    means, spreads = [0.0, 0.4, 1.5, 3.0], [1.0, 1.5, 1.0, 1.0]
    picked = [
        selected(means, spreads, Zone(indifference=0.5), repetition, correlation=0.5).best
        for repetition in range(REPETITIONS)
    ]
    assert sum(each in (0, 1) for each in picked) >= 95


def test_a_system_that_misses_its_bound_is_not_picked_though_it_is_cheapest() -> None:
    means, misses = [0.0, 1.0, 2.0], [0.2, -0.2, -0.2]
    zone = Zone(indifference=0.9, tolerances=(0.2,))
    picked = [
        selected(means, [1.0, 1.0, 1.0], zone, repetition, correlation=0.5, misses=misses).best
        for repetition in range(REPETITIONS)
    ]
    assert picked.count(1) >= 95


def test_common_random_numbers_take_fewer_replications() -> None:
    zone = Zone(indifference=0.3)
    apart, together = (
        sum(
            selected([0.0, 0.3], [1.0, 1.0], zone, repetition, correlation=correlation).replications
            for repetition in range(20)
        )
        for correlation in (0.0, 0.9)
    )
    assert together < 0.5 * apart


def test_no_system_is_picked_where_all_miss_their_bounds() -> None:
    found = selected(
        [0.0, 1.0], [1.0, 1.0], Zone(indifference=0.5, tolerances=(0.2,)), 0, correlation=0.0, misses=[1, 1]
    )
    assert found.best is None
    assert found.running == ()
    assert sorted(found.infeasible) == [0, 1]


def test_bounds_that_are_known_exactly_take_no_replications() -> None:
    zone = Zone(indifference=0.5, tolerances=(0.1,))
    selection = Selection(2, zone, known=[[False], [True]])
    assert selection.best == 1
    assert selection.infeasible == [0]


def test_equal_systems_are_decided_at_once_by_their_order() -> None:
    selection = Selection(3, Zone(indifference=0.5))
    for _ in range(FIRST):
        selection.observe({system: (1.0, []) for system in selection.running})
    assert selection.best == 0


def test_a_system_that_serves_nothing_is_dropped() -> None:
    selection = Selection(2, Zone(indifference=0.5))
    selection.observe({0: (float("nan"), []), 1: (1.0, [])})
    assert selection.best == 1


def test_a_bound_that_no_region_can_judge_is_judged_at_the_end_by_what_was_seen() -> None:
    """Tolerances of a millionth of the noise: the cheaper two miss clearly, the third keeps clearly."""
    zone = Zone(indifference=0.1, tolerances=(1e-6,))
    rng = generator(5, 0, "test/selection/conclude")
    selection = Selection(3, zone)
    for _ in range(200):
        noise = rng.standard_normal(3)
        selection.observe(
            {each: (float(each), [(1.0, 1.0, -1.0)[each] + 0.5 * noise[each]]) for each in selection.running}
        )
    assert selection.best is None
    assert len(selection.running) == 3
    selection.conclude()
    assert selection.infeasible == [0, 1]
    assert selection.best == 2


def test_none_is_best_where_all_miss_a_bound_that_no_region_can_judge() -> None:
    selection = Selection(2, Zone(indifference=0.1, tolerances=(1e-6,)))
    rng = generator(5, 1, "test/selection/conclude")
    for _ in range(100):
        selection.observe({each: (float(each), [1.0 + 0.5 * float(rng.standard_normal())]) for each in (0, 1)})
    selection.conclude()
    assert selection.best is None
    assert not selection.running
