"""What `des answer` says of every shipped scenario, and how long it takes: the table of docs/answer.md.

    python -m benchmarks.answers [--within 60s] [--workers N] [NAME...]

Each answer is made by a command of its own, whose whole time counts, its start included. A row has the estimators, the
rounds, the requests simulated and the most available arm with its availability, or the refusal. Rows are printed as
they come. Without NAMEs, the table is then written into docs/answer.md, with the commit and the date. That takes the
files below DES_DATA; with NAMEs, scenarios that need them are left out without it.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from des.report.answer_tables import availability_words
from des.study.answer_file import load_answer
from des.study.answered import Answer, ArmAnswer

_ROOT: Final = Path(__file__).parents[1]
SCENARIOS: Final = _ROOT / "scenarios"
PAGE: Final = _ROOT / "docs" / "answer.md"
_HEAD: Final = (
    "| scenario | availability by | the rest by | rounds | requests | most available arm | seconds |",
    "|---|---|---|---|---|---|---|",
)
_BLOCK: Final = re.compile(r"(<!-- answers: .*? -->\n).*?(<!-- /answers -->)", re.DOTALL)


def answered(path: Path, within: str, workers: int) -> tuple[Answer, float]:
    """(the answer, wall seconds)."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "answer"
        options = ["--within", within, "--workers", str(workers), "--out", str(out)]
        command = [sys.executable, "-m", "des", "answer", str(path), *options]
        started = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True)
        took_s = time.perf_counter() - started
        if done.returncode not in (0, 1, 3):
            raise SystemExit(f"des answer {path} failed with {done.returncode}:\n{done.stderr}")
        return load_answer(out), took_s


def row(name: str, found: Answer, took_s: float) -> str:
    arms = {arm: of for arm, of in found.arms.items() if arm not in found.same}
    of_requests = ", ".join(dict.fromkeys(of.basis.requests for of in arms.values()))
    of_availability = ", ".join(dict.fromkeys(of.basis.availability for of in arms.values()))
    simulated = sum(of.basis.simulated for of in arms.values())
    cells = (
        f"`{name}`",
        of_availability,
        of_requests,
        f"{found.rounds}",
        f"{simulated:,}",
        _most_available(arms),
        f"{took_s:.0f}",
    )
    return f"| {' | '.join(cells)} |"


def _most_available(arms: dict[str, ArmAnswer]) -> str:
    lost = {arm: of.lost.mean for arm, of in arms.items() if of.lost is not None and of.lost.mean is not None}
    best = min(lost, key=lambda arm: (lost[arm], arms[arm].not_seen.between)) if lost else None
    said = "" if best is None else f"{best}: {availability_words(arms[best])}{_leaving_out(arms[best])}"
    refused = [of.refused for of in arms.values() if of.refused]
    return "; ".join(part for part in (f"refused: {refused[0]}" if refused else "", said) if part)


def _leaving_out(of: ArmAnswer) -> str:
    return " between outages" if of.not_seen.between else ""


def block(rows: Sequence[str], within: str, workers: int, commit: str, on: date, longest_s: float, refused: int) -> str:
    """What docs/answer.md says of them: how they were measured, and the table."""
    processes = f"{workers} process{'es' if workers != 1 else ''}"
    told = (
        f"`python -m benchmarks.answers --within {within}` measured these in one go on {on.isoformat()}, at commit "
        f"{commit}, with {processes}. Seconds are of the whole command; the longest took {longest_s:.0f}. "
        f"{'None is' if not refused else f'{refused} are' if refused > 1 else 'One is'} refused."
    )
    return "\n".join((told, "", *_HEAD, *rows)) + "\n"


def with_block(page: str, made: str) -> str:
    """The page with what is between the marks replaced."""
    found, times = _BLOCK.subn(lambda marks: f"{marks[1]}{made}{marks[2]}", page)
    if times != 1:
        raise SystemExit(f"{PAGE}: not one block between <!-- answers: ... --> and <!-- /answers -->, but {times}")
    return found


def _commit() -> str:
    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=_ROOT, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "des", "scenarios")
    return f"{git('rev-parse', '--short', 'HEAD')}{' with changes' if changed else ''}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="scenarios, without .yaml; all by default")
    parser.add_argument("--within", default="60s")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    given = parser.parse_args()
    writes = not given.names
    if writes and "DES_DATA" not in os.environ:
        raise SystemExit("DES_DATA is not set: scenarios that need it would have no row in the table")
    commit = _commit()
    print("\n".join(_HEAD), flush=True)
    rows, refused, longest_s = [], 0, 0.0
    for path in sorted(SCENARIOS.glob("*.yaml")):
        if given.names and path.stem not in given.names:
            continue
        if "${DES_DATA}" in path.read_text(encoding="utf-8") and "DES_DATA" not in os.environ:
            continue
        found, took_s = answered(path, given.within, given.workers)
        rows.append(row(path.stem, found, took_s))
        refused += any(of.refused for of in found.arms.values())
        longest_s = max(longest_s, took_s)
        print(rows[-1], flush=True)
    if writes:
        on = datetime.now(UTC).date()
        made = block(rows, given.within, given.workers, commit, on, longest_s, refused)
        PAGE.write_text(with_block(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")


if __name__ == "__main__":
    main()
