"""M/M/1 by peers: a queue with one server, arrivals at 0.8 a second and services of a second on average.

The mean time in the system is 1 / (1 - 0.8) = 5 s.
"""

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from benchmarks.peers_words import BASE, Found, Peer, Workload

ARRIVALS_PER_S: Final = 0.8
MEAN_SERVICE_S: Final = 1.0


def by_hand(customers: int, seed: int) -> Found:
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
    environment.run(until=customers / ARRIVALS_PER_S)
    return Found(len(times), (statistics.fmean(times),))


def by_ciw(customers: int, seed: int) -> Found:
    import ciw

    ciw.seed(seed)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(ARRIVALS_PER_S)],
        service_distributions=[ciw.dists.Exponential(1.0 / MEAN_SERVICE_S)],
        number_of_servers=[1],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(customers / ARRIVALS_PER_S)
    times = [record.exit_date - record.arrival_date for record in simulation.get_all_records()]
    return Found(len(times), (statistics.fmean(times),))


def by_cimba(customers: int, seed: int) -> Found:
    """Its mean time in the system follows from the mean number by Little's law, as its example counts customers."""
    from benchmarks.peers_cimba import mean_number

    number = mean_number(customers / ARRIVALS_PER_S, seed)
    return Found(customers, (number / ARRIVALS_PER_S,))


def _by_des(engine: str, *, traces: bool) -> Callable[[int, int], Found]:
    def run(customers: int, seed: int) -> Found:
        import des

        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "run"
            scenario = _scenario(customers / ARRIVALS_PER_S)
            found = des.run(scenario, out=out, seed=seed, traces=traces, engine=engine, workers=1)
        figures = found.summary["arms"]["as_modelled"]
        return Found(round(figures["requests"]["mean"]), (figures["latency_s_mean"]["mean"],))

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


WORKLOAD: Final = Workload(
    title="M/M/1",
    unit="customers",
    figures={"mean time in the system": "{:.2f} s"},
    peers={
        BASE: Peer("simpy", by_hand),
        "Ciw": Peer("ciw", by_ciw),
        "Cimba": Peer("cimba", by_cimba, compiled=True),
        "des, SimPy engine, no traces": Peer("simpy", _by_des("simpy", traces=False)),
        "des, compiled engine, no traces": Peer("numba", _by_des("compiled", traces=False), compiled=True),
        "des, compiled engine, both traces": Peer("numba", _by_des("compiled", traces=True), compiled=True),
    },
)
