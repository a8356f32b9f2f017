"""Minutes are counted in memory that ends, whatever blocks rows come in."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from des.estimate.minutes import MINUTES_KEPT, MOST_BINS, Minutes
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
    luck = np.random.default_rng(5)
    arrival_s = np.sort(luck.uniform(0.0, 4 * 3600.0, 5000))
    end_s = arrival_s + luck.exponential(900.0, 5000)
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
