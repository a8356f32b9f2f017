"""Small Markov chains, breakers, residuals and shifts, each against a Monte Carlo that knows only their rules."""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from des.check.case import MONTE_CARLO, Case, Finding, compared
from des.distributions import Distribution, Lognormal, Weibull
from des.draws import generator
from des.faults.episodes import down_share, intersection, merged
from des.faults.intervals import Intervals
from des.theory import availability, markov
from des.theory.availability import lognormal_residual, residual_cdf, residual_mean, weibull_residual
from des.theory.limiters import breaker_cycle

SEED: Final = 20_250_101
BATCHES: Final = 32


def rng_of(name: str, batch: int = 0) -> np.random.Generator:
    """Luck of its own for each Monte Carlo and batch."""
    return generator(SEED, batch, f"check {name}")


class _Pair:
    """Two members under private failures and common shocks, each event by its own clock; both up at the start."""

    def __init__(self, rates: tuple[float, float, float], repair_s: tuple[float, float], together: bool, name: str):
        self._rates, self._repair_s, self._together = rates, repair_s, together
        self._name = name

    def both_down_share(self, batch: int, warm_s: float, until_s: float) -> float:
        """Share of [warm_s, until_s) with both down."""
        down_s = 0.0
        for start, end in self._overlaps(rng_of(self._name, batch), until_s):
            down_s += max(0.0, min(end, until_s) - max(start, warm_s))
        return down_s / (until_s - warm_s)

    def first_total_outage_s(self, batch: int) -> float:
        return next(self._overlaps(rng_of(self._name, batch), math.inf))[0]

    def _overlaps(self, rng: np.random.Generator, until_s: float) -> Iterator[tuple[float, float]]:
        """Intervals with both down, by start."""
        up_at = [0.0, 0.0]
        total, now = sum(self._rates), 0.0
        while now < until_s:
            now += rng.exponential(1.0 / total)
            what = int(np.searchsorted(np.cumsum(self._rates), rng.random() * total, side="right"))
            hit = [member for member in ((0,), (1,), (0, 1))[what] if up_at[member] <= now]
            if not hit:
                continue  # a shock passes over those that are down already
            durations = [rng.exponential(self._repair_s[member]) for member in hit]
            if len(hit) == 2 and self._together:
                durations[1] = durations[0]
            for member, duration in zip(hit, durations, strict=True):
                up_at[member] = now + duration
            if min(up_at) > now:
                yield now, min(up_at)


def repaired_together() -> Iterator[Finding]:
    phi, rate, repair = 0.3, 0.4, 1.0
    pair = _Pair(((1 - phi) * rate, (1 - phi) * rate, phi * rate), (1.0, 1.0), True, "together")
    share = [pair.both_down_share(batch, 30.0, 6000.0) for batch in range(BATCHES)]
    exact = markov.pair_down_repaired_together(rate / repair, phi)
    yield compared("common shocks repaired together: P(both down)", share, exact)


def repaired_alone() -> Iterator[Finding]:
    pair = _Pair((0.2, 0.4, 0.15), (1.0, 0.5), False, "alone")
    share = [pair.both_down_share(batch, 30.0, 6000.0) for batch in range(BATCHES)]
    exact = markov.pair_down_repaired_alone(0.2, 0.4, 0.15, 1.0, 2.0)
    yield compared("common shocks repaired apart: P(both down)", share, exact)


def first_total_outage() -> Iterator[Finding]:
    phi, rate, repair = 0.2, 0.3, 1.0
    pair = _Pair(((1 - phi) * rate, (1 - phi) * rate, phi * rate), (1.0, 1.0), True, "first")
    times = [pair.first_total_outage_s(batch) for batch in range(6000)]
    yield compared("first total outage after, mean", times, markov.mean_time_to_total_outage(rate, phi, repair))


def breaker() -> Iterator[Finding]:
    for failures, open_s in ((3, 10.0), (1, 4.0)):
        cycles = _breaker_cycles(60.0, 20.0, 0.5, failures, open_s, 5000)
        exact = breaker_cycle(60.0, 20.0, 0.5, failures, open_s)
        yield compared(f"breaker of {failures}, open {open_s:g} s: successes a cycle", cycles[:, 0], exact.successes)
        yield compared("  failures a cycle", cycles[:, 1], exact.failures)
        yield compared("  refusals a cycle", cycles[:, 2], exact.refusals)


def _breaker_cycles(
    mttf_s: float, mttr_s: float, call_rate: float, failures: int, open_s: float, count: int
) -> NDArray[np.int64]:
    """(successes, failures, refusals) from one closing to the next, int64[count, 3]; a probe counts as a call."""
    rng = rng_of(f"breaker {failures}")
    calls_s = iter(np.cumsum(rng.exponential(1.0 / call_rate, 2_000_000)).tolist())
    up, changes_at = True, rng.exponential(mttf_s)
    cycles: list[tuple[int, int, int]] = []
    tally = [0, 0, 0]
    streak, opened_until, is_open = 0, 0.0, False
    while len(cycles) < count:
        now = next(calls_s)
        while changes_at <= now:
            up = not up
            changes_at += rng.exponential(mttf_s if up else mttr_s)
        if is_open and now < opened_until:
            tally[2] += 1
        elif up:
            if is_open:  # the probe closes it, and is the first success of what follows
                cycles.append((tally[0], tally[1], tally[2]))
                tally, is_open = [0, 0, 0], False
            tally[0] += 1
            streak = 0
        else:
            tally[1] += 1
            streak += 1
            if is_open or streak >= failures:
                is_open, opened_until, streak = True, now + open_s, 0
    return np.array(cycles[1:])  # the first began otherwise


def residuals() -> Iterator[Finding]:
    laws: tuple[tuple[str, Distribution], ...] = (("Weibull", Weibull(0.7, 10.0)), ("lognormal", Lognormal(1.0, 1.0)))
    for name, law in laws:
        left = law.sample_residual(rng_of(f"residual {name}"), 40_000)[1]
        at = law.mean
        yield compared(f"equilibrium residual, {name}: mean", left, residual_mean(law))
        yield compared(f"  P(at most {at:.3g})", left <= at, residual_cdf(law, at))
    rng = rng_of("residual variates")
    gammas, uniforms, normals = rng.gamma(1.0 / 0.7, size=20_000), rng.random(20_000), rng.standard_normal(20_000)
    weibull, lognormal = Weibull(0.7, 10.0), Lognormal(1.0, 0.6)
    drawn = [weibull_residual(weibull, gamma) for gamma in gammas.tolist()]
    # scale x Gamma(1/k)^(1/k) has the density S(x)/mean
    yield compared("  Weibull by scale x gamma^(1/k): P(at most 9)", np.array(drawn) <= 9.0, residual_cdf(weibull, 9.0))
    pairs = zip(uniforms.tolist(), normals.tolist(), strict=True)
    other = [lognormal_residual(lognormal, uniform, normal) for uniform, normal in pairs]
    yield compared(
        "  lognormal by U x Lognormal(mu + sigma^2): P(at most 2)", np.array(other) <= 2.0, residual_cdf(lognormal, 2.0)
    )


def circular_shifts() -> Iterator[Finding]:
    """Two fixed histories that fail together, one of them turned round the circle by any amount."""
    until, rng = 1000.0, rng_of("circle")
    starts = np.sort(rng.random(25) * 900.0)
    one = merged(Intervals(starts, starts + rng.exponential(10.0, 25)))
    two = merged(Intervals(starts + 2.0, starts + 2.0 + rng.exponential(6.0, 25)))
    joint = []
    for shift in (rng.random(4000) * until).tolist():
        turned = Intervals(
            np.concatenate([two.start_s + shift - until, two.start_s + shift]),
            np.concatenate([two.end_s + shift - until, two.end_s + shift]),
        )
        joint.append(down_share(intersection([one, turned]), until))
    exact = availability.mean_joint_share_over_circular_shifts([down_share(one, until), down_share(two, until)])
    yield compared("circular shifts of two histories: mean joint share", joint, exact)


CASES: Final = (
    Case("repaired_together", MONTE_CARLO, repaired_together),
    Case("repaired_alone", MONTE_CARLO, repaired_alone),
    Case("first_total_outage", MONTE_CARLO, first_total_outage),
    Case("breaker", MONTE_CARLO, breaker),
    Case("residuals", MONTE_CARLO, residuals),
    Case("circular_shifts", MONTE_CARLO, circular_shifts),
)
