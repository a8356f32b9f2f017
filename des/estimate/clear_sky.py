"""What a leg's call meets while no incident is open: its chance of success, without simulating it."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from des.distributions import Constant, Distribution, Empirical
from des.scenario.plan import Leg, Plan, ReplayedArrivals

POINTS: Final = 1 << 12
MOST_AT_ONCE: Final = 1 << 18
FloatArray = NDArray[np.float64]


def success(plan: Plan, leg: Leg, outputs: FloatArray) -> FloatArray:
    """Chances that calls for so many output tokens, float64[n], are answered in time and to the caller's liking.

    The first token, or the whole response, is integrated exactly; a connect time and a speed that vary by 4,096 points
    of a Sobol sequence.
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
    return answered * in_time(plan, leg, outputs)


def in_time(plan: Plan, leg: Leg, outputs: FloatArray) -> FloatArray:
    """Chances that whole responses of so many tokens break none of the leg's bounds, float64[n]."""
    connect_bound, first_bound, idle_bound, total_bound = (
        math.inf if bound is None else bound
        for bound in (leg.timeout.connect_s, leg.timeout.first_token_s, leg.timeout.idle_s, leg.timeout.total_s)
    )
    if min(connect_bound, first_bound, idle_bound, total_bound) == math.inf:
        return np.ones(len(outputs))
    latency = plan.endpoints[leg.endpoint].latency
    silence = min(first_bound, idle_bound)
    if latency.whole is not None:
        return np.full(len(outputs), latency.whole.cdf(np.array([min(silence, total_bound)]))[0])
    connect, speed = _points([latency.connect or Constant(0.0), latency.tokens_per_s or Constant(math.inf)])
    chances = np.empty(len(outputs))
    for few in np.array_split(np.arange(len(outputs)), -(-len(outputs) * len(speed) // MOST_AT_ONCE)):
        output = outputs[few, None]
        gap = np.where(output > 1.0, 1.0 / speed, 0.0)
        latest = np.minimum(silence, total_bound - output / speed) - connect
        late = (connect > connect_bound) | (gap > idle_bound) | (latest < 0.0)
        first = (latency.first_token or Constant(0.0)).cdf(np.where(late, 0.0, latest))
        chances[few] = np.where(late, 0.0, first).mean(axis=1)
    return chances


def outputs(plan: Plan) -> list[tuple[float, float]]:
    """(share, tokens): the outputs of requests as far as they decide about time-outs, by cells of their law.

    All calls of a request are for the same output, so where one is too slow the next one likely is. The cells are fine
    in the body of the law and go on in equal steps of orders of magnitude to a trillionth.
    """
    law = output_tokens(plan)
    if isinstance(law, Constant) or not any(hangs_on_output(plan, leg) for leg in plan.chain):
        return [(1.0, max(law.mean, 1.0) if law.mean > 0.0 else 0.0)]
    if isinstance(law, Empirical):
        values, counts = np.unique(np.rint(np.maximum(law.values, 1.0)), return_counts=True)
        if len(values) <= 512:
            return [(count / len(law.values), value) for value, count in zip(values.tolist(), counts, strict=True)]
    edges = np.concatenate((np.linspace(1.0, 0.1, 49)[:-1], np.geomspace(0.1, 1e-12, 769), [0.0]))
    tokens = np.rint(np.maximum(law.quantile(1.0 - 0.5 * (edges[1:] + edges[:-1])), 1.0))
    return list(zip((edges[:-1] - edges[1:]).tolist(), tokens.tolist(), strict=True))


def hangs_on_output(plan: Plan, leg: Leg) -> bool:
    """Whether the number of output tokens decides if the leg's calls are in time."""
    bounded = leg.timeout.total_s is not None
    return bounded and plan.endpoints[leg.endpoint].latency.tokens_per_s is not None


def output_tokens(plan: Plan) -> Distribution:
    """The law of a request's output, recorded tokens as they are."""
    arrivals = plan.workload.arrivals
    if isinstance(arrivals, ReplayedArrivals) and arrivals.output_tokens is not None and arrivals.output_tokens.size:
        return Empirical(tuple(float(count) for count in arrivals.output_tokens))
    return plan.workload.output_tokens


def _points(laws: Sequence[Distribution]) -> list[FloatArray]:
    """Draws of the laws that fill their joint space evenly; a single one each where none varies."""
    varying = [law for law in laws if not isinstance(law, Constant)]
    if not varying:
        return [law.quantile(np.zeros(1)) for law in laws]
    if len(varying) == 1:
        shares = ((np.arange(POINTS) + 0.5) / POINTS)[:, None]
    else:
        from scipy.stats.qmc import Sobol

        shares = Sobol(len(varying), scramble=False).random(POINTS) + 0.5 / POINTS
    columns = iter(shares.T)
    return [law.quantile(np.zeros(POINTS) if isinstance(law, Constant) else next(columns)) for law in laws]
