"""Shock ledgers against the enumeration of open classes and against simulated incidents."""

import itertools
import math

import numpy as np
import pytest

from des.theory import ledger
from des.theory.availability import pair_down_with_common_fraction
from des.theory.ledger import Shock

SHOCKS = (
    Shock(0.3, 0.5, frozenset({0})),
    Shock(0.2, 1.0, frozenset({1})),
    Shock(0.1, 2.0, frozenset({2})),
    Shock(0.15, 0.4, frozenset({0, 1})),
    Shock(0.05, 1.5, frozenset({0, 1, 2})),
)


def enumerated(members: set[int]) -> float:
    """P(all members down) over the 2^c states "class c has an incident open"."""
    total = 0.0
    for is_open in itertools.product((False, True), repeat=len(SHOCKS)):
        weight = math.prod(
            -math.expm1(-s.load) if o else math.exp(-s.load) for s, o in zip(SHOCKS, is_open, strict=True)
        )
        hit = set().union(*(s.hits for s, o in zip(SHOCKS, is_open, strict=True) if o))
        total += weight * (members <= hit)
    return total


@pytest.mark.parametrize("members", [{0}, {0, 1}, {1, 2}, {0, 1, 2}])
def test_all_down_agrees_with_enumerating_the_open_classes(members: set[int]) -> None:
    assert ledger.all_down(SHOCKS, members) == pytest.approx(enumerated(members), rel=1e-12)


def test_all_up_and_all_down_of_one_member_are_complementary() -> None:
    assert ledger.all_up(SHOCKS, [0]) + ledger.all_down(SHOCKS, [0]) == pytest.approx(1.0)


def test_tiny_joint_probabilities_keep_their_digits() -> None:
    shocks = [Shock(1e-6, 1.0, frozenset({i})) for i in range(4)]
    assert ledger.all_down(shocks, range(4)) == pytest.approx((-math.expm1(-1e-6)) ** 4, rel=1e-12)


def test_a_pair_of_ledgers_agrees_with_its_own_closed_form() -> None:
    load, fraction = 0.4, 0.25
    shocks = [
        Shock((1 - fraction) * load, 1.0, frozenset({0})),
        Shock((1 - fraction) * load, 1.0, frozenset({1})),
        Shock(fraction * load, 1.0, frozenset({0, 1})),
    ]
    assert ledger.all_down(shocks, [0, 1]) == pytest.approx(pair_down_with_common_fraction(load, fraction))


def test_a_class_split_by_its_marks_hits_each_member_at_its_share_of_the_rate() -> None:
    shocks = ledger.split_by_hits(2.0, 0.5, [1.0, 0.8, 0.3])
    for member, share in enumerate((1.0, 0.8, 0.3)):
        assert sum(s.rate for s in shocks if member in s.hits) == pytest.approx(2.0 * share)
    both = sum(s.rate for s in shocks if {1, 2} <= s.hits)
    assert both == pytest.approx(2.0 * 0.8 * 0.3)


def test_a_ledger_made_for_an_intent_has_that_availability_and_episode_rate() -> None:
    rate, duration = ledger.ledger_for(0.995, 10.0)
    shock = Shock(rate, duration, frozenset({0}))
    assert ledger.all_up([shock], [0]) == pytest.approx(0.995)
    assert ledger.episode_rate([shock], 0) == pytest.approx(10.0)


def test_share_and_episodes_of_total_outage_agree_with_simulated_incidents() -> None:
    rng = np.random.default_rng(17)
    until = 40_000.0
    changes: list[tuple[float, int, frozenset[int]]] = []
    for shock in SHOCKS:
        starts = rng.random(rng.poisson(shock.rate * until)) * until
        durations = rng.exponential(shock.mean_duration, len(starts))  # up at 0: a start-up effect of one part in 1e4
        for start, duration in zip(starts, durations, strict=True):
            changes += [(start, 1, shock.hits), (start + duration, -1, shock.hits)]
    changes.sort(key=lambda change: change[0])
    open_on = [0, 0, 0]
    down_since, share, episodes = None, 0.0, 0
    episodes_of_0 = 0
    for time, step, hits in changes:
        was_0 = open_on[0] > 0
        for member in hits:
            open_on[member] += step
        episodes_of_0 += open_on[0] > 0 and not was_0
        if all(open_on) and down_since is None:
            down_since, episodes = time, episodes + 1
        elif not all(open_on) and down_since is not None:
            share, down_since = share + time - down_since, None
    assert share / until == pytest.approx(ledger.all_down(SHOCKS, [0, 1, 2]), rel=0.05)
    assert episodes / until == pytest.approx(ledger.all_down_episode_rate(SHOCKS, [0, 1, 2]), rel=0.05)
    assert episodes_of_0 / until == pytest.approx(ledger.episode_rate(SHOCKS, 0), rel=0.03)
