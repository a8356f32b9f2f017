"""The compiled engine beside SimPy's and two models by hand: requests a second, in one run.

    python -m benchmarks.engines [--pairs N] [--requests N] [--many N]

The reference workload. Each figure is measured in a process of its own, in turn, and ratios are taken pair by pair,
since machines are noisy and drift. `--requests` for what runs in SimPy, `--many` for what is compiled. The time of the
engines is all of `des.run` but imports and loading: reading the scenario, the summary, the traces if there are any.

By processor time, that of all threads counts. By the clock on the wall, traces are written while the next requests are
simulated, where a second core is free.
"""

import argparse
import json
import statistics
import subprocess
import sys

MEASURED = {
    "hand-written SimPy, no traces": ["benchmarks.by_hand"],
    "SimPy engine, both traces": ["benchmarks.engine"],
    "compiled engine, both traces": ["benchmarks.engine", "--engine", "compiled"],
    "compiled engine, no traces": ["benchmarks.engine", "--engine", "compiled", "--no-traces"],
    "bare loop in Numba, no traces": ["benchmarks.bare_numba_loop"],
}
BY_HAND, _, _, NO_TRACES, BARE = MEASURED


CLOCKS = {"processor_s": "by processor time", "wall_s": "by the clock on the wall"}


def requests_per_s(module: str, requests: int, seed: int, *options: str) -> dict[str, float]:
    """By each of `CLOCKS`."""
    command = [sys.executable, "-m", module, str(requests), str(seed), *options]
    figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {clock: figures["requests"] / figures[clock] for clock in CLOCKS}


def main() -> None:
    parser = argparse.ArgumentParser(description="requests a second of each engine and of models by hand")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--many", type=int, default=1_000_000)
    asked = parser.parse_args()
    rates: dict[str, list[dict[str, float]]] = {name: [] for name in MEASURED}
    for seed in range(1, asked.pairs + 1):
        for name, (module, *options) in MEASURED.items():
            requests = asked.requests if "SimPy" in name else asked.many
            rates[name].append(requests_per_s(module, requests, seed, *options))
            print(f"seed {seed}: {name}: {rates[name][-1]['processor_s']:,.0f} requests/s", flush=True)
    for clock, said in CLOCKS.items():
        print(f"\n{said:32} requests/s   to hand-written SimPy   to the bare loop")
        for name, found in rates.items():
            ratios = [
                statistics.median(one[clock] / other[clock] for one, other in zip(found, rates[beside], strict=True))
                for beside in (BY_HAND, BARE)
            ]
            median = statistics.median(each[clock] for each in found)
            print(f"{name:32} {median:10,.0f} {ratios[0]:23.2f} {ratios[1]:18.3f}")


if __name__ == "__main__":
    main()
