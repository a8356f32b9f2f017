"""Traces and figures are what was written down; `python -m tests.guard.write` writes them anew.

With `--check` it compares them all: both seeds of the shipped scenarios, every drawn one, and slow commands too. The
first seed of the shipped ones is in `tests/scenarios/test_shipped.py`, which asks more of the same runs.
"""

from typing import Any

import pytest

from tests.guard.drawn import COUNT, table
from tests.guard.figures import SLOW
from tests.guard.write import VERSIONS, compared, documents, is_quick, names, skipped, written


def of_kind(kind: str) -> list[str]:
    return [name for name in names() if name.startswith(f"{kind} ")]


@pytest.fixture(scope="module")
def before() -> dict[str, Any]:
    return written()


def test_everything_is_written_down(before: dict[str, Any]) -> None:
    assert set(before) == {VERSIONS, *names()}
    assert len(of_kind("drawn")) == COUNT


def test_the_quick_of_the_drawn_scenarios_have_every_feature_of_them_all() -> None:
    quick = [document for name, document in zip(of_kind("drawn"), documents(), strict=True) if is_quick(name)]
    assert set(table(quick)) == set(table(documents()))


@pytest.mark.parametrize("name", [name for name in of_kind("drawn") if is_quick(name)])
def test_a_drawn_scenario_leaves_the_same_traces(name: str, before: dict[str, Any]) -> None:
    assert compared(name, before) == []


@pytest.mark.parametrize("name", [name for name in of_kind("figures") if name.removeprefix("figures ") not in SLOW])
def test_commands_give_the_same_figures(name: str, before: dict[str, Any]) -> None:
    if reason := skipped(name):
        pytest.skip(reason)
    assert compared(name, before) == []
