"""Silent rot: a leg breaks unnoticed and stays broken until a use or a scheduled probe finds it and it is repaired."""

import numpy as np

from des.theory.markov import generator, occupation

STATES = ("working", "broken_unnoticed", "in_repair")


def long_run_broken_share(time_to_rot: float, use_rate: float, repair: float) -> float:
    """Long-run share of time (and of Poisson uses) broken without probes, for any laws of rot and repair.

    A cycle is time to rot, wait for the next use, repair: (1/a + R) / (T + 1/a + R) by renewal-reward, from means.
    """
    broken = 1.0 / use_rate + repair
    return broken / (time_to_rot + broken)


def broken_share(
    time_to_rot: float, use_rate: float, repair: float, horizon: float, *, probe_every: float | None = None
) -> float:
    """Expected share of [0, horizon] in which a leg that works at 0 is broken; with Poisson uses also of the uses.

    Exponential times to rot and to repair with these means, instantaneous uses at `use_rate`, probes at `probe_every`,
    2 `probe_every` and so on. Between probes a Markov chain, and a probe turns "unnoticed" into "in repair": exact at
    any horizon. Any one unit of time.
    """
    matrix = generator(
        STATES,
        {
            ("working", "broken_unnoticed"): 1.0 / time_to_rot,
            ("broken_unnoticed", "in_repair"): use_rate,
            ("in_repair", "working"): 1.0 / repair,
        },
    )
    state = np.array([1.0, 0.0, 0.0])
    spent = np.zeros(3)
    now = 0.0
    probes = 0
    while now < horizon:
        probes += 1
        until = horizon if probe_every is None else min(horizon, probes * probe_every)
        state, times = occupation(matrix, state, until - now)
        spent += times
        state = np.array([state[0], 0.0, state[1] + state[2]]) if probe_every is not None else state
        now = until
    return float((spent[1] + spent[2]) / horizon)
