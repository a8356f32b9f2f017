"""What `des answer` says of every shipped scenario, and how long it takes: the table of docs/answer.md.

    python -m benchmarks.answers [--within 60s] [--workers N] [NAME...]

Each answer is made by a command of its own, whose whole time counts, its start included. A row has the estimators, the
rounds, the requests simulated and the most available arm with its availability, or the refusal. Scenarios that need
files below DES_DATA are left out without them.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SCENARIOS = Path(__file__).parents[1] / "scenarios"


def answered(path: Path, within: str, workers: int) -> tuple[dict[str, Any], float]:
    """(answer.json, wall seconds)."""
    options = ["--within", within, "--workers", str(workers), "--json"]
    command = [sys.executable, "-m", "des", "answer", str(path), *options]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    took_s = time.perf_counter() - started
    if done.returncode == 2:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout), took_s


def row(name: str, found: dict[str, Any], took_s: float) -> str:
    arms = {arm: of for arm, of in found["arms"].items() if arm not in found["same"]}
    refused = {arm: of["refused"] for arm, of in arms.items() if of["refused"]}
    of_requests = ", ".join(dict.fromkeys(of["basis"]["requests"] for of in arms.values()))
    of_availability = ", ".join(dict.fromkeys(of["basis"]["availability"] for of in arms.values()))
    simulated = sum(of["basis"]["simulated"] for of in arms.values())
    known = {arm: of for arm, of in arms.items() if of["lost"] is not None and of["lost"]["mean"] is not None}
    best = min(known, key=lambda arm: known[arm]["lost"]["mean"]) if known else ""
    said = f"{best}: {_availability(known[best]['lost'])}" if best else ""
    if refused:
        said = f"refused: {next(iter(refused.values()))}; {said}"
    cells = (f"`{name}`", of_availability, of_requests, f"{found['rounds']}", f"{simulated:,}", said, f"{took_s:.0f}")
    return f"| {' | '.join(cells)} |"


def _availability(lost: dict[str, Any]) -> str:
    def percent(share: float) -> str:
        return f"{100.0 * (1.0 - share):.10g}"

    if lost["mean"] == 0.0:
        return "100 %"
    ends = "" if lost["low"] is None else f" [{percent(_short(lost['high']))}, {percent(_short(lost['low']))}]"
    return f"{percent(_short(lost['mean']))} %{ends}"


def _short(share: float) -> float:
    return float(f"{share:.2g}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="scenarios, without .yaml; all by default")
    parser.add_argument("--within", default="60s")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    given = parser.parse_args()
    print("| scenario | availability by | the rest by | rounds | requests | most available arm | seconds |")
    print("|---|---|---|---|---|---|---|")
    for path in sorted(SCENARIOS.glob("*.yaml")):
        if given.names and path.stem not in given.names:
            continue
        if "${DES_DATA}" in path.read_text(encoding="utf-8") and "DES_DATA" not in os.environ:
            continue
        print(row(path.stem, *answered(path, given.within, given.workers)), flush=True)


if __name__ == "__main__":
    main()
