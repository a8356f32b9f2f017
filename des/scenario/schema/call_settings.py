"""What the client does about the calls of a leg: said for all by the policy, for one by its entry in the chain."""

from typing import Annotated

from des.scenario.schema.guards import Breaker, Cooldown, Ejection, Probes
from des.scenario.schema.load_control import AdaptiveThrottling, Bulkhead, Hedge, Ramp, RetryBudget, Shaping
from des.scenario.schema.retries import Client
from des.scenario.schema.spec import Shorthand, Spec

Clients = Annotated[tuple[Client, ...], Shorthand(lambda value: () if value == "none" else value, {"const": "none"})]


class CallSettings(Spec):
    """Each may be `none`, which takes away what the policy or a preset says; so does `clients: []`."""

    breaker: Breaker | None = None
    """A circuit breaker of each leg."""
    cooldown: Cooldown | None = None
    """LiteLLM's way to rest a failing leg."""
    ejection: Ejection | None = None
    """Outlier ejection of a group's legs."""
    hedge: Hedge | None = None
    """Further copies of slow calls."""
    probes: Probes | None = None
    """Health probes of each leg."""
    shaping: Shaping | None = None
    """The client's own rate, with a queue."""
    bulkhead: Bulkhead | None = None
    """Calls of a leg under way at once."""
    retry_budget: RetryBudget | None = None
    """What retries may come to."""
    adaptive_throttling: AdaptiveThrottling | None = None
    """Refusals by the client where the provider refuses much."""
    ramp: Ramp | None = None
    """A failover that begins with a share of the calls; of the policy, to all entries but the first."""
    clients: Clients | None = None
    """Clients inside each attempt, outermost first."""
