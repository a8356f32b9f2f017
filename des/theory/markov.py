"""Small continuous-time Markov chains: shares and passage times, pairs under common shocks, legs that rot silently.

A generator is a square array of rates, row = from, column = to, with rows that sum to zero. Any consistent unit of
time.
"""

import math
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

Generator = NDArray[np.float64]


def generator(states: Iterable[str], rates: Mapping[tuple[str, str], float]) -> Generator:
    """The generator matrix over `states`, in their order, from (from, to) -> rate."""
    position = {state: i for i, state in enumerate(states)}
    matrix = np.zeros((len(position), len(position)))
    for (source, target), rate in rates.items():
        matrix[position[source], position[target]] += rate
    np.fill_diagonal(matrix, 0.0)
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    return matrix


def stationary(matrix: Generator) -> NDArray[np.float64]:
    """Long-run share of time in each state of an irreducible chain, summing to 1.

    State reduction (Grassmann, Taksar and Heyman 1985) does not subtract, so tiny shares are precise to the last bits.
    """
    rates = matrix.copy()
    count = len(rates)
    for last in range(count - 1, 0, -1):
        rates[:last, last] /= rates[last, :last].sum()
        rates[:last, :last] += np.outer(rates[:last, last], rates[last, :last])
    shares = np.ones(count)
    for state in range(1, count):
        shares[state] = shares[:state] @ rates[:state, state]
    result: NDArray[np.float64] = shares / shares.sum()
    return result


def mean_first_passage(matrix: Generator, start: int, targets: Iterable[int]) -> float:
    """Mean time from `start` until any of the target states is entered."""
    reached = set(targets)
    if start in reached:
        return 0.0
    others = [state for state in range(len(matrix)) if state not in reached]
    times = np.linalg.solve(matrix[np.ix_(others, others)], -np.ones(len(others)))
    return float(times[others.index(start)])


def occupation(matrix: Generator, start: NDArray[np.float64], time: float) -> tuple[NDArray[np.float64], Generator]:
    """(distribution after `time`, expected time spent in each state until then), from a starting distribution."""
    after, spent = _propagators(matrix, time)
    return start @ after, start @ spent


def _propagators(matrix: Generator, time: float) -> tuple[Generator, Generator]:
    """Matrices from a starting distribution to the distribution after `time`, and to the time spent in each state."""
    from scipy.linalg import expm

    size = len(matrix)
    augmented = np.zeros((2 * size, 2 * size))  # Van Loan 1978: the upper corner holds the exponential's integral
    augmented[:size, :size] = matrix
    augmented[:size, size:] = np.eye(size)
    exponential = expm(augmented * time)
    return exponential[:size, :size], exponential[:size, size:]


PAIR_STATES = ("both_up", "first_down", "second_down", "both_down", "both_down_together")


def common_shock_pair(
    first_rate: float, second_rate: float, common_rate: float, first_repair: float, second_repair: float
) -> Generator:
    """Two members with private failures and common shocks, repaired independently (the first four `PAIR_STATES`).

    `first_rate` and `second_rate` are private. A shock does not affect a member that is down already.
    """
    return generator(
        PAIR_STATES[:4],
        {
            ("both_up", "first_down"): first_rate,
            ("both_up", "second_down"): second_rate,
            ("both_up", "both_down"): common_rate,
            ("first_down", "both_down"): second_rate + common_rate,
            ("second_down", "both_down"): first_rate + common_rate,
            ("first_down", "both_up"): first_repair,
            ("second_down", "both_up"): second_repair,
            ("both_down", "second_down"): first_repair,
            ("both_down", "first_down"): second_repair,
        },
    )


def common_shock_pair_repaired_together(rate: float, fraction: float, repair: float) -> Generator:
    """Two equal members: a common shock that finds both up takes both down for one shared exponential duration.

    `rate` is each one's total failure rate, a `fraction` of it common. A shock that finds one of them down hits only
    the other.
    """
    private, common = (1.0 - fraction) * rate, fraction * rate
    return generator(
        PAIR_STATES,
        {
            ("both_up", "first_down"): private,
            ("both_up", "second_down"): private,
            ("both_up", "both_down_together"): common,
            ("both_down_together", "both_up"): repair,
            ("first_down", "both_down"): rate,
            ("second_down", "both_down"): rate,
            ("first_down", "both_up"): repair,
            ("second_down", "both_up"): repair,
            ("both_down", "first_down"): repair,
            ("both_down", "second_down"): repair,
        },
    )


def pair_down_repaired_together(load: float, fraction: float) -> float:
    """P(both down) of `common_shock_pair_repaired_together`, rho = rate / repair and phi the fraction:

    [phi rho (1 - rho) + rho^2] / [(1 + rho)(1 + rho - phi rho)].
    """
    return (fraction * load * (1.0 - load) + load**2) / ((1.0 + load) * (1.0 + load - fraction * load))


def pair_down_repaired_alone(
    first_rate: float, second_rate: float, common_rate: float, first_repair: float, second_repair: float
) -> float:
    """P(both down) of `common_shock_pair`, with l1 and l2 each member's total rate (private + common):

    [lc (1 - U1 - U2) + l2 U1 + l1 U2] / (mu1 + mu2 + l1 + l2 - lc).
    """
    first, second = first_rate + common_rate, second_rate + common_rate
    u1, u2 = first / (first + first_repair), second / (second + second_repair)
    numerator = common_rate * (1.0 - u1 - u2) + second * u1 + first * u2
    return numerator / (first_repair + second_repair + first + second - common_rate)


def mean_time_to_total_outage(rate: float, fraction: float, repair: float) -> float:
    """Mean time from both members up until both are down for the first time, for two equal members.

    [(mu + lambda) + 2a] / [(2a + lc)(mu + lambda) - 2 a mu] with a = (1 - phi) lambda and lc = phi lambda.
    """
    private, common = (1.0 - fraction) * rate, fraction * rate
    return (repair + rate + 2.0 * private) / ((2.0 * private + common) * (repair + rate) - 2.0 * private * repair)


_ROT_STATES = ("working", "broken_unnoticed", "in_repair")


def long_run_broken_share(time_to_rot: float, use_rate: float, repair: float) -> float:
    """Long-run share of time (and of Poisson uses) broken without probes, for any distributions of rot and repair.

    A cycle is time to rot, wait for the next use, repair: (1/a + R) / (T + 1/a + R) by renewal-reward.
    """
    broken = 1.0 / use_rate + repair
    return broken / (time_to_rot + broken)


def broken_share(
    time_to_rot: float, use_rate: float, repair: float, horizon: float, *, probe_every: float | None = None
) -> float:
    """Expected share of [0, horizon] in which a leg that works at 0 is broken; with Poisson uses also of the uses.

    Times to rot and to repair are exponential with these means. Uses are instantaneous at `use_rate`, probes come at
    `probe_every`, 2 `probe_every` and so on. Between probes the state is a Markov chain, and a probe changes
    "unnoticed" to "in repair", so the result is exact at any horizon. Any consistent unit of time.
    """
    matrix = generator(
        _ROT_STATES,
        {
            ("working", "broken_unnoticed"): 1.0 / time_to_rot,
            ("broken_unnoticed", "in_repair"): use_rate,
            ("in_repair", "working"): 1.0 / repair,
        },
    )
    state, spent = np.array([1.0, 0.0, 0.0]), np.zeros(3)
    step = horizon if probe_every is None else min(horizon, probe_every)
    whole = math.floor(horizon / step)
    for length, times in ((step, whole), (horizon - whole * step, 1)):
        after, spent_within = _propagators(matrix, length)
        for _ in range(times):
            spent += state @ spent_within
            state = state @ after
            if probe_every is not None:
                state = np.array([state[0], 0.0, state[1] + state[2]])
    return float((spent[1] + spent[2]) / horizon)
