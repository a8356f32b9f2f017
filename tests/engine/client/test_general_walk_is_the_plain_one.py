"""With every policy off, the general walk leaves the same bytes as the plain one, whatever the scenario."""

from typing import Any

import pandas as pd
from hypothesis import given
from properties.runs import plan_of
from properties.whole_scenarios import scenarios

from engine.client.general import general
from engine.traced import TABLES, trace


@given(scenarios())
def test_the_general_walk_leaves_the_same_bytes_as_the_plain_one(scenario: dict[str, Any]) -> None:
    plain = plan_of(scenario)
    expected, found = trace(plain), trace(general(plain))
    for table in TABLES:
        left, right = found.frame(table), expected.frame(table)
        pd.testing.assert_frame_equal(left, right, check_exact=True, check_dtype=len(right) > 0)
