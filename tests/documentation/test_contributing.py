"""CONTRIBUTING names files that exist, and each table of states covers the kinds that a scenario may have."""

import re
from pathlib import Path
from typing import get_args

import pytest

from des.engine import arrivals, budgets
from des.engine.limiters import LIMITERS
from des.scenario.schema.limits import ALGORITHMS
from des.scenario.schema.load_control import RetryBudget
from des.scenario.schema.workload import Arrivals, ClosedArrivals, OwnArrivals

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ROWS = [line.split("|")[1:-1] for line in TEXT.splitlines() if line.startswith("| a")]


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_every_file_and_folder_that_it_names_exists() -> None:
    named = set(re.findall(r"\b(?:des|docs|tests)/[\w/]+(?:\.\w+)?", TEXT))
    assert len(named) > 20
    assert not [each for each in sorted(named) if not (ROOT / each).exists()]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip())
def test_nothing_takes_more_than_three_files(row: list[str]) -> None:
    assert 1 <= len(quoted(row[1])) <= 3


def test_every_algorithm_of_limits_has_a_limiter() -> None:
    assert set(LIMITERS) == set(ALGORITHMS)


def test_every_kind_of_open_arrivals_has_its_times() -> None:
    assert set(arrivals._TIMES) == {*get_args(Arrivals)} - {ClosedArrivals, OwnArrivals}


def test_every_kind_of_retry_budget_has_its_state() -> None:
    assert set(budgets._BUDGETS) == {*get_args(RetryBudget)}
