"""Back-off and jitter against worked numbers."""

import math

import pytest

from des.rules.retry import backoff_s, jittered_s

INF = math.inf


@pytest.mark.parametrize(
    ("kind", "base", "factor", "cap", "waits"),
    [
        ("none", 5.0, 2.0, INF, [0.0, 0.0, 0.0, 0.0]),
        ("constant", 5.0, 2.0, INF, [5.0, 5.0, 5.0, 5.0]),
        ("constant", 5.0, 2.0, 3.0, [3.0, 3.0, 3.0, 3.0]),
        ("linear", 0.5, 2.0, INF, [0.5, 1.0, 1.5, 2.0]),
        ("linear", 0.5, 2.0, 1.2, [0.5, 1.0, 1.2, 1.2]),
        ("exponential", 0.5, 2.0, INF, [0.5, 1.0, 2.0, 4.0]),
        ("exponential", 0.5, 3.0, 2.0, [0.5, 1.5, 2.0, 2.0]),
        ("exponential", 1.0, 1.0, INF, [1.0, 1.0, 1.0, 1.0]),
        ("exponential", 8.0, 0.5, INF, [8.0, 4.0, 2.0, 1.0]),
        ("exponential", 8.0, 0.5, 8.0, [8.0, 4.0, 2.0, 1.0]),
    ],
)
def test_waits_before_jitter(kind: str, base: float, factor: float, cap: float, waits: list[float]) -> None:
    assert [backoff_s(kind, base, factor, cap, k) for k in range(4)] == waits


def test_a_capped_exponential_wait_does_not_overflow() -> None:
    assert backoff_s("exponential", 0.5, 2.0, 60.0, 100_000) == 60.0


def jittered(jitter: str, u: float, **given: float) -> float:
    numbers = {"base_s": 1.0, "cap_s": 10.0, "spread_s": 0.5, "previous_s": 2.0} | given
    return jittered_s(jitter, 4.0, u, **numbers)


@pytest.mark.parametrize(
    ("jitter", "at_0", "at_half"),
    [
        ("none", 4.0, 4.0),
        ("full", 0.0, 2.0),
        ("equal", 2.0, 3.0),
        ("additive", 4.0, 4.25),
        ("decorrelated", 1.0, 3.5),  # U(1, 3 x 2)
    ],
)
def test_jitter_at_the_ends_of_its_range(jitter: str, at_0: float, at_half: float) -> None:
    assert jittered(jitter, 0.0) == at_0
    assert jittered(jitter, 0.5) == at_half


def test_decorrelated_jitter_starts_from_its_base_and_is_capped() -> None:
    assert jittered("decorrelated", 0.5, previous_s=1.0) == 2.0  # U(1, 3)
    assert jittered("decorrelated", 0.75, previous_s=8.0) == 10.0  # 1 + 0.75 x 23, above the cap


def test_decorrelated_jitter_does_not_follow_the_exponential_wait() -> None:
    given = {"base_s": 1.0, "cap_s": 10.0, "spread_s": 0.0, "previous_s": 2.0}
    assert jittered_s("decorrelated", 4.0, 0.25, **given) == jittered_s("decorrelated", 400.0, 0.25, **given)
