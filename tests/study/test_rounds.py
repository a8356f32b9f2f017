"""When another round is begun, by a clock that stands still."""

import pytest

from des.study import rounds
from des.study.rounds import Clock, clock_of


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    times = [100.0]
    monkeypatch.setattr(rounds.time, "perf_counter", lambda: times[0])
    return times


def test_a_round_is_begun_if_it_will_end_in_time(now: list[float]) -> None:
    clock = Clock(60.0, None)
    now[0] += 10.0
    assert clock.spent_s == pytest.approx(10.0)
    assert clock.allows(1, 39.0)
    assert not clock.allows(1, 41.0)


def test_a_number_of_rounds_is_what_counts(now: list[float]) -> None:
    clock = Clock(1.0, 3)
    clock.reserve(1e6, 2)
    now[0] += 1e6
    assert clock.allows(2, 1e9)
    assert not clock.allows(3, 0.0)
    assert clock.most_rounds == 3


def test_time_is_kept_for_what_belongs_to_the_second_round(now: list[float]) -> None:
    clock = Clock(60.0, None)
    clock.reserve(20.0, 2)
    assert clock.most_rounds is None
    assert clock.simulating_s == pytest.approx(40.0)
    assert clock.allows(1, 27.0)
    assert not clock.allows(1, 29.0)
    now[0] += 30.0
    assert clock.most_rounds == 1
    assert clock.simulating_s == pytest.approx(30.0)


def test_time_is_kept_for_the_report_of_an_answer_that_is_written(now: list[float]) -> None:
    assert clock_of("60s", None, writes=False).left_s == pytest.approx(60.0)
    assert clock_of("60s", None, writes=True).left_s == pytest.approx(58.0)
    short = clock_of(10, None, writes=True)
    assert short.left_s == pytest.approx(9.0)
    assert short.within_s == 10.0
    assert not short.allows(1, 7.3)
    assert short.allows(1, 7.1)
