"""The share of calls that a provider at its capacity turns away."""

import pytest

from des.rules.limits import turned_away


@pytest.mark.parametrize(
    ("load", "capacity", "share"), [(0.5, 1.0, 0.0), (1.0, 1.0, 0.0), (1.25, 1.0, 0.2), (4.0, 1.0, 0.75)]
)
def test_what_is_beyond_the_capacity_is_turned_away(load: float, capacity: float, share: float) -> None:
    assert turned_away(load, capacity) == pytest.approx(share)
