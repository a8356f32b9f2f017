"""Closed workloads: users who think, send a request, wait for its end and think again."""

from functools import partial

from des.distributions import sample
from des.draws import Stream
from des.scenario.plan import ClosedArrivals, Plan


def think_time(plan: Plan, replication: int) -> Stream:
    """Seconds of thought by luck, n * users + user: what precedes the user's n-th request (n from 0)."""
    arrivals = plan.workload.arrivals
    if not isinstance(arrivals, ClosedArrivals):
        raise TypeError(f"only a closed workload has users who think, not {type(arrivals).__name__}")
    return Stream(plan.seed, replication, "workload/think", partial(sample, arrivals.think))
