"""How long a search will take, measured on the chain that it starts from."""

import time
from collections.abc import Sequence
from typing import Final

from des.estimate.selection import FIRST
from des.pool import Where, processors
from des.study.duration import of_replications
from des.study.optimising.screening import SAMPLES as SCREEN_SAMPLES
from des.study.optimising.screening import Task, Walker
from des.study.optimising.searching import candidates_of, work_of
from des.study.optimising.selecting import FINALISTS, SAMPLES, why_simulated
from des.study.optimising.space import AS_WRITTEN, Candidate, Space
from des.study.options import Forecast

_USUAL_REPLICATIONS: Final = 1.5 * FIRST
"""Of each finalist on average: all have the first ones, and about half of them as many again."""
_MEASURED: Final = 3


def forecast_of(space: Space, screen: int, replications: int, workers: Where) -> Forecast:
    """Of a search that ranks all candidates up to `screen` of them, and simulates each finalist in `replications`.

    How many replications a winner takes is not known before. So it is the least where each takes every request.
    """
    some = [Candidate(AS_WRITTEN, space.pool[: space.most] if space.most else space.written())]
    processes = max(1, processors(workers))
    finalists = min(float(FINALISTS), candidates_of(space))
    each = min(_USUAL_REPLICATIONS, float(max(replications, FIRST)))
    block_s, walk_s = _walking_s(space, SCREEN_SAMPLES, some)
    screening_s = block_s + work_of(space, screen) * walk_s
    block_s, walk_s = _walking_s(space, SAMPLES, some)
    selecting_s = each * (block_s + finalists * walk_s)
    simulated = bool(why_simulated(space, some))
    if simulated:
        plans = [space.plan(candidate) for candidate in some]
        selecting_s += each * finalists * of_replications(plans, 1, 1).seconds
    return Forecast(seconds=(screening_s + selecting_s) / processes, processes=processes, at_least=simulated)


def _walking_s(space: Space, samples: int, candidates: Sequence[Candidate]) -> tuple[float, float]:
    """Processor time of drawing a block of incidents, and of walking one candidate along it."""
    walker, task = Walker(space, samples), Task(0, tuple(candidates))
    taken_s = []
    for _ in range(1 + _MEASURED):
        started_s = time.process_time()
        walker(task)
        taken_s.append(time.process_time() - started_s)
    walk_s = min(taken_s[1:])
    return max(0.0, taken_s[0] - walk_s), walk_s / len(candidates)
