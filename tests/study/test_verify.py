"""`des verify` notices what no longer is what it says, even where the manifest was made to agree."""

import json
import shutil
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import des as des_api
from des.errors import DesError
from des.study.identity import file_digest
from des.study.verify import Verified, verify
from study.small_scenario import small, write_small
from tests.command import des

EVENTFUL: dict[str, Any] = {
    "horizon": "3h",
    "replications": 2,
    "policy": {"deadline": "20s", "breaker": {"kind": "consecutive", "failures": 3, "open": "2min"}},
    "workload": {"arrivals": {"kind": "poisson", "rate": "20/min"}, "tokens": {"input": 1000, "output": 100}},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison in which requests are lost to incidents, limits, deadlines and an open breaker."""
    out = tmp_path_factory.mktemp("made") / "run"
    run = des_api.compare(small(**EVENTFUL), out=out).run
    lost = {cause for arm in run.summary["arms"].values() for cause, of in arm["lost_by_cause"].items() if of["mean"]}
    assert len(lost) >= 3
    return out


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(made, tmp_path / "run"))


@pytest.fixture(scope="module")
def made_plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("plain") / "run"
    return des_api.run(small(horizon="20min", replications=2), out=out).path


@pytest.fixture
def plain(made_plain: Path, tmp_path: Path) -> Path:
    """A copy to spoil of a short run."""
    return Path(shutil.copytree(made_plain, tmp_path / "plain"))


def _told(found: Verified) -> str:
    return "\n".join(map(str, found.differences))


def _agree(run: Path, *names: str) -> None:
    """Make the manifest agree with files that were changed."""
    manifest = json.loads((run / "manifest.json").read_text())
    for name in names:
        if name == "summary.json":
            manifest["summary_sha256"] = file_digest(run / name)
        else:
            manifest["traces"][name] |= {"sha256": file_digest(run / name)}
    (run / "manifest.json").write_text(json.dumps(manifest))


def _rewrite(run: Path, name: str, change: Callable[[pa.Table], pa.Table]) -> None:
    table = pq.read_table(run / name)
    pq.write_table(change(table).cast(table.schema), run / name)
    _agree(run, name)


def test_a_result_has_a_table_that_notebooks_show(plain: Path) -> None:
    holds = verify(plain)
    assert holds.table.loc["holds", "what"].tolist() == list(holds.checked)
    assert "differs" not in holds.table.index
    (plain / "requests" / "as_modelled-0000.parquet").unlink()
    found = verify(plain)
    files = found.table.loc[["differs"], "file"].tolist()
    assert files == [each.file for each in found.differences]
    shown = found._repr_html_()
    assert f"{plain}: DIFFERS" in shown
    assert all(each.what in unescape(shown) for each in found.differences)
    assert all(each in unescape(shown) for each in found.checked)


def test_an_untouched_comparison_holds_to_the_last_figure(made: Path) -> None:
    found = verify(made)
    assert found.holds, _told(found)
    assert not found.unchecked
    assert any("computed again from the traces" in each for each in found.checked)


def test_a_changed_byte_of_a_trace_is_named(run: Path) -> None:
    name = "attempts/as_modelled-0001.parquet"
    content = bytearray((run / name).read_bytes())
    content[len(content) // 2] ^= 1
    (run / name).write_bytes(content)
    assert f"{name}: has been changed" in _told(verify(run))


def test_a_missing_trace_and_one_too_many_are_named(run: Path) -> None:
    (run / "transitions/as_modelled-0000.parquet").rename(run / "transitions/mine-0000.parquet")
    told = _told(verify(run))
    assert "transitions/as_modelled-0000.parquet: is missing" in told
    assert "transitions/mine-0000.parquet: is in no manifest" in told


def test_a_request_that_is_lost_from_its_trace_breaks_conservation(run: Path) -> None:
    name = "requests/as_modelled-0000.parquet"
    _rewrite(run, name, lambda table: table.slice(0, table.num_rows - 1))
    assert f"{name}: the run broke a conservation rule" in _told(verify(run))


def test_an_attempt_that_costs_more_breaks_conservation(run: Path) -> None:
    name = "attempts/as_modelled-0000.parquet"

    def dearer(table: pa.Table) -> pa.Table:
        place = table.schema.get_field_index("cost_usd")
        dollars = table.column(place).to_pylist()
        return table.set_column(place, table.schema.field(place), pa.array([dollars[0] + 1e-12, *dollars[1:]]))

    _rewrite(run, name, dearer)
    assert "a request costs what its attempts cost" in _told(verify(run))


def test_an_incident_of_another_time_is_none_of_the_seed(run: Path) -> None:
    def later(table: pa.Table) -> pa.Table:
        place = table.schema.get_field_index("start_s")
        return table.set_column(place, table.schema.field(place), pa.array([1.0] * table.num_rows))

    _rewrite(run, "incidents/as_modelled-0000.parquet", later)
    assert "incident 0 has another start_s than the seed draws" in _told(verify(run))


def test_a_changed_figure_is_named_with_what_the_traces_say(run: Path) -> None:
    summary = json.loads((run / "summary.json").read_text())
    was = summary["arms"]["as_modelled"]["availability"]["mean"]
    summary["arms"]["as_modelled"]["availability"]["mean"] = 0.5
    (run / "summary.json").write_text(json.dumps(summary))
    _agree(run, "summary.json")
    assert _told(verify(run)) == f"summary.json: arms.as_modelled.availability.mean: is 0.5; the traces say {was!r}"


def _manifest(run: Path, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    change(manifest)
    (run / "manifest.json").write_text(json.dumps(manifest))


MANIFESTS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "seed": (lambda it: it.update(seed=99), "its key is that of another scenario, seed"),
    "scenario": (lambda it: it["scenario"].update(seed=5), "its key is that of another scenario, seed"),
    "level": (lambda it: it.update(trace_level="requests"), "its key is that of another scenario, seed"),
    "replications": (lambda it: it.update(replications=3), "names no requests/as_modelled-0002.parquet"),
    "arm": (lambda it: it["arms"].append("other"), "names no requests/other-0000.parquet"),
    "without": (lambda it: it.pop("scenario"), "scenario is missing or no object"),
    "versions": (lambda it: it.update(versions={}), "its key is that of another scenario, seed"),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_changed_manifest_is_named(plain: Path, name: str) -> None:
    change, says = MANIFESTS[name]
    _manifest(plain, change)
    assert f"manifest.json: {says}" in _told(verify(plain))


def test_a_run_with_a_precision_has_its_key_compared(tmp_path: Path) -> None:
    options: dict[str, Any] = {"precision": {"availability": 0.9}, "max_replications": 3, "traces": False}
    run = des_api.run(small(horizon="1h"), out=tmp_path / "run", **options)
    assert verify(run.path).holds
    _manifest(run.path, lambda it: it.update(seed=99))
    assert "its key is that of another" in _told(verify(run.path))


def test_a_sweep_without_its_table_differs(tmp_path: Path) -> None:
    swept = des_api.sweep(
        write_small(tmp_path, horizon="1h"), ["seed=1,2"], metrics=["availability"], out=tmp_path / "out"
    )
    (swept.path / "sweep.csv").unlink()
    assert _told(verify(swept.path)) == "sweep.csv: is missing"


def test_the_command_says_what_differs_and_fails(made: Path, run: Path) -> None:
    good = des("verify", made)
    assert (good.returncode, good.stderr) == (0, "")
    assert f"{made}: everything holds" in good.stdout
    (run / "summary.json").write_text("{}")
    bad = des("verify", made, run, "--json")
    assert bad.returncode == 1
    one, other = json.loads(bad.stdout)["results"]
    assert one["holds"]
    assert {each["file"] for each in other["differences"]} >= {"summary.json"}


def test_a_run_without_traces_has_its_digest_compared_and_says_what_is_not(tmp_path: Path) -> None:
    found = verify(des_api.run(small(horizon="1h"), out=tmp_path / "run", traces=False).path)
    assert found.holds
    assert found.unchecked == (
        "conservation and figures: this run kept no traces; a run with --traces full has them checked",
    )


def test_points_of_a_sweep_are_verified_each(tmp_path: Path) -> None:
    swept = des_api.sweep(
        write_small(tmp_path, horizon="1h"), ["seed=1,2"], estimator="request level", traces=True, out=tmp_path / "out"
    )
    assert verify(swept.path).holds
    content = json.loads((swept.path / "sweep.json").read_text())
    content["points"][1]["arms"]["as_modelled"]["requests"]["mean"] = 1.0
    (swept.path / "sweep.json").write_text(json.dumps(content))
    (swept.path / "points/0000/summary.json").write_text("{}")
    told = _told(verify(swept.path))
    assert "sweep.csv: is not the table of sweep.json" in told
    assert "points/0000/summary.json: has been changed" in told
    assert "sweep.json: points[1].arms.as_modelled.requests.mean" in told


def test_an_answer_has_its_digest_compared(tmp_path: Path) -> None:
    des_api.answer(small(horizon="1h"), rounds=1, workers=1, out=tmp_path / "answer")
    assert verify(tmp_path / "answer").holds
    (tmp_path / "answer/answer.json").write_text("{}")
    assert _told(verify(tmp_path / "answer")) == "answer.json: has been changed since it was written"


def test_a_search_has_its_digests_compared(tmp_path: Path) -> None:
    options: dict[str, Any] = {"most": 1, "replications": 1, "workers": 1}
    des_api.optimise(small(horizon="1h"), out=tmp_path / "search", **options)
    assert verify(tmp_path / "search").holds
    (tmp_path / "search/candidates.csv").write_text("rank\n")
    assert _told(verify(tmp_path / "search")) == "candidates.csv: has been changed since it was written"
    (tmp_path / "search/manifest.json").unlink()
    with pytest.raises(DesError, match=r"search: holds no manifest\.json"):
        verify(tmp_path / "search")


def test_what_is_no_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DesError, match="not a run"):
        verify(tmp_path)
    with pytest.raises(DesError, match="no such directory"):
        verify(tmp_path / "nowhere")
