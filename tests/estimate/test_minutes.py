"""What happened minute by minute, and recovery told from it, never averaged over what was not seen."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from des.estimate.minutes import COUNTS, MINUTES_KEPT, MOST_BINS, Bins, Minutes, Recovery, recoveries
from des.faults import Intervals
from des.vocabulary import BY_LIMIT, CALL, OK, RATE_LIMITED, REQUEST_FAILED, REQUEST_IN_FLIGHT, REQUEST_OK

DAY_S = 86_400.0


def requests(arrival_s: Any, end_s: Any = None, outcome: int = REQUEST_OK) -> dict[str, NDArray[Any]]:
    arrived = np.asarray(arrival_s, np.float64)
    return {
        "arrival_s": arrived,
        "end_s": arrived if end_s is None else np.asarray(end_s, np.float64),
        "outcome": np.full(len(arrived), outcome, np.int8),
    }


def test_a_request_counts_when_it_arrives_and_its_answer_when_it_comes() -> None:
    minutes = Minutes(300.0)
    minutes.requests(requests([0.0, 59.9, 60.0], [30.0, 130.0, 400.0]))
    minutes.requests(requests([61.0], [np.nan], REQUEST_IN_FLIGHT))
    minutes.requests(requests([299.0], [np.nan], REQUEST_FAILED))
    of = minutes.bins().of
    assert of["offered"].tolist() == [2, 2, 0, 0, 1, 0, 0]
    assert of["served"].tolist() == [2, 1, 0, 0, 0, 0, 0]
    assert of["failed"].tolist() == [0, 0, 0, 0, 1, 0, 0]
    assert of["goodput"].tolist() == [1, 0, 1, 0, 0, 0, 1]


def test_a_run_in_which_nothing_happens_has_the_minutes_of_its_horizon() -> None:
    bins = Minutes(61.0).bins()
    assert len(bins) == 2
    assert bins.total("offered") == 0


@pytest.mark.parametrize(("days", "minutes_a_bin"), [(1, 1), (31, 1), (32, 2), (365, 12)])
def test_a_longer_horizon_has_coarser_bins_of_whole_minutes(days: int, minutes_a_bin: int) -> None:
    bins = Minutes(days * DAY_S).bins()
    assert bins.bin_s == 60.0 * minutes_a_bin
    assert len(bins) == -(-days * 1440 // minutes_a_bin) <= MINUTES_KEPT
    assert bins.rows()["time_s"][-1] == (len(bins) - 1) * bins.bin_s


def test_a_run_that_goes_on_for_long_doubles_its_bins_and_loses_nothing() -> None:
    minutes = Minutes(3 * 3600.0)
    arrival_s = np.arange(180) * 60.0
    minutes.requests(requests(arrival_s))
    late_s = 60.0 * (5 * MOST_BINS + 3)
    minutes.requests(requests([1.0], [late_s]))
    bins = minutes.bins()
    assert bins.bin_s == 480.0
    assert bins.total("offered") == bins.total("goodput") == 181
    assert bins.of["offered"][0] == 9
    assert bins.of["goodput"][int(late_s // 480.0)] == 1
    assert len(bins) <= MOST_BINS


def test_minutes_do_not_depend_on_the_blocks_that_rows_come_in() -> None:
    random = np.random.default_rng(5)
    arrival_s = np.sort(random.uniform(0.0, 4 * 3600.0, 5000))
    end_s = arrival_s + random.exponential(900.0, 5000)
    end_s[17] = 60.0 * (MOST_BINS + 5)
    found = []
    for cuts in ([0, 5000], [0, 1, 18, 19, 4000, 5000], [0, 2500, 5000]):
        minutes = Minutes(4 * 3600.0)
        for low, high in pairwise(cuts):
            minutes.requests(requests(arrival_s[low:high], end_s[low:high]))
        bins = minutes.bins()
        found.append((bins.bin_s, {name: counts.tolist() for name, counts in bins.of.items()}))
    assert found[0] == found[1] == found[2]


def test_only_the_limits_that_are_budgets_refuse_at_home() -> None:
    minutes = Minutes(60.0, budgets={1})
    minutes.attempts(
        {
            "start_s": np.zeros(3),
            "end_s": np.zeros(3),
            "kind": np.full(3, CALL),
            "outcome": np.array([RATE_LIMITED, RATE_LIMITED, OK]),
            "cause": np.array([BY_LIMIT, BY_LIMIT, -1]),
            "cause_id": np.array([0, 1, -1]),
            "attempt": np.zeros(3, np.int64),
        }
    )
    bins = minutes.bins()
    names = ("calls", "refused_by_budget", "refused_by_limit", "admitted")
    assert [bins.total(name) for name in names] == [3, 1, 1, 1]


def test_what_the_client_refuses_falls_into_its_minute_of_a_coarse_bin() -> None:
    minutes = Minutes(60 * DAY_S)
    minutes.refusals({"minute": np.array([0, 0, 1, 2, 3]), "count": np.array([1, 2, 4, 8, 16])})
    assert minutes.bins().of["refused_by_client"][:2].tolist() == [7, 24]


ALL, HALF, NONE = 1.0, 0.5, 0.0


def bins(shares: Sequence[float], offered: int | Sequence[int] = 100, bin_s: float = 60.0) -> Bins:
    """Minutes with these numbers of requests, of which these shares are served."""
    asked = np.broadcast_to(np.asarray(offered, np.int64), len(shares)).copy()
    served = np.rint(asked * np.asarray(shares)).astype(np.int64)
    of = {name: np.zeros(len(shares), np.int64) for name in COUNTS}
    return Bins(bin_s, of | {"offered": asked, "served": served, "goodput": served, "failed": asked - served})


def after(found: Bins, *triggers_min: tuple[float, float]) -> tuple[Recovery, ...]:
    start_s, end_s = (np.array([pair[place] for pair in triggers_min]) * 60.0 for place in (0, 1))
    return recoveries(found, Intervals(start_s, end_s), len(found) * found.bin_s)


def test_service_is_back_at_the_first_of_three_good_minutes_after_the_trigger() -> None:
    shares = [ALL] * 10 + [NONE] * 2 + [NONE, HALF, ALL, ALL, HALF] + [ALL] * 13
    (found,) = after(bins(shares), (10, 12))
    assert found.recovered_s == 5 * 60.0
    assert found.observed_s == 18 * 60.0
    assert found.metastable is False
    assert (found.offered, found.goodput) == (500, 300)


def test_a_minute_that_the_trigger_ends_in_is_none_of_recovery() -> None:
    (found,) = after(bins([ALL] * 30), (10, 11.5))
    assert found.recovered_s == 30.0


def test_nine_tenths_of_the_baseline_are_enough() -> None:
    baseline, short = [0.8] * 10 + [NONE] * 2, [0.71] * 30
    (enough,) = after(bins(baseline + [0.72] * 30), (10, 12))
    assert enough.recovered_s == 0.0
    (not_enough,) = after(bins(baseline + short), (10, 12))
    assert not_enough.recovered_s is None


def test_the_baseline_is_one_where_no_whole_minute_came_before() -> None:
    (found,) = after(bins([HALF] * 2 + [0.85] * 20), (0.5, 2))
    assert found.recovered_s is None
    (found,) = after(bins([HALF] * 2 + [0.95] * 20), (0.5, 2))
    assert found.recovered_s == 0.0


def test_fewer_than_three_minutes_are_enough_at_the_end() -> None:
    (found,) = after(bins([ALL] * 10 + [NONE] * 10 + [ALL] * 2), (10, 12))
    assert found.recovered_s == 8 * 60.0


def test_minutes_whose_requests_mostly_never_ended_are_passed_over() -> None:
    cut_off = bins([ALL] * 10 + [NONE] * 2 + [NONE] * 15 + [0.2] * 3)
    cut_off.of["failed"][-3:] = 0
    (found,) = after(cut_off, (10, 12))
    assert found.recovered_s is None
    assert found.metastable is True


def test_minutes_in_which_nobody_asks_are_passed_over() -> None:
    offered = [100] * 14 + [0, 100, 0, 0, 100, 100, 100]
    (found,) = after(bins([ALL] * 10 + [NONE] * 2 + [NONE] * 2 + [ALL] * 7, offered), (10, 12))
    assert found.recovered_s == 2 * 60.0
    (unseen,) = after(bins([ALL] * 20, [100] * 12 + [0] * 8), (10, 12))
    assert unseen.recovered_s is None
    assert unseen.metastable is None


def test_what_is_not_recovered_from_before_the_next_trigger_is_censored_and_makes_no_baseline() -> None:
    shares = [ALL] * 10 + [NONE] * 2 + [NONE] * 5 + [NONE] + [NONE] * 5 + [ALL] * 10
    first, second = after(bins(shares), (10, 12), (17, 18))
    assert first.recovered_s is None
    assert first.observed_s == 5 * 60.0
    assert first.metastable is None
    assert second.recovered_s == 5 * 60.0
    assert second.metastable is False


def test_a_trigger_that_outlasts_the_horizon_leaves_nothing_to_see() -> None:
    assert after(bins([ALL] * 10), (5, 12)) == ()
    assert after(bins([ALL] * 10)) == ()


def test_service_that_stays_collapsed_is_metastable() -> None:
    shares = [ALL] * 10 + [NONE] * 2 + [0.02] * 25
    (found,) = after(bins(shares), (10, 12))
    assert found.metastable is True
    assert found.recovered_s is None
    assert found.collapsed_s == 25 * 60.0
    assert found.goodput / found.offered == pytest.approx(0.02)


@pytest.mark.parametrize(("collapsed_min", "metastable"), [(9, None), (10, True), (11, True)])
def test_it_takes_ten_minutes_to_call_a_collapse_metastable(collapsed_min: int, metastable: bool | None) -> None:
    (found,) = after(bins([ALL] * 10 + [NONE] * 2 + [NONE] * collapsed_min), (10, 12))
    assert found.metastable is metastable


def test_a_long_trigger_is_given_five_times_its_length() -> None:
    before = [ALL] * 10 + [NONE] * 10
    (found,) = after(bins(before + [NONE] * 49), (10, 20))
    assert found.metastable is None
    (found,) = after(bins(before + [NONE] * 45 + [ALL] * 20), (10, 20))
    assert found.metastable is False
    (found,) = after(bins(before + [NONE] * 55 + [ALL] * 20), (10, 20))
    assert found.metastable is True
    assert found.recovered_s == found.collapsed_s == 55 * 60.0


def test_more_load_than_before_is_a_reason_by_itself() -> None:
    shares = [ALL] * 10 + [NONE] * 2 + [HALF] * 20
    (found,) = after(bins(shares, [100] * 12 + [120] * 20), (10, 12))
    assert found.metastable is False
    (found,) = after(bins(shares, [100] * 12 + [110] * 20), (10, 12))
    assert found.metastable is True


def test_few_requests_that_are_lost_at_random_are_no_collapse() -> None:
    random = np.random.default_rng(3)
    shares = random.binomial(2, 0.7, 3000) / 2
    starts = range(100, 2900, 60)
    found = after(bins(shares, 2), *((float(start), start + 1.0) for start in starts))
    judged = [one.metastable for one in found if one.metastable is not None]
    assert len(judged) > 30
    assert sum(judged) <= 0.1 * len(judged)


def test_coarse_bins_need_one_good_one_each_three_minutes() -> None:
    (found,) = after(bins([ALL] * 10 + [NONE, HALF, ALL, HALF, ALL], bin_s=720.0), (120, 132))
    assert found.recovered_s == 720.0
    assert math.isclose(found.observed_s, 4 * 720.0)
