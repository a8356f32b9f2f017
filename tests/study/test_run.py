"""One call runs every arm and replication, and leaves a directory that can be trusted."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import des
from des.engine import Sink
from des.errors import OutputError, RunError, ScenarioError
from des.faults import draw_timeline
from des.scenario import from_mapping, plans
from des.scenario.plan import Plan
from des.study import replication
from des.study.downtime import Spell, downtime
from des.study.options import RunOptions
from des.study.run import Finished, ensure
from des.study.study import Study
from des.traces import Run
from study.small_scenario import small, write_small


@pytest.fixture(autouse=True)
def _results_land_in_a_folder_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two replications of two arms."""
    folder = tmp_path_factory.mktemp("made")
    return des.run(write_small(folder), out=folder / "run", replications=2)


def _bytes(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


def test_a_run_holds_a_trace_of_each_table_arm_and_replication(made: Run) -> None:
    expected = {
        f"{table}/{arm}-{replication:04d}.parquet"
        for table in ("requests", "attempts", "incidents", "transitions", "minutes")
        for arm in ("as_modelled", "primary_only")
        for replication in (0, 1)
    }
    assert set(made.manifest["traces"]) == expected
    assert {path.relative_to(made.path).as_posix() for path in made.path.rglob("*.parquet")} == expected
    for name, facts in made.manifest["traces"].items():
        content = (made.path / name).read_bytes()
        assert facts["bytes"] == len(content)
        assert facts["sha256"] == hashlib.sha256(content).hexdigest()


def test_the_summary_says_what_the_traces_say(made: Run) -> None:
    requests = pd.read_parquet(made.path / "requests")
    attempts = pd.read_parquet(made.path / "attempts")
    for arm, metrics in made.summary["arms"].items():
        rows = requests[requests.arm == arm]
        of_replications = rows.groupby("replication")
        assert metrics["requests"]["mean"] == of_replications.size().mean()
        assert metrics["requests"]["n"] == 2
        ok = (rows.outcome == "ok").groupby(rows.replication).mean()
        assert metrics["availability"]["mean"] == pytest.approx(ok.mean(), rel=1e-12)
        assert metrics["cost_usd"]["mean"] == pytest.approx(of_replications.cost_usd.sum().mean(), rel=1e-9)
        calls = attempts[attempts.arm == arm].groupby("replication").size() / of_replications.size()
        assert metrics["attempts_per_request"]["mean"] == pytest.approx(calls.mean(), rel=1e-12)
        assert set(metrics["served_share"]) == set(["first/a", "second/b"] if arm == "as_modelled" else ["first/a"])


def test_components_are_summed_up_by_time(made: Run) -> None:
    first = made.summary["components"]["as_modelled"]["first"]
    assert first["availability"]["mean"] == pytest.approx(1.0 - 0.5 / 12.0)
    assert first["episodes"]["mean"] == 1.0
    assert made.summary["endpoints"]["as_modelled"]["first/a"]["availability"] == first["availability"]
    assert made.summary["endpoints"]["as_modelled"]["second/b"]["availability"]["mean"] == 1.0
    assert made.summary["chain"]["as_modelled"]["every leg"]["availability"]["mean"] == 1.0
    assert made.summary["chain"]["primary_only"]["every leg"]["episodes"]["mean"] == 1.0


def test_the_manifest_says_what_was_run_and_with_what(made: Run) -> None:
    manifest = made.manifest
    assert manifest["scenario"]["title"] == "Two small peers"
    assert (manifest["seed"], manifest["replications"], manifest["arms"]) == (7, 2, ["as_modelled", "primary_only"])
    assert {"python", "des", "numpy", "simpy", "pyarrow", "genai-prices"} <= set(manifest["versions"])
    assert manifest["versions"]["des"] == des.__version__
    assert manifest["wall_s"] > 0.0
    assert manifest["estimator"] == "request level"
    content = (made.path / "summary.json").read_bytes()
    assert manifest["summary_sha256"] == hashlib.sha256(content).hexdigest()


def test_the_same_run_leaves_the_same_bytes_wherever_it_is_made(made: Run, tmp_path: Path) -> None:
    again = des.run(write_small(tmp_path), out=tmp_path / "again", replications=2)
    assert _bytes(again.path) == _bytes(made.path)
    volatile = {"created_at", "wall_s", "engine"}
    assert {key: value for key, value in again.manifest.items() if key not in volatile} == {
        key: value for key, value in made.manifest.items() if key not in volatile
    }


def test_another_seed_leaves_other_traces(made: Run, tmp_path: Path) -> None:
    other = des.run(write_small(tmp_path), out=tmp_path / "other", replications=2, seed=8)
    assert _bytes(other.path).keys() == _bytes(made.path).keys()
    name = "requests/as_modelled-0000.parquet"
    assert _bytes(other.path)[name] != _bytes(made.path)[name]


def test_traces_or_not_the_summary_is_the_same(made: Run, tmp_path: Path) -> None:
    bare = des.run(write_small(tmp_path), out=tmp_path / "bare", replications=2, traces=False)
    assert sorted(path.name for path in bare.path.iterdir()) == ["manifest.json", "summary.json"]
    assert bare.summary == made.summary
    assert bare.manifest["trace_level"] == "none"


def _ensure(**options: Any) -> Finished:
    return ensure(write_small(Path.cwd(), horizon="1h"), RunOptions(**options))


def test_the_same_run_is_made_once_and_found_again(tmp_path: Path) -> None:
    first = _ensure()
    before = _bytes(first.run.path)
    second = _ensure()
    assert (first.reused, second.reused) == (False, True)
    assert first.run.path == second.run.path
    assert first.run.path.parent == Path("results")
    assert first.run.path.name.startswith("small-")
    assert second.run.manifest["created_at"] == first.run.manifest["created_at"]
    assert _bytes(second.run.path) == before
    assert len(list((tmp_path / "results").iterdir())) == 1


@pytest.mark.parametrize(
    "options", [{"seed": 8}, {"replications": 2}, {"traces": False}, {"overrides": ["policy.rounds=2"]}]
)
def test_another_run_goes_elsewhere(options: dict[str, Any]) -> None:
    assert _ensure().run.path != _ensure(**options).run.path


def test_force_simulates_again_and_replaces() -> None:
    first = _ensure()
    (first.run.path / "summary.json").write_text("{}")
    forced = _ensure(force=True)
    assert not forced.reused
    assert forced.run.path == first.run.path
    assert forced.run.summary == first.run.summary
    assert len(list(Path("results").iterdir())) == 1


@pytest.mark.parametrize("name", ["requests/as_modelled-0000.parquet", "summary.json", "manifest.json"])
@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_damaged_run_is_refused_by_name(name: str, damage: str) -> None:
    directory = _ensure().run.path
    if damage == "missing":
        (directory / name).unlink()
    else:
        (directory / name).write_bytes(b"{}" + (directory / name).read_bytes())
    with pytest.raises(OutputError, match="--force") as caught:
        _ensure()
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key", "0" * 12),
        ("seed", 8),
        ("replications", 2),
        ("arms", ["as_modelled"]),
        ("scenario", {"title": float("nan")}),
        ("trace_level", "none"),
        ("traces", 3),
        ("traces", {"requests/as_modelled-0000.parquet": "ab"}),
    ],
)
def test_a_run_whose_manifest_names_another_is_refused(field: str, value: Any) -> None:
    manifest = _ensure().run.path / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {field: value}))
    with pytest.raises(OutputError, match="--force") as caught:
        _ensure()
    assert f"manifest.json: {field} " in str(caught.value)


def test_a_run_that_took_the_replications_its_precision_asked_is_found_again() -> None:
    options: dict[str, Any] = {"precision": {"availability": 0.9}, "max_replications": 12}
    assert not _ensure(**options).reused
    assert _ensure(**options).reused


@pytest.mark.parametrize("name", ["requests/as_modelled-0000.parquet", "summary.json", "manifest.json"])
def test_a_directory_where_a_file_of_the_run_belongs_is_damage(name: str) -> None:
    path = _ensure().run.path / name
    path.unlink()
    path.mkdir()
    with pytest.raises(OutputError, match="--force") as caught:
        _ensure()
    assert name in str(caught.value)
    assert not _ensure(force=True).reused


def test_the_same_run_made_by_somebody_else_meanwhile_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    write = Study.write

    def overtaken(study: Study, directory: Path, **options: Any) -> None:
        write(study, directory, **options)
        monkeypatch.setattr(Study, "write", write)
        others.append(_ensure())

    others: list[Finished] = []
    monkeypatch.setattr(Study, "write", overtaken)
    second = _ensure()
    assert (others[0].reused, second.reused) == (False, True)
    assert second.run.manifest == others[0].run.manifest
    assert [path.name for path in Path("results").iterdir()] == [second.run.path.name]


@pytest.mark.parametrize("force", [False, True])
def test_what_is_in_the_way_of_a_run_nobody_named_a_place_for_is_said(force: bool) -> None:
    path = _ensure().run.path
    shutil.rmtree(path)
    path.write_text("mine")
    with pytest.raises(OutputError, match=f"{path}: .* a file is in its way"):
        _ensure(force=force)
    path.unlink()
    path.symlink_to("nowhere")
    with pytest.raises(OutputError, match=f"{path}: .* a broken link to nowhere is in its way"):
        _ensure(force=force)
    assert path.is_symlink()


def test_an_existing_output_directory_is_refused_before_anything_is_simulated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    monkeypatch.setattr(replication, "simulate", _must_not_run)
    with pytest.raises(OutputError, match="exists already"):
        _ensure(out="there")
    assert list((tmp_path / "there").iterdir()) == []


def _must_not_run(*_: object) -> int:
    raise AssertionError("simulated")


def test_a_scenario_that_cannot_be_run_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError):
        _ensure(overrides=["policy.rounds=-1"])
    assert not (tmp_path / "results").exists()


def test_plain_data_and_loaded_scenarios_run_as_files_do(made: Run) -> None:
    from_data = des.run(small(), out="from_data", replications=2)
    from_loaded = des.run(from_mapping(small()), out="from_loaded", replications=2)
    from_model = des.run(des.Scenario(**small()), out="from_model", replications=2)
    assert from_data.summary == from_loaded.summary == from_model.summary == made.summary
    assert from_data.manifest["name"] == "Two_small_peers"


Block = Mapping[str, NDArray[Any]]


class _Tampering:
    """Passes the engine's rows on, changed."""

    def __init__(self, sink: Sink, change: Callable[[str, Block], Block]) -> None:
        self._sink = sink
        self._change = change

    def __getattr__(self, table: str) -> Callable[[Block], None]:
        def take(block: Block) -> None:
            getattr(self._sink, table)(self._change(table, block))

        return take


def _without_the_first_row(table: str, block: Block) -> Block:
    return {name: column[1:] for name, column in block.items()} if table == "requests" else block


def _dearer_attempts(table: str, block: Block) -> Block:
    if table != "attempts":
        return block
    return {**block, "cost_picousd": block["cost_picousd"] + np.int64(1)}


@pytest.mark.parametrize("change", [_without_the_first_row, _dearer_attempts])
def test_a_run_that_breaks_a_conservation_rule_fails_and_is_not_kept(
    change: Callable[[str, Block], Block], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulate = replication.simulate

    def tampered(plan: Plan, replication: int, sink: Sink, *rest: Any) -> int:
        return simulate(plan, replication, _Tampering(sink, change), *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(replication, "simulate", tampered)
    with pytest.raises(RunError):
        _ensure()
    assert not (tmp_path / "results").exists()


def test_progress_runs_from_nothing_to_all_over_arms_and_replications() -> None:
    told: list[tuple[float, str]] = []
    _ensure(replications=2, progress=lambda share, what: told.append((share, what)))
    shares: Sequence[float] = [share for share, _ in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert list(dict.fromkeys(what for _, what in told))[:4] == [
        "as_modelled 1/2",
        "as_modelled 2/2",
        "primary_only 1/2",
        "primary_only 2/2",
    ]


def test_batches_are_judged_as_batches() -> None:
    workload = {"arrivals": {"kind": "batch", "every": "1h", "size": 5}}
    done = des.run(small(workload=workload), out="batches")
    metrics = done.summary["arms"]["primary_only"]
    assert metrics["batches"]["mean"] == 12.0
    assert metrics["batches_hit_by_incident"]["mean"] == 1.0


def test_downtime_counts_only_what_lies_within_the_horizon() -> None:
    windows = [{"start": "30min", "duration": "1h"}, {"start": "2h", "duration": "1h"}]
    content = small(horizon="1h")
    content["providers"]["first"]["incidents"][0]["windows"] = windows
    plan = plans(from_mapping(content))["as_modelled"]
    assert downtime(plan, draw_timeline(plan, 0, plan.horizon_s))["components"]["first"] == Spell(
        0.5, 1, (1800.0,), 1800.0
    )


def test_the_manifest_is_json_as_the_file_has_it(made: Run) -> None:
    assert json.loads((made.path / "manifest.json").read_text()) == made.manifest
