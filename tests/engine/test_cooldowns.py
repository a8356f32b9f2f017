"""A cooldown counts every call of its window, and those that failed."""

from collections.abc import Sequence
from typing import Any

import pytest

from des.engine.codes import Kinds
from des.engine.guards import Cooldown, Pool
from des.scenario import plan
from des.vocabulary import CLIENT_ERROR, OK, SERVER_ERROR
from engine.serving import one_endpoint


def cooldown(deployments: int, *, has_fallback: bool = False, **settings: Any) -> Cooldown:
    counts = ("server_error",)
    return Cooldown(
        plan.Cooldown(counts=counts, cooldown_s=5.0, **settings),
        Pool(deployments, has_fallback=has_fallback),
        Kinds(one_endpoint()),
        changed=lambda before, after: None,
        timer=lambda time_s, act: None,
    )


def after(guard: Cooldown, outcomes: Sequence[int]) -> bool:
    """Whether it still admits after calls that ended so, one a second."""
    for second, outcome in enumerate(outcomes):
        guard.learn(0, outcome, float("nan"), float(second))
    return guard.admits()


@pytest.mark.parametrize(
    ("outcomes", "admits"),
    [
        ([OK, SERVER_ERROR, OK, SERVER_ERROR], True),
        ([OK, SERVER_ERROR, OK, SERVER_ERROR, OK, SERVER_ERROR], True),
        ([OK, SERVER_ERROR, OK, SERVER_ERROR, SERVER_ERROR], False),
        ([SERVER_ERROR, OK, SERVER_ERROR, SERVER_ERROR, OK], True),
    ],
)
def test_more_than_its_share_of_enough_calls_must_have_failed(outcomes: Sequence[int], admits: bool) -> None:
    assert after(cooldown(2, failure_share=0.5, minimum=5), outcomes) == admits


def test_failures_in_all_of_enough_calls_cool_a_single_deployment() -> None:
    assert after(cooldown(1, all_failed=3), [SERVER_ERROR] * 2)
    assert not after(cooldown(1, all_failed=3), [SERVER_ERROR] * 3)
    assert after(cooldown(1, all_failed=3), [OK, *[SERVER_ERROR] * 5])


def test_failures_beyond_those_allowed_cool_it() -> None:
    assert after(cooldown(1, allowed_fails=2), [SERVER_ERROR, OK, SERVER_ERROR])
    assert not after(cooldown(1, allowed_fails=2), [SERVER_ERROR, OK, SERVER_ERROR, SERVER_ERROR])


def test_failures_of_a_window_gone_by_count_no_more() -> None:
    guard = cooldown(2, failure_share=0.5, minimum=5, window_s=3.0)
    assert after(guard, [SERVER_ERROR] * 3 + [OK] * 3)
    assert after(cooldown(2, failure_share=0.5, minimum=5, window_s=3.0), [SERVER_ERROR] * 9)


def told(guard: Cooldown, *calls: tuple[float, int]) -> Cooldown:
    """The guard after calls that ended at these times, so."""
    for time_s, outcome in calls:
        guard.learn(0, outcome, float("nan"), time_s)
    return guard


def test_with_windows_of_their_own_failures_outlive_the_successes_before_them() -> None:
    settings = {"failure_share": 0.5, "minimum": 5, "window_s": 60.0}
    calls = [
        *((second, OK) for second in range(20)),
        *((50.0 + n, SERVER_ERROR) for n in range(4)),
        (64.0, SERVER_ERROR),
    ]
    assert told(cooldown(2, **settings), *calls).admits()
    assert not told(cooldown(2, own_windows=True, **settings), *calls).admits()


def test_the_window_of_allowed_fails_then_opens_with_the_first_failure() -> None:
    calls = [(0.0, OK), (3.0, SERVER_ERROR), (6.0, SERVER_ERROR)]
    assert told(cooldown(2, allowed_fails=1), *calls).admits()
    assert not told(cooldown(2, allowed_fails=1, own_windows=True), *calls).admits()


@pytest.mark.parametrize(
    ("second_s", "asked_s", "renewed_s", "kept_s"),
    [(3.0, float("nan"), 8.0, 5.0), (3.0, 1.0, 4.0, 4.0), (3.0, 60.0, 63.0, 5.0)],
)
def test_a_second_failure_renews_a_cooldown_or_keeps_the_sooner_end(
    second_s: float, asked_s: float, renewed_s: float, kept_s: float
) -> None:
    for renews, until_s in ((True, renewed_s), (False, kept_s)):
        guard = cooldown(1, allowed_fails=0, honours_retry_after=True, renews=renews)
        guard.learn(0, SERVER_ERROR, float("nan"), 0.0)
        guard.learn(0, SERVER_ERROR, asked_s, second_s)
        assert guard.cools_until_s == until_s


@pytest.mark.parametrize(
    ("deployments", "has_fallback", "settings", "admits"),
    [
        (1, False, {}, False),
        (1, False, {"spares_fallbacks": True}, True),
        (1, True, {"spares_fallbacks": True}, False),
        (2, False, {"spares_fallbacks": True}, False),
        (1, False, {"spares_fallbacks": True, "one_of_several": True}, False),
    ],
)
def test_allowed_fails_may_spare_a_leg_by_itself_that_nothing_follows(
    deployments: int, has_fallback: bool, settings: dict[str, Any], admits: bool
) -> None:
    guard = cooldown(deployments, has_fallback=has_fallback, allowed_fails=0, **settings)
    assert told(guard, (0.0, SERVER_ERROR)).admits() is admits


def test_what_only_counts_cools_nobody_itself_but_makes_the_next_failure_do() -> None:
    guard = cooldown(2, failure_share=0.5, minimum=5, counted_only=("client_error",))
    assert told(guard, *((float(second), CLIENT_ERROR) for second in range(7))).admits()
    assert not told(guard, (8.0, SERVER_ERROR)).admits()


def test_a_leg_by_itself_may_cool_as_one_of_several() -> None:
    calls = [(float(second), SERVER_ERROR) for second in range(5)]
    assert told(cooldown(1, failure_share=0.5, minimum=5), *calls).admits()
    assert not told(cooldown(1, failure_share=0.5, minimum=5, one_of_several=True), *calls).admits()


def test_a_cooldown_of_no_length_is_none() -> None:
    turns: list[str] = []
    guard = Cooldown(
        plan.Cooldown(counts=("server_error",), cooldown_s=5.0, allowed_fails=0, honours_retry_after=True),
        Pool(2),
        Kinds(one_endpoint()),
        changed=lambda before, after: turns.append(after),
        timer=lambda time_s, act: None,
    )
    guard.learn(0, SERVER_ERROR, 0.0, 1.0)
    assert guard.admits()
    assert turns == []
    guard.learn(0, SERVER_ERROR, 0.5, 1.0)
    assert not guard.admits()
    assert turns == ["cooling"]
