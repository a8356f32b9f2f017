"""What clients send: the body of POST /simulate, and those of the endpoints that take whole scenarios.

Durations are seconds or text with a unit, shares per cent or numbers. Fields that are left out take the defaults that
GET /catalogue tells; the answer says which, with their sources.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema

from des.service.faults import said
from des.service.values import (
    Availability,
    Cause,
    Episodes,
    Name,
    Preset,
    RequestRate,
    Retries,
    Rounds,
    Seconds,
    Seed,
    SharePart,
    Speed,
    Tokens,
    Usd,
    Wait,
)


class Body(BaseModel):
    """Fields that no body has are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Price(Body):
    """A price of one's own, in place of the whole list price."""

    input_per_mtok: Usd = 0.0
    output_per_mtok: Usd = 0.0
    cached_input_per_mtok: Usd | None = None
    per_request: Usd | None = None
    per_unit: Usd | None = None


class Leg(Body):
    """A stage of the chain. `availability`, `episodes_per_year` and `rate_limit` are those of its provider."""

    provider: Name = Field(examples=["anthropic"])
    model: Name = Field(description="With dots or dashes, as you know it", examples=["claude-sonnet-4-6"])
    timeout: Seconds | None = Field(None, description="Of one call; 30 s, or the preset's")
    retries: Retries | None = Field(
        None, description="Further calls of this leg before the next one; 0, or the preset's"
    )
    availability: Availability | None = None
    episodes_per_year: Episodes | None = Field(None, description="Outages a year")
    server_error: SharePart | None = Field(None, description="Share of calls that fail at random")
    rate_limit: RequestRate | None = Field(None, description="Requests that the account may send")
    first_token: Seconds | None = Field(None, description="Median time to the first token")
    tokens_per_second: Speed | None = None
    latency: Seconds | None = Field(None, description="Median of a whole answer, in place of a streamed one's")
    price: Price | None = None


class Shared(Body):
    """Something that several providers share, such as a CDN: a share of their outages hits all of them at once."""

    name: Cause = Field("shared", examples=["cdn"])
    members: Annotated[list[Name], Field(min_length=2)] = Field(examples=[["anthropic", "openai"]])
    fraction: SharePart = Field(description="Share of the outages of the member with the fewest", examples=["10%"])


class Workload(Body):
    """Requests and their sizes; tokens are medians."""

    rate: RequestRate | None = Field(None, description="Left out: 5/d, so light that no request meets another")
    input_tokens: Tokens | None = None
    output_tokens: Tokens | None = None


class Policy(Body):
    """What the client does beyond the legs."""

    preset: Preset | None = Field(None, description="A client of GET /catalogue", examples=["openai-python"])
    rounds: Rounds | None = Field(None, description="Passes over the chain")
    deadline: Seconds | None = Field(None, description="Of a whole request")
    backoff: Wait | None = Field(None, description="Base of exponential waits with full jitter before retries")


class Objective(Body):
    """An availability that every month, or every 30 days, is to have."""

    availability: Availability
    per: Literal["month", "30d"] = "month"


class Value(Body):
    """What failing costs, in USD."""

    lost_request: Usd = 0.0
    downtime_per_hour: Usd = 0.0


EXAMPLE: Final[dict[str, Any]] = {
    "chain": [
        {"provider": "anthropic", "model": "claude-sonnet-4-6", "timeout": 30},
        {"provider": "openai", "model": "gpt-5-mini", "timeout": 30},
    ]
}
EXAMPLE_SHARED: Final[dict[str, Any]] = {
    "chain": [
        {"provider": "anthropic", "model": "claude-sonnet-4-6", "timeout": "30s", "availability": "99.5%"},
        {"provider": "openai", "model": "gpt-5-mini", "timeout": "30s"},
        {"provider": "google", "model": "gemini-2-5-pro", "timeout": "30s"},
    ],
    "shared": [{"name": "cdn", "members": ["anthropic", "openai"], "fraction": "10%"}],
    "value": {"lost_request": 0.1},
}


class SimulateBody(Body):
    """A chain of providers, and what is known of them."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE, EXAMPLE_SHARED]})

    chain: Annotated[list[Leg], Field(min_length=1)] = Field(description="Tried in this order")
    shared: list[Shared] = Field(default_factory=list)
    workload: Workload = Field(default_factory=Workload)
    policy: Policy = Field(default_factory=Policy)
    objective: Objective | None = None
    value: Value | None = None
    seed: Seed = 7


SCENARIO_EXAMPLE: Final = """\
title: Two providers
horizon: 30d
seed: 7
workload: {arrivals: {kind: poisson, rate: 2/h}, tokens: {input: 1000, output: 200}}
providers:
  anthropic:
    availability: 99.5%
    episodes_per_year: 100
    models: {claude-sonnet-4-6: {latency: 3s}}
  openai:
    availability: 99.5%
    episodes_per_year: 100
    models: {gpt-5-mini: {latency: 2s}}
chain:
  - {provider: anthropic, timeout: 30s}
  - {provider: openai, timeout: 30s}
"""


def _scenario(value: object) -> str | dict[str, Any]:
    if isinstance(value, str | dict):
        return value
    raise ValueError(f"expected the fields of a scenario, or its YAML text; got {said(value)}")


Written = Annotated[
    str | dict[str, Any],
    PlainValidator(_scenario),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string"}, {"type": "object"}],
            "description": "A scenario: its fields, or its YAML text",
            "examples": [SCENARIO_EXAMPLE],
        }
    ),
]


class ScenarioBody(Body):
    """A whole scenario."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"scenario": SCENARIO_EXAMPLE}]})

    scenario: Written


class RunBody(Body):
    """A whole scenario to run: as `des run`, `des compare` or `des answer` do."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"scenario": SCENARIO_EXAMPLE, "kind": "run"}]})

    scenario: Written
    kind: Literal["run", "compare", "answer"] = "run"
    rounds: Rounds | None = Field(None, description="Of `answer`; 2 where it is left out")
