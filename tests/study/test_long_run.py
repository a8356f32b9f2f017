"""The second attempt at an availability is for those that the first leaves coarse, and belongs to the second round."""

import pytest

from des.estimate.availability import choose
from des.estimate.estimate import TIMELINE, Estimate
from des.scenario import from_mapping, plans
from des.study import long_run
from des.study.long_run import Attempt, LongRun, refined, refining_s
from tests.study.small_scenario import small

PLANS = plans(from_mapping(small(horizon="1h")))


def known(lost: Estimate | None) -> LongRun:
    return LongRun(choice=choose(PLANS["as_modelled"]), lost=lost)


COARSE = known(Estimate(0.01, 0.009, 0.0115, 40, TIMELINE))
FINE = known(Estimate(0.01, 0.0099, 0.0101, 40, TIMELINE))
EXACT = known(Estimate(0.01))


def test_only_a_wide_interval_is_coarse() -> None:
    assert COARSE.is_coarse
    assert not FINE.is_coarse
    assert not EXACT.is_coarse
    assert not known(None).is_coarse


def test_only_coarse_ones_are_refined(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[tuple[float, str]] = []

    def attempt(of: Attempt, plan: object, report: object = None) -> LongRun:
        tried.append((of.years, plan.arm))  # type: ignore[attr-defined]
        return FINE

    monkeypatch.setattr(long_run, "_long_run", attempt)
    found = refined(PLANS, {"as_modelled": EXACT, "primary_only": COARSE}, 1)
    assert tried == [(10_000.0, "primary_only")]
    assert found == {"as_modelled": EXACT, "primary_only": FINE}


def test_refining_takes_time_for_the_coarse_ones_alone() -> None:
    assert refining_s({"a": FINE, "b": EXACT}, 2.0) == 0.0
    assert refining_s({"a": COARSE, "b": EXACT}, 2.0) == pytest.approx(8.0)
