"""What clients send: the body of POST /simulate, and those of the endpoints that take whole scenarios.

Durations are seconds or text with a unit, shares per cent or numbers. Fields that are left out take the defaults that
GET /catalogue tells; the answer says which, with their sources.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StrictStr, WithJsonSchema

from des.scenario.text.units import (
    read_amount,
    read_count,
    read_duration,
    read_positive_duration,
    read_rate,
    read_share,
    read_usd,
    shown,
)

_LONGEST_CALL_S: Final = 3600.0
_MOST_TOKENS: Final = 1_000_000
_MOST_USD: Final = 1e9
_MOST_PER_S: Final = 1000.0
_TEXT_OR_NUMBER: Final = [{"type": "number", "minimum": 0}, {"type": "string", "maxLength": 40}]


def _seconds(least: Callable[[object], float]) -> Callable[[object], float]:
    def read(value: object) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = f"{value!r}s" if value >= 0 else value
        found = least(value)
        if found > _LONGEST_CALL_S:
            raise ValueError(f"at most 1h; got {shown(value)}")
        return found

    return read


def _share(value: object) -> float:
    """Per cent where a number is above 1."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 1.0 < value <= 100.0:
        return float(value) / 100.0
    return read_share(value)


def _availability(value: object) -> float:
    found = _share(value)
    if not 0.5 <= found <= 1.0:
        raise ValueError(f"an availability from 50% to 100%; got {shown(value)}")
    return found


def _rate(value: object) -> float:
    found = read_rate(value)
    if not 0.0 < found <= _MOST_PER_S:
        raise ValueError(f"a rate above 0 of at most {_MOST_PER_S:.0f}/s; got {shown(value)}")
    return found


def _tokens(value: object) -> int:
    found = read_count(value)
    if not 1 <= found <= _MOST_TOKENS:
        raise ValueError(f"from 1 to {_MOST_TOKENS:,} tokens; got {shown(value)}")
    return found


def _usd(value: object) -> float:
    found = read_usd(value)
    if found > _MOST_USD:
        raise ValueError(f"at most {_MOST_USD:,.0f} USD; got {shown(value)}")
    return found


def _episodes(value: object) -> float:
    found = read_amount(value)
    if not 0.01 <= found <= 5000.0:
        raise ValueError(f"from 0.01 to 5,000 outages a year; got {shown(value)}")
    return found


def _speed(value: object) -> float:
    found = read_amount(value)
    if not 0.1 <= found <= 1e6:
        raise ValueError(f"from 0.1 to 1,000,000 tokens a second; got {shown(value)}")
    return found


def _schema(description: str, *examples: object, forms: Any = _TEXT_OR_NUMBER) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": forms, "description": description, "examples": list(examples)})


Seconds = Annotated[
    float,
    BeforeValidator(_seconds(read_positive_duration)),
    _schema("A time above zero, of at most an hour: seconds, or text with a unit", "30s", 30, "900ms"),
]
Wait = Annotated[
    float,
    BeforeValidator(_seconds(read_duration)),
    _schema("A time of at most an hour: seconds, or text with a unit", "500ms", 0),
]
SharePart = Annotated[float, BeforeValidator(_share), _schema("A share: per cent, or a number from 0 to 1", "10%", 0.1)]
Availability = Annotated[
    float,
    BeforeValidator(_availability),
    _schema("A share of the time: per cent, or a number from 0.5 to 1", "99.5%", 0.995, 99.5),
]
RequestRate = Annotated[
    float,
    BeforeValidator(_rate),
    PlainSerializer(lambda per_s: f"{per_s!r}/s"),
    WithJsonSchema({"type": "string", "maxLength": 40, "description": "A rate", "examples": ["5/d", "2/min", "3/s"]}),
]
Tokens = Annotated[
    int,
    BeforeValidator(_tokens),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": _MOST_TOKENS, "examples": [1020]}),
]
Usd = Annotated[float, BeforeValidator(_usd), _schema("An amount in USD", 0.1, "$0.10")]
Episodes = Annotated[
    float,
    BeforeValidator(_episodes),
    WithJsonSchema({"type": "number", "minimum": 0.01, "maximum": 5000, "examples": [10]}),
]
Speed = Annotated[
    float,
    BeforeValidator(_speed),
    WithJsonSchema({"type": "number", "minimum": 0.1, "maximum": 1e6, "examples": [60]}),
]
Name = Annotated[StrictStr, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._:@/#-]*$")]


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
    retries: Annotated[int, Field(strict=True, ge=0, le=100)] | None = Field(
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

    name: Annotated[StrictStr, Field(pattern=r"^[A-Za-z][A-Za-z0-9_ -]{0,39}$")] = Field("shared", examples=["cdn"])
    members: Annotated[list[Name], Field(min_length=2, max_length=64)] = Field(examples=[["anthropic", "openai"]])
    fraction: SharePart = Field(description="Share of the outages of the member with the fewest", examples=["10%"])


class Workload(Body):
    """Requests and their sizes; tokens are medians."""

    rate: RequestRate | None = Field(None, description="Left out: 5/d, so light that no request meets another")
    input_tokens: Tokens | None = None
    output_tokens: Tokens | None = None


class Policy(Body):
    """What the client does beyond the legs."""

    preset: Annotated[StrictStr, Field(max_length=100)] | None = Field(
        None, description="A client of GET /catalogue", examples=["openai-python"]
    )
    rounds: Annotated[int, Field(strict=True, ge=1, le=100)] | None = Field(None, description="Passes over the chain")
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
    seed: Annotated[int, Field(strict=True, ge=0, le=2**32 - 1)] = 7


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
_WRITTEN: Final = Field(description="A scenario: its fields, or its YAML text", examples=[SCENARIO_EXAMPLE])


class ScenarioBody(Body):
    """A whole scenario."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"scenario": SCENARIO_EXAMPLE}]})

    scenario: StrictStr | dict[str, Any] = _WRITTEN


class RunBody(Body):
    """A whole scenario to run: as `des run`, `des compare` or `des answer` do."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"scenario": SCENARIO_EXAMPLE, "kind": "run"}]})

    scenario: StrictStr | dict[str, Any] = _WRITTEN
    kind: Literal["run", "compare", "answer"] = "run"
    rounds: Annotated[int, Field(strict=True, ge=1, le=1000)] | None = Field(
        None, description="Of `answer`; 2 where it is left out"
    )
