"""`python -m benchmarks.windows_timeline`: windows against the timeline estimator, where both apply.

Exits with 1 where availability is more than four standard errors apart.
"""

import argparse
import math
import sys
from typing import Any, Final

from des.estimate.intervals import NORMAL_QUANTILE
from des.estimate.timeline import timeline
from des.estimate.windows import windows
from des.scenario import from_mapping, plans

FAR: Final = 4.0
WAIT: Final = {"kind": "exponential", "base": "20s", "factor": 2, "cap": "2min", "jitter": "full"}


def scenarios() -> dict[str, dict[str, Any]]:
    """Retries, rounds and timeouts that last as long as some outages."""
    return {
        "retries": _scenario(2, policy={"retries": 2, "backoff": WAIT}),
        "rounds and a deadline": _scenario(2, policy={"rounds": 3, "round_backoff": WAIT, "deadline": "4min"}),
        "three legs, hangs and timeouts": _scenario(
            3, policy={"retries": 1, "backoff": WAIT}, effect={"error_rate": 0.6, "hang": 0.3}
        ),
        "brownouts alone": _scenario(2, policy={"retries": 1}, effect={"error_rate": 0.7}),
    }


def _scenario(legs: int, *, policy: dict[str, Any], effect: dict[str, float] | None = None) -> dict[str, Any]:
    names = "abc"[:legs]
    shared = {"kind": "poisson", "rate": "6/d", "duration": {"kind": "exponential", "mean": "3min"}}
    own = {"kind": "poisson", "rate": "20/d", "duration": {"kind": "lognormal", "median": "3min", "p95": "15min"}}
    return {
        "horizon": "30d",
        "seed": 17,
        "workload": {"arrivals": {"kind": "poisson", "rate": "0.1/s"}},
        "components": {"cdn": {"incidents": [shared]}},
        "providers": {
            name: {
                "depends_on": ["cdn"],
                "incidents": [own | (effect or {})],
                "models": {"m": {"latency": "2s", "price": {"per_request": 0}, "errors": {"server_error": 0.01}}},
            }
            for name in names
        },
        "chain": [{"provider": name, "timeout": "20s"} for name in names],
        "policy": policy,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.windows_timeline", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--years", type=float, default=20.0)
    options = parser.parse_args()
    worst = 0.0
    print("| scenario | requests lost, windows | timeline | standard errors apart |\n|---|---|---|---|")
    for name, said in scenarios().items():
        (plan,) = plans(from_mapping(said)).values()
        lost = windows({plan.arm: plan}, rounds=options.rounds, years=1.0).arms[plan.arm].lost
        served = timeline(plan, options.years).availability
        assert lost.low is not None
        assert lost.high is not None
        assert served.low is not None
        assert served.high is not None
        other = 1.0 - served.known
        own = lost.high - lost.known if other > lost.known else lost.known - lost.low
        apart = (lost.known - other) / math.hypot(own, (served.high - served.low) / 2.0) * NORMAL_QUANTILE
        worst = max(worst, abs(apart))
        print(f"| {name} | {lost.known:.4%} | {other:.4%} | {apart:+.2f} |", flush=True)
    return 1 if worst > FAR else 0


if __name__ == "__main__":
    sys.exit(main())
