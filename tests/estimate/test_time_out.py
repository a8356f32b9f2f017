"""Time out of service is added up from transitions, whatever blocks they come in."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from des import vocabulary
from des.estimate.cascades import TimeOut, TimesOut

STATES = (*vocabulary.COMPONENT_STATES, *vocabulary.GUARD_STATES, *vocabulary.LIMIT_STATES)
NAMES = {"entity": ("cdn", "a/m", "limit a"), "kind": vocabulary.ENTITY_KINDS, "from": STATES, "to": STATES}
ROWS = [
    (0.0, "cdn", "component", "up", "down"),
    (10.0, "a/m", "breaker", "closed", "open"),
    (20.0, "limit a", "limit", "admitting", "refusing"),
    (40.0, "a/m", "breaker", "open", "half_open"),
    (41.0, "a/m", "breaker", "half_open", "open"),
    (50.0, "limit a", "limit", "refusing", "admitting"),
    (71.0, "a/m", "breaker", "open", "half_open"),
    (72.0, "a/m", "breaker", "half_open", "closed"),
    (95.0, "a/m", "cooldown", "closed", "cooling"),
    (101.0, "limit a", "limit", "admitting", "refusing"),
    (120.0, "a/m", "cooldown", "cooling", "closed"),
]


def block(rows: list[tuple[float, str, str, str, str]]) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:
    columns = {"time_s": np.array([row[0] for row in rows])}
    for place, name in enumerate(("entity", "kind", "from", "to"), 1):
        columns[name] = np.array([NAMES[name].index(row[place]) for row in rows], np.int64)
    return columns


def found(rows: list[tuple[float, str, str, str, str]], *cuts: int, horizon_s: float = 100.0) -> TimesOut:
    time_out = TimeOut(NAMES, horizon_s)
    for low, high in pairwise([0, *cuts, len(rows)]):
        time_out.transitions(block(rows[low:high]))
    return time_out.times_out()


def test_states_that_keep_calls_away_have_their_times_and_their_share_of_the_horizon() -> None:
    assert found(ROWS) == {
        "a/m open": (2, pytest.approx(0.6)),
        "a/m half_open": (2, pytest.approx(0.02)),
        "a/m cooling": (1, pytest.approx(0.05)),  # past the horizon it counts no more
        "limit a refusing": (1, pytest.approx(0.3)),
    }


def test_what_is_out_at_the_end_is_out_up_to_the_horizon() -> None:
    assert found(ROWS[:3])["limit a refusing"] == (1, pytest.approx(0.8))


def test_blocks_make_no_difference() -> None:
    assert found(ROWS, 1, 4, 5, 9) == found(ROWS)


def test_sums_stay_exact_over_centuries() -> None:
    horizon_s = 3e9
    rows = []
    for number in range(200):
        start_s = horizon_s - 1000.0 + 2 * number
        rows.append((start_s, "limit a", "limit", "admitting", "refusing"))
        rows.append((start_s + 1.0, "limit a", "limit", "refusing", "admitting"))
    times, share = found(rows, horizon_s=horizon_s)["limit a refusing"]
    assert times == 200
    assert share * horizon_s == pytest.approx(200.0, rel=1e-9)
