"""Work in several processes leaves what work in one leaves, and ends when it has to."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from study.small_scenario import ENDLESS, SMALL, write_small

import des
from des import pool
from des.errors import DesError, RunError
from des.pool import Workers
from des.scenario import load_scenario
from des.study.study import Study
from tests import pool_tasks as tasks
from tests.patience import PATIENCE_S, wait_until
from tests.signals import heed_signals


@pytest.fixture(autouse=True)
def _workers_find_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))


def _content(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


def test_every_byte_is_the_same_for_any_number_of_processes(tmp_path: Path) -> None:
    path = write_small(tmp_path, horizon="3h")
    told: list[float] = []
    one = des.run(path, out=tmp_path / "one", replications=4)
    three = des.run(
        path, out=tmp_path / "three", replications=4, workers=3, progress=lambda share, what: told.append(share)
    )
    assert _content(one.path) == _content(three.path)
    assert len(_content(one.path)) == 5 * 2 * 4 + 1
    assert list(one.manifest) == list(three.manifest)
    differing = {name for name in one.manifest if one.manifest[name] != three.manifest[name]}
    assert differing <= {"created_at", "wall_s", "engine"}
    assert list(one.manifest["traces"]) == list(three.manifest["traces"])
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_the_number_of_processes_is_no_part_of_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_small(tmp_path, horizon="1h")
    one = des.run(path, replications=2, traces=False)
    two = des.run(path, replications=2, traces=False, workers=2)
    assert one.path == two.path
    assert one.path.name == f"small-{Study.of(load_scenario(path, ['replications=2']), traces=False).identity.key()}"


def test_results_come_in_the_order_of_the_tasks() -> None:
    with Workers(tasks.slow_first, 3) as workers:
        assert list(workers.map(list(range(6)))) == [number * 10 for number in range(6)]
        assert list(workers.map([7, 8])) == [70, 80]


def test_short_work_stays_in_this_process_until_others_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock of processor time that moves on by a quarter of what a process takes to start, at each look."""
    now = iter(range(1000))
    monkeypatch.setattr(pool, "time", SimpleNamespace(process_time=lambda: 0.25 * pool._STARTS_IN_S * next(now)))
    with Workers(tasks.where, 2, eager=False) as workers:
        one, *rest = workers.map([0, 1, 2])
        assert [one, *rest] == [os.getpid()] * 3  # two more are saved half of a start
        many = list(workers.map(list(range(9))))
        assert os.getpid() not in many  # ten save more than a start
    with Workers(tasks.where, 2, eager=False) as workers:
        for _ in range(5):  # a start's worth of time in all, and no more
            assert list(workers.map([0])) == [os.getpid()]
    with Workers(tasks.where, 2) as workers:
        assert os.getpid() not in list(workers.map([0, 1]))


def test_tasks_that_begin_here_and_go_on_elsewhere_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_STARTS_IN_S", 0.0)
    told: list[tuple[int, float]] = []
    with Workers(tasks.slow_first, 3, eager=False) as workers:
        assert list(workers.map(list(range(6)), lambda *at: told.append(at))) == [number * 10 for number in range(6)]
    assert {number for number, _ in told} == set(range(1, 6))


def test_an_error_in_a_worker_is_raised_as_itself() -> None:
    with pytest.raises(RunError) as caught, Workers(tasks.breaks, 2) as workers:
        list(workers.map([0, 1, 2, 3]))
    assert str(caught.value) == "task 2 is broken"


def test_an_error_that_cannot_travel_keeps_its_words() -> None:
    with pytest.raises(RuntimeError, match="StubbornError: 1 and 2"), Workers(tasks.stubborn, 2) as workers:
        list(workers.map([0, 1]))


def test_a_worker_that_is_killed_is_said() -> None:
    with pytest.raises(RunError, match="SIGKILL"), Workers(tasks.dies, 2) as workers:
        list(workers.map([0, 1]))


def test_what_a_task_prints_does_not_disturb_its_result(capfd: pytest.CaptureFixture[str]) -> None:
    with Workers(tasks.talks, 2) as workers:
        assert list(workers.map([1, 2])) == [1, 2]
    assert "talking" in capfd.readouterr().err


def test_processes_start_without_the_caller_s_program(tmp_path: Path) -> None:
    write_small(tmp_path, horizon="1h")
    script = tmp_path / "script.py"
    script.write_text("import des\nprint(des.run('small.yaml', workers=2, replications=2).manifest['replications'])\n")
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.stdout, done.returncode) == ("2\n", 0)


@pytest.mark.parametrize("workers", [0, -3])
def test_no_workers_at_all_are_refused(tmp_path: Path, workers: int) -> None:
    with pytest.raises(DesError, match="at least 1"):
        des.run(write_small(tmp_path), out=tmp_path / "out", workers=workers)


def _children(parent: int) -> list[int]:
    """Processes that have this one as their parent, by Linux's own account."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def _alive(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _at_work(number: int) -> bool:
    """Whether a worker waits for news in a thread of its own, as it does from its first task on."""
    return len(list(Path(f"/proc/{number}/task").glob("*"))) > 1


_RUN = ["run", "small.yaml", "--workers", "2", "--replications", "2"]
_YEARS = ["availability", "small.yaml", "--workers", "2", "--estimator", "timeline", "--years", "1e7"]
_ENDED = [(signal.SIGINT, True, 130), (signal.SIGTERM, False, 143), (signal.SIGKILL, False, -9)]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks processes up in /proc")
@pytest.mark.parametrize(
    ("command", "number", "group", "code"),
    [
        *((_RUN, *ended) for ended in _ENDED),
        (_YEARS, signal.SIGINT, True, 130),
        (["compare", *_RUN[1:]], signal.SIGKILL, False, -9),
        (["sweep", "small.yaml", "--over", "policy.rounds=1,2", "--workers", "2"], signal.SIGTERM, False, 143),
    ],
)
def test_whatever_ends_the_command_ends_its_workers(
    tmp_path: Path, command: list[str], number: signal.Signals, group: bool, code: int
) -> None:
    unlimited = {"providers": {name: {**of, "limits": None} for name, of in SMALL["providers"].items()}}
    write_small(tmp_path, **ENDLESS, **(unlimited if command == _YEARS else {}))
    process = subprocess.Popen(
        [sys.executable, "-m", "des", *command],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_signals,
    )
    wait_until(lambda: len([each for each in _children(process.pid) if _at_work(each)]) == 2, process)
    workers = _children(process.pid)
    if group:
        os.killpg(process.pid, number)  # as a terminal's Ctrl-C does
    else:
        process.send_signal(number)
    _, words = process.communicate(timeout=PATIENCE_S)  # which waits for whoever holds the output
    assert process.returncode == code
    wait_until(lambda: not any(map(_alive, workers)))
    assert "Traceback" not in words
    if number != signal.SIGKILL:
        assert "kept" in words
        assert [path.name for path in tmp_path.iterdir()] == ["small.yaml"]
