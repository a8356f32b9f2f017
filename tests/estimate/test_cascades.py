"""When guards are the outage, when something else may be, and for how long guards kept calls away."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import des
from des import vocabulary
from des.estimate.cascades import Blackout, TimeOut, TimesOut
from des.report.lines import cascade_lines, cascade_sentences


@pytest.mark.parametrize(
    ("kept_out", "calls", "failed", "is_one"),
    [
        (0, 1000, 0, False),
        (1, 1000, 0, True),
        (60, 1000, 50, False),
        (70, 1000, 50, True),
        (1000, 0, 0, False),
    ],
)
def test_guards_must_lose_a_larger_share_than_fails_of_the_calls(
    kept_out: int, calls: int, failed: int, is_one: bool
) -> None:
    assert Blackout(1000, kept_out, calls, failed).is_one is is_one


def refusing(cooldown: Any, **changes: Any) -> dict[str, Any]:
    """Two deployments that answer a call in twenty with a 429."""
    model = {"latency": "1s", "price": {"per_request": 0}, "errors": {"rate_limited": "5%"}}
    return {
        "title": "Two that refuse a little",
        "horizon": "10min",
        "seed": 3,
        "workload": {"arrivals": {"kind": "poisson", "rate": "10/s"}},
        "providers": {"a": {"models": {"m": model}}, "b": {"models": {"m": model}}},
        "chain": [{"group": "g", "routing": "weighted", "legs": [{"provider": "a"}, {"provider": "b"}]}],
        "policy": {"retries": 1, "cooldown": cooldown},
        **changes,
    }


COOLS = {"on": ["rate_limited"], "for": "5s"}


def found(folder: Path, scenario: dict[str, Any]) -> tuple[dict[str, Any], list[str], list[str]]:
    summary = des.run(scenario, out=folder / "run", traces=False).summary
    labels = [line.label.strip() for line in cascade_lines(summary, ["as_modelled"])]
    return summary["arms"]["as_modelled"], labels, list(cascade_sentences(summary, ["as_modelled"]))


def test_cooldowns_by_random_refusals_are_named_as_the_outage(tmp_path: Path) -> None:
    of, labels, (sentence,) = found(tmp_path, refusing(COOLS))
    assert (of["blackout"]["runs"], of["blackout"]["n"]) == (1, 1)
    assert of["blackout"]["kept_out_share"] > 0.3
    assert of["blackout"]["failed_share"] == pytest.approx(0.05, abs=0.02)
    assert of["metastable"]["n"] == 0
    assert "blackouts of its own" in labels
    assert sentence.startswith("blackout: with nothing down or full, the client's own guards lost ")
    assert sentence.endswith(" % of the calls failed")


def test_without_cooldowns_there_is_none(tmp_path: Path) -> None:
    of, labels, sentences = found(tmp_path, refusing("none"))
    assert (of["blackout"]["runs"], of["blackout"]["n"]) == (0, 1)
    assert "blackouts of its own" not in labels
    assert sentences == []


DOWN = {"kind": "schedule", "windows": [{"start": "2min", "end": "3min"}]}


@pytest.mark.parametrize(
    "other",
    [
        {"incidents": [DOWN]},
        {"limits": {"requests": "120/min", "burst": 10}},
        {"capacity": {"concurrent": 4, "queue": 1}},
    ],
)
def test_where_something_is_down_or_full_guards_are_not_blamed(other: dict[str, Any], tmp_path: Path) -> None:
    scenario = refusing(COOLS)
    scenario["providers"]["a"] |= other
    of, _, sentences = found(tmp_path, scenario)
    assert of["refused_by_client_share"]["mean"] > 0.1
    assert of["blackout"]["n"] == 0
    assert not [each for each in sentences if each.startswith("blackout")]


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


def times_out(rows: list[tuple[float, str, str, str, str]], *cuts: int, horizon_s: float = 100.0) -> TimesOut:
    time_out = TimeOut(NAMES, horizon_s)
    for low, high in pairwise([0, *cuts, len(rows)]):
        time_out.transitions(block(rows[low:high]))
    return time_out.times_out()


def test_states_that_keep_calls_away_have_their_times_and_their_share_of_the_horizon() -> None:
    assert times_out(ROWS) == {
        "a/m open": (2, pytest.approx(0.6)),
        "a/m half_open": (2, pytest.approx(0.02)),
        "a/m cooling": (1, pytest.approx(0.05)),  # past the horizon it counts no more
        "limit a refusing": (1, pytest.approx(0.3)),
    }


def test_what_is_out_at_the_end_is_out_up_to_the_horizon() -> None:
    assert times_out(ROWS[:3])["limit a refusing"] == (1, pytest.approx(0.8))


def test_blocks_make_no_difference() -> None:
    assert times_out(ROWS, 1, 4, 5, 9) == times_out(ROWS)


def test_sums_stay_exact_over_centuries() -> None:
    horizon_s = 3e9
    rows = []
    for number in range(200):
        start_s = horizon_s - 1000.0 + 2 * number
        rows.append((start_s, "limit a", "limit", "admitting", "refusing"))
        rows.append((start_s + 1.0, "limit a", "limit", "refusing", "admitting"))
    times, share = times_out(rows, horizon_s=horizon_s)["limit a refusing"]
    assert times == 200
    assert share * horizon_s == pytest.approx(200.0, rel=1e-9)
