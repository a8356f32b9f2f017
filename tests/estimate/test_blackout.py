"""When guards are the outage, and when something else may be."""

from pathlib import Path
from typing import Any

import pytest

import des
from des.estimate.cascades import Blackout
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
