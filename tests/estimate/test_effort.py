"""The work of a quick answer is counted, bounded, and enough for honest intervals."""

from dataclasses import replace

import pytest

from des.estimate.effort import (
    QUICK,
    QUICK_CALLS,
    TOO_MUCH,
    USUAL,
    Budget,
    calls_of_replications,
    check_replications,
    longest_down,
    most_calls,
)
from des.estimate.estimate import Inapplicable
from des.estimate.exact import exact
from des.estimate.windows import windows
from des.study.long_run import QUICK as QUICK_ATTEMPT
from des.study.long_run import long_runs
from estimate.windowed import PAIR, plan_of


def test_calls_are_counted_over_retries_rounds_and_legs() -> None:
    assert most_calls(plan_of(PAIR)) == 2
    assert most_calls(plan_of(PAIR, policy={"rounds": 3, "retries": 1})) == 3 * 2 * 2


def test_quick_windows_agree_with_the_closed_form_for_less_work() -> None:
    plan = plan_of(PAIR)
    quick, usual = (windows({plan.arm: plan}, rounds=1, effort=effort) for effort in (QUICK, USUAL))
    assert quick.requests < usual.requests / 2
    assert quick.years < usual.years
    lost, closed = quick.arms[plan.arm].lost, exact(plan).lost
    assert closed is not None
    assert lost.low is not None
    assert lost.high is not None
    assert lost.low < closed < lost.high


def test_windows_beyond_the_budget_are_refused_before_they_are_simulated() -> None:
    plan = plan_of(PAIR)
    with pytest.raises(Inapplicable, match=TOO_MUCH):
        windows({plan.arm: plan}, rounds=1, effort=replace(QUICK, calls=1_000.0))


def test_a_budget_is_used_up_and_the_usual_one_has_no_end() -> None:
    plan = plan_of(PAIR)
    budget = Budget(QUICK)
    budget.take(0.5 * QUICK_CALLS, [plan])
    with pytest.raises(Inapplicable, match="calls more"):
        budget.take(0.5 * QUICK_CALLS, [plan])
    Budget(USUAL).take(1e12, [plan])


def test_replications_are_counted_with_the_calls_while_an_endpoint_is_down() -> None:
    plan = plan_of(PAIR, rate="1/h", policy={"rounds": 5})
    down = longest_down(exact(plan_of(PAIR)))
    assert 0.03 < down < 0.05
    assert calls_of_replications(plan, 0.0, 2) == pytest.approx(2 * 480)
    assert calls_of_replications(plan, 0.5, 2) == pytest.approx(2 * 480 * 5.5)
    assert longest_down(None) == 1.0
    assert check_replications([QUICK_CALLS]) == ""
    assert check_replications([QUICK_CALLS, 1.0]).startswith(TOO_MUCH)


def test_a_quick_attempt_covers_what_the_usual_one_finds() -> None:
    pair = {name: {key: value for key, value in of.items() if key != "limits"} for name, of in PAIR.items()}
    plan = plan_of(pair, policy={"rounds": 2})
    usual, quick = long_runs({"a": plan}, 1)["a"], long_runs({"a": plan}, 1, QUICK_ATTEMPT)["a"]
    assert usual.lost is not None
    assert quick.lost is not None
    assert quick.lost.low is not None
    assert quick.lost.high is not None
    assert quick.years is not None
    assert usual.years is not None
    assert quick.years < usual.years
    assert quick.lost.low < usual.lost.known < quick.lost.high
