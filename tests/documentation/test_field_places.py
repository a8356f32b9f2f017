"""Each field of a scenario is explained where its definition is: in a table of its own, or in the row that names it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "des.schema.json").read_text(encoding="utf-8"))
DEFINITIONS: dict[str, Any] = {"Scenario": SCHEMA, **SCHEMA["$defs"]}

TABLES = {
    "Scenario": "The root",
    "Workload": "`workload`",
    "Component": "`components`",
    "Effect": "`components`",
    "CommonCause": "What is shared",
    "Surge": "What is shared",
    "Provider": "`providers`",
    "Model": "`providers`",
    "Errors": "`providers`",
    "Limits": "`providers`",
    "Budget": "`budgets`",
    "Leg": "`chain`",
    "Group": "`chain`",
    "Policy": "`policy`",
    "Objective": "`objective`",
    "Value": "`objective`",
    "Optimise": "`optimise`",
    "ArrivalFile": "Recorded arrivals",
    "IncidentFile": "Recorded incidents",
    "Backoff": "Back-off",
    "ThrottledBackoff": "Back-off",
    "RetryAfter": "`retry_after`",
    "Routing": "`routing`",
    "ConsecutiveBreaker": "`breaker`",
    "CountWindowBreaker": "`breaker`",
    "TimeWindowBreaker": "`breaker`",
    "Cooldown": "`cooldown`",
    "Ejection": "`ejection`",
    "Hedge": "`hedge`",
    "Probes": "`probes`",
    "Shaping": "`shaping`",
    "Bulkhead": "`bulkhead`",
    "AdaptiveThrottling": "`adaptive_throttling`",
    "Ramp": "`ramp`",
    "Client": "`clients`",
}
"""Definitions with a row for each field, and the section they are in. The values of `kind` stand in its row."""

ROWS = {
    "OwnClass": ("Distributions", "A `kind` such as"),
    "LegChoice": ("`optimise`", "| `legs`"),
    "PoissonArrivals": ("`workload`", "| `poisson`"),
    "BurstyArrivals": ("`workload`", "| `bursty`"),
    "BatchArrivals": ("`workload`", "| `batch`"),
    "ClosedArrivals": ("`workload`", "| `closed`"),
    "ArrivalColumns": ("Recorded arrivals", "| `columns`"),
    "Profile": ("`workload`", "A `profile`"),
    "Tokens": ("`workload`", "| `tokens`"),
    "Requirement": ("`workload`", "| `requirements`"),
    "Dependency": ("`components`", "| `depends_on`"),
    "PoissonIncidents": ("`components`", "| `poisson`"),
    "RenewalIncidents": ("`components`", "| `renewal`"),
    "MarkedRenewalIncidents": ("`components`", "| `marked_renewal`"),
    "Schedule": ("`components`", "| `schedule`"),
    "Window": ("`components`", "| `schedule`"),
    "IncidentColumns": ("Recorded incidents", "| `columns`"),
    "Latency": ("`providers`", "| `latency` | distribution"),
    "Price": ("`providers`", "| `price`"),
    "RandomError": ("`providers`", "| `server_error`"),
    "BrokenStreams": ("`providers`", "| `mid_stream`"),
    "Burst": ("`providers`", "| `requests`"),
    "Windows": ("`providers`", "| `algorithm`"),
    "Estimate": ("`providers`", "- `dispatch`: when the call starts"),
    "Acceleration": ("`providers`", "| `acceleration`"),
    "Capacity": ("`providers`", "`capacity`"),
    "BillingTable": ("`providers`", "| | `ok`"),
    "Timeout": ("`chain`", "| `timeout`"),
    "PromptCache": ("`chain`", "| `prompt_cache`"),
    "SilentRot": ("`chain`", "`silent_rot`"),
    "ActiveBudget": ("`retry_budget`", "| `active`"),
    "RatioBudget": ("`retry_budget`", "| `ratio`"),
    "QuotaBudget": ("`retry_budget`", "| `quota`"),
    "ThrottleBudget": ("`retry_budget`", "| `throttle`"),
    "BucketBudget": ("`retry_budget`", "| `bucket`"),
    "RoundedUp": ("`providers`", "| `retry_after`"),
    "Application": ("`policy`", "`application`"),
    "ShareCache": ("`policy`", "`response_cache`"),
    "ZipfCache": ("`policy`", "`response_cache`"),
}
"""Definitions that one row or paragraph explains: the section, and how the row begins."""

DISTRIBUTION = re.compile(
    r"(Constant|Uniform|Exponential|Lognormal|Gamma|Weibull|Pareto|Mixture|Empirical)(?:Part)?(Duration|Count|Speed|Share)"
)
"""Laws have a row by kind, whatever they are of."""

INHERITED = {
    "Provider": "Component",
    "Model": "Component",
    "Budget": "Limits",
    "Group": "Leg",
    "PoissonIncidents": "Effect",
    "RenewalIncidents": "Effect",
    "MarkedRenewalIncidents": "Effect",
    "Schedule": "Effect",
    "IncidentFile": "Effect",
}
"""Whose fields the page says a definition has too; they are explained there."""


@dataclass(frozen=True)
class Section:
    units: list[str]
    """Rows of tables, and paragraphs."""

    def unit(self, opening: str) -> str:
        """The one row or paragraph that begins so."""
        (found,) = [unit for unit in self.units if unit.startswith(opening)]
        return found

    def first_cells(self) -> str:
        return " ".join(unit.split("|")[1] for unit in self.units if unit.startswith("|"))

    def kinds(self) -> str:
        """The rows of `kind`, and the headings of tables by kind, which name what all kinds have."""
        return " ".join(unit for unit in self.units if unit.startswith("| `kind`"))


def quoted(text: str) -> set[str]:
    """Every word between backticks."""
    return set(re.findall(r"[A-Za-z_0-9]+", " ".join(re.findall(r"`([^`\n]+)`", text))))


def section(heading: str) -> Section:
    page = (ROOT / "docs" / "scenario.md").read_text(encoding="utf-8")
    (text,) = [part for part in re.split(r"^##+ ", page, flags=re.MULTILINE) if part.startswith(heading)]
    units: list[str] = []
    for paragraph in text.partition("\n")[2].split("\n\n"):
        rows = paragraph.strip().split("\n")
        units.extend(rows if rows[0].startswith("|") else [" ".join(rows)])
    return Section(units)


def explained(name: str) -> set[str]:
    """The words that stand where the fields of a definition belong."""
    if distribution := DISTRIBUTION.fullmatch(name):
        return quoted(section("Distributions").unit(f"| `{distribution[1].lower()}`"))
    if name in TABLES:
        own = section(TABLES[name])
        return quoted(own.first_cells()) | quoted(own.kinds())
    heading, opening = ROWS[name]
    return quoted(section(heading).unit(opening)) | quoted(section(heading).kinds())


def own_fields(name: str) -> set[str]:
    """The fields of a definition, without those it shares with another, and with its kind as the kind's word."""
    fields = dict(DEFINITIONS[name]["properties"])
    kind = fields.get("kind", {}).get("const")
    if kind is not None:
        del fields["kind"]
    inherited = DEFINITIONS[INHERITED[name]]["properties"] if name in INHERITED else {}
    return {*fields, *([kind] if kind else [])} - set(inherited)


def test_every_definition_has_its_place() -> None:
    placed = {*TABLES, *ROWS}
    assert {name for name in DEFINITIONS if not DISTRIBUTION.fullmatch(name)} == placed
    assert not set(TABLES) & set(ROWS)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_its_fields_are_explained_there(name: str) -> None:
    assert own_fields(name)
    assert not own_fields(name) - explained(name)


def test_a_word_that_stands_elsewhere_explains_nothing() -> None:
    assert "open" in explained("ConsecutiveBreaker")
    assert "open" not in explained("Cooldown")
    assert "median" not in explained("GammaDuration")
