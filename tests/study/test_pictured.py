"""What the page of an answer draws beyond its figures."""

from pathlib import Path

import pytest

import des
from des.scenario import from_mapping, plans
from des.study import pictured
from des.study.pictured import DrawnYear, Pictured, pictured_json, read_pictured
from study.small_scenario import small

OUTAGES = {"kind": "poisson", "rate": "12/d", "duration": {"kind": "exponential", "mean": "45min"}}


def content(**changes: object) -> dict[str, object]:
    found = small(horizon="25h", **changes)
    found["providers"]["first"]["incidents"] = [OUTAGES]
    found["providers"]["second"]["incidents"] = [OUTAGES | {"error_rate": "30%"}]
    return found


def test_the_drawn_year_has_the_incidents_of_the_first_replication(tmp_path: Path) -> None:
    run = des.run(content(), out=tmp_path / "run")
    year = DrawnYear.of(plans(from_mapping(content()))["as_modelled"])
    rows = run.incidents[(run.incidents["arm"] == "as_modelled") & (run.incidents["end_s"] > 0.0)]
    assert len(year.incidents) == len(rows) > 10
    assert year.endpoints == ("first/a", "second/b")
    for one, (_, row) in zip(year.incidents, rows.sort_values("start_s").iterrows(), strict=True):
        assert (one.component, one.endpoints) == (row["component"], tuple(row["endpoints"]))
        assert one.down == (row["error_rate"] >= 1.0)
        assert one.start_s == pytest.approx(max(0.0, row["start_s"]), abs=1e-3)
        assert one.end_s == pytest.approx(min(90_000.0, row["end_s"]), abs=1e-3)


def test_an_arm_without_a_leg_has_no_incidents_of_it() -> None:
    year = DrawnYear.of(plans(from_mapping(content()))["primary_only"])
    assert {one.component for one in year.incidents} == {"first"}


def test_of_many_incidents_the_longest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plans(from_mapping(content()))["as_modelled"]
    whole = DrawnYear.of(plan)
    monkeypatch.setattr(pictured, "_MOST_INCIDENTS", 5)
    few = DrawnYear.of(plan)
    longest = sorted(whole.incidents, key=lambda one: one.start_s - one.end_s)[:5]
    assert len(few.incidents) == 5
    assert set(few.incidents) == set(longest)
    assert few.left_out == len(whole.incidents) - 5
    assert [one.start_s for one in few.incidents] == sorted(one.start_s for one in few.incidents)


def test_it_is_read_back_as_it_was_written() -> None:
    found = {"one": Pictured(year=DrawnYear.of(plans(from_mapping(content()))["as_modelled"]))}
    assert read_pictured(pictured_json(found)) == found
