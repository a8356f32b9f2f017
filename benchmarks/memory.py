"""Peak memory and time a request, against the number of requests or the length of the horizon.

    python -m benchmarks.memory [REQUESTS ...] [--scenario FILE] [--grow rate|horizon] [--traces LEVEL]
        [--engine auto|simpy|compiled] [--set PATH=VALUE]

Simulates one replication of `scenarios/history_fitted.yaml` (one arm) at each size, each in a process of its own, and
prints the peak over the imports. Requests grow by the rate of arrivals over the scenario's own horizon, or by the
horizon at its own rate. Memory must stay flat by rate: traces stream, and nothing is kept by request. By horizon the
timeline of incidents grows, which is drawn before the clock starts.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DEFAULT = (1_000_000, 5_000_000)
_SCENARIO = Path(__file__).parents[1] / "scenarios" / "history_fitted.yaml"
_WARM_UP = 1000  # requests, after which every module is imported
_ONE = "--one"


def main() -> None:
    parser = argparse.ArgumentParser(description="peak memory over the imports, by the number of requests")
    parser.add_argument("requests", type=int, nargs="*", default=list(DEFAULT))
    parser.add_argument("--scenario", default=str(_SCENARIO))
    parser.add_argument("--grow", choices=("rate", "horizon"), default="rate")
    parser.add_argument("--traces", metavar="LEVEL", default="requests")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", dest="overrides")
    asked = parser.parse_args()
    given = {
        "scenario": asked.scenario,
        "grow": asked.grow,
        "traces": asked.traces,
        "engine": asked.engine,
        "overrides": asked.overrides,
    }
    print(
        f"{Path(asked.scenario).name}, traces {asked.traces}, engine {asked.engine}, more requests by the {asked.grow}"
    )
    for requests in asked.requests:
        command = [sys.executable, "-m", "benchmarks.memory", _ONE, json.dumps({**given, "requests": requests})]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        print(
            f"{found['requests']:,.0f} requests, {found['attempts']:,.0f} attempts,"
            f" {found['incidents']:,.0f} incidents:"
            f" {found['peak_over_import_mb']:.0f} MB over the {found['imports_mb']:.0f} MB of the imports,"
            f" {1e6 * found['processor_s'] / found['requests']:.1f} us of processor time a request,"
            f" {found['wall_s']:,.0f} s",
            flush=True,
        )


def _one(scenario: str, grow: str, traces: str, engine: str, overrides: list[str], requests: int) -> dict[str, float]:
    import des
    from benchmarks.engine import peak_mb
    from des.scenario.schema.workload import PoissonArrivals
    from des.study.recorded import Run

    content = {**des.Scenario.load(scenario).to_dict(), "arms": {}, "expect": {}, "replications": 1}
    written = des.Scenario.from_dict(content, Path(scenario).parent)
    horizon_s = written.settings.horizon
    arrivals = written.settings.workload.arrivals
    if not isinstance(arrivals, PoissonArrivals):
        raise SystemExit(f"{scenario}: its arrivals are not Poisson")
    own = arrivals.expected_requests(horizon_s)

    def run(many: int, directory: Path) -> Run:
        by_rate = f"workload.arrivals.rate={many / horizon_s!r}/s"
        size = by_rate if grow == "rate" else f"horizon={horizon_s * many / own!r}s"
        return des.run(written, out=directory, overrides=[size, *overrides], traces=traces, engine=engine)

    with tempfile.TemporaryDirectory() as directory:
        run(_WARM_UP, Path(directory) / "warm-up")
        imports_mb = peak_mb()
        wall_s, processor_s = time.perf_counter(), time.process_time()
        made = run(requests, Path(directory) / "run")
        wall_s, processor_s = time.perf_counter() - wall_s, time.process_time() - processor_s
    metrics = made.summary["arms"]["as_modelled"]
    kept = made.manifest["traces"].items()
    return {
        "requests": metrics["requests"]["mean"],
        "attempts": metrics["attempts"]["mean"],
        "incidents": sum(facts["rows"] for name, facts in kept if name.startswith("incidents/")),
        "imports_mb": imports_mb,
        "peak_over_import_mb": peak_mb() - imports_mb,
        "wall_s": wall_s,
        "processor_s": processor_s,
    }


if __name__ == "__main__":
    if sys.argv[1:2] == [_ONE]:
        print(json.dumps(_one(**json.loads(sys.argv[2]))))
    else:
        main()
