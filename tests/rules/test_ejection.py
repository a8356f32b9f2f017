"""Ejection at the defaults of Envoy and Helicone."""

import math

import pytest

from des.rules.guards import (
    ejected_for_s,
    fails_too_often,
    first_check_s,
    is_outlier,
    may_eject,
    panics,
    removed_for_s,
    times_after_healthy_check,
)


def test_five_in_a_row_are_an_outlier() -> None:
    assert [is_outlier(streak, 5) for streak in (4, 5, 6)] == [False, True, True]


def test_each_ejection_is_30_s_longer_up_to_300() -> None:
    assert [ejected_for_s(30.0, times, 300.0) for times in (1, 2, 9, 10, 11, 50)] == [30, 60, 270, 300, 300, 300]
    assert ejected_for_s(30.0, 1, 10.0) == 30.0


@pytest.mark.parametrize(("hosts", "most"), [(1, 1), (2, 1), (9, 1), (10, 1), (19, 1), (20, 2), (100, 10)])
def test_at_most_a_tenth_of_the_hosts_leave_but_at_least_one(hosts: int, most: int) -> None:
    ejected = 0
    while may_eject(ejected, hosts, 0.1, always_one=True) and ejected < hosts:
        ejected += 1
    assert ejected == most


@pytest.mark.parametrize(("hosts", "most"), [(1, 0), (2, 0), (9, 0), (10, 1), (19, 1), (20, 2), (100, 10)])
def test_a_tenth_of_few_hosts_is_none(hosts: int, most: int) -> None:
    ejected = 0
    while may_eject(ejected, hosts, 0.1, always_one=False) and ejected < hosts:
        ejected += 1
    assert ejected == most


@pytest.mark.parametrize(
    ("admitted", "hosts", "all_are_called"), [(0, 2, True), (1, 2, False), (1, 3, True), (2, 3, False)]
)
def test_with_fewer_than_half_of_the_hosts_all_are_called(admitted: int, hosts: int, all_are_called: bool) -> None:
    assert panics(admitted, hosts, 0.5) is all_are_called
    assert not panics(admitted, hosts, 0.0)


def test_good_checks_forgive_ejections_one_by_one() -> None:
    assert [times_after_healthy_check(times) for times in (3, 1, 0)] == [2, 0, 0]


def test_hosts_return_at_the_first_check_after_their_time() -> None:
    assert [first_check_s(after_s, 10.0) for after_s in (30.0, 30.1, 39.9, 40.0)] == [30.0, 40.0, 40.0, 40.0]


@pytest.mark.parametrize("every_s", [0.1, 0.7, 5.0])
def test_no_check_is_before_its_time(every_s: float) -> None:
    for count in range(1000):
        after_s = 0.37 * count
        assert after_s <= first_check_s(after_s, every_s) < after_s + every_s * (1.0 + 1e-9)


def test_helicone_takes_out_more_than_a_tenth_of_at_least_twenty() -> None:
    assert not fails_too_often(19, 19, 0.1, 20)
    assert not fails_too_often(2, 20, 0.1, 20)
    assert fails_too_often(3, 20, 0.1, 20)
    assert not fails_too_often(0, 0, 0.1, 0)


def test_helicone_removes_a_provider_for_its_retry_after_and_30_s() -> None:
    assert removed_for_s(12.0, 30.0) == 42.0
    assert removed_for_s(math.nan, 30.0) == 60.0


def test_a_single_failure_is_a_share_where_one_call_is_enough() -> None:
    assert fails_too_often(1, 1, 0.1, 1)
