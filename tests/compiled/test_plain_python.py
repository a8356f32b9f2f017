"""The kernel as plain Python makes the rows of the SimPy engine."""

from pathlib import Path

import pytest

from des.compiled.compiling import interpreted
from des.scenario import load_scenario, plans
from tests.compiled.agreement import difference

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("file", "horizon"),
    [
        ("benchmarks/reference.yaml", "5s"),
        ("scenarios/two_stage.yaml", "60d"),
        ("scenarios/backoff_zoo.yaml", "10s"),
    ],
)
def test_the_plain_kernel_makes_the_rows_of_the_engine(file: str, horizon: str) -> None:
    for plan in plans(load_scenario(ROOT / file, [f"horizon={horizon}", "arms={}", "expect={}"])).values():
        assert difference(plan, 1, interpreted()) == ""
