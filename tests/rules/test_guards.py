"""Breakers, cooldowns, ejections, probes, throttling and ramps: when each keeps calls from a leg."""

import math

import pytest

from des.rules.guards import (
    CLOSED,
    HALF_OPEN,
    OPEN,
    admits_probe,
    admitted_share,
    after_probe,
    after_probes,
    begins_anew,
    cools,
    ejected_for_s,
    exceeds_allowed,
    fails_too_often,
    first_check_s,
    is_outlier,
    lasts_s,
    may_eject,
    panics,
    rejection_probability,
    removed_for_s,
    share_opens,
    streak_after,
    streak_opens,
    times_after_healthy_check,
    window_is_open,
)

# Breakers by the defaults of the libraries they come from.


def test_a_success_breaks_a_streak() -> None:
    streak, opened = 0, []
    for failed in (True, True, True, True, False, True, True, True, True, True):
        streak = streak_after(streak, failed=failed)
        opened.append(streak_opens(streak, 5))
    assert opened == [False] * 9 + [True]


def test_resilience4j_opens_at_half_of_its_last_100_calls() -> None:
    assert not share_opens(99, 99, 0.5, 100)
    assert not share_opens(49, 100, 0.5, 100)
    assert share_opens(50, 100, 0.5, 100)


def test_polly_opens_at_a_tenth_of_at_least_100_calls() -> None:
    assert not share_opens(50, 99, 0.1, 100)
    assert not share_opens(11, 120, 0.1, 100)
    assert share_opens(12, 120, 0.1, 100)
    assert not share_opens(0, 0, 0.1, 0)


def test_a_half_open_breaker_admits_its_probes_and_no_more() -> None:
    assert [admits_probe(started, 2) for started in range(4)] == [True, True, False, False]


def test_one_probe_decides() -> None:
    assert after_probes(0, 0, 1, None) == HALF_OPEN
    assert after_probes(1, 0, 1, None) == CLOSED
    assert after_probes(1, 1, 1, None) == OPEN


def test_the_first_of_several_probes_to_fail_opens_again() -> None:
    assert after_probes(2, 0, 3, None) == HALF_OPEN
    assert after_probes(2, 1, 3, None) == OPEN
    assert after_probes(3, 0, 3, None) == CLOSED


def test_resilience4j_decides_when_its_ten_probes_are_over() -> None:
    assert after_probes(9, 9, 10, 0.5) == HALF_OPEN
    assert after_probes(10, 5, 10, 0.5) == OPEN
    assert after_probes(10, 4, 10, 0.5) == CLOSED


# Cooldowns as LiteLLM's proxy decides them, at its defaults.


def cools_down(failed: int, calls: int, *, deployments: int = 2, at_once: bool = False, always: bool = False) -> bool:
    return cools(
        at_once=at_once,
        always=always,
        deployments=deployments,
        failed=failed,
        calls=calls,
        share=0.5,
        minimum=5,
        all_failed=1000,
    )


def test_a_429_cools_one_of_several_deployments_at_once_and_a_single_one_never() -> None:
    assert cools_down(1, 100, at_once=True)
    assert not cools_down(1, 100, at_once=True, deployments=1)
    assert not cools_down(999, 999, at_once=True, deployments=1)


@pytest.mark.parametrize("deployments", [1, 2])
def test_a_401_or_404_cools_any_deployment(deployments: int) -> None:
    assert cools_down(1, 100, always=True, deployments=deployments)


@pytest.mark.parametrize(
    ("failed", "calls", "expected"), [(4, 4, False), (2, 5, False), (3, 5, True), (3, 6, False), (4, 6, True)]
)
def test_more_than_half_of_at_least_five_cool_one_of_several(failed: int, calls: int, expected: bool) -> None:
    assert cools_down(failed, calls) == expected
    assert not cools_down(failed, calls, deployments=1)


def test_a_single_deployment_cools_when_all_of_a_thousand_failed() -> None:
    assert not cools_down(999, 999, deployments=1)
    assert cools_down(1000, 1000, deployments=1)
    assert not cools_down(1000, 1001, deployments=1)


def test_conditions_can_be_switched_off() -> None:
    assert not cools(
        at_once=False, always=False, deployments=2, failed=5000, calls=5000, share=None, minimum=5, all_failed=None
    )


def test_more_than_the_allowed_fails_cool() -> None:
    assert not exceeds_allowed(3, 3)
    assert exceeds_allowed(4, 3)
    assert exceeds_allowed(1, 0)


def test_counters_last_a_minute_from_their_first_event() -> None:
    assert window_is_open(10.0, 60.0, 69.9)
    assert not window_is_open(10.0, 60.0, 70.0)


@pytest.mark.parametrize(("asked", "lasts"), [(math.nan, 5.0), (30.0, 30.0), (0.0, 0.0)])
def test_a_cooldown_lasts_its_retry_after_or_5_s(asked: float, lasts: float) -> None:
    assert lasts_s(5.0, asked, retry_after=True) == lasts
    assert lasts_s(5.0, asked, retry_after=False) == 5.0


# Ejection at the defaults of Envoy and Helicone.


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


# Probes in a row decide whether a leg is healthy.


def states(passes: str, *, unhealthy_after: int = 3, healthy_after: int = 2) -> str:
    """One letter a probe: `.` passed, `x` failed; the state after each, H or u."""
    healthy, streak, seen = True, 0, ""
    for one in passes:
        healthy, streak = after_probe(
            healthy, streak, passed=one == ".", unhealthy_after=unhealthy_after, healthy_after=healthy_after
        )
        seen += "H" if healthy else "u"
    return seen


def test_three_failures_take_a_leg_out_and_two_passes_bring_it_back() -> None:
    assert states("..xxx.x..x") == "HHHHuuuuHH"


def test_a_pass_forgives_the_failures_before_it() -> None:
    assert states("xx.xx.xxx") == "HHHHHHHHu"


def test_one_probe_may_be_enough() -> None:
    assert states("x.x", unhealthy_after=1, healthy_after=1) == "uHu"


# Adaptive throttling by the book's formula.


def test_300_accepted_of_1000_requests_reject_two_in_five() -> None:
    assert rejection_probability(1000, 300, 2.0) == pytest.approx(0.3996, abs=5e-5)


def test_nothing_is_rejected_while_half_are_accepted() -> None:
    assert rejection_probability(1000, 500, 2.0) == 0.0
    assert rejection_probability(0, 0, 2.0) == 0.0


def test_a_backend_that_accepts_nothing_is_spared_all_but_a_trickle() -> None:
    assert rejection_probability(1000, 0, 2.0) == pytest.approx(1000 / 1001)


@pytest.mark.parametrize("capacity", [10, 20])
def test_at_k_of_two_a_backend_sees_twice_what_it_accepts(capacity: int) -> None:
    """Steady state of 100 requests a second: attempts that pass converge to K x accepts."""
    passed = 100.0
    for _ in range(2000):
        accepts = min(capacity, passed)
        passed += 0.1 * (100.0 * (1.0 - rejection_probability(100.0 * 120, accepts * 120, 2.0)) - passed)
    assert passed == pytest.approx(2 * capacity, rel=1e-3)


# How a failover grows.


def test_a_tenth_at_first_and_all_after_ten_minutes() -> None:
    shares = [admitted_share(100.0, now, 0.1, 600.0) for now in (100.0, 400.0, 700.0, 9000.0)]
    assert shares == [0.1, 0.55, 1.0, 1.0]
    assert admitted_share(100.0, 100.0, 0.1, 0.0) == 1.0


def test_a_quiet_minute_ends_a_failover() -> None:
    assert not begins_anew(100.0, 160.0, 60.0)
    assert begins_anew(100.0, 160.5, 60.0)
