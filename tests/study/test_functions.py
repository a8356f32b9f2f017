"""Functions that do what commands do, for paths, dictionaries and scenarios built in Python alike."""

import json
from pathlib import Path

import pandas as pd
import pytest

import des
from study.small_scenario import small, write_small

BOTH_OUT = {
    "horizon": "1y",
    "workload": {"arrivals": {"kind": "poisson", "rate": "1/h"}},
    "providers": {
        name: {
            "availability": "99%",
            "episodes_per_year": 12,
            "models": {"m": {"latency": "1s", "price": {"per_request": 0}}},
        }
        for name in ("one", "two")
    },
    "chain": [{"provider": "one"}, {"provider": "two"}],
    "arms": {"as_modelled": {}, "alone": {"chain": ["one"]}},
}


def test_availability_is_that_of_the_closed_form(tmp_path: Path) -> None:
    file = tmp_path / "it.yaml"
    file.write_text(json.dumps(BOTH_OUT), encoding="utf-8")
    for source in (BOTH_OUT, file, str(file), des.Scenario(**BOTH_OUT)):
        table = des.availability(source).table
        assert table.loc["as_modelled", "availability"] == pytest.approx(1.0 - 0.01**2)
        assert table.loc["alone", "availability"] == pytest.approx(0.99)
        assert table.loc["as_modelled", "all_down"] == pytest.approx(0.01**2)
        assert table.loc["alone", "estimator"] == "exact"
    changed = des.availability(BOTH_OUT, overrides=["providers.one.availability=98%"]).table
    assert changed.loc["alone", "availability"] == pytest.approx(0.98)


def test_an_explanation_has_a_row_for_each_arm() -> None:
    explained = des.explain(BOTH_OUT)
    assert explained.table["requests"].tolist() == pytest.approx([8766.0, 8766.0], rel=0.01)
    assert explained.table["incidents"].tolist() == pytest.approx([24.0, 24.0], rel=0.02)
    assert explained.table["reason"].str.len().min() > 10
    assert "as_modelled" in explained._repr_html_()


def test_a_fit_has_a_row_for_each_service(tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    days = range(1, 29)
    lines = [f"api,2024-02-{day:02}T00:00Z,2024-02-{day:02}T0{1 + day % 3}:00Z" for day in days]
    file.write_text("\n".join(["service,start,end", *lines]), encoding="utf-8")
    found = des.fit(str(file), columns=["service=service", "start=start", "end=end"])
    row = found.table.loc["api"]
    assert row["incidents"] == 28
    assert row["repair_mean_h"] == pytest.approx(sum(1 + day % 3 for day in days) / 28)
    assert row["between_mean_d"] == pytest.approx(1.0)
    assert "api" in found._repr_html_()


def test_validation_returns_remarks_and_raises_all_problems(tmp_path: Path) -> None:
    assert des.validate(small()) == ()
    (remark,) = des.validate(small(), overrides=["policy.ties=first"])
    assert "ties" in remark
    with pytest.raises(des.ScenarioError) as caught:
        des.validate(write_small(tmp_path, horizon="soon", seed=-1))
    assert {problem.path for problem in caught.value.problems} == {"horizon", "seed"}
    assert all(problem.line == 1 for problem in caught.value.problems)


def test_a_heavy_tail_is_drawn_alike_however_the_scenario_is_given(tmp_path: Path) -> None:
    """97 % of the calls take two seconds, the others at least ten."""
    tail = {"kind": "pareto", "shape": 1.5, "scale": "10s"}
    latency = {"kind": "mixture", "parts": [{"weight": 97, "of": "2s"}, {"weight": 3, "of": tail}]}
    content = small(chain=[{"provider": "first"}], arms={}, replications=1)
    content["providers"]["first"] = {"models": {"a": {"latency": latency, "price": {"per_request": 0}}}}
    alone = des.run(content, out=tmp_path / "alone")
    together = des.run(des.Scenario(**content), out=tmp_path / "together")
    assert alone.manifest["traces"] == together.manifest["traces"]
    latency_s: pd.Series[float] = alone.requests["latency_s"]
    slow = latency_s > 2.001
    assert 0 < slow.sum() < 0.08 * len(latency_s)
    assert latency_s[slow].min() >= 10.0 - 1e-6
