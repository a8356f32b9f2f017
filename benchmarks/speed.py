"""The engine against the same model written by hand in SimPy, in turn, each in a process of its own.

    python -m benchmarks.speed [--requests N] [--pairs N] [--no-traces]

Ratios are taken pair by pair, since machines are noisy and drift: the engine's requests per second of processor
time over the hand-written model's. The engine writes both traces and the summary; the hand-written one nothing.
"""

import argparse
import json
import statistics
import subprocess
import sys


def engine(requests: int, seed: int, *, traces: bool) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.engine", str(requests), str(seed)]
    return _figures([*command] if traces else [*command, "--no-traces"])


def by_hand(requests: int, seed: int) -> dict[str, float]:
    return _figures([sys.executable, "-m", "benchmarks.by_hand", str(requests), str(seed)])


def _figures(command: list[str]) -> dict[str, float]:
    figures: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return figures


def rate(figures: dict[str, float], clock: str) -> float:
    """Requests a second of the `wall_s` or `processor_s` clock."""
    return figures["requests"] / figures[clock]


def main() -> None:
    parser = argparse.ArgumentParser(description="requests a second, engine against hand-written SimPy")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--no-traces", action="store_true")
    asked = parser.parse_args()
    ratios: dict[str, list[float]] = {"processor_s": [], "wall_s": []}
    for seed in range(1, asked.pairs + 1):
        ours, theirs = engine(asked.requests, seed, traces=not asked.no_traces), by_hand(asked.requests, seed)
        for clock, values in ratios.items():
            values.append(rate(ours, clock) / rate(theirs, clock))
        print(
            f"seed {seed}: engine {rate(ours, 'processor_s'):,.0f} requests/s"
            f" ({ours['attempts'] / ours['processor_s']:,.0f} attempts/s),"
            f" by hand {rate(theirs, 'processor_s'):,.0f} ({theirs['attempts'] / theirs['processor_s']:,.0f}),"
            f" ratio {ratios['processor_s'][-1]:.3f}",
            flush=True,
        )
    for clock, values in ratios.items():
        name = "processor time" if clock == "processor_s" else "wall clock"
        print(f"ratio by {name}: median {statistics.median(values):.3f}, {min(values):.3f} to {max(values):.3f}")


if __name__ == "__main__":
    main()
