"""With every policy off, the general walk leaves the same bytes as the plain one, whatever the scenario."""

from typing import Any

import pandas as pd
from hypothesis import given

from model.client.general import general
from model.traced import TABLES, trace
from properties.runs import plan_of
from properties.whole_scenarios import scenarios


@given(scenarios())
def test_the_general_walk_leaves_the_same_bytes_as_the_plain_one(scenario: dict[str, Any]) -> None:
    plain = plan_of(scenario)
    expected, found = trace(plain), trace(general(plain))
    for table in TABLES:
        pd.testing.assert_frame_equal(found.frame(table), expected.frame(table), check_exact=True)
