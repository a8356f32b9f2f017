"""The root of a scenario."""

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, Field

from des.scenario.schema.chain import Entry, GroupSpec, LegSpec
from des.scenario.schema.expectations import ExpectationTexts
from des.scenario.schema.limits import Budget
from des.scenario.schema.objective import Objective, Value
from des.scenario.schema.optimise import Optimise
from des.scenario.schema.policy import PolicySpec
from des.scenario.schema.providers import ComponentSpec, Provider
from des.scenario.schema.setting import MAY_BE_EMPTY, Setting, Text
from des.scenario.schema.sharing import CommonCauses, Surges
from des.scenario.schema.traces import Traces
from des.scenario.schema.workload import WorkloadSpec
from des.scenario.text.places import Path
from des.scenario.text.quantities import Count, Duration, Horizon, PositiveCount, Share, Timestamp


class PlacedLeg(NamedTuple):
    """A leg, where it is written, and the position of its entry in the chain."""

    path: Path
    entry: int
    spec: LegSpec


Overrides = Annotated[dict[Text, Any], MAY_BE_EMPTY]


class Scenario(Setting):
    """A study: requests, what serves them, what fails, and what the client does about it."""

    title: Text = ""
    """Name of the study, printed above its tables; empty by default."""
    question: Text = ""
    """The question that the study answers."""
    description: Text = ""
    """Longer text for readers, such as sources and assumptions; empty by default."""
    horizon: Horizon
    """Time at which arrivals stop."""
    start: Timestamp | None = None
    """Calendar time of the start of the run."""
    seed: Count = 0
    """Whole number from which every random draw follows; 0 by default."""
    replications: Annotated[PositiveCount, Field(le=1_000_000)] = 1
    """Independent runs of each arm, 1 by default; two or more give intervals."""
    start_state: Literal["equilibrium", "up"] = "equilibrium"
    """Whether incidents may be open when the run starts."""
    drain: Duration | None = None
    """Cut off requests that have not ended this long after the horizon; by default the run waits for them."""
    traces: Traces = "full"
    """Rows that a run keeps: all, no attempts, those of a share of the requests, or none; full by default.

    Figures are of all requests.
    """
    workload: WorkloadSpec
    """What is sent: arrivals, tokens and requirements."""
    components: dict[Text, Annotated[ComponentSpec, MAY_BE_EMPTY]] = Field(default_factory=dict)
    """Shared components that providers and models depend on."""
    providers: Annotated[dict[Text, Provider], Field(min_length=1)]
    """Providers with their models, by name."""
    common_cause: CommonCauses = ()
    """Outages that components, providers or models have in common."""
    surge: Surges = ()
    """Load that moves from providers that are down to others."""
    shared: Share = 1.0
    """Share of the common incidents that stays common: 100% as modelled, 0% the independent twin."""
    budgets: dict[Text, Budget] = Field(default_factory=dict)
    """The client's own limits over legs, by name."""
    chain: Annotated[tuple[Entry, ...], Field(min_length=1)]
    """Legs, or groups of legs, in the order in which they are tried."""
    policy: PolicySpec = PolicySpec()
    """What the client does about failures: retries, waits, limits of its own."""
    arms: dict[Text, Overrides] = Field(default_factory=dict)
    """Variants to compare: each overrides parts of the scenario."""
    objective: Objective | None = None
    """What `des answer` gives the chance of: that a month has an availability."""
    value: Value | None = None
    """What failing costs; `des answer` adds it to the bill."""
    optimise: Annotated[Optimise, MAY_BE_EMPTY] | None = None
    """What `des optimise` looks for: the aim, what must hold, and what may vary."""
    expect: dict[Text, ExpectationTexts] = Field(default_factory=dict)
    """Expected results by metric or arm.metric, such as ">= 99.95%"."""

    def __init__(self, **content: Any) -> None:
        """A scenario from plain data, as a document has it; raises pydantic's ValidationError."""
        BaseModel.__init__(self, **content)

    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @property
    def legs(self) -> tuple[PlacedLeg, ...]:
        """All legs, those of groups included, in the order of the plan."""
        found: list[PlacedLeg] = []
        for position, entry in enumerate(self.chain):
            if isinstance(entry, GroupSpec):
                found += [
                    PlacedLeg(("chain", position, "legs", within), position, leg)
                    for within, leg in enumerate(entry.legs)
                ]
            else:
                found.append(PlacedLeg(("chain", position), position, entry))
        return tuple(found)
