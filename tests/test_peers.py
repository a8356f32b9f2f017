"""The reference workload by other programs is the same model as by hand; `benchmarks.peers` compares their speed."""

import importlib
from collections.abc import Callable
from statistics import fmean

import pytest

from benchmarks import handwritten_simpy, peers, peers_reference
from benchmarks.peers_words import BASE, Found, Workload

SEEDS = range(1, 5)


def test_rates_are_medians_and_ratios_are_taken_pair_by_pair() -> None:
    workload = Workload("Queue", "customers", {"share": "{:.1%}"}, {})
    rates = {BASE: [100.0, 200.0, 400.0], "other": [1000.0, 1000.0, 1000.0]}
    table = peers._table(workload, rates, {BASE: [[0.5], [0.6], [0.7]], "other": [[0.1], [0.2], [0.6]]})
    assert table.splitlines() == [
        "| Queue by | customers a second | to SimPy by hand | share |",
        "|---|---|---|---|",
        "| SimPy by hand | 200 | 1.00 | 60.0% |",
        "| other | 1,000 | 5.00 | 30.0% |",
    ]


@pytest.mark.parametrize("name", ["Ciw", "Cimba"])
def test_the_model_of_a_peer_is_the_one_by_hand(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip(name.lower(), reason="in the extra `bench`")
    for module in (handwritten_simpy, importlib.import_module(f"benchmarks.peers_{name.lower()}_reference")):
        monkeypatch.setattr(module, "UP_S", 4.0)  # so many incidents that a short run has little noise
        monkeypatch.setattr(module, "DOWN_S", 1.0)
    by_hand, by_peer = (_means(peers_reference.WORKLOAD.peers[peer].simulate) for peer in (BASE, name))
    assert by_peer == pytest.approx(by_hand, rel=0.05)


def _means(simulate: Callable[[int, int], Found]) -> list[float]:
    """Availability, calls a request and mean latency."""
    return [fmean(each) for each in zip(*(simulate(10_000, seed).figures for seed in SEEDS), strict=True)]
