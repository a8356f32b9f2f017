"""Whatever the scenario, its faults can be foretold: finite figures, at paths that lead to one of its settings."""

import json
import math
from typing import Any

from des.estimate.foresight.foresee import foresee
from des.scenario import from_mapping, plans
from properties.runs import HERE
from properties.whole_scenarios import of_whole_scenarios


@of_whole_scenarios
def test_faults_of_any_scenario_are_plain_data_with_a_path_and_a_remedy(scenario: dict[str, Any]) -> None:
    loaded = from_mapping(scenario, HERE)
    for found in foresee(loaded, plans(loaded), dict.fromkeys(loaded.arms)).values():
        for one in found:
            json.dumps(one.as_json(), allow_nan=False)
            assert all(math.isfinite(figure) for figure in one.figures.values())
            assert one.path.split("[")[0].split(".")[0] in scenario
            assert one.sentence
            assert one.remedy
