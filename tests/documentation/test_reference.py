"""The reference pages are complete: every choice, column, metric and word stands in them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from des import vocabulary
from des.estimate.foresight.foresee import foresee
from des.report.foreseen_lines import print_foreseen
from des.report.layout import as_text
from des.scenario import load_scenario, plans
from des.traces.schemas import TABLES

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "des.schema.json").read_text(encoding="utf-8"))


def words(page: str) -> set[str]:
    """Everything that stands between backticks, word by word."""
    quoted = re.findall(r"`([^`\n]+)`", (ROOT / "docs" / page).read_text(encoding="utf-8"))
    return set(re.findall(r"[A-Za-z_0-9]+", " ".join(quoted)))


def choices(schema: Any) -> set[str]:
    """The words that a field may have as its value."""
    if isinstance(schema, list):
        return set().union(*map(choices, schema))
    if not isinstance(schema, dict):
        return set()
    given = [*schema.get("enum", []), schema.get("const")]
    return {word for word in given if isinstance(word, str)} | choices(list(schema.values()))


def test_every_choice_of_a_field_is_explained() -> None:
    assert {"marked_renewal", "decorrelated", "per_attempt"} <= choices(SCHEMA)
    assert not choices(SCHEMA) - words("scenario.md")


@pytest.mark.parametrize("table", TABLES)
def test_every_column_of_a_trace_is_explained(table: str) -> None:
    assert not set(TABLES[table].names) - words("outputs.md")


def test_every_word_of_the_traces_is_explained() -> None:
    for values in (
        vocabulary.ATTEMPT_OUTCOMES,
        vocabulary.REQUEST_OUTCOMES,
        vocabulary.ERROR_TYPES,
        vocabulary.CAUSES,
        vocabulary.ATTEMPT_KINDS,
        vocabulary.INCIDENT_KINDS,
        vocabulary.COMPONENT_STATES,
        vocabulary.LEG_STATES,
        vocabulary.ENTITY_KINDS,
        vocabulary.GUARD_STATES,
        vocabulary.LIMIT_STATES,
        vocabulary.METRICS,
        vocabulary.CASCADE_METRICS,
    ):
        assert not set(values) - words("outputs.md")


def test_every_metric_and_every_entry_of_the_manifest_is_explained(tmp_path: Path) -> None:
    import des

    workload = {"arrivals": {"kind": "batch", "every": "1h", "size": 2}}
    providers = {"one": {"models": {"m": {"latency": "1s", "price": {"per_request": 0}}}}}
    scenario = {"horizon": "3h", "workload": workload, "providers": providers, "chain": [{"provider": "one"}]}
    run = des.run(scenario, out=tmp_path / "run")
    explained = words("outputs.md")
    assert not set(run.summary["arms"]["as_modelled"]) - explained
    assert not set(run.summary) - {"quantiles", "confidence"} - explained
    assert not set(run.manifest) - explained


def test_every_fault_foreseen_is_explained_and_no_other() -> None:
    files = (ROOT / "des" / "estimate" / "foresight").glob("*.py")
    given = [line for file in files for line in re.findall(r"\bcode=(.*)", file.read_text(encoding="utf-8"))]
    codes = {code for line in given for code in re.findall(r'"([a-z_]+)"', line)}
    page = (ROOT / "docs" / "foreseen.md").read_text(encoding="utf-8")
    assert codes == set(re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE))


@pytest.mark.parametrize("name", ["retry_storm", "cost_overhead"])
def test_the_faults_that_the_page_shows_are_those_that_are_printed(name: str) -> None:
    loaded = load_scenario(ROOT / "scenarios" / f"{name}.yaml")
    found = foresee(loaded, plans(loaded), dict.fromkeys(loaded.arms))
    printed = as_text(lambda console: print_foreseen(found, console), width=80).replace(f"{ROOT}/", "")
    assert f"```\n{printed.strip()}\n```" in (ROOT / "docs" / "foreseen.md").read_text(encoding="utf-8")


def test_what_the_page_says_of_a_shorter_timeout_is_foreseen() -> None:
    loaded = load_scenario(ROOT / "scenarios" / "research_pipeline.yaml", ["chain[0].timeout=10s"])
    found = foresee(loaded, plans(loaded), dict.fromkeys(loaded.arms))
    (slow,) = (fault for fault in found["three_stages"] if fault.code == "slow_answers")
    assert f"> {slow.sentence}\n" in (ROOT / "docs" / "foreseen.md").read_text(encoding="utf-8")
