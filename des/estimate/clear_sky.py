"""What a leg's call meets while no incident is open: its chance of success, without simulating it."""

import math

import numpy as np
from numpy.typing import NDArray

from des.estimate.law_functions import quantile
from des.scenario.laws import Constant, Law
from des.scenario.plan import Leg, Plan, ReplayedArrivals

POINTS = 1 << 15
FloatArray = NDArray[np.float64]


def success(plan: Plan, leg: Leg) -> float:
    """Chance that a call of the leg is answered in time and to the caller's liking, no incident being open.

    Time-outs are integrated over the response's laws by 32,768 points of a Sobol sequence; the rest is exact.
    """
    endpoint = plan.endpoints[leg.endpoint]
    answered = 1.0
    random_errors = 0.0
    for error in endpoint.errors:
        if error.outcome in ("hang", "invalid_output"):
            answered *= 1.0 - error.rate
        else:
            random_errors += error.rate
    answered *= max(0.0, 1.0 - random_errors) * (1.0 - leg.invalid_output)
    if endpoint.broken_streams is not None:
        answered *= 1.0 - endpoint.broken_streams.rate
    return answered * in_time(plan, leg)


def in_time(plan: Plan, leg: Leg) -> float:
    """Chance that a whole response breaks none of the leg's bounds."""
    bounds = [
        math.inf if bound is None else bound
        for bound in (leg.timeout.connect_s, leg.timeout.first_token_s, leg.timeout.idle_s, leg.timeout.total_s)
    ]
    if min(bounds) == math.inf:
        return 1.0
    latency = plan.endpoints[leg.endpoint].latency
    connect_bound, first_bound, idle_bound, total_bound = bounds
    if latency.whole is not None:
        (whole,) = _points([latency.whole])
        return float(np.mean(whole <= min(first_bound, idle_bound, total_bound)))
    zero, endless = Constant(0.0), Constant(math.inf)
    connect, first, tokens, speed = _points(
        [
            latency.connect or zero,
            latency.first_token or zero,
            output_tokens(plan),
            latency.tokens_per_s or endless,
        ]
    )
    if not isinstance(output_tokens(plan), Constant):
        tokens = np.rint(np.maximum(tokens, 1.0))
    first = connect + first
    gap = np.where(tokens > 1.0, 1.0 / speed, 0.0)
    kept = (connect <= connect_bound) & (first <= first_bound) & (first <= idle_bound) & (gap <= idle_bound)
    return float(np.mean(kept & (first + tokens / speed <= total_bound)))


def output_tokens(plan: Plan) -> Law:
    """The law of a request's output, recorded tokens as they are."""
    arrivals = plan.workload.arrivals
    if isinstance(arrivals, ReplayedArrivals) and arrivals.output_tokens is not None and arrivals.output_tokens.size:
        from des.scenario.laws import Empirical

        return Empirical(tuple(float(count) for count in arrivals.output_tokens))
    return plan.workload.output_tokens


def _points(laws: list[Law]) -> list[FloatArray]:
    """Draws of the laws that fill their joint space evenly."""
    varying = [law for law in laws if not isinstance(law, Constant)]
    if not varying:
        return [quantile(law, np.zeros(1)) for law in laws]
    if len(varying) == 1:
        shares = ((np.arange(POINTS) + 0.5) / POINTS)[:, None]
    else:
        from scipy.stats.qmc import Sobol

        shares = Sobol(len(varying), scramble=False).random(POINTS) + 0.5 / POINTS
    columns = iter(shares.T)
    return [quantile(law, np.zeros(POINTS) if isinstance(law, Constant) else next(columns)) for law in laws]
