"""Exact, timeline and request level beside each other, as `python -m benchmarks.agreement` shows them, in short."""

from pathlib import Path

import pytest

from benchmarks.agreement import FAR, compared

SCENARIOS = Path(__file__).parents[2] / "scenarios"


@pytest.mark.parametrize("name", ["shared_cdn", "same_provider_fallback"])
def test_the_three_estimators_agree(name: str) -> None:
    down, lost = compared(SCENARIOS / f"{name}.yaml", requests=2_000.0, years=200.0, samples=500)
    assert {"exact", "timeline", "request level"} == set(down.by)
    assert {"timeline", "request level"} <= set(lost.by)
    for row in (down, lost):
        assert max(row.distances.values(), default=0.0) < FAR, row
    assert len(down.distances) == 3
