"""A cooldown counts every call of its window, and those that failed."""

from collections.abc import Sequence
from typing import Any

import pytest

from des.engine.codes import Kinds
from des.engine.guards import Cooldown
from des.scenario import plan
from des.vocabulary import OK, SERVER_ERROR
from engine.serving import one_endpoint


def cooldown(deployments: int, **settings: Any) -> Cooldown:
    counts = ("server_error",)
    return Cooldown(
        plan.Cooldown(counts=counts, cooldown_s=5.0, **settings),
        deployments,
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


def test_a_cooldown_of_no_length_is_none() -> None:
    turns: list[str] = []
    guard = Cooldown(
        plan.Cooldown(counts=frozenset({SERVER_ERROR}), cooldown_s=5.0, allowed_fails=0, honours_retry_after=True),
        2,
        Kinds(one_endpoint()),
        changed=lambda before, after: turns.append(after),
        timer=lambda time_s, act: None,
    )
    guard.learn(0, SERVER_ERROR, 0.0, 1.0)
    assert guard.admits()
    assert turns == []
    guard.learn(0, SERVER_ERROR, float("nan"), 1.0)
    assert not guard.admits()
    assert turns == ["cooling"]
