"""The compiled engine beside SimPy's and two models by hand: requests a second of processor time, in one run.

    python -m benchmarks.engines [--pairs N] [--requests N] [--many N]

The reference workload. Each figure is measured in a process of its own, in turn, and ratios are taken pair by pair,
since machines are noisy and drift. `--requests` for what runs in SimPy, `--many` for what is compiled. The time of the
engines is all of `des.run` but imports and loading: reading the scenario, the summary, the traces if there are any.
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


def requests_per_s(module: str, requests: int, seed: int, *options: str) -> float:
    """Requests a second of processor time."""
    command = [sys.executable, "-m", module, str(requests), str(seed), *options]
    figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return float(figures["requests"] / figures["processor_s"])


def main() -> None:
    parser = argparse.ArgumentParser(description="requests a second of each engine and of models by hand")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--many", type=int, default=1_000_000)
    asked = parser.parse_args()
    rates: dict[str, list[float]] = {name: [] for name in MEASURED}
    for seed in range(1, asked.pairs + 1):
        for name, (module, *options) in MEASURED.items():
            requests = asked.requests if "SimPy" in name else asked.many
            rates[name].append(requests_per_s(module, requests, seed, *options))
            print(f"seed {seed}: {name}: {rates[name][-1]:,.0f} requests/s", flush=True)
    print(f"\n{'':32} requests/s   to hand-written SimPy   to the bare loop")
    for name, found in rates.items():
        ratios = [
            statistics.median(one / other for one, other in zip(found, rates[beside], strict=True))
            for beside in (BY_HAND, BARE)
        ]
        print(f"{name:32} {statistics.median(found):10,.0f} {ratios[0]:23.2f} {ratios[1]:18.3f}")


if __name__ == "__main__":
    main()
