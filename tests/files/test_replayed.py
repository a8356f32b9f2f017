"""Recorded files in a scenario: what a run makes of them, and what it says of the rows that it leaves out."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from des.errors import ScenarioError
from des.scenario import from_mapping, plans
from des.scenario.plan import Plan, RecordedIncidents, ReplayedArrivals
from des.study.options import RunOptions
from des.study.run import ensure
from tests.command import des

COLUMNS = {"time": "t", "input_tokens": "i"}


def _write(folder: Path, name: str, *rows: object) -> Path:
    path = folder / name
    path.write_text("\n".join(map(str, rows)) + "\n")
    return path


def _scenario(arrivals: dict[str, Any] | None = None, **incidents: Any) -> dict[str, Any]:
    usual = {"kind": "poisson", "rate": "60/h"}
    provider: dict[str, Any] = {"models": {"m": {"latency": "1s", "price": {"per_request": 0.001}}}}
    if incidents:
        provider["incidents"] = [{"kind": "replay"} | incidents]
    return {
        "horizon": "1d",
        "start": "2024-01-01T00:00Z",
        "workload": {"arrivals": usual if arrivals is None else {"kind": "replay"} | arrivals},
        "providers": {"p": provider},
        "chain": [{"provider": "p"}],
    }


def _plan(scenario: dict[str, Any], folder: Path) -> Plan:
    (plan,) = plans(from_mapping(scenario, folder)).values()
    return plan


def _incidents(plan: Plan) -> RecordedIncidents:
    (found,) = (each for component in plan.components for each in component.incidents)
    assert isinstance(found, RecordedIncidents)
    return found


def _refused(scenario: dict[str, Any], folder: Path) -> str:
    with pytest.raises(ScenarioError) as refused:
        _plan(scenario, folder)
    return str(refused.value)


# Rows that lie outside


def test_arrivals_past_the_horizon_are_counted(tmp_path: Path) -> None:
    _write(tmp_path, "a.csv", "t,i", "0,1", "80000,1", "86400,1", "90000,1")
    plan = _plan(_scenario({"file": "a.csv", "columns": COLUMNS}), tmp_path)
    assert plan.remarks == ("workload.arrivals: a.csv: of 4 rows, these are outside the run: 2 past its horizon",)


@pytest.mark.parametrize(("unit", "a_second"), [("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
def test_numbers_that_fit_in_a_smaller_unit_than_seconds_are_told_so(tmp_path: Path, unit: str, a_second: int) -> None:
    _write(tmp_path, "a.csv", "t,i", *(f"{hour * 3600 * a_second},1" for hour in range(24)))
    arrivals = {"file": "a.csv", "columns": COLUMNS}
    (remark,) = _plan(_scenario(arrivals), tmp_path).remarks
    assert "23 past its horizon" in remark
    assert remark.endswith(f"numbers count as seconds; with `unit: {unit}` all would fit")
    assert _plan(_scenario(arrivals | {"unit": unit}), tmp_path).remarks == ()


def test_a_trace_somewhat_longer_than_the_run_is_not_taken_for_milliseconds(tmp_path: Path) -> None:
    _write(tmp_path, "a.csv", "t,i", *(f"{hour * 3600},1" for hour in range(48)))
    (remark,) = _plan(_scenario({"file": "a.csv", "columns": COLUMNS}), tmp_path).remarks
    assert remark.endswith("of 48 rows, these are outside the run: 24 past its horizon")


def test_rows_that_limit_leaves_out_are_no_news(tmp_path: Path) -> None:
    _write(tmp_path, "a.csv", "t,i", "0,1", "90000,1")
    assert _plan(_scenario({"file": "a.csv", "columns": COLUMNS, "limit": 1}), tmp_path).remarks == ()


INCIDENTS = ("start,end", "2023-12-01,2023-12-02", "2024-01-01T03:00Z,2024-01-01T04:00Z", "2024-02-01,2024-02-02")


def test_incidents_before_and_past_the_run_are_counted(tmp_path: Path) -> None:
    _write(tmp_path, "i.csv", *INCIDENTS)
    plan = _plan(_scenario(file="i.csv"), tmp_path)
    told = "of 3 rows, these are outside the run: 1 before its start and 1 past its horizon"
    assert plan.remarks == (f"providers.p.incidents[0]: i.csv: {told}",)


def test_incidents_in_milliseconds_are_told_so_and_read_by_their_unit(tmp_path: Path) -> None:
    _write(tmp_path, "i.csv", "start,end", "3600000,7200000", "36000000,39600000")
    (remark,) = _plan(_scenario(file="i.csv"), tmp_path).remarks
    assert "with `unit: ms` all would fit" in remark
    plan = _plan(_scenario(file="i.csv", unit="ms"), tmp_path)
    assert _incidents(plan).start_s == (3600.0, 36_000.0)
    assert plan.remarks == ()


def test_every_command_says_what_a_replay_leaves_out(tmp_path: Path) -> None:
    _write(tmp_path, "i.csv", *INCIDENTS)
    scenario = tmp_path / "s.json"
    scenario.write_text(json.dumps(_scenario(file="i.csv")))
    for command in ("validate", "run", "explain"):
        done = des(command, "s.json", folder=tmp_path)
        assert done.returncode == 0, command
        assert "outside the run: 1 before its start and 1 past its horizon" in done.stderr, command


def test_the_summary_keeps_the_remarks(tmp_path: Path) -> None:
    _write(tmp_path, "i.csv", *INCIDENTS)
    scenario = tmp_path / "s.json"
    scenario.write_text(json.dumps(_scenario(file="i.csv")))
    (remark,) = ensure(scenario, RunOptions(out=tmp_path / "run", traces=False)).run.summary["remarks"]
    assert remark.startswith("providers.p.incidents[0]: i.csv: of 3 rows")


# What a row does


def test_each_row_may_have_its_own_share_of_failing_calls(tmp_path: Path) -> None:
    _write(tmp_path, "i.csv", "start,end,failing", "0,3600,0.1", "7200,9000,35%", "9000,9600,0")
    columns = {"start": "start", "end": "end", "error_rate": "failing"}
    effects = _incidents(_plan(_scenario(file="i.csv", columns=columns, latency_factor=2), tmp_path)).effects
    assert [(effect.error_rate, effect.latency_factor) for effect in effects] == [(0.1, 2.0), (0.35, 2.0), (0.0, 2.0)]


def test_shares_of_rows_are_the_shares_of_calls_that_fail(tmp_path: Path) -> None:
    _write(tmp_path, "i.csv", "start,end,failing", "0,43200,0.1", "43200,86400,0.35")
    columns = {"start": "start", "end": "end", "error_rate": "failing"}
    scenario = _scenario(file="i.csv", columns=columns) | {"replications": 10}
    scenario["workload"]["arrivals"]["rate"] = "600/h"
    figure = ensure(_file(scenario, tmp_path), RunOptions(out=tmp_path / "run", traces=False)).run.summary
    requests = 600 * 24 * 10
    failing = 1.0 - figure["arms"]["as_modelled"]["availability"]["mean"]
    exact = (0.1 + 0.35) / 2
    assert abs(failing - exact) < 4 * np.sqrt(exact * (1 - exact) / requests)


def _file(scenario: dict[str, Any], folder: Path) -> Path:
    path = folder / "s.json"
    path.write_text(json.dumps(scenario))
    return path


def test_a_share_is_said_by_the_file_or_by_the_scenario(tmp_path: Path) -> None:
    _write(tmp_path, "i.csv", "start,end,failing", "0,3600,35")
    columns = {"start": "start", "end": "end", "error_rate": "failing"}
    said = _refused(_scenario(file="i.csv", columns=columns, error_rate="10%"), tmp_path)
    assert "the file gives error_rate in each row: leave out one of the two" in said
    said = _refused(_scenario(file="i.csv", columns=columns), tmp_path)
    assert "i.csv:2: failing '35' is not a share from 0 to 1 (35 % is 0.35 or 35%)" in said


def test_a_status_page_is_replayed_by_its_own_fields_or_by_itself(tmp_path: Path) -> None:
    incident = {"id": "1", "impact": "major", "started_at": "2024-01-01T01:00Z", "resolved_at": "2024-01-01T02:00Z"}
    (tmp_path / "page.json").write_text(json.dumps({"page": {"name": "P"}, "incidents": [incident]}))
    columns = {"start": "started_at", "end": "resolved_at", "severity": "impact"}
    for said in ({"columns": columns}, {}, {"format": "status_page"}, {"effects": {"major": {"error_rate": "100%"}}}):
        found = _incidents(_plan(_scenario(file="page.json", **said), tmp_path))
        assert (found.start_s, found.end_s) == ((3600.0,), (7200.0,))
        assert found.effects[0].outage


def test_planned_work_that_is_replayed_as_failures_is_told(tmp_path: Path) -> None:
    rows = ("2024-01-01T01:00Z,2024-01-01T02:00Z,maintenance", "2024-01-01T03:00Z,2024-01-01T04:00Z,major")
    _write(tmp_path, "i.csv", "start,end,severity", *rows)
    (remark,) = _plan(_scenario(file="i.csv"), tmp_path).remarks
    assert remark.endswith("rows of severity maintenance are replayed as failures (1); `where:` can leave them out")
    assert _plan(_scenario(file="i.csv", where={"severity": "major"}), tmp_path).remarks == ()


def test_an_incident_that_is_not_over_is_kept_out_by_where(tmp_path: Path) -> None:
    rows = ("2024-01-01T01:00Z,2024-01-01T02:00Z,closed", "2024-01-01T03:00Z,,open")
    _write(tmp_path, "i.csv", "start,end,state", *rows)
    said = _refused(_scenario(file="i.csv"), tmp_path)
    assert "i.csv:3: end is missing; an incident that is still open has none: leave it out by `where:`" in said
    assert _incidents(_plan(_scenario(file="i.csv", where={"state": "closed"}), tmp_path)).start_s == (3600.0,)


def test_columns_that_nothing_tells_are_asked_for(tmp_path: Path) -> None:
    _write(tmp_path, "i.csv", "a,b", "1,2")
    said = _refused(_scenario(file="i.csv"), tmp_path)
    assert "name them: columns: {start: ..., end: ...}" in said
    _write(tmp_path, "j.csv", "start,end", "1,2")
    said = _refused(_scenario(file="j.csv", effects={"major": {"error_rate": "10%"}}), tmp_path)
    assert "effects by severity need a column of severities" in said
    said = _refused(_scenario({"file": "i.csv"}), tmp_path)
    assert "name the column with the times: columns: {time: ...} (there are: 'a', 'b')" in said


# Logs of gateways


def _span(second: int, **attributes: Any) -> str:
    usage = {"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20}
    return json.dumps({"start_time": f"2024-01-01T10:00:{second:02}Z", "attributes": usage | attributes})


@pytest.mark.parametrize("said", [{}, {"format": "otel_genai"}])
def test_spans_are_a_workload_without_naming_columns(tmp_path: Path, said: dict[str, str]) -> None:
    _write(tmp_path, "spans.jsonl", _span(1), _span(4))
    arrivals = _plan(_scenario({"file": "spans.jsonl"} | said), tmp_path).workload.arrivals
    assert isinstance(arrivals, ReplayedArrivals)
    assert arrivals.input_tokens is not None
    assert arrivals.output_tokens is not None
    assert arrivals.arrival_s.tolist() == [0.0, 3.0]
    assert (arrivals.input_tokens.tolist(), arrivals.output_tokens.tolist()) == ([100, 100], [20, 20])


def test_tokens_that_the_workload_draws_are_not_taken_from_the_log(tmp_path: Path) -> None:
    _write(tmp_path, "spend.csv", "startTime,prompt_tokens,completion_tokens", "2024-01-01T10:00:00Z,10,1")
    scenario = _scenario({"file": "spend.csv"})
    scenario["workload"]["tokens"] = {"output": 50}
    arrivals = _plan(scenario, tmp_path).workload.arrivals
    assert isinstance(arrivals, ReplayedArrivals)
    assert arrivals.input_tokens is not None
    assert arrivals.input_tokens.tolist() == [10]
    assert arrivals.output_tokens is None
