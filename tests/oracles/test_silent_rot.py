"""Silent rot: Poisson uses find a leg broken for the share of time that a renewal-reward argument gives."""

from typing import Any

import pytest

from des.theory.markov import broken_share, long_run_broken_share
from oracles.conftest import Agree
from oracles.replications import exponential, lost_share, provider, replicate, scenario

HORIZON_S = 4000.0


def rotting(rate: str, **law: Any) -> dict[str, Any]:
    leg = {
        "provider": "p",
        "silent_rot": {"time_to_rot": exponential("100s"), "repair": exponential("15s"), "error_latency": 0, **law},
    }
    return scenario(horizon=f"{HORIZON_S}s", rate=rate, providers={"p": provider()}, chain=[leg])


@pytest.mark.parametrize(
    ("rate", "probe_every_s"), [("1/5s", None), ("1/50s", None), ("1/50s", 20.0), ("1/5s", 4.0), ("1/400s", 30.0)]
)
def test_a_rotten_leg_serves_nobody_until_it_is_noticed_and_repaired(
    agree: Agree, rate: str, probe_every_s: float | None
) -> None:
    law = {} if probe_every_s is None else {"probe_every": f"{probe_every_s}s"}
    per_s = 1.0 / float(rate[2:-1])
    one = rotting(rate, **law)
    exact = broken_share(100.0, per_s, 15.0, HORIZON_S, probe_every=probe_every_s)
    agree("lost", replicate(one, {"lost": lost_share}, 48)["lost"], exact)


def test_any_law_of_rot_and_repair_has_the_renewal_share_in_the_long_run(agree: Agree) -> None:
    one = rotting("1/10s", time_to_rot={"kind": "uniform", "low": "20s", "high": "80s"}, repair="5s")
    one["horizon"] = "20000s"
    got = replicate(one, {"lost": lost_share})
    # from new at the start: an up time of 50 s instead of the residual one is worth 1.2e-4 of this horizon
    agree("lost", got["lost"], long_run_broken_share(50.0, 0.1, 5.0))
