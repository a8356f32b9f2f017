"""Single calls: time-outs, kills in flight and rot, and their dependence on arrivals."""

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.check.case import DES_RUN, Case, Finding, Size, compared
from des.check.replications import (
    Run,
    availability,
    cost_per_request,
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
from des.distributions import Constant, Distribution, Exponential, Lognormal
from des.theory import limiters
from des.theory.chains import mean_under_timeout_s, success_under_kills
from des.theory.markov import broken_share, long_run_broken_share

_LATENCY: Final = Lognormal(0.0, 0.8)
_WRITTEN: Final = {"kind": "lognormal", "median": "1s", "sigma": 0.8}


def timeouts(size: Size) -> Iterator[Finding]:
    one = scenario(
        horizon=size.horizon(1200.0),
        rate="1/s",
        providers={"a": provider(_WRITTEN), "b": provider(exponential("2s"), errors={"hang": "10%"})},
        chain=[{"provider": "a", "timeout": "1500ms"}, {"provider": "b", "timeout": "3s"}],
    )
    got = replicate(size, one, {"latency": mean_latency_s, "first": served_share(0), "second": served_share(1)})
    late, second = float(_LATENCY.survival(1.5)), Exponential(2.0)
    second_s = 0.1 * 3.0 + 0.9 * mean_under_timeout_s(second, 3.0)
    mean_s = mean_under_timeout_s(_LATENCY, 1.5) + late * second_s
    yield compared("lognormal latency under a time-out, then a leg that may hang: s", got["latency"], mean_s)
    yield compared("  served by the first in time", got["first"], 1.0 - late)
    yield compared("  served by the second in time", got["second"], late * 0.9 * float(second.cdf(3.0)))


def billed_in_part(size: Size) -> Iterator[Finding]:
    """A response given up at t is billed for the share t/L that was made: E[1/L; L > t] of a lognormal L."""
    from scipy.special import ndtr

    mu, sigma = _LATENCY.mu, _LATENCY.sigma
    for timeout_s in (0.8, 2.5):
        one = scenario(
            horizon=size.horizon(1200.0),
            rate="1/s",
            providers={"p": provider(_WRITTEN, price=0.01)},
            chain=[{"provider": "p", "timeout": f"{timeout_s}s"}],
        )
        got = replicate(size, one, {"latency": mean_latency_s, "availability": availability, "cost": cost_per_request})
        in_time = float(_LATENCY.cdf(timeout_s))
        late = math.exp(sigma**2 / 2.0 - mu) * float(ndtr((mu - sigma**2 - math.log(timeout_s)) / sigma))
        mean_s = mean_under_timeout_s(_LATENCY, timeout_s)
        yield compared(f"lognormal latency cut at {timeout_s:g} s: mean, s", got["latency"], mean_s)
        yield compared("  in time", got["availability"], in_time)
        yield compared(
            "  USD per request, what was made being billed", got["cost"], 0.01 * (in_time + timeout_s * late)
        )


def hanging(size: Size) -> Iterator[Finding]:
    one = scenario(
        horizon=size.horizon(1200.0),
        rate="1/s",
        providers={"p": provider(_WRITTEN, errors={"hang": "10%"})},
        chain=[{"provider": "p", "timeout": "4s"}],
    )
    got = replicate(size, one, {"latency": mean_latency_s, "availability": availability})
    mean_s = 0.1 * 4.0 + 0.9 * mean_under_timeout_s(_LATENCY, 4.0)
    yield compared("calls of which a tenth hang until the time-out: mean, s", got["latency"], mean_s)
    yield compared("  in time", got["availability"], 0.9 * float(_LATENCY.cdf(4.0)))


def kills(size: Size) -> Iterator[Finding]:
    down = {"kind": "uniform", "low": "1s", "high": "9s"}
    latencies: tuple[tuple[str, Any, Distribution], ...] = (
        ("lognormal", {"kind": "lognormal", "median": "3s", "sigma": 0.8}, Lognormal(math.log(3.0), 0.8)),
        ("exponential", exponential("5s"), Exponential(5.0)),
        ("constant", "4s", Constant(4.0)),
    )
    for name, written, latency in latencies:
        incidents = outages(exponential("20s"), down, kills_in_flight=True)
        one = scenario(
            horizon=size.horizon(1200.0), rate="1/s", providers={"p": provider(written, incidents=incidents)}
        )
        got = replicate(size, one, {"availability": availability})["availability"]
        served = success_under_kills(20.0, 5.0, latency)
        yield compared(f"calls killed in flight by outages, {name} latency: availability", got, served)
    sparing = provider("4s", incidents=outages(exponential("20s"), down))
    one = scenario(horizon=size.horizon(1200.0), rate="1/s", providers={"p": sparing})
    got = replicate(size, one, {"availability": availability})["availability"]
    yield compared("outages that kill nothing: availability", got, 0.8)


def slowed(size: Size) -> Iterator[Finding]:
    """N open incidents, Poisson with mean 0.5, each doubling the latency: E[2^N] = e^{0.5}."""
    slow = shocks("1/20s", exponential("10s"), error_rate=0, latency_factor=2)
    one = scenario(horizon=size.horizon(1200.0), rate="1/s", providers={"p": provider("100ms", incidents=slow)})
    got = replicate(size, one, {"latency": mean_latency_s})["latency"]
    yield compared("brownouts that each double the latency: s", got, 0.1 * math.exp(0.5))


def little(size: Size) -> Iterator[Finding]:
    one = scenario(
        horizon="500s", rate="4/s", providers={"p": provider(_WRITTEN)}, chain=[{"provider": "p", "timeout": "5s"}]
    )

    def seen(run: Run) -> NDArray[np.int64]:
        arrivals = np.sort(run.requests["arrival_s"])
        begun = np.searchsorted(np.sort(run.attempts["start_s"]), arrivals, side="left")
        ended = np.searchsorted(np.sort(run.attempts["end_s"]), arrivals, side="right")
        return np.asarray((begun - ended)[arrivals >= 20.0], dtype=np.int64)

    got = replicate(
        size, one, {"seen": lambda run: float(seen(run).mean()), "none": lambda run: float((seen(run) == 0).mean())}
    )
    load = limiters.little_mean_number(4.0, mean_under_timeout_s(_LATENCY, 5.0))
    yield compared("calls under way as arrivals find them (Little, PASTA)", got["seen"], load)
    yield compared("  P(none), as nothing queues (Poisson)", got["none"], math.exp(-load))


def arrivals(size: Size) -> Iterator[Finding]:
    one = scenario(horizon="100s", rate="2/s", providers={"p": provider()})
    got = replicate(
        size,
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


def silent_rot(size: Size) -> Iterator[Finding]:
    rates: tuple[tuple[str, float, float | None], ...] = (
        ("1/5s", 0.2, None),
        ("1/50s", 0.02, None),
        ("1/50s", 0.02, 20.0),
        ("1/5s", 0.2, 4.0),
        ("1/400s", 0.0025, 30.0),
    )
    for rate, per_s, probe_every_s in rates:
        probes = {} if probe_every_s is None else {"probe_every": f"{probe_every_s}s"}
        got = replicate(size, _rotting("4000s", rate, **probes), {"lost": lost_share}, 48)["lost"]
        broken = broken_share(100.0, per_s, 15.0, 4000.0, probe_every=probe_every_s)
        label = "without probes" if probe_every_s is None else f"probed every {probe_every_s:g} s"
        yield compared(f"leg that rots silently, used at {rate}, {label}: lost", got, broken)


def silent_rot_in_the_long_run(size: Size) -> Iterator[Finding]:
    """The leg is new at the start: an up time of 50 s instead of the residual one is worth 1.2e-4 of this horizon."""
    one = _rotting("20000s", "1/10s", time_to_rot={"kind": "uniform", "low": "20s", "high": "80s"}, repair="5s")
    got = replicate(size, one, {"lost": lost_share})["lost"]
    yield compared("leg that rots after 20 to 80 s: lost", got, long_run_broken_share(50.0, 0.1, 5.0))


def _rotting(horizon: str, rate: str, **rest: Any) -> dict[str, Any]:
    rot = {"time_to_rot": exponential("100s"), "repair": exponential("15s"), "error_latency": 0, **rest}
    leg = {"provider": "p", "silent_rot": rot}
    return scenario(horizon=horizon, rate=rate, providers={"p": provider()}, chain=[leg])


CASES: Final = (
    Case("timeouts", DES_RUN, timeouts, "E[min(L, t)]"),
    Case("billed_in_part", DES_RUN, billed_in_part, "E[1/L; L > t] of a lognormal L"),
    Case("hanging", DES_RUN, hanging, "E[min(L, t)]"),
    Case("kills", DES_RUN, kills, "A E[e^(-L / MTTF)]"),
    Case("slowed", DES_RUN, slowed, "M/G/infinity: E[2^N] = e^load"),
    Case("little", DES_RUN, little, "Little 1961; PASTA: Wolff 1982; M/G/infinity"),
    Case("arrivals", DES_RUN, arrivals, "Poisson process"),
    Case("silent_rot", DES_RUN, silent_rot, "three-state Markov chain between probes: Van Loan 1978"),
    Case("silent_rot_in_the_long_run", DES_RUN, silent_rot_in_the_long_run, "renewal-reward theorem"),
)
