"""One run of the reference workload through the engine, timed inside its own process.

    python -m benchmarks.engine REQUESTS SEED [--no-traces] [--engine NAME]

Prints a JSON object: requests, attempts, seconds (all of `des.run` but the imports: reading the scenario, both
traces, the summary), availability, mean latency of successes, and the peak memory in MB over the imports.
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import des

SCENARIO = Path(__file__).with_name("reference.yaml")
RATE_PER_S = 50


def simulate(requests: int, seed: int, *, traces: bool, directory: Path, engine: str = "simpy") -> dict[str, float]:
    """Run about `requests` requests into `directory`; seconds of wall clock and processor."""
    wall, processor = time.perf_counter(), time.process_time()
    horizon = f"horizon={requests / RATE_PER_S}s"
    run = des.run(SCENARIO, out=directory, seed=seed, overrides=[horizon], traces=traces, engine=engine)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    metrics = run.summary["arms"]["as_modelled"]
    return {
        "requests": metrics["requests"]["mean"],
        "attempts": metrics["attempts"]["mean"],
        "wall_s": wall,
        "processor_s": processor,
        "availability": metrics["availability"]["mean"],
        "latency_s_mean": metrics["latency_s_mean"]["mean"],
    }


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def main() -> None:
    engine = sys.argv[sys.argv.index("--engine") + 1] if "--engine" in sys.argv else "simpy"
    requests, seed, traces = int(sys.argv[1]), int(sys.argv[2]), "--no-traces" not in sys.argv
    with tempfile.TemporaryDirectory() as directory:
        simulate(1000, seed, traces=traces, directory=Path(directory) / "warm-up", engine=engine)  # imports
        imported_mb = peak_mb()
        figures = simulate(requests, seed, traces=traces, directory=Path(directory) / "run", engine=engine)
    print(json.dumps({**figures, "peak_over_import_mb": peak_mb() - imported_mb}))


if __name__ == "__main__":
    main()
