"""Dependency graphs with Poisson outages: probabilistic edges, diamonds, models with dependencies of their own."""

from collections.abc import Mapping

from fault_plans import plan_of, shocks

from des.distributions import Constant, Distribution, Empirical, Exponential, Gamma, Lognormal, Uniform, Weibull
from des.scenario.plan import Plan

DURATION: Distribution = Lognormal(6.0, 1.0)

GRAPHS: Mapping[str, Plan] = {
    "two providers behind one component": plan_of(
        {
            "cdn": [shocks(1e-4, Weibull(0.7, 500.0))],
            "a/m": [shocks(2e-4, DURATION)],
            "b/m": [shocks(1e-4, Exponential(900.0)), shocks(1e-4, Uniform(0.0, 600.0))],
        },
        {"a/m": {"cdn": 0.7}, "b/m": {"cdn": 0.7}},
        ["a/m", "b/m"],
    ),
    "diamond": plan_of(
        {
            "cloud": [shocks(3e-4, DURATION)],
            "east": [shocks(2e-4, Exponential(400.0))],
            "west": [shocks(2e-4, Gamma(0.5, 800.0))],
            "a": [shocks(1e-4, Constant(500.0))],
            "a/m": [],
            "a/n": [shocks(1e-4, Exponential(500.0))],
            "b/m": [shocks(2e-4, Empirical((100.0, 200.0, 2000.0)))],
        },
        {
            "east": {"cloud": 0.6},
            "west": {"cloud": 0.6},
            "a": {"east": 0.5, "west": 0.5},
            "a/m": {"a": 1.0},
            "a/n": {"a": 1.0},
            "b/m": {"west": 0.8},
        },
        ["a/m", "a/n", "b/m"],
    ),
    "dependency declared after its dependent": plan_of(
        {"b/m": [shocks(1e-4, DURATION)], "a/m": [], "provider": [], "net": [shocks(4e-4, DURATION)]},
        {"provider": {"net": 0.5}, "a/m": {"provider": 1.0}, "b/m": {"provider": 0.5}},
        ["a/m", "b/m"],
    ),
}
