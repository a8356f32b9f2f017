"""How long a search takes by the number of legs and candidates, and how often it picks the best.

    python -m benchmarks.optimise --time            # 3 to 100 legs, up to 10,000 candidates
    python -m benchmarks.optimise --time --legs 3,5 # two of these
    python -m benchmarks.optimise --repetitions 100 # small scenarios whose best candidate is known exactly

The known scenarios have closed forms: each leg is called once, and failed calls cost nothing. In the second of them a
breaker that never opens makes requests depend on each other by name, so that the finalists are simulated in full.
"""

import argparse
import time
from collections.abc import Collection
from itertools import pairwise
from typing import Any

import des
from des.draws import generator
from des.estimate.exact import exact
from des.scenario import from_mapping, plans
from des.scenario.resolution.chosen_entries import with_entries
from des.study.optimised import Optimised
from des.study.options import Forecast

BOUND = 0.9995
SIZES = {3: 3, 5: 4, 10: 4, 20: 3, 40: 4, 100: 4}
"""Number of legs, and the longest chain of them."""
INDIFFERENCE, TOLERANCE = 0.01, 0.05


def sellers(count: int, seed: int) -> dict[str, Any]:
    """A number of providers on four clouds, with prices, availabilities and latencies of their own."""
    rng = generator(seed, 0, "benchmarks/optimise")
    providers = {}
    for number in range(count):
        price, down, median = rng.random(3)
        providers[f"p{number:03d}"] = {
            "depends_on": [f"cloud{number % 4}"],
            "availability": f"{100 - 0.1 * (1 + 20 * down):.4f}%",
            "episodes_per_year": 30,
            "models": {
                "m": {
                    "latency": {
                        "kind": "lognormal",
                        "median": f"{1 + 2 * median:.3f}s",
                        "p99": f"{8 + 8 * median:.3f}s",
                    },
                    "errors": {"server_error": "2%"},
                    "price": {"per_request": round(0.01 * (1 + price), 5)},
                }
            },
        }
    cloud = {"incidents": [{"kind": "poisson", "rate": "1/y", "duration": "1h"}]}
    return {
        "title": f"{count} sellers",
        "horizon": "1y",
        "seed": seed,
        "workload": {"arrivals": {"kind": "poisson", "rate": "1/h"}},
        "components": {f"cloud{number}": cloud for number in range(4)},
        "providers": providers,
        "chain": [{"provider": name, "timeout": "20s"} for name in providers],
        "policy": {"deadline": "60s"},
    }


def known(seed: int, *, guarded: bool) -> dict[str, Any]:
    """Four providers of two clouds with outages and nothing else."""
    providers = {
        name: {
            "depends_on": [cloud],
            "availability": availability,
            "episodes_per_year": 200,
            "models": {"m": {"latency": "1s", "price": {"per_request": price}}},
        }
        for name, cloud, availability, price in (
            ("a", "east", "98%", 0.0100),
            ("b", "east", "99%", 0.0120),
            ("c", "west", "98.5%", 0.0125),
            ("d", "west", "99.5%", 0.0200),
        )
    }
    shock = {"incidents": [{"kind": "poisson", "rate": "20/y", "duration": "1h"}]}
    scenario: dict[str, Any] = {
        "title": "Four known",
        "horizon": "20d",
        "seed": seed,
        "workload": {"arrivals": {"kind": "poisson", "rate": "1/h"}},
        "components": {"east": shock, "west": shock},
        "providers": providers,
        "chain": [{"provider": name} for name in providers],
    }
    if guarded:
        scenario["policy"] = {"breaker": {"kind": "consecutive", "failures": 1_000_000, "open": "1s"}}
    return scenario


def truth(scenario: dict[str, Any]) -> dict[tuple[str, ...], tuple[float, float]]:
    """(cost per success in USD, share lost) of every chain of up to two entries."""
    from itertools import permutations

    (plan,) = plans(from_mapping({key: value for key, value in scenario.items() if key != "policy"})).values()
    prices = [plan.endpoints[leg.endpoint].price.per_request for leg in plan.chain]
    found = {}
    for length in (1, 2):
        for chain in permutations(range(len(plan.chain)), length):
            lost = [1.0, *(exact(with_entries(plan, chain[: upto + 1])).lost or 0.0 for upto in range(length))]
            cost = sum(
                (before - after) * prices[leg] for leg, (before, after) in zip(chain, pairwise(lost), strict=True)
            )
            found[tuple(plan.chain[leg].name for leg in chain)] = (cost / (1.0 - lost[-1]), lost[-1])
    return found


def is_right(found: Optimised, figures: dict[tuple[str, ...], tuple[float, float]]) -> bool:
    """Whether the best is within the indifference of the true one, and misses its bound by less than the tolerance."""
    if found.best is None:
        return False
    may_lose = 1.0 - BOUND
    best = min(cost for cost, lost in figures.values() if lost <= may_lose)
    cost, lost = figures[found.best.chain]
    return cost <= best * (1.0 + INDIFFERENCE) and lost <= may_lose * (1.0 + TOLERANCE)


def repeat(repetitions: int, *, guarded: bool) -> None:
    figures = truth(known(0, guarded=guarded))
    right, replications, started = 0, 0, time.process_time()
    for seed in range(repetitions):
        found = des.optimise(
            known(seed, guarded=guarded), subject_to=f"availability >= {BOUND}", most=2, replications=2_000
        )
        right += is_right(found, figures)
        replications += found.selected.replications
    print(f"{found.selected.estimator}: the best or one within {INDIFFERENCE:.0%} in {right} of {repetitions}")
    each_s = (time.process_time() - started) / repetitions
    print(
        f"  {replications / repetitions:.0f} replications and {each_s:.1f} s of processor time on average", flush=True
    )


def take_time(workers: int, some: Collection[int]) -> None:
    print("legs  candidates  ranked  complete  finalists  replications  forecast s  processor s  seconds")
    for legs, most in SIZES.items():
        if some and legs not in some:
            continue
        told: list[Forecast] = []
        started, processor = time.perf_counter(), time.process_time()
        found = des.optimise(
            sellers(legs, 1),
            subject_to=["availability >= 99.99%", "latency_s_p95 <= 10s"],
            most=most,
            workers=workers,
            before=told.append,
        )
        screened, selected = found.screened, found.selected
        ranked = f"{legs:4d}  {screened.space:10,.0f}  {len(screened.figures):6,d}  {screened.complete!s:8}"
        chosen = f"{len(selected.finalists):9d}  {selected.replications:12d}"
        took = f"{told[0].seconds:10.1f}  {time.process_time() - processor:11.1f}  {time.perf_counter() - started:7.1f}"
        print(f"{ranked}  {chosen}  {took}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--legs", default="", help=f"some of {', '.join(map(str, SIZES))}")
    parser.add_argument("--repetitions", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    if asked.time:
        take_time(asked.workers, [int(legs) for legs in asked.legs.split(",") if legs])
    for guarded in (False, True) if asked.repetitions else ():
        repeat(asked.repetitions, guarded=guarded)


if __name__ == "__main__":
    main()
