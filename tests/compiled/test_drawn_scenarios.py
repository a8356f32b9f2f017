"""The compiled engine makes the rows of the SimPy engine in drawn scenarios, each with features of its own."""

import contextlib
import json
from collections.abc import Iterator

import pytest

from des.compiled import compiling
from des.scenario import from_mapping, plans
from des.scenario.plan import ClosedArrivals
from tests.compiled.agreement import window_difference
from tests.compiled.differential import compared, scenario_of
from tests.guard.drawn import FILE
from tests.guard.shipped import GUARD

pytest.importorskip("numba")

SCENARIOS = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
EVERY = 3
"""Of the drawn scenarios of the guard; `python -m tests.compiled.differential` compares on others."""


@pytest.fixture(scope="module", autouse=True)
def _leave_it_unloaded() -> Iterator[None]:
    """Other tests take the engine that they would take alone."""
    yield
    compiling.compiled.cache_clear()


@pytest.mark.timeout(900)  # the first of them may compile the kernel
@pytest.mark.xdist_group("compiled")
@pytest.mark.parametrize("part", range(4))
def test_both_engines_make_the_same_rows(part: int) -> None:
    with contextlib.chdir(GUARD / "replayed"):
        for number in range(part * EVERY, len(SCENARIOS), 4 * EVERY):
            for arm, difference in compared(from_mapping(SCENARIOS[number]), None):
                assert difference == "", f"drawn scenario {number}, arm {arm}"


def test_a_drawn_scenario_depends_on_its_number_alone() -> None:
    assert scenario_of(1, 5) == scenario_of(1, 5)
    assert scenario_of(1, 5) != scenario_of(1, 6)


@pytest.mark.xdist_group("compiled")
def test_both_engines_make_the_same_rows_of_windows() -> None:
    with contextlib.chdir(GUARD / "replayed"):
        for number in range(1, len(SCENARIOS), 20):
            for arm, plan in plans(from_mapping(SCENARIOS[number])).items():
                if not isinstance(plan.workload.arrivals, ClosedArrivals):
                    assert window_difference(plan, None) == "", f"drawn scenario {number}, arm {arm}"
