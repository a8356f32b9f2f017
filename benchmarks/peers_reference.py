"""The reference workload (`reference.yaml`) by peers, each with the model of `handwritten_simpy.py`."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.peers_words import BASE, Found, Peer, Workload


def by_hand(requests: int, seed: int) -> Found:
    """SimPy alone."""
    from benchmarks.handwritten_simpy import simulate

    totals, providers = simulate(requests, seed)
    return _found(requests, totals.ok, sum(provider.attempts for provider in providers), totals.latency_s)


def by_ciw(requests: int, seed: int) -> Found:
    from benchmarks.peers_ciw_reference import simulate

    return _found(requests, *simulate(requests, seed))


def by_cimba(requests: int, seed: int) -> Found:
    from benchmarks.peers_cimba_reference import simulate

    return _found(requests, *simulate(requests, seed))


def by_bare_loop(requests: int, seed: int) -> Found:
    from benchmarks.bare_numba_loop import simulate

    ok, _, attempts, latency_s = simulate(requests, seed)
    return _found(requests, ok, attempts, latency_s)


def _found(requests: int, ok: int, attempts: int, latency_s: float) -> Found:
    return Found(requests, (ok / requests, attempts / requests, latency_s / max(1, ok)))


def _by_des(engine: str, *, traces: bool) -> Callable[[int, int], Found]:
    def run(requests: int, seed: int) -> Found:
        from benchmarks.engine import simulate

        with tempfile.TemporaryDirectory() as folder:
            found = simulate(requests, seed, traces=traces, directory=Path(folder) / "run", engine=engine)
        came = round(found["requests"])
        return Found(came, (found["availability"], found["attempts"] / came, found["latency_s_mean"]))

    return run


WORKLOAD: Final = Workload(
    title="The reference workload",
    unit="requests",
    figures={"availability": "{:.1%}", "calls a request": "{:.2f}", "mean latency of answers": "{:.2f} s"},
    peers={
        BASE: Peer("simpy", by_hand),
        "Ciw": Peer("ciw", by_ciw),
        "Cimba": Peer("cimba", by_cimba, compiled=True),
        "bare Numba loop": Peer("numba", by_bare_loop, compiled=True),
        "des, SimPy engine, no traces": Peer("simpy", _by_des("simpy", traces=False)),
        "des, SimPy engine, both traces": Peer("simpy", _by_des("simpy", traces=True)),
        "des, compiled engine, no traces": Peer("numba", _by_des("compiled", traces=False), compiled=True),
        "des, compiled engine, both traces": Peer("numba", _by_des("compiled", traces=True), compiled=True),
    },
)
