"""Peers, each in a process of its own, in turn: `python -m benchmarks.peers [--workload mm1|reference] [--pairs N]`.

Peers that are not installed are left out (extra `bench`). A rate is customers or requests a second of processor time,
of the simulation alone: imports and compilation are done before. On the reference workload a run of what is
interpreted has `--requests`, of what is compiled `--many`; on M/M/1 all have `--customers`.
"""

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import time
from typing import Final

from benchmarks import peers_mm1, peers_reference
from benchmarks.peers_words import BASE, Found, Workload

WORKLOADS: Final = {"mm1": peers_mm1.WORKLOAD, "reference": peers_reference.WORKLOAD}


def one(workload: Workload, peer: str, units: int, seed: int) -> tuple[float, Found]:
    """In this process: units a second of processor time, and what was found."""
    simulate = workload.peers[peer].simulate
    simulate(1_000, seed)  # imports and compiles
    started = time.process_time()
    found = simulate(units, seed)
    return found.units / (time.process_time() - started), found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--workload", choices=list(WORKLOADS), default="mm1")
    parser.add_argument("--customers", type=int, default=200_000, help="of M/M/1")
    parser.add_argument(
        "--requests", type=int, default=50_000, help="of the reference workload, by what is interpreted"
    )
    parser.add_argument("--many", type=int, default=1_000_000, help="of the reference workload, by what is compiled")
    parser.add_argument("--pairs", type=int, default=3, help="turns of each peer")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=1, help=argparse.SUPPRESS)
    given = parser.parse_args()
    workload = WORKLOADS[given.workload]

    def units(peer: str) -> int:
        if given.workload == "mm1":
            return int(given.customers)
        return int(given.many if workload.peers[peer].compiled else given.requests)

    if given.one:
        print(json.dumps(one(workload, given.one, units(given.one), given.seed)))
        return 0
    installed = [name for name, peer in workload.peers.items() if importlib.util.find_spec(peer.package)]
    rates: dict[str, list[float]] = {peer: [] for peer in installed}
    figures: dict[str, list[list[float]]] = {peer: [] for peer in installed}
    for seed in range(1, given.pairs + 1):
        for peer in installed:
            command = [sys.executable, "-m", "benchmarks.peers", "--one", peer, "--seed", str(seed)]
            command += ["--workload", given.workload, "--customers", str(given.customers)]
            command += ["--requests", str(given.requests), "--many", str(given.many)]
            answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            rate, (_, found) = json.loads(answer)
            rates[peer].append(rate)
            figures[peer].append(found)
    print(_table(workload, rates, figures))
    for peer in workload.peers.keys() - set(installed):
        print(f"{peer} is not installed")
    return 0


def _table(workload: Workload, rates: dict[str, list[float]], figures: dict[str, list[list[float]]]) -> str:
    """Medians of rates, and of ratios pair by pair; means of figures."""
    columns = [f"{workload.title} by", f"{workload.unit} a second", f"to {BASE}", *workload.figures]
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for peer, found in rates.items():
        ratio = statistics.median(rate / base for rate, base in zip(found, rates[BASE], strict=True))
        means = [statistics.fmean(each) for each in zip(*figures[peer], strict=True)]
        cells = [peer, f"{statistics.median(found):,.0f}", f"{ratio:.2f}"]
        cells += [words.format(mean) for words, mean in zip(workload.figures.values(), means, strict=True)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
