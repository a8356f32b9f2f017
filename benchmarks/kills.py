"""Kills runs at random moments until they are through, and compares every byte: `python -m benchmarks.kills`.

A run, a comparison and sweeps by either estimator, each on two processes, are killed (SIGKILL or SIGTERM; the command
itself, or one of its worker processes) at moments that a seed draws, and started again. Each must end with the bytes of
an undisturbed one, and never lose a finished replication or point. Then the same run writes to a disk that is too
small, and goes on where the disk has grown. `--kills 40 --seed 1`; `--only run` for one of them.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

SCENARIO: Final = Path(__file__).parents[1] / "scenarios" / "two_stage.yaml"
COMMON: Final = ("--set", "horizon=30d", "--workers", "2", "--yes")
STUDIES: Final = {
    "run": ("run", str(SCENARIO), "--replications", "12", *COMMON),
    "compare": ("compare", str(SCENARIO), "--replications", "4", *COMMON),
    "sweep": (
        *("sweep", str(SCENARIO), "--over", "policy.rounds=1,2,3,4", "--estimator", "request-level"),
        *("--replications", "2", "--traces", *COMMON),
    ),
    "sweep of answers": ("sweep", str(SCENARIO), "--over", "policy.rounds=1,2,3,4", *COMMON),
}
VOLATILE: Final = ("created_at", "wall_s")
TOO_SMALL_KB: Final = 600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10, metavar="N", help="of each study (10)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=[*STUDIES, "full disk"])
    options = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory(prefix="des-kills-") as name:
        for study, command in STUDIES.items():
            if options.only in (None, study):
                failed |= not _killed(
                    study, command, Path(name), options.kills, random.Random(f"{options.seed} {study}")
                )
        if options.only in (None, "full disk"):
            failed |= not _full_disk(Path(name))
    sys.exit(failed)


def _killed(study: str, command: Sequence[str], folder: Path, kills: int, draw: random.Random) -> bool:
    """Kill a study so often in all, over as many executions from the beginning as that takes."""
    started = time.monotonic()
    reference = _undisturbed(command, folder / "reference")
    whole_s = time.monotonic() - started
    done, through, wrong, lost = Counter[str](), 0, 0, 0
    while done.total() < kills:
        shutil.rmtree(folder / "killed", ignore_errors=True)
        kept, finished = 0, False
        while not finished:
            how = "" if done.total() >= kills else draw.choice(("client KILL", "client TERM", "worker KILL"))
            finished = _started(command, folder / "killed", how, draw.uniform(0.1, 1.0) * whole_s, done)
            now = _kept(folder / "killed" / "out")
            lost += not finished and now < kept
            kept = max(kept, now)
        through += 1
        wrong += _content(folder / "killed" / "out") != reference
        wrong += any((folder / "killed").glob(".partial/*"))
    shutil.rmtree(folder / "killed", ignore_errors=True)
    shutil.rmtree(folder / "reference", ignore_errors=True)
    each = ", ".join(f"{count} {how}" for how, count in sorted(done.items()))
    print(
        f"{study}: {done.total()} kills ({each}) in {through} executions of {whole_s:.1f} s: {max(0, through - wrong)} "
        f"ended with the same bytes and nothing left over, {lost} kills lost a finished piece",
        flush=True,
    )
    return wrong == 0 and lost == 0


def _started(command: Sequence[str], folder: Path, how: str, after_s: float, done: "Counter[str]") -> bool:
    """Start a study and kill it so. Returns whether it came through, as where it is killed when it is whole."""
    process = _des(command, folder)
    try:
        if how:
            try:
                process.wait(after_s)
            except subprocess.TimeoutExpired:
                target = process.pid
                if how == "worker KILL":
                    target = next(_children(process.pid), process.pid)
                number = signal.SIGTERM if how.endswith("TERM") else signal.SIGKILL
                os.kill(target, number)
                done[how if target != process.pid or how != "worker KILL" else "client KILL"] += 1
        process.wait()
    finally:
        _end(process)
    if not how and process.returncode:
        raise SystemExit(f"an execution that nobody killed failed: exit code {process.returncode}")
    return process.returncode == 0 or (folder / "out").exists()


def _full_disk(folder: Path) -> bool:
    """On a disk too small for the run, which then grows."""
    reference = _undisturbed(STUDIES["run"], folder / "reference")
    place = folder / "disk"
    place.mkdir()
    with _disk(place) as has_one:
        if not has_one:
            print("full disk: not tried, as this user may not mount a tmpfs")
            return True
        process = _des(STUDIES["run"], place)
        said = process.communicate()[1].decode()
        kept = _kept(place / "out")
        clear = process.returncode == 1 and "no space left on the disk" in said and not (place / "out").exists()
        subprocess.run(["mount", "-o", "remount,size=1g", str(place)], check=True)
        process = _des(STUDIES["run"], place)
        process.communicate()
        same = process.returncode == 0 and _content(place / "out") == reference
    told = "says so and leaves no run" if clear else f"DOES NOT SAY SO: {said or 'it went through'}"
    ends = "the same bytes" if same else "OTHER BYTES"
    print(
        f"full disk: a run on {TOO_SMALL_KB} kB {told}, keeps {kept} replications, and where it grew ends with {ends}",
        flush=True,
    )
    return clear and same


@contextmanager
def _disk(place: Path) -> Iterator[bool]:
    mount = ["mount", "-t", "tmpfs", "-o", f"size={TOO_SMALL_KB}k", "tmpfs", str(place)]
    has_one = shutil.which("mount") is not None and subprocess.run(mount, capture_output=True).returncode == 0
    try:
        yield has_one
    finally:
        if has_one:
            subprocess.run(["umount", str(place)], check=True)


def _undisturbed(command: Sequence[str], folder: Path) -> dict[str, Any]:
    process = _des(command, folder)
    _, said = process.communicate()
    if process.returncode:
        raise SystemExit(f"des {' '.join(command)} failed: {said.decode()}")
    return _content(folder / "out")


def _des(command: Sequence[str], folder: Path) -> "subprocess.Popen[bytes]":
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "des", *command, "--out", "out"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE if folder.name != "killed" else subprocess.DEVNULL,
    )


def _children(parent: int) -> Iterator[int]:
    """The processes that a process has started, on systems with `/proc`."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            of = path.read_text().rpartition(")")[2].split()  # state, parent, ...
            if int(of[1]) == parent and of[0] != "Z":
                yield int(path.parent.name)


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.kill()
        process.wait()


def _kept(target: Path) -> int:
    """Finished replications and points beside the place of a study."""
    unfinished = list((target.parent / ".partial").glob(f"{target.name}-unfinished-*"))
    return sum(
        1
        for directory in unfinished
        for pattern in ("finished/*.jsonl", "points/*.jsonl", "points/*/manifest.json")
        for _ in directory.glob(pattern)
    )


def _content(directory: Path) -> dict[str, Any]:
    """Every file, and manifests without what may differ between two executions."""
    found: dict[str, Any] = {}
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            name = path.relative_to(directory).as_posix()
            found[name] = content
            if path.name == "manifest.json":
                found[name] = {key: value for key, value in json.loads(content).items() if key not in VOLATILE}
    return found


if __name__ == "__main__":
    main()
