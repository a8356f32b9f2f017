"""What POST /simulate answers with: the models of its parts, which are also those of the OpenAPI document."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True)


class Figure(Part):
    """A figure with the ends of its 95 % interval, which what is exact lacks; `shown` is what `des answer` prints."""

    mean: float | None
    low: float | None
    high: float | None
    estimator: str
    shown: str


class Uptime(Part):
    """The share of requests answered by an arm. `same` says that it is the same as the chain as modelled."""

    arm: str
    same: bool
    availability: Figure
    lost: Figure
    nines: Figure
    down_minutes_per_30_days: Figure
    objective_chance: Figure | None
    objective_reason: str


class Uptimes(Part):
    """The chain as modelled; its twin in which nothing is shared; its first leg alone, if it has several."""

    as_modelled: Uptime
    independent: Uptime
    single: Uptime | None


class Sharing(Part):
    """What common outages take."""

    nines: float | None
    text: str


class Overhead(Part):
    """Over the first leg alone: a share of its cost, and USD a request."""

    share: float | None
    usd_per_request: float | None
    text: str


class PerYear(Part):
    """USD a year, where failing has a price."""

    answers: Figure
    failing: Figure
    total: Figure


class Cost(Part):
    """USD."""

    per_request: Figure
    per_success: Figure
    per_1000: Figure
    single_per_request: Figure | None
    overhead: Overhead
    per_year: PerYear | None


class Latency(Part):
    """Seconds, of answered requests."""

    mean: Figure
    p50: Figure
    p95: Figure
    p99: Figure


class Served(Part):
    """A leg's share of the answers."""

    leg: str
    share: Figure


class Lost(Part):
    """A cause's share of all requests."""

    cause: str
    share: Figure


class IdleLeg(Part):
    """A leg that adds nothing that can be told."""

    leg: str
    text: str


class ArmFigures(Part):
    """An alternative."""

    arm: str
    chain: list[str]
    availability: Figure
    cost_per_success: Figure


class Recommendation(Part):
    """An order of legs, and why. `is_best` says whether it is the order of the body."""

    text: str
    order: list[str]
    is_best: bool
    reason: str
    idle: list[IdleLeg]
    arms: list[ArmFigures]


class Estimators(Part):
    """What the figures rest on; `text` says it in sentences."""

    availability: str
    requests: str
    reason: str
    simulated: int
    years: float | None
    text: list[str]


class Default(Part):
    """A default that was used; `pointer` is where one's own figure would go in the body."""

    pointer: str
    field: str
    of: str
    value: str
    source: str
    date: str


class LegSaid(Part):
    """A leg as it was understood, and what was assumed of it by field."""

    leg: str
    provider: str
    model: str
    timeout: str | None
    retries: int | None
    assumed: dict[str, Default]


class Row(Part):
    """A row of the table that `des answer` prints."""

    label: str
    cells: list[str]


class Table(Part):
    """The table that `des answer` prints."""

    arms: list[str]
    rows: list[Row]


class Full(Part):
    """What to send to POST /runs, beside the scenario, to have more of it."""

    kind: str
    rounds: int | None = None


class SimulateAnswer(Part):
    """The figures of a chain. `answer` is what `des answer` writes for the scenario, digit for digit."""

    id: str = Field(description="Of the body, whatever its spelling", examples=["9f2c0d6be1a94c07"])
    title: str
    sentence: str = Field(description="About the chain; `answer.sentence` is that of `des answer`")
    headline: dict[str, str]
    uptime: Uptimes
    lost_to_sharing: Sharing
    cost: Cost
    latency: Latency
    served: list[Served]
    lost_to: list[Lost] = Field(description="Causes that simulated requests were lost to, the gravest first")
    lost_to_note: str = Field(
        description="Why `lost_to` is empty, or how few lost requests it rests on; else empty",
        examples=[
            "the causes rest on 1 lost of 3,689 simulated requests, where 0.50 are expected to be; "
            "at a higher rate more are simulated"
        ],
    )
    recommendation: Recommendation
    estimators: Estimators
    not_seen: list[str]
    remarks: list[str]
    assumed: list[Default]
    legs: list[LegSaid]
    figures: Table
    scenario: str = Field(description="The equivalent scenario file, in YAML")
    file: str = Field(description="A name for it", examples=["claude-sonnet-4-6_then_gpt-5-mini.yaml"])
    command: str = Field(description="The command that prints these figures")
    full: Full
    charts: str = Field(description="Where its charts are")
    answer: dict[str, Any] = Field(description="As in answer.json of `des answer`")
