"""`des fit --into`: a history takes the place of what a scenario says of failures, and touches nothing else."""

import difflib
from pathlib import Path
from typing import Any

import pytest
import yaml

from des.errors import DesError
from des.scenario import load_scenario, plans
from des.study.fit import Fit, fit
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
    went, came = changed(scenario)
    assert went == ["    availability: 99.5%   # a guess", "    episodes_per_year: 10"]
    assert came[0] == "    incidents:"
    critical, major, minor = incidents_of(scenario)
    assert (critical["error_rate"], minor["error_rate"]) == ("100%", "2%")
    assert major["error_rate"] == "30%"
    plan = plans(load_scenario(scenario))["as_modelled"]
    kinds = [each.kind for component in plan.components for each in component.incidents]
    assert kinds == ["poisson", "poisson", "poisson"]


def incidents_of(scenario: Path, name: str = "anthropic") -> list[dict[str, Any]]:
    """What the file has of one of its providers."""
    found: list[dict[str, Any]] = yaml.safe_load(scenario.read_text())["providers"][name]["incidents"]
    return found


def test_a_class_is_fitted_to_its_severity_alone(history: Path, scenario: Path, tmp_path: Path) -> None:
    fit(history, into=scenario, name="anthropic", between="weibull")
    rows = history.read_text().splitlines()
    for severity, found in zip(("critical", "major", "minor"), incidents_of(scenario), strict=True):
        if severity != "major":
            alone = tmp_path / f"{severity}.csv"
            alone.write_text("\n".join([rows[0], *(row for row in rows if row.endswith(severity))]))
            (expected,) = yaml.safe_load(fit(alone, between="weibull").fragment)["components"]["api"]["incidents"]
            assert (found["between"], found["duration"]) == (expected["between"], expected["duration"])


DAYTIME = """\
start,end,severity
2025-01-14T09:12:00Z,2025-01-14T10:02:00Z,major
2025-02-20T14:30:00Z,2025-02-20T14:51:00Z,minor
2025-03-05T16:05:00Z,2025-03-05T18:40:00Z,critical
2025-04-11T11:00:00Z,2025-04-11T11:33:00Z,minor
2025-05-23T08:45:00Z,2025-05-23T09:35:00Z,major
2025-06-30T19:15:00Z,2025-06-30T19:40:00Z,minor
2025-08-02T13:00:00Z,2025-08-02T14:10:00Z,major
2025-09-17T15:20:00Z,2025-09-17T15:38:00Z,minor
2025-10-29T10:05:00Z,2025-10-29T14:25:00Z,critical
2025-12-08T12:50:00Z,2025-12-08T13:21:00Z,minor
"""
"""Few incidents, all by day."""


@pytest.fixture
def daytime(tmp_path: Path) -> Path:
    path = tmp_path / "daytime.csv"
    path.write_text(DAYTIME)
    return path


def told(found: Fit) -> str:
    return "\n".join(found.cautions)


def test_the_rate_of_a_severity_is_its_share_of_all_incidents(daytime: Path, scenario: Path) -> None:
    """Ten incidents in 328 days from the first to the last: 10.0 a year, of which 2, 3 and 5 of ten."""
    found = fit(daytime, into=scenario, name="anthropic")
    rates = [float(each["rate"].removesuffix("/y")) for each in incidents_of(scenario)]
    assert rates == pytest.approx([2.002, 3.003, 5.005], abs=0.001)
    assert "severity critical: only 2 incidents: 2 (95 %: 0.242 to 7.23) a year" in told(found)
    assert "the rate of a severity is its share of all incidents, 10 a year from first to last start" in told(found)


def test_the_cautions_are_of_what_is_written(daytime: Path, scenario: Path) -> None:
    """Not of the one distribution that all incidents together would have."""
    assert "exponential of their mean, 36.5 d" in told(fit(daytime))
    assert "36.5 d" not in told(fit(daytime, into=scenario, name="anthropic"))


def test_incidents_by_day_stay_by_day(daytime: Path, scenario: Path) -> None:
    found = fit(daytime, into=scenario, name="anthropic")
    for each in incidents_of(scenario):
        hours = each["profile"]["hours"]
        assert sum(hours[8:20]) > 0.8 * sum(hours)
    assert "incidents start by time of week (profile: at 13:00 UTC 3.0 times as often as on average)" in told(found)


def test_what_a_chosen_kind_leaves_out_is_said(daytime: Path, scenario: Path) -> None:
    found = fit(daytime, into=scenario, name="anthropic", between="exponential")
    assert [each["kind"] for each in incidents_of(scenario)] == ["marked_renewal"] * 3
    means = [float(each["between"]["mean"].removesuffix("d")) for each in incidents_of(scenario)]
    assert means == pytest.approx([182.3, 121.5, 72.9], abs=0.1)
    assert "--between leaves out the time of week" in told(found)


def test_no_hours_are_made_up(daytime: Path, scenario: Path, tmp_path: Path) -> None:
    """Dates alone, and seconds of no date, say nothing of the time of day."""
    dates = tmp_path / "dates.csv"
    rows = [line.split(",") for line in DAYTIME.splitlines()[1:]]
    dates.write_text("start,end\n" + "\n".join(f"{a[:10]}T00:00:00Z,{a[:10]}T01:00:00Z" for a, _, _ in rows))
    seconds = tmp_path / "seconds.csv"
    seconds.write_text(
        "start_s,end_s\n" + "\n".join(f"{n * n * 86400.0 + 40000},{n * n * 86400.0 + 41000}" for n in range(12))
    )
    for path in (dates, seconds):
        scenario.write_text(SCENARIO)
        fit(path, into=scenario, name="anthropic")
        assert [each["kind"] for each in incidents_of(scenario)] == ["marked_renewal"], path


def test_a_severity_in_one_part_of_the_time_is_told(scenario: Path, tmp_path: Path) -> None:
    """Its times between are short there, and none are before: its share of all says less."""
    path = tmp_path / "part.csv"
    rows = [f"2024-{1 + n // 28:02}-{1 + n % 28:02}T20:00:00Z,minor" for n in range(0, 300, 5)]
    rows += [f"2024-11-{1 + n:02}T{n % 12:02}:00:00Z,major" for n in range(28)]
    path.write_text("start,end,severity\n" + "\n".join(f"{r[:20]},{r[:14]}30:00Z,{r[21:]}" for r in rows))
    found = fit(path, into=scenario, name="anthropic", between="exponential")
    assert "severity major: its times between have the mean 1 d, its share of all incidents gives 1" in told(found)
    assert "severity minor: its times between" not in told(found)


@pytest.mark.parametrize(
    ("region", "name", "said"),
    [
        ("availability: 99.9%, episodes_per_year: 2", "anthropic", "anthropic fails with region too"),
        ("availability: 99.9%, episodes_per_year: 2", "anthropic/m", "anthropic/m fails with anthropic and region too"),
        ("", "anthropic", ""),
        ("availability: 99.9%, episodes_per_year: 2", "region", ""),
    ],
)
def test_a_dependency_whose_outages_may_count_twice_is_told(
    daytime: Path, scenario: Path, region: str, name: str, said: str
) -> None:
    below = (
        f"region: {{{region}}}" if name != "region" else "region:\n    availability: 99.9%\n    episodes_per_year: 2"
    )
    text = SCENARIO.replace("region: {}", below)
    model = "      m: {latency: 1s, price: {per_request: 0.01}}\n"
    scenario.write_text(text.replace(model, "      m:\n        latency: 1s\n        price: {per_request: 0.01}\n", 1))
    remarks = [text for text in fit(daytime, into=scenario, name=name).cautions if "count twice" in text]
    assert [text.partition(". ")[0] for text in remarks] == ([said] if said else [])


def test_a_second_history_takes_the_place_of_the_first(history: Path, scenario: Path) -> None:
    _des(history, scenario, "--as", "anthropic")
    once = scenario.read_text()
    _des(history, scenario, "--as", "anthropic")
    assert scenario.read_text() == once


def test_a_component_without_settings_is_written_too(history: Path, scenario: Path) -> None:
    text = SCENARIO.replace("region: {}", "region:").replace("    availability: 99.5%   # a guess\n", "")
    scenario.write_text(text.replace("    episodes_per_year: 10\n", ""))
    assert _des(history, scenario, "--as", "region").returncode == 0
    assert len(yaml.safe_load(scenario.read_text())["components"]["region"]["incidents"]) == 3


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
