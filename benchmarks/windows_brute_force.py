"""Brute force: whole replications request by request, kept for another comparison by the same engine."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import des
from des.compiled import carried, prepare, simulate
from des.engine import names
from des.estimate.totals import Totals
from des.pool import Report, Workers
from des.scenario.plan import Plan

Replications = list[dict[str, Any]]
"""The metrics of each, and under `LATENCY` the histogram of the latencies of its ok requests as JSON."""
LATENCY: Final = "latency"
_SOURCES: Final = (
    "compiled",
    "engine",
    "rules",
    "faults",
    "distributions",
    "draws.py",
    "estimate/totals.py",
    "estimate/sums.py",
)


def brute_force(plan: Plan, replications: int, workers: int, keep: Path | None) -> Replications:
    """From `keep` where the same plan was run by the same sources of the engine; else simulated, and kept there."""
    kept = None if keep is None else keep / f"{_key(plan, replications)}.json"
    if kept is not None and kept.exists():
        found: Replications = json.loads(kept.read_text())
        return found
    prepare([plan], replications * (plan.workload.arrivals.expected_requests(plan.horizon_s) or 0.0))
    with Workers(carried(replicate, [plan]), workers) as pool:
        made = list(pool.map([(plan, number) for number in range(replications)]))
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(made))
    return made


def _key(plan: Plan, replications: int) -> str:
    root = Path(des.__file__).parent
    files = [
        file
        for source in _SOURCES
        for file in ([root / source] if source.endswith(".py") else sorted((root / source).glob("**/*.py")))
    ]
    digest = sha256(f"{replications} {plan!r}".encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:24]


def replicate(task: tuple[Plan, int], report: Report | None = None) -> dict[str, Any]:
    plan, number = task
    totals = _Summed(plan)
    totals.totals.check(simulate(plan, number, totals))
    return {**totals.totals.metrics(), LATENCY: totals.totals.latency.as_json()}


class _Summed:
    """A sink for totals alone."""

    def __init__(self, plan: Plan) -> None:
        self.totals = Totals(names(plan), [leg.name for leg in plan.chain])
        self.requests = self.totals.requests
        self.attempts = self.totals.attempts

    def transitions(self, block: Any) -> None: ...

    def incidents(self, block: Any) -> None: ...

    def refusals(self, block: Any) -> None: ...
