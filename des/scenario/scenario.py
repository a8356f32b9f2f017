"""The root of a scenario."""

from typing import Annotated, Any, Literal

from pydantic import Field

from des.scenario.chain import Leg
from des.scenario.expectations import ExpectationTexts
from des.scenario.policy import PolicySpec
from des.scenario.providers import ComponentSpec, ProviderSpec
from des.scenario.sharing import CommonCauses, Surges
from des.scenario.spec import MAY_BE_EMPTY, Spec, Text
from des.scenario.units import Count, Duration, Horizon, PositiveCount, Share, Timestamp
from des.scenario.workload import WorkloadSpec

Overrides = Annotated[dict[Text, Any], MAY_BE_EMPTY]


class Scenario(Spec):
    """A study: requests, what serves them, what fails, and what the client does about it."""

    title: Text = ""
    question: Text = ""
    """What the study is to answer."""
    description: Text = ""
    horizon: Horizon
    """When arrivals stop."""
    start: Timestamp | None = None
    """Pins the run to the calendar."""
    seed: Count = 0
    replications: Annotated[PositiveCount, Field(le=1_000_000)] = 1
    start_state: Literal["equilibrium", "up"] = "equilibrium"
    """Whether incidents may be open when the run starts."""
    drain: Duration | None = None
    """Cut requests that have not ended so long after the horizon; by default the run waits for them."""
    workload: WorkloadSpec
    components: dict[Text, Annotated[ComponentSpec, MAY_BE_EMPTY]] = Field(default_factory=dict)
    """Whatever providers and models depend on."""
    providers: Annotated[dict[Text, ProviderSpec], Field(min_length=1)]
    common_cause: CommonCauses = ()
    """Outages that components, providers or models have in common."""
    surge: Surges = ()
    """Who is overrun while whom is down."""
    shared: Share = 1.0
    """How much of what is shared stays common: 100% as modelled, 0% the independent twin, of the same marginals."""
    chain: Annotated[tuple[Leg, ...], Field(min_length=1)]
    policy: PolicySpec = PolicySpec()
    arms: dict[Text, Overrides] = Field(default_factory=dict)
    """Variants to compare: each overrides parts of the scenario."""
    expect: dict[Text, ExpectationTexts] = Field(default_factory=dict)
    """What must come out, by metric or arm.metric: ">= 99.95%"."""
