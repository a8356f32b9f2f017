"""Limits of every kind and capacities under whole scenarios: never more than they allow, whoever gives up."""

from typing import Any

import numpy as np
from engine.serving import limited_by, serving
from engine.traced import Traced, trace
from examples import TIMES
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from des.distributions import Constant
from des.engine.codes import Names
from des.scenario.plan import Limit, Plan
from properties.runs import plan_of
from properties.whole_scenarios import scenarios

METRICS = ["requests", "input_tokens", "output_tokens", "tokens"]


@st.composite
def limits(draw: Any) -> Limit:
    """A limit of whatever kind that refuses at once, so that each refusal is seen."""
    metric = draw(st.sampled_from([*METRICS, "concurrency"]))
    shape: dict[str, Any] = {"algorithm": "concurrency", "burst": float(draw(st.integers(1, 8)))}
    if metric != "concurrency":
        burst = draw(st.sampled_from([2.0, 7.0, 30.0])) * (1.0 if metric == "requests" else 300.0)
        window_s = draw(st.sampled_from([1.0, 10.0, 60.0]))
        algorithm = draw(st.sampled_from(["token_bucket", "fixed_window", "sliding_log", "acceleration"]))
        shape = {"algorithm": algorithm, "burst": burst, "window_s": window_s, "rate_per_s": burst / window_s}
        shape["growth"] = draw(st.sampled_from([1.0, 1.5, 2.0]))
        shape["counted"] = draw(st.sampled_from(["dispatch", "estimate", "success"]))
        shape["estimated_output"] = draw(st.sampled_from([0, 100])) if shape["counted"] == "estimate" else None
        for flag in ("counts_refused", "counts_failed", "counts_cached"):
            shape[flag] = draw(st.booleans())
    return Limit(index=0, name="", metric=metric, refusal_latency=Constant(0.0), **shape)


def admitted_s(of: Traced) -> NDArray[np.float64]:
    """When calls that no limit refused were sent."""
    return np.sort(of.attempts.start_s[of.attempts.cause != "limit"].to_numpy(dtype=np.float64))


def counts_calls(limit: Limit) -> bool:
    """Whether every call that is admitted counts for one, from when it is sent."""
    return limit.metric == "requests" and limit.counted != "success" and limit.counts_failed


def holds(limit: Limit, times_s: NDArray[np.float64]) -> bool:
    if limit.window_s is None or not counts_calls(limit):
        return True
    if limit.algorithm == "sliding_log":
        first = np.searchsorted(times_s, times_s - limit.window_s + 2e-6, side="right")
        return bool((np.arange(1, len(times_s) + 1) - first <= limit.burst).all())
    windows = np.bincount(((times_s + 1e-6) / limit.window_s).astype(int), minlength=1)
    if limit.algorithm == "fixed_window":
        return bool(windows.max() <= limit.burst)
    if limit.algorithm == "acceleration":
        if limit.counts_refused:
            return True
        before = np.concatenate([[0], windows[:-1]])
        assert limit.growth is not None
        return bool((windows <= np.maximum(limit.burst, limit.growth * before) + 1e-6).all())
    ahead = np.arange(len(times_s)) - limit.rate_per_s * times_s
    return bool((ahead - np.minimum.accumulate(ahead)).max() <= limit.burst - 1.0 + 1e-5)


def served_by(plan: Plan, drawn: list[Limit], places: tuple[int, int] | None) -> Plan:
    limited = limited_by(plan, *drawn)
    return limited if places is None else serving(limited, *places)


@settings(max_examples=14 * TIMES, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    scenarios(),
    st.lists(limits(), min_size=1, max_size=3),
    st.one_of(st.none(), st.tuples(st.integers(1, 6), st.integers(0, 10))),
)
def test_no_limit_admits_more_than_it_allows(
    scenario: dict[str, Any], drawn: list[Limit], places: tuple[int, int] | None
) -> None:
    plan = served_by(plan_of(scenario), drawn, places)
    traced = trace(plan)
    times_s = admitted_s(traced)
    if len(times_s):
        for limit in plan.limits:
            assert holds(limit, times_s), limit
    refused = traced.attempts[traced.attempts.cause == "limit"]
    told_s = refused.retry_after_s.dropna()
    assert (told_s >= 0.0).all()
    assert np.isfinite(told_s).all()
    overloaded = traced.attempts[(traced.attempts.cause == "capacity") & (traced.attempts.outcome == "overloaded")]
    assert places is not None or not len(overloaded)
    assert set(traced.requests[traced.requests.lost_to.notna()].lost_to) <= set(Names.of(plan).losses)
