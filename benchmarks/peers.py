"""M/M/1 by peers, each in a process of its own, in turn: `python -m benchmarks.peers [--customers N] [--pairs N]`.

A queue with one server, arrivals at 0.8 a second and services of a second on average, until about N customers came.
Peers that are not installed are left out (extra `bench`). A rate is customers a second of processor time, of
the simulation alone: imports and compilation are done before. The mean time in the system is 1 / (1 - 0.8) = 5 s.
"""

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

ARRIVALS_PER_S: Final = 0.8
MEAN_SERVICE_S: Final = 1.0
MEAN_TIME_S: Final = MEAN_SERVICE_S / (1.0 - ARRIVALS_PER_S * MEAN_SERVICE_S)

_Found = tuple[int, float]
"""How many customers were served, and their mean time in the system in seconds."""


def by_hand(horizon_s: float, seed: int) -> _Found:
    """SimPy alone."""
    import numpy as np
    import simpy

    rng = np.random.default_rng(seed)
    environment = simpy.Environment()
    server = simpy.Resource(environment)
    times: list[float] = []

    def customer() -> Any:
        came = environment.now
        with server.request() as turn:
            yield turn
            yield environment.timeout(rng.exponential(MEAN_SERVICE_S))
        times.append(environment.now - came)

    def arrivals() -> Any:
        while True:
            yield environment.timeout(rng.exponential(1.0 / ARRIVALS_PER_S))
            environment.process(customer())

    environment.process(arrivals())
    environment.run(until=horizon_s)
    return len(times), statistics.fmean(times)


def by_ciw(horizon_s: float, seed: int) -> _Found:
    import ciw

    ciw.seed(seed)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(ARRIVALS_PER_S)],
        service_distributions=[ciw.dists.Exponential(1.0 / MEAN_SERVICE_S)],
        number_of_servers=[1],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(horizon_s)
    times = [record.exit_date - record.arrival_date for record in simulation.get_all_records()]
    return len(times), statistics.fmean(times)


def by_cimba(horizon_s: float, seed: int) -> _Found:
    """Its mean time in the system follows from the mean number by Little's law, as its example counts customers."""
    from benchmarks.peers_cimba import mean_number

    number = mean_number(horizon_s, seed)
    return round(ARRIVALS_PER_S * horizon_s), number / ARRIVALS_PER_S


def _by_des(engine: str, *, traces: bool) -> Callable[[float, int], _Found]:
    def run(horizon_s: float, seed: int) -> _Found:
        import des

        with tempfile.TemporaryDirectory() as folder:
            found = des.run(
                _scenario(horizon_s), out=Path(folder) / "run", seed=seed, traces=traces, engine=engine, workers=1
            )
        figures = found.summary["arms"]["as_modelled"]
        return round(figures["requests"]["mean"]), figures["latency_s_mean"]["mean"]

    return run


def _scenario(horizon_s: float) -> dict[str, Any]:
    service = {"kind": "exponential", "mean": f"{MEAN_SERVICE_S:g}s"}
    return {
        "title": "one server",
        "horizon": f"{horizon_s!r}s",
        "replications": 1,
        "workload": {"arrivals": {"kind": "poisson", "rate": f"{ARRIVALS_PER_S:g}/s"}},
        "providers": {
            "server": {
                "capacity": {"concurrent": 1, "queue": 1_000_000},
                "models": {"m": {"latency": service, "price": {"per_request": 0.0}}},
            }
        },
        "chain": [{"provider": "server", "timeout": "1d"}],
    }


PEERS: Final[dict[str, tuple[str, Callable[[float, int], _Found]]]] = {
    "SimPy by hand": ("simpy", by_hand),
    "Ciw": ("ciw", by_ciw),
    "Cimba": ("cimba", by_cimba),
    "des, SimPy engine, no traces": ("simpy", _by_des("simpy", traces=False)),
    "des, compiled engine, no traces": ("numba", _by_des("compiled", traces=False)),
    "des, compiled engine, both traces": ("numba", _by_des("compiled", traces=True)),
}
"""By name: the package that it takes, and how it simulates."""


def one(peer: str, customers: int, seed: int) -> dict[str, float]:
    """In this process: customers a second of processor time, and the mean time in the system."""
    _, simulate = PEERS[peer]
    simulate(1_000.0 / ARRIVALS_PER_S, seed)  # imports and compiles
    started = time.process_time()
    served, mean_s = simulate(customers / ARRIVALS_PER_S, seed)
    return {"rate": served / (time.process_time() - started), "mean_s": mean_s}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--pairs", type=int, default=3, help="turns of each peer")
    parser.add_argument("--one", choices=list(PEERS), help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=1, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(one(given.one, given.customers, given.seed)))
        return 0
    installed = [peer for peer, (package, _) in PEERS.items() if importlib.util.find_spec(package)]
    found: dict[str, list[dict[str, float]]] = {peer: [] for peer in installed}
    for seed in range(1, given.pairs + 1):
        for peer in installed:
            command = [sys.executable, "-m", "benchmarks.peers", "--one", peer, "--seed", str(seed)]
            command += ["--customers", str(given.customers)]
            found[peer].append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    print("| M/M/1 by | customers a second | to SimPy by hand | mean time in the system |\n|---|---|---|---|")
    for peer in installed:
        rate = statistics.median(each["rate"] for each in found[peer])
        ratio = statistics.median(
            each["rate"] / base["rate"] for each, base in zip(found[peer], found["SimPy by hand"], strict=True)
        )
        mean_s = statistics.fmean(each["mean_s"] for each in found[peer])
        print(f"| {peer} | {rate:,.0f} | {ratio:.2f} | {mean_s:.2f} s |")
    for peer in PEERS.keys() - set(installed):
        print(f"{peer} is not installed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
