"""The installed command: what it prints, where, and its exit code."""

import json
import os
import pty
import resource
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from study.small_scenario import ENDLESS, write_small

from tests.patience import PATIENCE_S, wait_until
from tests.signals import heed_signals

SCENARIOS = Path(__file__).parents[1] / "scenarios"
DES = str(Path(sys.executable).with_name("des"))
ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "DES_DEBUG", "FORCE_COLOR")}

pytestmark = pytest.mark.skipif(not Path(DES).exists(), reason="the des command is not installed beside this Python")

Done = subprocess.CompletedProcess[str]


def _des(*arguments: object, folder: Path, **options: Any) -> Done:
    return subprocess.run(
        [DES, *map(str, arguments)],
        cwd=folder,
        env=ENVIRONMENT | options.pop("env", {}),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        **options,
    )


def _is_a_clear_error(done: Done, code: int) -> None:
    assert done.returncode == code
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def _left(folder: Path) -> list[str]:
    """What is in a folder beside the scenario."""
    return sorted(path.name for path in folder.rglob("*") if path.name not in ("small.yaml", "results"))


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """A folder with a scenario, and its first run there."""
    folder = tmp_path_factory.mktemp("ran")
    write_small(folder)
    return folder, _des("run", "small.yaml", folder=folder)


def test_a_run_prints_its_figures_and_leaves_its_directory(ran: tuple[Path, Done]) -> None:
    folder, done = ran
    assert done.returncode == 0
    assert done.stderr == ""
    for words in ("Two small peers", "availability", "minutes down per 30 days", "as_modelled", "primary_only", "p99"):
        assert words in done.stdout
    assert "one replication: no interval" in done.stdout
    assert "\x1b" not in done.stdout
    assert "…" not in done.stdout
    (directory,) = (folder / "results").iterdir()
    assert f"results/{directory.name}" in done.stdout
    assert sorted(path.name for path in directory.iterdir()) == [
        "attempts",
        "incidents",
        "manifest.json",
        "minutes",
        "requests",
        "summary.json",
        "transitions",
    ]


def test_the_same_command_again_verifies_and_says_so(ran: tuple[Path, Done]) -> None:
    folder, first = ran
    again = _des("run", "small.yaml", folder=folder)
    assert again.returncode == 0
    assert "not simulated again" in again.stdout
    figures = [line for line in first.stdout.splitlines() if "availability" in line]
    assert [line for line in again.stdout.splitlines() if "availability" in line] == figures
    assert len(list((folder / "results").iterdir())) == 1


def test_json_is_the_summary_file(ran: tuple[Path, Done]) -> None:
    folder, _ = ran
    done = _des("run", "small.yaml", "--json", folder=folder)
    (directory,) = (folder / "results").iterdir()
    assert done.stdout == (directory / "summary.json").read_text()
    assert json.loads(done.stdout)["arms"]["as_modelled"]["requests"]["mean"] > 0


def test_traces_of_a_replay_in_another_process_are_the_same_bytes(ran: tuple[Path, Done], tmp_path: Path) -> None:
    folder, _ = ran
    write_small(tmp_path)
    assert _des("run", "small.yaml", "--out", "here", folder=tmp_path, env={"PYTHONHASHSEED": "99"}).returncode == 0
    (directory,) = (folder / "results").iterdir()
    names = [path.relative_to(directory) for path in directory.rglob("*.parquet")]
    assert len(names) == 10
    for name in [*names, Path("summary.json")]:
        assert (directory / name).read_bytes() == (tmp_path / "here" / name).read_bytes()


def test_options_reach_the_run(tmp_path: Path) -> None:
    write_small(tmp_path)
    done = _des(
        *("run", "small.yaml", "--out", "out", "--seed", 11, "--replications", 2, "--set", "horizon=1h"),
        *("--set", "policy.rounds=2", "--no-traces"),
        folder=tmp_path,
    )
    assert done.returncode == 0
    assert "intervals: 95 %, over 2 replications" in done.stdout
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (manifest["seed"], manifest["replications"]) == (11, 2)
    assert manifest["scenario"]["horizon"] == "1h"
    assert manifest["scenario"]["policy"]["rounds"] == 2
    assert not (tmp_path / "results").exists()
    assert not (tmp_path / "out" / "requests").exists()


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_the_width_it_is_given(ran: tuple[Path, Done], width: int) -> None:
    folder, _ = ran
    done = _des("run", "small.yaml", folder=folder, env={"COLUMNS": str(width)})
    assert max(map(len, done.stdout.splitlines())) <= width


@pytest.mark.parametrize(
    ("expect", "code", "word"),
    [({"availability": "> 50%"}, 0, "yes"), ({"primary_only.availability": ["> 50%", ">= 99.99%"]}, 1, "no")],
)
def test_expectations_decide_the_exit_code(tmp_path: Path, expect: dict[str, Any], code: int, word: str) -> None:
    write_small(tmp_path, horizon="2h", expect=expect)
    done = _des("run", "small.yaml", "--no-traces", folder=tmp_path)
    assert done.returncode == code
    assert done.stdout.split("expectation")[1].split("one replication")[0].split()[-1] == word
    again = _des("run", "small.yaml", "--no-traces", "--json", folder=tmp_path)
    assert again.returncode == code
    assert ("missed" in again.stderr) == (code == 1)
    json.loads(again.stdout)


def test_an_inconclusive_expectation_has_an_exit_code_of_its_own(tmp_path: Path) -> None:
    first = _des("run", write_small(tmp_path), "--replications", 3, "--no-traces", "--json", folder=tmp_path)
    mean = json.loads(first.stdout)["arms"]["as_modelled"]["latency_s_mean"]["mean"]
    write_small(tmp_path, expect={"latency_s_mean": f"< {mean + 1e-9:.12f}s"})
    done = _des("run", "small.yaml", "--replications", 3, "--no-traces", folder=tmp_path)
    assert done.returncode == 3
    assert "inconclusive" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "missing.yaml"],
        ["run", "small.yaml", "--set", "polici.rounds=2"],
        ["run", "small.yaml", "--set", "policy.rounds"],
        ["run", "small.yaml", "--set", "horizon=-1h"],
        ["run", "small.yaml", "--replications", "0"],
        ["run", "small.yaml", "--seed", "-1"],
        ["run", "small.yaml", "--seed", "many"],
        ["run", "small.yaml", "--no-such-option"],
        ["run", "small.yaml", "--out", "small.yaml"],
        ["run", "small.yaml", "--out", "small.yaml/below"],
        ["run", "small.yaml", "--out", "."],
        ["run", "."],
        ["run"],
        ["fly"],
    ],
)
def test_wrong_input_is_code_2_with_a_clear_sentence_and_writes_nothing(tmp_path: Path, arguments: list[str]) -> None:
    write_small(tmp_path)
    _is_a_clear_error(_des(*arguments, folder=tmp_path), 2)
    assert _left(tmp_path) == []


def test_a_results_file_in_the_way_is_named(tmp_path: Path) -> None:
    write_small(tmp_path)
    (tmp_path / "results").write_text("mine")
    done = _des("run", "small.yaml", folder=tmp_path)
    _is_a_clear_error(done, 2)
    assert "results is not a directory" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser may become nobody")
def test_an_unwritable_directory_is_wrong_input(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o755)
    write_small(folder)
    try:
        done = _des("run", "small.yaml", folder=folder, user=65534)
    except PermissionError:
        pytest.skip("nobody may not enter this folder")
    if "ermission denied" in done.stderr and "small.yaml" in done.stderr.partition("cannot write")[0]:
        pytest.skip("nobody may not read this folder")
    _is_a_clear_error(done, 2)
    assert "permission denied" in done.stderr


def test_validate_says_ok_or_everything_that_is_wrong(tmp_path: Path) -> None:
    good = write_small(tmp_path)
    bad = write_small(tmp_path, "bad", horizon="12 parsecs", chain=[{"provider": "frist", "timeout": "5s"}])
    done = _des("validate", good.name, folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "small.yaml: ok\n", "")
    done = _des("validate", bad.name, good.name, "missing.yaml", folder=tmp_path)
    _is_a_clear_error(done, 2)
    assert done.stdout == "small.yaml: ok\n"
    assert "bad.yaml:1:" in done.stderr
    assert "parsecs" in done.stderr
    assert "did you mean 'first'?" in done.stderr
    assert "missing.yaml" in done.stderr
    assert not (tmp_path / "results").exists()


def test_schema_is_a_json_schema(tmp_path: Path) -> None:
    schema = json.loads(_des("schema", folder=tmp_path).stdout)
    assert {"horizon", "chain", "providers"} <= set(schema["properties"])


def test_the_catalogue_names_models_and_prices(tmp_path: Path) -> None:
    done = _des("catalogue", folder=tmp_path)
    assert done.returncode == 0
    (line,) = [line for line in done.stdout.splitlines() if line.split()[1:2] == ["claude-sonnet-4-6"]]
    assert "$3.00" in line
    assert "$15.00" in line


def test_version_and_help_are_quick_to_say(tmp_path: Path) -> None:
    assert _des("--version", folder=tmp_path).stdout.startswith("des ")
    assert "run" in _des("--help", folder=tmp_path).stdout
    code = (
        "import sys, des.cli; print(sorted({'numpy', 'pandas', 'scipy', 'pyarrow', 'genai_prices'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("arguments", [["schema"], ["catalogue"], ["run", "small.yaml"]])
def test_a_reader_that_leaves_is_no_error(ran: tuple[Path, Done], arguments: list[str]) -> None:
    process = subprocess.Popen(
        [DES, *arguments], cwd=ran[0], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=PATIENCE_S) == 141


def test_printing_to_a_full_disk_is_said_in_one_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [DES, "schema"], cwd=tmp_path, env=ENVIRONMENT, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_nobody_to_tell_and_no_error(tmp_path: Path, closed: str) -> None:
    write_small(tmp_path, horizon="1h")
    for arguments, code in (("run small.yaml", 0), ("validate small.yaml", 0), ("run nobody.yaml", 2)):
        command = f"{shlex.quote(DES)} {arguments} {closed}"
        done = subprocess.run(command, shell=True, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
        assert done.returncode == code
        assert "unexpected" not in done.stderr
    (directory,) = (tmp_path / "results").iterdir()
    assert json.loads((directory / "summary.json").read_text())["arms"]


def test_an_ascii_terminal_gets_its_table_too(ran: tuple[Path, Done]) -> None:
    folder, _ = ran
    done = _des("run", "small.yaml", folder=folder, env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert done.returncode == 0
    assert "availability" in done.stdout


# Runs that somebody or something ends


@contextmanager
def _under_way(folder: Path, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """A run of ten years that is writing its traces."""
    write_small(folder, **ENDLESS)
    process = subprocess.Popen(
        [DES, "run", "small.yaml", *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_signals,
    )
    try:
        wait_until(lambda: list((folder / "results").glob(".partial/small-*/requests/*.parquet")), process)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_removes_what_it_wrote(tmp_path: Path, number: signal.Signals, code: int) -> None:
    with _under_way(tmp_path) as process:
        process.send_signal(number)
        _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code
    assert "nothing was kept" in said
    assert len(said.splitlines()) == 1
    assert _left(tmp_path) == []


def test_a_killed_run_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    with _under_way(tmp_path) as process:
        process.kill()
    assert [path.name for path in (tmp_path / "results").iterdir()] == [".partial"]
    (left,) = (tmp_path / "results" / ".partial").iterdir()
    assert not (left / "manifest.json").exists()


def _disk_of(bytes_: int) -> Callable[[], None]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))

    return limit


def test_a_run_that_may_write_no_more_fails_and_leaves_nothing(tmp_path: Path) -> None:
    write_small(tmp_path)
    done = _des("run", "small.yaml", folder=tmp_path, preexec_fn=_disk_of(8_192))
    _is_a_clear_error(done, 1)
    assert "nothing was kept" in done.stderr
    assert _left(tmp_path) == []


def test_a_full_disk_fails_the_run_and_leaves_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if (
        mount is None
        or subprocess.run([mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True).returncode
    ):
        pytest.skip("no small disk can be mounted here")
    try:
        write_small(tmp_path)
        done = _des("run", "small.yaml", "--out", disk / "run", folder=tmp_path)
        left = list(disk.iterdir())
    finally:
        subprocess.run(["umount", disk], check=True)
    _is_a_clear_error(done, 1)
    assert "no space left" in done.stderr
    assert left == []


def test_a_terminal_sees_a_progress_bar_on_standard_error_alone(tmp_path: Path) -> None:
    write_small(tmp_path)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [DES, "run", "small.yaml"],
        cwd=tmp_path,
        env=ENVIRONMENT | {"TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 65_536):
            seen += chunk
    except OSError:  # the terminal's other end is closed
        pass
    finally:
        os.close(ours)
    assert process.stdout is not None
    out = process.stdout.read()
    assert process.wait(timeout=PATIENCE_S) == 0
    assert b"%" in seen
    assert b"\x1b" not in out


def test_compare_shows_marginals_then_what_failing_together_changes(tmp_path: Path) -> None:
    write_small(tmp_path, horizon="2h")
    arguments = ("compare", "small.yaml", "--arms", "as_modelled,independent", "--replications", 2, "--no-traces")
    done = _des(*arguments, "--workers", 2, folder=tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""
    in_order = ("Each endpoint by itself", "all down, share of the time", "Against as_modelled")
    places = [done.stdout.index(words) for words in in_order]
    assert places == sorted(places)
    (directory,) = (tmp_path / "results").iterdir()
    again = _des(*arguments, "--json", folder=tmp_path)
    assert again.stdout == (directory / "summary.json").read_text()
    assert list(json.loads(again.stdout)["comparison"]["joint"]) == ["as_modelled", "independent"]


@pytest.mark.parametrize("option", [("--arms", "nobody"), ("--arms", ","), ("--precision", "cost"), ("--workers", 0)])
def test_wrong_options_of_compare_are_code_2_and_write_nothing(tmp_path: Path, option: tuple[str, Any]) -> None:
    write_small(tmp_path)
    _is_a_clear_error(_des("compare", "small.yaml", *option, folder=tmp_path), 2)
    assert _left(tmp_path) == []


def test_a_precision_that_is_not_reached_is_said_and_has_the_code_of_the_inconclusive(tmp_path: Path) -> None:
    write_small(tmp_path, horizon="1h")
    arguments = ("run", "small.yaml", "--no-traces", "--precision", "cost_usd=0.1%", "--max-replications", 3)
    done = _des(*arguments, folder=tmp_path)
    assert done.returncode == 3
    assert "NOT reached after 3 replications" in done.stdout
    again = _des(*arguments, "--json", folder=tmp_path)
    assert again.returncode == 3
    assert "NOT reached" in again.stderr
    assert json.loads(again.stdout)["precision"]["reached"] is False


@pytest.mark.parametrize("years", ["inf", "nan", "1e300", "-1", "0", "1e-300", "many"])
def test_years_that_are_none_are_code_2_whatever_the_estimator(tmp_path: Path, years: str) -> None:
    write_small(tmp_path)
    done = _des("availability", "small.yaml", "--years", years, folder=tmp_path)
    _is_a_clear_error(done, 2)
    assert "--years" in done.stderr
    assert "unexpected" not in done.stderr


def test_availability_has_a_seed_of_its_own(tmp_path: Path) -> None:
    retried = {"chain": [{"provider": "first", "retries": 1}, {"provider": "second"}]}
    outages = {"kind": "poisson", "rate": "20/y", "duration": {"kind": "exponential", "mean": "10h"}}
    write_small(tmp_path, **retried, arms={}, components={"cloud": {"incidents": [outages]}})
    sets = [f"--set=providers.{name}.depends_on=[cloud]" for name in ("first", "second")]
    sets += ["--set=providers.second.limits=null", "--set=providers.first.incidents=null"]
    command = ("availability", "small.yaml", *sets, "--years", 50, "--estimator", "timeline", "--json")

    def lost(*more: object) -> dict[str, Any]:
        done = _des(*command, *more, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)["arms"]["as_modelled"]["availability"]
        return found

    assert lost() == lost("--workers", 2) != lost("--seed", 99) == lost("--seed", 99)


def test_availability_says_why_it_has_no_figure_and_what_has_one(tmp_path: Path) -> None:
    shutil.copy(SCENARIOS / "market_failover_surge.yaml", tmp_path)
    done = _des("availability", "market_failover_surge.yaml", "--years", 20, folder=tmp_path)
    assert done.returncode == 0
    assert "requests interact (surge: it depends on the load)" in done.stdout
    assert "des compare" in done.stdout


def test_sweep_prints_a_row_a_point(tmp_path: Path) -> None:
    write_small(tmp_path, horizon="1h", expect={"availability": "> 1%"})
    done = _des("sweep", "small.yaml", "--over", "policy.rounds=1,2", "--arms", folder=tmp_path)
    _is_a_clear_error(done, 2)
    done = _des("sweep", "small.yaml", "--over", "policy.rounds=1,2", folder=tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""
    rows = [line.split() for line in done.stdout.splitlines() if "as_modelled" in line]
    assert [row[0] for row in rows] == ["1", "2"]
    assert [row[-1] for row in rows] == ["met", "met"]
    assert max(map(len, done.stdout.splitlines()[:-1])) <= 120
    again = _des("sweep", "small.yaml", "--over", "policy.rounds=1,2", "--json", folder=tmp_path)
    assert json.loads(again.stdout)["over"] == ["policy.rounds"]
