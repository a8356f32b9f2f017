"""A search's chapter: the best candidate, what is uncertain of it, and the front."""

import json
from pathlib import Path
from typing import Any

import pytest

from des.errors import DesError
from des.report.page.blocks import Figure, Paragraph
from des.report.page.chapters import chapters
from des.report.page.findings import read_result


def figure(mean: float) -> dict[str, Any]:
    return {"mean": mean, "low": None, "high": None}


def choice(*chain: str, cost: float, lost: float, misses: tuple[str, ...] = ()) -> dict[str, Any]:
    figures = {"availability": 1.0 - lost, "failure_share": lost, "cost_usd_per_success": cost}
    return {
        "chain": list(chain),
        "values": {"policy.rounds": "2"},
        "simulated": True,
        "misses": list(misses),
        "aim": figure(cost),
        "figures": {name: figure(value) for name, value in figures.items()},
    }


CHEAP, GOOD = (
    choice("a", cost=0.01, lost=0.01, misses=("availability >= 99.9%",)),
    choice("a", "b", cost=0.02, lost=1e-4),
)
FOUND: dict[str, Any] = {
    "title": "A search",
    "seed": 7,
    "aim": {
        "metric": "cost_usd_per_success",
        "direction": "minimise",
        "subject_to": [{"metric": "availability", "comparison": ">=", "value": 0.999, "text": ">= 99.9%"}],
    },
    "space": {"complete": True, "screened": 4},
    "screen": {"leaves_out": []},
    "selection": {"finalists": [GOOD, CHEAP], "decided": True, "replications": 10},
    "best": GOOD,
    "nearest": None,
    "front": [CHEAP, GOOD],
}


def section_of(found: dict[str, Any], folder: Path) -> Any:
    (folder / "optimise.json").write_text(json.dumps(found), encoding="utf-8")
    (chapter,) = chapters([read_result(folder)])
    assert [section.key for section in chapter.sections] == ["search", "methods"]
    return chapter.sections[0]


def test_the_best_is_said_first_and_marked_on_the_front(tmp_path: Path) -> None:
    section = section_of(FOUND, tmp_path)
    assert section.blocks[0].text.startswith("The best is a > b, policy.rounds=2: 99.99")
    assert "minimise cost_usd_per_success, subject to availability >= 99.9%" in section.blocks[1].text
    (front,) = [block for block in section.blocks if isinstance(block, Figure)]
    assert [row.cells[0] for row in front.table.rows] == ["a, policy.rounds=2", "a > b, policy.rounds=2"]
    assert [row.mark for row in front.table.rows] == ["", "best"]
    assert front.table.marks.names([row.cells[0] for row in front.table.rows]) == [
        "a, policy.rounds=2",
        "a > b, policy.rounds=2 *",
    ]
    assert front.table.marks.sentences == ["* the best by what was asked for"]
    (rows,) = front.specification()["datasets"].values()
    assert [(row["nines"], row["best"]) for row in rows] == [(2, False), (4, True)]
    assert [row["cost"] for row in rows] == [10, 20]


def test_what_is_uncertain_is_said(tmp_path: Path) -> None:
    found = FOUND | {
        "space": {"complete": False, "screened": 12},
        "screen": {"leaves_out": ["limit a"]},
        "selection": FOUND["selection"] | {"decided": False, "replications": 400},
    }
    said = " ".join(block.text for block in section_of(found, tmp_path).blocks if isinstance(block, Paragraph))
    assert "Not every candidate was ranked: 12 were" in said
    assert "400 replications were not enough" in said
    assert "leaves out limit a" in said


def test_where_nothing_keeps_the_bounds_the_nearest_is_named(tmp_path: Path) -> None:
    section = section_of(FOUND | {"best": None, "nearest": CHEAP}, tmp_path)
    assert section.blocks[0].text == (
        "Nothing keeps the bounds; nearest is a, policy.rounds=2, which misses availability >= 99.9%."
    )


def test_what_is_no_search_is_refused(tmp_path: Path) -> None:
    (tmp_path / "optimise.json").write_text("{}", encoding="utf-8")
    with pytest.raises(DesError, match="has no aim"):
        read_result(tmp_path)
