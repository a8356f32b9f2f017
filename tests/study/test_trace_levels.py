"""A run keeps the rows of its trace level, and its figures are of all requests at any level."""

import errno
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from rich.console import Console

import des
from des.errors import DesError, OutputError, ScenarioError
from des.report.page.chapters import chapters
from des.report.page.findings import of_run_directory
from des.report.results_table import print_results
from des.scenario import from_mapping, plans
from des.study import replication
from des.study.recorded import Run
from des.study.study import trace_level
from des.traces import writer
from des.traces.levels import FULL, TraceLevel, in_sample
from des.traces.writer import TraceWriter
from study.small_scenario import small

LEVELS = ("full", "requests", "sampled: 20%", "none")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    folder = tmp_path_factory.mktemp("levels")
    return {level: des.run(small(), out=folder / str(n), traces=level) for n, level in enumerate(LEVELS)}


def tables(run: Run) -> set[str]:
    return {name.partition("/")[0] for name in run.manifest["traces"]}


def test_the_summary_is_the_same_to_the_byte_at_every_level(runs: dict[str, Run]) -> None:
    summaries = {(run.path / "summary.json").read_bytes() for run in runs.values()}
    assert len(summaries) == 1


def test_a_level_keeps_its_tables(runs: dict[str, Run]) -> None:
    full = tables(runs["full"])
    assert {"requests", "attempts", "incidents", "transitions"} <= full
    assert tables(runs["requests"]) == full - {"attempts"}
    assert tables(runs["sampled: 20%"]) == full
    assert tables(runs["none"]) == set()


def test_tables_that_are_kept_whole_have_the_bytes_of_a_full_run(runs: dict[str, Run]) -> None:
    whole = runs["full"].manifest["traces"]
    assert runs["requests"].manifest["traces"].items() <= whole.items()
    sampled = runs["sampled: 20%"].manifest["traces"]
    others = {name: facts for name, facts in sampled.items() if not name.startswith(("requests/", "attempts/"))}
    assert others.items() <= whole.items()


def test_a_sample_has_all_rows_of_its_requests_and_the_same_ones_in_every_arm(runs: dict[str, Run]) -> None:
    full, sampled = runs["full"], runs["sampled: 20%"]
    for table in ("requests", "attempts"):
        every, some = getattr(full, table), getattr(sampled, table)
        kept = every[in_sample(every["request_id"].to_numpy(np.int64), 0.2)].reset_index(drop=True)
        columns = [name for name in every if name != "weight"]
        pd.testing.assert_frame_equal(some[columns], kept[columns])
    by_arm = sampled.requests.groupby("arm", observed=True)["request_id"].apply(set)
    assert by_arm["as_modelled"] == by_arm["primary_only"] != set()
    assert (sampled.requests["weight"] == 5.0).all()
    assert (full.requests["weight"] == 1.0).all()


def test_a_sample_is_of_its_size_and_part_of_every_larger_one() -> None:
    number = np.arange(200_000)
    small_one, larger = in_sample(number, 0.01), in_sample(number, 0.1)
    for kept, share in ((small_one, 0.01), (larger, 0.1)):
        error = np.sqrt(share * (1.0 - share) * len(number))
        assert abs(kept.sum() - share * len(number)) < 4.0 * error
    assert not (small_one & ~larger).any()
    assert not in_sample(np.array([-1, -1]), 0.999).any()


def test_the_numbers_in_a_sample_never_change() -> None:
    assert np.flatnonzero(in_sample(np.arange(1000), 0.01)).tolist() == [90, 206, 210, 306, 451, 480, 609, 683]


def test_manifest_and_files_say_what_was_kept(runs: dict[str, Run]) -> None:
    facts = [(run.manifest["trace_level"], run.manifest.get("sampled_share")) for run in runs.values()]
    assert facts == [("full", None), ("requests", None), ("sampled", 0.2), ("none", None)]
    said = [
        pq.read_schema(runs[level].path / f"{table}/as_modelled-0000.parquet").metadata.get(b"sampled_share")
        for level in ("full", "sampled: 20%")
        for table in ("requests", "attempts", "incidents")
    ]
    assert said == [None, None, None, b"0.2", b"0.2", None]
    assert "(sampled: 20%)" in repr(runs["sampled: 20%"])
    assert len({run.manifest["key"] for run in runs.values()}) == len(LEVELS)


@pytest.mark.parametrize(
    ("level", "question", "needed"),
    [
        ("none", "availability", "requests"),
        ("requests", "cost_breakdown", "full"),
        ("requests", "fallback_reasons", "full"),
        ("sampled: 20%", "availability", "requests"),
        ("sampled: 20%", "months", "requests"),
        ("sampled: 20%", "latency_quantiles", "requests"),
        ("sampled: 20%", "cost_breakdown", "full"),
        ("sampled: 20%", "fallback_reasons", "full"),
    ],
)
def test_a_question_that_needs_more_rows_names_the_level(
    runs: dict[str, Run], level: str, question: str, needed: str
) -> None:
    with pytest.raises(DesError, match=rf"trace level {level}\).*--traces {needed} \(in Python, traces='{needed}'\)"):
        getattr(runs[level], question)()


def test_arms_are_not_compared_by_a_sample(runs: dict[str, Run]) -> None:
    with pytest.raises(DesError, match="a sample of its requests"):
        runs["sampled: 20%"].compare("as_modelled", "primary_only")
    assert len(runs["requests"].compare("as_modelled", "primary_only"))


@pytest.mark.parametrize("level", ["requests", "sampled: 20%"])
def test_figures_are_not_verified_by_a_part_of_the_rows(runs: dict[str, Run], level: str) -> None:
    found = des.verify(runs[level].path)
    assert found.holds
    (unchecked,) = found.unchecked
    assert f"trace level {level}" in unchecked
    assert "--traces full" in unchecked


def test_a_report_draws_what_all_requests_were_kept_for(runs: dict[str, Run]) -> None:
    (sampled,) = chapters([of_run_directory(runs["sampled: 20%"])])
    keys = [section.key for section in sampled.sections]
    assert "arms" in keys
    assert not {"cost", "latency", "flow", "served"} & set(keys)
    (outages,) = [section for section in sampled.sections if section.key == "outages"]
    assert "sampled: 20%" in outages.blocks[0].text  # type: ignore[union-attr]
    (requests,) = chapters([of_run_directory(runs["requests"])])
    (cost,) = [section for section in requests.sections if section.key == "cost"]
    assert any("--traces full" in getattr(block, "text", "") for block in cost.blocks)
    assert {"latency", "flow", "served"} <= {section.key for section in requests.sections}


@pytest.mark.parametrize(
    ("written", "level"),
    [
        ("full", FULL),
        (" requests ", TraceLevel("requests")),
        ("none", TraceLevel("none")),
        ("sampled: 1%", TraceLevel("sampled", 0.01)),
        ("sampled:0.5", TraceLevel("sampled", 0.5)),
        ("sampled=1%", TraceLevel("sampled", 0.01)),
        ({"sampled": "1%"}, TraceLevel("sampled", 0.01)),
        ("sampled: 100%", FULL),
    ],
)
def test_a_scenario_and_an_option_name_a_level_alike(written: Any, level: TraceLevel) -> None:
    scenario = des.Scenario.from_dict(small(traces=written)).loaded
    assert trace_level(scenario, True) == level
    assert trace_level(scenario, False) == TraceLevel("none")
    if isinstance(written, str):
        assert trace_level(scenario, written) == level
    assert trace_level(scenario, "requests") == TraceLevel("requests")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("ful", "did you mean 'full'"),
        ("sampled", "a sample has a share, such as sampled: 1%"),
        ("sampled: 0%", "a sample is above 0%; none keeps no traces"),
        ("sampled: 2", "a share between 0 and 1"),
        ({"sample": "1%"}, "expected full, requests, none, or a sample"),
        (0.01, "expected full, requests, none, or a sample"),
    ],
)
def test_what_is_no_level_is_refused(written: Any, message: str) -> None:
    with pytest.raises(ScenarioError, match=rf"traces: .*{message}"):
        des.Scenario.from_dict(small(traces=written))
    if isinstance(written, str):
        with pytest.raises(DesError, match=message):
            trace_level(des.Scenario.from_dict(small()).loaded, written)


def test_arms_share_one_level() -> None:
    with pytest.raises(ScenarioError, match="'traces' must be the same in all arms"):
        des.Scenario.from_dict(small(arms={"other": {"traces": "none"}}))


def test_probes_are_in_no_sample(tmp_path: Path) -> None:
    probed = small(horizon="2h", policy={"probes": {"every": "5min"}}, arms={})
    run = des.run(probed, out=tmp_path / "run", traces="sampled: 99%")
    assert run.summary["arms"]["as_modelled"]["probes"]["mean"] > 0
    assert (run.attempts["kind"] == "call").all()


@pytest.mark.parametrize("groups", [0, 1, 5])
def test_a_disk_that_fills_up_meanwhile_leaves_no_run_and_no_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, groups: int
) -> None:
    monkeypatch.setattr(writer, "ROWS_PER_GROUP", 50)
    write, written = writer.TraceWriter._write, list[int]()

    def written_until_full(self: writer.TraceWriter, columns: Any, rows: int) -> None:
        if len(written) == groups:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(rows)
        write(self, columns, rows)

    monkeypatch.setattr(writer.TraceWriter, "_write", written_until_full)
    with pytest.raises(OutputError, match="no space left on the disk"):
        des.run(small(arms={}), out=tmp_path / "run")
    assert len(written) == groups
    assert not (tmp_path / "run").exists()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("traces")]


def test_results_say_which_rows_a_run_kept(runs: dict[str, Run]) -> None:
    stored = des.results(runs["full"].path.parent)
    assert {one.trace_level for one in stored} == {"full", "requests", "sampled: 20%", "none"}
    told = io.StringIO()
    print_results(stored, Path("results"), Console(file=told, width=200), verified=False)
    assert "1 replication, traces sampled: 20%: Two small peers" in told.getvalue()
    assert "traces full" not in told.getvalue()


def test_a_replication_that_is_broken_off_ends_its_thread_before_it_closes_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal between the start of the thread's work and the note of it: the writer has nothing to wait for."""
    done: list[str] = []

    class Interrupted(ThreadPoolExecutor):
        def submit(self, *work: Any, **options: Any) -> Any:
            super().submit(*work, **options)
            raise KeyboardInterrupt

    def write(trace: TraceWriter, *_: Any) -> None:
        threading.Event().wait(0.2)
        done.append("written")

    abort = TraceWriter.abort
    monkeypatch.setattr(replication, "ThreadPoolExecutor", Interrupted)
    monkeypatch.setattr(TraceWriter, "_write", write)
    monkeypatch.setattr(TraceWriter, "abort", lambda trace: (done.append("closed"), abort(trace)))
    arms = plans(from_mapping(small()))
    with pytest.raises(KeyboardInterrupt):
        replication.Replicator(arms, tmp_path, "{}")(replication.Part("as_modelled", 0), None)
    assert done[:2] == ["written", "closed"]
