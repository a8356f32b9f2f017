"""Availability of single components and small groups against enumeration and simulation by hand."""

import itertools
import math

import numpy as np
import pytest

from des.theory import availability as av


def test_two_and_three_providers_at_995_have_the_published_nines() -> None:
    assert 1.0 - av.all_down_if_independent([0.005] * 2) == pytest.approx(0.999975, abs=1e-12)
    assert 1.0 - av.all_down_if_independent([0.005] * 3) == pytest.approx(0.999999875, abs=1e-12)


def test_a_shared_component_agrees_with_enumerating_the_states_of_its_parts() -> None:
    shares = (0.1, 0.2, 0.3)  # shared, private, private
    total = 0.0
    for down in itertools.product((False, True), repeat=3):
        weight = math.prod(u if d else 1.0 - u for u, d in zip(shares, down, strict=True))
        if all(down[0] or private for private in down[1:]):
            total += weight
    assert av.all_down_with_shared_component(0.1, [0.2, 0.3]) == pytest.approx(total)


def test_a_pair_with_a_common_fraction_agrees_with_the_direct_form_and_keeps_its_digits() -> None:
    for load, fraction in ((0.5, 0.0), (0.5, 0.3), (1.5, 1.0)):
        direct = 1.0 - 2.0 * math.exp(-load) + math.exp(-(2.0 - fraction) * load)
        assert av.pair_down_with_common_fraction(load, fraction) == pytest.approx(direct)
    # rho^2 (1 - rho + ...) + phi rho: at a load of 1e-9 the direct form has no digit left
    assert av.pair_down_with_common_fraction(1e-9, 0.0) == pytest.approx(1e-18, rel=1e-8)


def test_an_independent_pair_overlaps_as_often_and_as_long_as_in_a_long_simulation() -> None:
    rng = np.random.default_rng(11)
    (f1, r1), (f2, r2) = (10.0, 2.0), (7.0, 3.0)
    cycles = 60_000
    first = np.cumsum(np.stack([rng.exponential(f1, cycles), np.full(cycles, r1)]).T.ravel())
    second = np.cumsum(np.stack([rng.gamma(2.0, f2 / 2.0, cycles), rng.exponential(r2, cycles)]).T.ravel())
    until = min(first[-1], second[-1])
    overlaps, both = [], 0.0
    starts_2, ends_2 = second[0::2], second[1::2]
    for start, end in zip(first[0::2], first[1::2], strict=True):
        low, high = np.searchsorted(ends_2, start, side="right"), np.searchsorted(starts_2, end)
        for k in range(low, high):
            overlaps.append(min(end, ends_2[k]) - max(start, starts_2[k]))
    both = sum(overlaps)
    u1, u2 = av.unavailability(f1, r1), av.unavailability(f2, r2)
    e1, e2 = av.episode_rate(f1, r1), av.episode_rate(f2, r2)
    episodes = av.all_down_episode_rate_if_independent([u1, u2], [e1, e2])
    assert both / until == pytest.approx(av.all_down_if_independent([u1, u2]), rel=0.03)
    assert len(overlaps) / until == pytest.approx(episodes, rel=0.03)
    assert u1 * u2 / episodes == pytest.approx(av.mean_overlap_if_independent(r1, r2))


def test_the_mean_joint_share_over_all_circular_shifts_is_the_product_of_the_shares() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.random(500) < 0.2, rng.random(500) < 0.3
    joint = np.mean([np.mean(first & np.roll(second, shift)) for shift in range(500)])
    assert joint == pytest.approx(av.mean_joint_share_over_circular_shifts([first.mean(), second.mean()]))


def test_effective_redundancy_is_two_for_an_independent_pair_and_165_with_a_hundredth_shared() -> None:
    assert av.effective_redundancy(1e-6, [1e-3, 1e-3]) == pytest.approx(2.0)
    shared = av.all_down_with_shared_component(1e-5, [0.99e-3, 0.99e-3])
    assert av.effective_redundancy(shared, [1e-3, 1e-3]) == pytest.approx(1.65, abs=0.005)
