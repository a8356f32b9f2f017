"""Classes of your own: rules in Python that a scenario names, `kind: my_package.rules:Fibonacci`.

    import des.extend as extend

    class Fibonacci(extend.Backoff):
        base_s: extend.Duration

        def wait_s(self, retry: extend.Retry) -> float:
            before, now = 1, 1
            for _ in range(retry.number):
                before, now = now, before + now
            return self.base_s * now * retry.u

In the scenario: `backoff: {kind: my_package.rules:Fibonacci, base: 500ms}`. A field that ends in `_s` or `_per_s` is
written without that ending, as a duration or a rate. `des.register` gives a class a short name.

docs/how-to/my-own-rule.md has an example of each. Such a scenario runs in SimPy, and no estimator covers it.
"""

from des.scenario.extensions import uses_extensions as uses_extensions
from des.scenario.schema.distributions import CountDistribution as CountDistribution
from des.scenario.schema.distributions import DurationDistribution as DurationDistribution
from des.scenario.schema.incidents import OwnIncidents as Incidents
from des.scenario.schema.own_classes import register as register
from des.scenario.schema.own_classes import without_own_classes as without_extensions
from des.scenario.schema.own_rules import BreakerState as BreakerState
from des.scenario.schema.own_rules import Candidate as Candidate
from des.scenario.schema.own_rules import Draws as Draws
from des.scenario.schema.own_rules import LimiterState as LimiterState
from des.scenario.schema.own_rules import OwnBackoff as Backoff
from des.scenario.schema.own_rules import OwnBreaker as Breaker
from des.scenario.schema.own_rules import OwnDistribution as Distribution
from des.scenario.schema.own_rules import OwnLimiter as Limiter
from des.scenario.schema.own_rules import OwnRouting as Routing
from des.scenario.schema.own_rules import Pick as Pick
from des.scenario.schema.own_rules import Retry as Retry
from des.scenario.schema.setting import Bound as Bound
from des.scenario.schema.setting import Flag as Flag
from des.scenario.schema.setting import Text as Text
from des.scenario.schema.setting import contradiction as contradiction
from des.scenario.schema.workload import OwnArrivals as Arrivals
from des.scenario.text.quantities import Amount as Amount
from des.scenario.text.quantities import Count as Count
from des.scenario.text.quantities import Duration as Duration
from des.scenario.text.quantities import FrequentRate as Rate
from des.scenario.text.quantities import Positive as Positive
from des.scenario.text.quantities import PositiveCount as PositiveCount
from des.scenario.text.quantities import PositiveDuration as PositiveDuration
from des.scenario.text.quantities import Share as Share

__all__ = [
    "Amount",
    "Arrivals",
    "Backoff",
    "Bound",
    "Breaker",
    "BreakerState",
    "Candidate",
    "Count",
    "CountDistribution",
    "Distribution",
    "Draws",
    "Duration",
    "DurationDistribution",
    "Flag",
    "Incidents",
    "Limiter",
    "LimiterState",
    "Pick",
    "Positive",
    "PositiveCount",
    "PositiveDuration",
    "Rate",
    "Retry",
    "Routing",
    "Share",
    "Text",
    "contradiction",
    "register",
    "uses_extensions",
    "without_extensions",
]
