"""A run's own intervals of a mixture count replications, and there are none of too few."""

from pathlib import Path
from typing import Any

import des
from des.report.tables import interval_sentences


def half_shared(replications: int) -> dict[str, Any]:
    peer = {"depends_on": ["cloud"], "latency": "1s", "models": {"m": {"price": {"per_request": 0.01}}}}
    spells = {"kind": "exponential", "mean": "10d"}, {"kind": "exponential", "mean": "1d"}
    return {
        "title": "half",
        "horizon": "60d",
        "seed": 3,
        "replications": replications,
        "workload": {"arrivals": {"kind": "poisson", "rate": "1/h"}},
        "components": {"cloud": {"incidents": [{"kind": "renewal", "up": spells[0], "down": spells[1]}]}},
        "providers": {"a": peer, "b": peer},
        "chain": [{"provider": "a"}, {"provider": "b"}],
        "arms": {"as_modelled": {}, "half": {"shared": 0.5}},
    }


def test_too_few_replications_of_a_mixture_have_no_interval_and_say_why(tmp_path: Path) -> None:
    run = des.run(half_shared(6), out=tmp_path / "run", traces=False)
    half = run.summary["arms"]["half"]
    for figure in (half["availability"], half["cost_usd_per_request"], half["request_outcomes"]["failed"]):
        assert (figure["low"], figure["high"]) == (None, None)
        assert figure["interval"] == "none: mixture: fewer than 20 replications"
    assert "controlled" not in half["availability"]
    chain = run.summary["chain"]["half"]["every leg"]
    assert (chain["availability"]["low"], chain["episodes"]["low"]) == (None, None)
    assert run.summary["endpoints"]["half"]["a/m"]["availability"]["low"] is not None
    assert run.summary["arms"]["as_modelled"]["availability"]["low"] is not None
    assert list(interval_sentences(run.summary)) == ["half has no interval: mixture: fewer than 20 replications"]


def test_enough_have_students_t_instead_of_an_interval_over_outages(tmp_path: Path) -> None:
    run = des.run(half_shared(20), out=tmp_path / "run", traces=False)
    assert "bootstrap" in run.summary["arms"]["as_modelled"]["availability"]["interval"]
    for figure in (
        run.summary["arms"]["half"]["availability"],
        run.summary["chain"]["half"]["every leg"]["availability"],
        run.summary["chain"]["half"]["every leg"]["episodes"],
    ):
        assert "interval" not in figure
        assert figure["low"] < figure["high"]
    assert not list(interval_sentences(run.summary))
