"""`des fit --into`: a history takes the place of what a scenario says of failures, and touches nothing else."""

import difflib
from pathlib import Path
from typing import Any

import pytest
import yaml

from des.errors import DesError
from des.scenario import load_scenario, plans
from des.study.fit import fit
from tests.command import Done, des

SCENARIO = """\
# a comment at the top
horizon: 1y
workload: {arrivals: {kind: poisson, rate: 1/h}}
components:
  region: {}
providers:
  anthropic:  # the primary
    depends_on: [region]
    availability: 99.5%   # a guess
    episodes_per_year: 10
    # latencies were measured
    models:
      m: {latency: 1s, price: {per_request: 0.01}}
  openai: {models: {m: {latency: 1s, price: {per_request: 0.01}}}}
chain:
- provider: anthropic
- provider: openai  # the fallback
"""


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Thirty minor and fifteen critical incidents of one service, and one major one."""
    rows = ["service,start,end,severity"]
    for month in range(1, 16):
        date = f"{2023 + (month - 1) // 12}-{(month - 1) % 12 + 1:02}"
        rows += [f"api,{date}-0{day}T00:00:00Z,{date}-0{day}T0{1 + (month + day) % 7}:00:00Z,minor" for day in (2, 5)]
        rows.append(f"api,{date}-{10 + month}T06:00:00Z,{date}-{10 + month}T06:{10 + month}:00Z,critical")
    rows.append("api,2023-06-28T00:00:00Z,2023-06-28T03:00:00Z,major")
    path = tmp_path / "history.csv"
    path.write_text("\n".join(rows))
    return path


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "my.yaml"
    path.write_text(SCENARIO)
    return path


def changed(scenario: Path) -> tuple[list[str], list[str]]:
    """Lines that went, and lines that came."""
    lines = list(difflib.ndiff(SCENARIO.splitlines(), scenario.read_text().splitlines()))
    return [line[2:] for line in lines if line[0] == "-"], [line[2:] for line in lines if line[0] == "+"]


def _des(history: Path, scenario: Path, *more: str) -> Done:
    return des("fit", history, "--into", scenario, *more)


def test_each_severity_becomes_a_class_and_every_other_line_stays(history: Path, scenario: Path) -> None:
    done = _des(history, scenario, "--as", "anthropic", "--error-rate", "minor=2%")
    assert done.returncode == 0, done.stderr
    assert f"{scenario}: anthropic fails as recorded, instead of its availability and episodes_per_year" in done.stdout
    assert "- severity major: left out, too few for a rate (1 incident)" in " ".join(done.stdout.split())
    went, came = changed(scenario)
    assert went == ["    availability: 99.5%   # a guess", "    episodes_per_year: 10"]
    assert came[0] == "    incidents:"
    critical, minor = yaml.safe_load(scenario.read_text())["providers"]["anthropic"]["incidents"]
    assert (critical["error_rate"], minor["error_rate"]) == ("100%", "2%")
    plan = plans(load_scenario(scenario))["as_modelled"]
    rates = [each.kind for component in plan.components for each in component.incidents]
    assert rates == ["marked_renewal", "marked_renewal"]


def test_a_class_is_fitted_to_its_severity_alone(history: Path, scenario: Path, tmp_path: Path) -> None:
    _des(history, scenario, "--as", "anthropic")
    incidents = yaml.safe_load(scenario.read_text())["providers"]["anthropic"]["incidents"]
    rows = history.read_text().splitlines()
    for severity, found in zip(("critical", "minor"), incidents, strict=True):
        alone = tmp_path / f"{severity}.csv"
        alone.write_text("\n".join([rows[0], *(row for row in rows if row.endswith(severity))]))
        (expected,) = yaml.safe_load(fit(alone).fragment)["components"]["api"]["incidents"]
        assert (found["between"], found["duration"]) == (expected["between"], expected["duration"])


def test_a_second_history_takes_the_place_of_the_first(history: Path, scenario: Path) -> None:
    _des(history, scenario, "--as", "anthropic")
    once = scenario.read_text()
    _des(history, scenario, "--as", "anthropic")
    assert scenario.read_text() == once


def test_a_component_without_settings_is_written_too(history: Path, scenario: Path) -> None:
    text = SCENARIO.replace("region: {}", "region:").replace("    availability: 99.5%   # a guess\n", "")
    scenario.write_text(text.replace("    episodes_per_year: 10\n", ""))
    assert _des(history, scenario, "--as", "region").returncode == 0
    assert len(yaml.safe_load(scenario.read_text())["components"]["region"]["incidents"]) == 2


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "--into needs --as NAME"),
        (("--as", "antropic"), "did you mean 'anthropic'?"),
        (("--as", "openai"), "providers.openai: is written in braces"),
        (("--as", "anthropic", "--error-rate", "minr=2%"), "did you mean 'minor'?"),
        (("--as", "anthropic", "--error-rate", "minor=2"), "--error-rate 'minor=2'"),
        (("--as", "anthropic", "--error-rate", "2%"), "write SEVERITY=SHARE"),
    ],
)
def test_what_cannot_be_put_in_is_refused_and_the_file_stays(
    history: Path, scenario: Path, more: tuple[str, ...], said: str
) -> None:
    done = _des(history, scenario, *more)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert scenario.read_text() == SCENARIO


def test_a_scenario_that_would_not_be_valid_stays_as_it_was(history: Path, scenario: Path) -> None:
    arms = "arms:\n  worse: {providers.anthropic.availability: 99%}\n"
    scenario.write_text(SCENARIO + arms)
    assert _des(history, scenario, "--as", "anthropic").returncode == 2
    assert scenario.read_text() == SCENARIO + arms


def test_several_services_must_be_chosen_from(history: Path, scenario: Path) -> None:
    history.write_text(
        history.read_text() + "\nchat,2023-01-01T00:00:00Z,2023-01-01T01:00:00Z,minor"
        "\nchat,2023-02-01T00:00:00Z,2023-02-01T01:00:00Z,minor"
    )
    with pytest.raises(DesError, match=r"choose it by --service \(api, chat\)"):
        fit(history, into=scenario, name="anthropic")
    fit(history, into=scenario, name="anthropic", services=["api"])


def test_a_history_without_severities_is_one_class(scenario: Path, tmp_path: Path) -> None:
    path = tmp_path / "plain.csv"
    path.write_text("start,end\n" + "\n".join(f"2024-0{m}-01T00:00:00Z,2024-0{m}-01T02:00:00Z" for m in range(1, 9)))
    fit(path, into=scenario, name="anthropic")
    found: dict[str, Any] = yaml.safe_load(scenario.read_text())
    assert [each["error_rate"] for each in found["providers"]["anthropic"]["incidents"]] == ["100%"]
