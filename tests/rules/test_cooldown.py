"""Cooldowns as LiteLLM's proxy decides them, at its defaults."""

import math

import pytest

from des.rules.guards import cools, exceeds_allowed, lasts_s, window_is_open


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
