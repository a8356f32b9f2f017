"""Rows are sorted as NumPy sorts them, or left to it."""

import numpy as np
import pytest

from des.compiled.kernel.sorting import CROWDED, ENDLESS, sort


def sorted_places(time_s: list[float], number: list[int], nth: list[int]) -> tuple[int, list[int], list[float]]:
    count = len(time_s)
    in_order_s, places, heads = np.empty(count), np.empty(count, np.int64), np.empty(count + 1, np.int64)
    keys = np.array(time_s), np.array(number), np.array(nth)
    found = sort(*keys, np.empty(count), in_order_s, places, heads)
    return found, places.tolist(), in_order_s.tolist()


@pytest.mark.parametrize("ties", [0.0, 0.02, 0.2])
def test_rows_come_by_time_then_request_then_attempt(ties: float) -> None:
    rng = np.random.default_rng(5)
    time_s = rng.uniform(10.0, 20.0, 500)
    time_s[rng.random(500) < ties] = 15.0
    number, nth = rng.integers(0, 40, 500), rng.integers(0, 4, 500)
    count, places, in_order_s = sorted_places(time_s.tolist(), number.tolist(), nth.tolist())
    assert count == 500
    assert places == np.lexsort([nth, number, time_s]).tolist()
    assert in_order_s == sorted(time_s)


def test_equal_rows_keep_their_order() -> None:
    assert sorted_places([2.0, 1.0, 1.0, 1.0], [0, -1, -1, -1], [0, 0, 0, 0])[1] == [1, 2, 3, 0]


def test_rows_without_an_end_are_left_to_numpy() -> None:
    assert sorted_places([1.0, np.inf], [0, 1], [0, 0])[0] == ENDLESS
    assert sorted_places([1.0, np.nan], [0, 1], [0, 0])[0] == ENDLESS


def test_rows_that_end_together_in_any_order_are_left_to_numpy() -> None:
    number = np.random.default_rng(6).permutation(2000).tolist()
    assert sorted_places([1.0] * 2000, number, [0] * 2000)[0] == CROWDED
    assert sorted_places([1.0] * 2000, sorted(number), [0] * 2000)[0] == 2000


def test_one_late_row_does_not_keep_others_from_being_sorted() -> None:
    time_s = [*np.random.default_rng(7).uniform(0.0, 1.0, 50).tolist(), 1e300]
    count, places, _ = sorted_places(time_s, list(range(51)), [0] * 51)
    assert count in (51, CROWDED)
    if count == 51:
        assert places == np.argsort(time_s).tolist()
    assert sorted_places([0.0, 5e-324], [1, 0], [0, 0])[0] == CROWDED  # too close to be told apart by division


def test_no_rows_are_sorted_rows() -> None:
    assert sorted_places([], [], [])[0] == 0
