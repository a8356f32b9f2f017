"""Distributions of measured values: read from a file, part of a run's key, refused with the row that is wrong."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import des
from des.distributions import Empirical

MILLISECONDS = [120.0, 950.0, 4000.0, 120.0]


def scenario(folder: Path, latency: dict[str, Any], **changes: Any) -> des.Scenario:
    return des.Scenario(
        horizon="1h",
        workload={"arrivals": {"kind": "poisson", "rate": "1/min"}},
        providers={"a": {"models": {"m": {"latency": {"kind": "empirical", **latency}, "price": {"per_request": 0}}}}},
        chain=[{"provider": "a"}],
        folder=folder,
        **changes,
    )


def latency_of(made: des.Scenario) -> object:
    return made.settings.providers["a"].models["m"].latency.whole  # type: ignore[union-attr]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [f"{ms:g},{'ok' if ms < 4000 else 'timeout'}" for ms in MILLISECONDS]
    (tmp_path / "calls.csv").write_text("latency_ms,status\n" + "\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "alone.csv").write_text("latency\n0.5\n1.5\n", encoding="utf-8")
    (tmp_path / "bare.csv").write_text("0.5\n1.5\n", encoding="utf-8")
    (tmp_path / "bare.txt").write_text("\n0.5\n\n1.5\n", encoding="utf-8")
    pq.write_table(pa.table({"ms": MILLISECONDS}), tmp_path / "calls.parquet")
    return tmp_path


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ({"file": "calls.csv", "column": "latency_ms", "unit": "ms"}, (0.12, 0.95, 4.0, 0.12)),
        ({"file": "calls.csv", "column": "latency_ms", "unit": "ms", "where": {"status": "ok"}}, (0.12, 0.95, 0.12)),
        ({"file": "calls.parquet", "unit": "ms"}, (0.12, 0.95, 4.0, 0.12)),
        ({"file": "alone.csv"}, (0.5, 1.5)),
        ({"file": "bare.csv"}, (0.5, 1.5)),
        ({"file": "bare.txt"}, (0.5, 1.5)),
        ({"file": "${MEASURED}/bare.txt"}, (0.5, 1.5)),
        ({"values": ["500ms", "1.5s"]}, (0.5, 1.5)),
    ],
)
def test_values_are_read_from_a_column_in_its_unit(
    folder: Path, monkeypatch: pytest.MonkeyPatch, said: dict[str, Any], seconds: tuple[float, ...]
) -> None:
    monkeypatch.setenv("MEASURED", str(folder))
    assert latency_of(scenario(folder, said)) == Empirical(seconds)


@pytest.mark.parametrize(
    ("said", "path", "message"),
    [
        ({"file": "none.csv"}, "file", "no such file"),
        ({"file": "calls.csv"}, "file", "name the column with the values: column: ... (there are: latency_ms, status)"),
        ({"file": "calls.csv", "column": "latency"}, "file", "no column 'latency'; did you mean 'latency_ms'?"),
        ({"file": "calls.csv", "column": "status"}, "file", "calls.csv:2: status 'ok' is not a number"),
        ({"file": "negative.txt"}, "file", "negative.txt:2: '-1' is negative"),
        ({"file": "calls.csv", "values": ["1s"]}, "", "give either values: [...], or file"),
        ({}, "", "give either values"),
        ({"values": ["1s"], "column": "x"}, "column", "column belongs to file"),
    ],
)
def test_a_file_that_holds_no_values_is_refused_with_its_row(
    folder: Path, said: dict[str, Any], path: str, message: str
) -> None:
    (folder / "negative.txt").write_text("1\n-1\n", encoding="utf-8")
    with pytest.raises(des.ScenarioError) as refused:
        scenario(folder, said)
    (problem,) = refused.value.problems
    assert problem.path == ".".join(each for each in ("providers.a.models.m.latency", path) if each)
    assert message in problem.message


def test_a_speed_of_zero_and_a_share_above_one_are_refused(folder: Path) -> None:
    (folder / "zero.txt").write_text("0\n2\n", encoding="utf-8")
    measured = {"kind": "empirical", "file": "zero.txt"}
    made = scenario(folder, {"values": ["1s"]})
    with pytest.raises(des.ScenarioError, match="a speed is above 0"):
        made.with_("providers.a.models.m.latency", {"first_token": "1s", "tokens_per_second": measured})
    errors = {"mid_stream": {"rate": "1%", "after": measured}}
    with pytest.raises(des.ScenarioError, match="a share is at most 1"):
        made.with_("providers.a.models.m.errors", errors)


def test_a_run_draws_the_values_and_its_key_has_the_file(folder: Path, tmp_path: Path) -> None:
    made = scenario(folder, {"file": "alone.csv"})
    before = made.loaded.files()
    run = des.run(made, out=tmp_path / "run")
    assert set(np.round(run.attempts["duration_s"], 9)) == {0.5, 1.5}
    (folder / "alone.csv").write_text("latency\n0.5\n2.5\n", encoding="utf-8")
    changed = scenario(folder, {"file": "alone.csv"})
    assert before.keys() == changed.loaded.files().keys() == {"alone.csv"}
    assert before != changed.loaded.files()
    assert latency_of(changed) == Empirical((0.5, 2.5))


def test_an_arm_may_have_a_file_of_its_own(folder: Path) -> None:
    arms = {"as_modelled": {}, "slow": {"providers.a.models.m.latency.file": "bare.txt"}}
    made = scenario(folder, {"file": "alone.csv"}, arms=arms)
    assert made.loaded.files().keys() == {"alone.csv", "bare.txt"}


def test_many_values_are_hashed_quickly() -> None:
    many = Empirical(tuple(float(value) for value in range(100_000)))
    assert hash(many) == hash(Empirical(many.values))
    rng = np.random.default_rng(1)
    assert abs(many.sample(rng, 10_000).mean() - 49_999.5) < 4.0 * 28_867.5 / 100.0
