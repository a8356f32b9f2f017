"""What named clients make of a Retry-After."""

import math

import pytest

from des.rules.retry import cap_within_total_s, combined_s, honoured_s, spread_out_s

INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(("asked", "wait"), [(30.0, 30.0), (120.0, 120.0), (121.0, INF), (0.0, 0.5), (NAN, 0.5)])
def test_openai_waits_just_as_told_up_to_120_s_and_gives_up_above(asked: float, wait: float) -> None:
    assert combined_s(0.5, honoured_s(asked, 120.0, "refuse"), "replace") == wait


@pytest.mark.parametrize("asked", [30.0, 3600.0])
def test_anthropic_sleeps_in_full(asked: float) -> None:
    assert combined_s(0.5, honoured_s(asked, INF, "clip"), "replace") == asked


@pytest.mark.parametrize(("asked", "wait"), [(1.0, 1.375), (60.0, 60.375), (61.0, 8.0), (NAN, 8.0)])
def test_litellm_goes_by_1_to_60_s_and_its_back_off_otherwise(asked: float, wait: float) -> None:
    honoured = spread_out_s(honoured_s(asked, 60.0, "ignore"), 0.5, 0.75)
    assert combined_s(8.0, honoured, "replace") == wait


def test_a_client_may_clip_what_it_is_asked() -> None:
    assert honoured_s(300.0, 60.0, "clip") == 60.0


def test_the_longer_of_both_where_they_are_combined() -> None:
    assert combined_s(2.0, 1.0, "max") == 2.0
    assert combined_s(2.0, 3.0, "max") == 3.0
    assert combined_s(2.0, 1.0, "replace") == 1.0


def test_portkey_waits_60_s_in_all() -> None:
    waited, waits = 0.0, []
    for asked in (25.0, 25.0, 25.0):
        waits.append(honoured_s(asked, cap_within_total_s(INF, waited, 60.0), "refuse"))
        waited += waits[-1]
    assert waits == [25.0, 25.0, INF]
    assert cap_within_total_s(20.0, 10.0, 60.0) == 20.0
    assert cap_within_total_s(20.0, INF, 60.0) == 0.0
