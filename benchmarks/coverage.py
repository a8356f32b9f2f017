"""`python -m benchmarks.coverage`: how often 95 % intervals cover the exact value, over many repeated small studies.

Each study has 10 replications, or some thousand requests in windows. Exits with 1 where an interval covers less often
than 93 % of the time or more often than 97 % (bounds of Poisson counts, where few are counted, and intervals extended
to the long run may be more careful).
"""

import argparse
import math
import sys
import time
from collections import defaultdict
from collections.abc import Mapping

from rich.console import Console
from rich.progress import Progress

from benchmarks.coverage_studies import CASES, Task, covers, study
from benchmarks.coverage_windows import BRUTE_FORCE, truth
from des.pool import Workers, available

LEAST, MOST = 0.93, 0.97
_CAREFUL = ("rate of", "availability, 0.01 outages", "availability, 1 outages", "windows, pair: availability")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--studies", type=int, default=1000, help="of each case (default 1000)")
    parser.add_argument("--workers", type=int, default=available(), help="processes (default: all processors)")
    parser.add_argument("--only", choices=[*CASES, *BRUTE_FORCE], action="append", help="these cases alone")
    parser.add_argument("--first-seed", type=int, default=0, metavar="N", help="where the studies' seeds begin")
    options = parser.parse_args()
    cases = options.only or [*CASES, *BRUTE_FORCE]
    known = {case: _by_brute_force(case, options.workers) for case in cases if case in BRUTE_FORCE}
    numbers = range(options.first_seed, options.first_seed + options.studies)
    tasks = [Task(case, number, known.get(case)) for case in cases for number in numbers]
    judged: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    started = time.perf_counter()
    with (
        Workers(study, options.workers) as workers,
        Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar,
    ):
        for found in bar.track(workers.map(tasks), total=len(tasks), description="studies"):
            for figure, interval in found.items():
                judged[figure].append(interval)
    print(f"{options.studies:,} studies of each case, in {time.perf_counter() - started:,.0f} s\n")
    print(f"{'figure':<52} {'covers':>15}  {'lies below':>10} {'lies above':>10} {'half-width':>10}")
    print("-" * 102)
    amiss = []
    for figure, intervals in judged.items():
        n = len(intervals)
        coverage = sum(map(covers, intervals)) / n
        error = 100.0 * 1.96 * math.sqrt(coverage * (1.0 - coverage) / n)
        below = sum(exact < low for low, exact, _ in intervals) / n
        above = sum(exact > high for _, exact, high in intervals) / n
        careful = figure.startswith(_CAREFUL)
        # of what is missing to 100 %, for an availability
        halves = sorted(
            (high - low) / 2.0 / (1.0 - exact if "availab" in figure else exact) for low, exact, high in intervals
        )
        print(
            f"{figure:<52} {100 * coverage:6.1f} % ± {error:3.1f}  {100 * below:8.1f} % {100 * above:8.1f} % "
            f"{100 * halves[n // 2]:8.0f} %"
        )
        if not LEAST <= coverage <= (1.0 if careful else MOST):
            amiss.append(figure)
    for figure in amiss:
        print(f"\n{figure}: not between {LEAST:.0%} and {MOST:.0%}")
    return 1 if amiss else 0


def _by_brute_force(case: str, workers: int) -> Mapping[str, float]:
    """Its figures, printed with their own errors."""
    found = truth(BRUTE_FORCE[case](), workers)
    print(f"{case}, by brute force:")
    for figure, value in found.known.items():
        print(f"    {figure:<24} {value:.6g} ± {found.error[figure]:.2g}", flush=True)
    return found.known


if __name__ == "__main__":
    sys.exit(main())
