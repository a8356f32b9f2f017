"""Single calls: time-outs, kills in flight, rot, rate limits, and the laws that tie them to their arrivals."""

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.check.case import DES_RUN, Case, Finding, compared
from des.check.replications import (
    Run,
    availability,
    exponential,
    lost_share,
    mean_latency_s,
    outages,
    provider,
    replicate,
    scenario,
    served_share,
    shocks,
)
from des.distributions import Exponential, Lognormal
from des.theory import limiters
from des.theory.chains import mean_under_timeout_s, success_under_kills
from des.theory.markov import broken_share

LAW: Final = Lognormal(0.0, 0.8)
LOGNORMAL: Final = {"kind": "lognormal", "median": "1s", "sigma": 0.8}
WARM_S: Final = 300.0
"""Buckets start full."""


def timeouts() -> Iterator[Finding]:
    one = scenario(
        horizon="1200s",
        rate="1/s",
        providers={"a": provider(LOGNORMAL), "b": provider(exponential("2s"), errors={"hang": "10%"})},
        chain=[{"provider": "a", "timeout": "1500ms"}, {"provider": "b", "timeout": "3s"}],
    )
    got = replicate(one, {"latency": mean_latency_s, "first": served_share(0), "second": served_share(1)})
    late, second = float(LAW.survival(1.5)), Exponential(2.0)
    second_s = 0.1 * 3.0 + 0.9 * mean_under_timeout_s(second, 3.0)
    mean_s = mean_under_timeout_s(LAW, 1.5) + late * second_s
    yield compared("lognormal latency under a time-out, then a leg that may hang: s", got["latency"], mean_s)
    yield compared("  served by the first in time", got["first"], 1.0 - late)
    yield compared("  served by the second in time", got["second"], late * 0.9 * float(second.cdf(3.0)))


def kills() -> Iterator[Finding]:
    incidents = outages(exponential("20s"), {"kind": "uniform", "low": "1s", "high": "9s"}, kills_in_flight=True)
    written = {"kind": "lognormal", "median": "3s", "sigma": 0.8}
    one = scenario(horizon="1200s", rate="1/s", providers={"p": provider(written, incidents=incidents)})
    served = success_under_kills(20.0, 5.0, Lognormal(math.log(3.0), 0.8))
    got = replicate(one, {"availability": availability})["availability"]
    yield compared("calls killed in flight by outages: availability", got, served)


def slowed() -> Iterator[Finding]:
    """N open incidents, Poisson with mean 0.5, each doubling the latency: E[2^N] = e^{0.5}."""
    slow = shocks("1/20s", exponential("10s"), error_rate=0, latency_factor=2)
    one = scenario(horizon="1200s", rate="1/s", providers={"p": provider("100ms", incidents=slow)})
    got = replicate(one, {"latency": mean_latency_s})["latency"]
    yield compared("brownouts that each double the latency: s", got, 0.1 * math.exp(0.5))


def little() -> Iterator[Finding]:
    one = scenario(
        horizon="500s", rate="4/s", providers={"p": provider(LOGNORMAL)}, chain=[{"provider": "p", "timeout": "5s"}]
    )

    def seen(run: Run) -> NDArray[np.int64]:
        arrivals = np.sort(run.requests["arrival_s"])
        begun = np.searchsorted(np.sort(run.attempts["start_s"]), arrivals, side="left")
        ended = np.searchsorted(np.sort(run.attempts["end_s"]), arrivals, side="right")
        return np.asarray((begun - ended)[arrivals >= 20.0], dtype=np.int64)

    got = replicate(
        one, {"seen": lambda run: float(seen(run).mean()), "none": lambda run: float((seen(run) == 0).mean())}
    )
    load = limiters.little_mean_number(4.0, mean_under_timeout_s(LAW, 5.0))
    yield compared("calls under way as arrivals find them (Little, PASTA)", got["seen"], load)
    yield compared("  P(none), as nothing queues (Poisson)", got["none"], math.exp(-load))


def arrivals() -> Iterator[Finding]:
    one = scenario(horizon="100s", rate="2/s", providers={"p": provider()})
    got = replicate(
        one,
        {
            "number": lambda run: float(len(run.requests["arrival_s"])),
            "gap": lambda run: float((np.diff(np.sort(run.requests["arrival_s"])) > 0.5).mean()),
        },
        100,
    )
    yield compared("Poisson arrivals: number in 100 s at 2/s", got["number"], 200.0)
    yield compared("  its variance", (got["number"] - 200.0) ** 2, 200.0)
    yield compared("  P(gap above 0.5 s)", got["gap"], math.exp(-1.0))


def silent_rot() -> Iterator[Finding]:
    for rate, per_s, probe_every_s in (("1/5s", 0.2, None), ("1/50s", 0.02, 20.0)):
        law: dict[str, Any] = {} if probe_every_s is None else {"probe_every": f"{probe_every_s}s"}
        leg = {
            "provider": "p",
            "silent_rot": {"time_to_rot": exponential("100s"), "repair": exponential("15s"), "error_latency": 0, **law},
        }
        one = scenario(horizon="4000s", rate=rate, providers={"p": provider()}, chain=[leg])
        broken = broken_share(100.0, per_s, 15.0, 4000.0, probe_every=probe_every_s)
        label = "without probes" if probe_every_s is None else "probed every 20 s"
        yield compared(
            f"leg that rots silently, {label}: lost", replicate(one, {"lost": lost_share}, 48)["lost"], broken
        )


def token_bucket() -> Iterator[Finding]:
    for load, burst in ((0.8, 3), (1.0, 5), (1.3, 4), (1.05, 25)):
        limits = {"requests": "1/s", "burst": burst, "refusal_latency": 0}
        one = scenario(horizon=f"{WARM_S + 1200.0 / load}s", rate=f"{load}/s", providers={"p": provider(limits=limits)})

        def after_warming(run: Run) -> float:
            return float((~run.ok[run.requests["arrival_s"] >= WARM_S]).mean())

        got = replicate(one, {"refused": after_warming})["refused"]
        exact = limiters.token_bucket_refused(load, burst)
        yield compared(f"token bucket of {burst} at load {load:g}: refused", got, exact)


CASES: Final = (
    Case("timeouts", DES_RUN, timeouts),
    Case("kills", DES_RUN, kills),
    Case("slowed", DES_RUN, slowed),
    Case("little", DES_RUN, little),
    Case("arrivals", DES_RUN, arrivals),
    Case("silent_rot", DES_RUN, silent_rot),
    Case("token_bucket", DES_RUN, token_bucket),
)
