"""One run of the hand-written model, timed inside its own process: `python -m benchmarks.by_hand REQUESTS SEED`."""

import json
import sys
import time

from benchmarks.handwritten_simpy import simulate


def main() -> None:
    requests, seed = int(sys.argv[1]), int(sys.argv[2])
    simulate(1000, seed)
    wall, processor = time.perf_counter(), time.process_time()
    totals, providers = simulate(requests, seed)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    figures = {
        "requests": requests,
        "attempts": sum(provider.attempts for provider in providers),
        "wall_s": wall,
        "processor_s": processor,
        "availability": totals.ok / requests,
        "latency_s_mean": totals.latency_s / max(1, totals.ok),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
