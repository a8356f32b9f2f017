"""The preset and imported configurations against LiteLLM's Router, as `benchmarks/real_litellm.py` measured it."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.litellm_cases import CASES
from benchmarks.real_litellm import difference, played_by_the_preset

MEASURED = json.loads(Path(__file__).with_name("litellm_measured.json").read_text(encoding="utf-8"))
PRESETS = {"1.109.1": "litellm@1.109", "1.110.2": "litellm@1.110"}


@pytest.mark.parametrize("version", MEASURED)
@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_it_does_what_the_router_did(case: dict[str, Any], version: str) -> None:
    ours = played_by_the_preset(case, PRESETS[version])
    assert difference(case, MEASURED[version][case["name"]], ours) == ""


def test_both_versions_were_measured_in_every_case() -> None:
    assert set(MEASURED) == set(PRESETS)
    for results in MEASURED.values():
        assert set(results) == {case["name"] for case in CASES}
