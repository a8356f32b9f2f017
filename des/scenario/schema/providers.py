"""Components, providers and models as a scenario writes them: what fails, how fast they answer, what they cost."""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from des.scenario.schema.distributions import DurationDistribution, ShareDistribution, SpeedDistribution, is_parameter
from des.scenario.schema.incidents import EffectSpec, IncidentSpec, PoissonSpec
from des.scenario.schema.limits import Capacity, LimitList
from des.scenario.schema.spec import MAY_BE_EMPTY, SHARE_SCHEMA, Shorthand, Spec, Text, contradiction, scalar_as
from des.scenario.schema.statuses import Status, misfit
from des.scenario.text.units import Amount, Positive, PositiveDuration, Share, Usd, Word
from des.vocabulary import ATTEMPT_OUTCOMES


class DependencySpec(Spec):
    """A component that this one depends on, and the share of its incidents that reach it."""

    component: Text
    share: Share = 1.0


def _dependency(value: object) -> object:
    if isinstance(value, str):
        return {"component": value}
    if isinstance(value, dict) and value and "component" not in value:
        if len(value) > 1:
            entries = ", ".join(f"{{{component}: ...}}" for component in value)
            raise ValueError(f"one component an entry: [{entries}]")
        ((component, share),) = value.items()
        return {"component": component, "share": share}
    return value


DependencyList = tuple[
    Annotated[
        DependencySpec,
        Shorthand(
            _dependency,
            {
                "anyOf": [
                    {"type": "string"},
                    {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": SHARE_SCHEMA},
                ]
            },
        ),
    ],
    ...,
]


class ComponentSpec(Spec):
    """Anything that can fail, by one of three ways to say how.

    `incidents` lists classes of incidents; `availability` with `episodes_per_year` states outages of all causes, of
    which the component's own are what the shared ones leave; `mttf` with `mttr` alternates exponential up and down
    times.
    """

    depends_on: DependencyList = ()
    """Components whose incidents reach this one: [cdn], or [{cdn: 80%}] for a share of them."""
    incidents: tuple[IncidentSpec, ...] = ()
    availability: Share | None = None
    """Share of time up, outages of all causes counted."""
    episodes_per_year: Positive | None = None
    """How often it goes down, outages of all causes counted."""
    duration: DurationDistribution | None = None
    """Shape of the outages' durations (its mean follows from the rest); lognormal of sigma 1.3 by default."""
    mttf: PositiveDuration | None = None
    """Mean time to failure."""
    mttr: PositiveDuration | None = None
    """Mean time to repair."""
    effect: EffectSpec | None = None
    """What outages by availability, or failures by mttf, do to calls."""

    @model_validator(mode="after")
    def _one_account_of_failures(self) -> Self:
        if self.availability is not None and self.episodes_per_year is None:
            raise contradiction(
                f"availability needs episodes_per_year, since {100.0 * self.availability:.10g}% may be many short "
                "outages or a few long ones; for calls that fail at random say errors: {server_error: 3%} on the model",
                "availability",
            )
        if self.episodes_per_year is not None and self.availability is None:
            raise contradiction("episodes_per_year needs availability", "episodes_per_year")
        if (self.mttf is None) != (self.mttr is None):
            raise contradiction("mttf and mttr belong together", "mttf" if self.mttr is None else "mttr")
        if self.availability is not None and self.mttf is not None:
            raise contradiction("either availability and episodes_per_year, or mttf and mttr", "mttf")
        if self.mttf is not None and self.incidents:
            raise contradiction("either mttf and mttr, or incidents (kind: renewal says the same)", "mttf")
        if self.availability is None and self.duration is not None:
            raise contradiction(
                "duration is the shape of outages given by availability and episodes_per_year", "duration"
            )
        if self.availability is None and self.mttf is None and self.effect is not None:
            raise contradiction(
                "effect goes with availability or mttf; an incident of `incidents` has its effect beside it", "effect"
            )
        return self

    @model_validator(mode="after")
    def _availability_counts_every_outage(self) -> Self:
        if self.availability is None:
            return self
        if not 0.0 < self.availability < 1.0:
            raise contradiction(
                "availability lies between 0% and 100%, both excluded; what never fails needs none", "availability"
            )
        if self.effect is not None and self.effect.error_rate < 1.0:
            raise contradiction(
                "availability counts outages, so its effect has error_rate: 100%; list brownouts under incidents",
                "effect",
                "error_rate",
            )
        for position, incident in enumerate(self.incidents):
            if not isinstance(incident, PoissonSpec) or incident.error_rate >= 1.0:
                raise contradiction(
                    "availability states outages of all causes: beside it, incidents may only be brownouts "
                    "(kind: poisson with error_rate below 100%)",
                    "incidents",
                    position,
                )
        return self


class StreamLatencySpec(Spec):
    """A streamed response: connect, wait for the first token, then output tokens at a speed."""

    connect: DurationDistribution | None = None
    first_token: DurationDistribution | None = None
    tokens_per_second: SpeedDistribution | None = None

    @model_validator(mode="after")
    def _takes_time(self) -> Self:
        if self.connect is None and self.first_token is None and self.tokens_per_second is None:
            raise contradiction(
                "empty: write a duration, a distribution (kind: ...), or {first_token, tokens_per_second}"
            )
        return self


def _latency_form(value: object) -> str:
    if isinstance(value, StreamLatencySpec):
        return "stream"
    if not isinstance(value, dict) or "kind" in value:
        return "whole"
    streamed = bool(value.keys() & StreamLatencySpec.model_fields.keys())
    return "stream" if streamed or not any(is_parameter(key) for key in value) else "whole"


LatencySpec = Annotated[
    Annotated[DurationDistribution, Tag("whole")] | Annotated[StreamLatencySpec, Tag("stream")],
    Discriminator(_latency_form),
]


class RandomErrorSpec(Spec):
    """A share of calls that fail at random, and how long such a failure takes."""

    rate: Share
    latency: DurationDistribution | None = None
    """Time until the failure is answered; 200 ms by default."""
    status: Status | None = None
    """HTTP status, if not the outcome's usual one."""


ErrorShare = Annotated[RandomErrorSpec, scalar_as("rate", SHARE_SCHEMA)]


class MidStreamSpec(Spec):
    """A share of responses that break off after a share of their output."""

    rate: Share
    after: ShareDistribution | None = None
    """Share of the output that has come by then; half by default."""


class ErrorsSpec(Spec):
    """Calls that fail at random, by outcome: a share, or {rate, latency}."""

    server_error: ErrorShare | None = None
    overloaded: ErrorShare | None = None
    rate_limited: ErrorShare | None = None
    connection_error: ErrorShare | None = None
    client_error: ErrorShare | None = None
    invalid_output: Share = 0.0
    """Share of complete responses that the caller's parser rejects."""
    hang: Share = 0.0
    """Share of calls that never answer."""
    mid_stream: MidStreamSpec | None = None

    @property
    def at_once(self) -> tuple[tuple[str, RandomErrorSpec], ...]:
        """Errors answered instead of a response, by outcome."""
        fields = ("server_error", "overloaded", "rate_limited", "connection_error", "client_error")
        return tuple((name, spec) for name in fields if (spec := getattr(self, name)) is not None)

    @model_validator(mode="after")
    def _statuses_fit(self) -> Self:
        for outcome, spec in self.at_once:
            if message := misfit(outcome, spec.status):
                raise contradiction(message, outcome, "status")
        return self

    @model_validator(mode="after")
    def _shares_of_one_whole(self) -> Self:
        total = sum(spec.rate for _, spec in self.at_once) + self.hang
        if total > 1.0 + 1e-9:
            raise contradiction(f"the shares of calls that fail add up to {total:.6g}, above 1")
        return self


class PriceSpec(Spec):
    """USD per million tokens, per request and per unit. It replaces the catalogue's price as a whole."""

    input_per_mtok: Usd | None = None
    output_per_mtok: Usd | None = None
    cached_input_per_mtok: Usd | None = None
    """By default the price of input."""
    cache_write_per_mtok: Usd | None = None
    """By default the price of input."""
    per_request: Usd | None = None
    per_unit: Usd | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise contradiction("an empty price: what is free has {per_request: 0}")
        if self.input_per_mtok is None and not (
            self.cached_input_per_mtok is None and self.cache_write_per_mtok is None
        ):
            raise contradiction("prices of cached input need input_per_mtok as well")
        return self


Billed = Literal["none", "input", "partial", "full"]


class BillingTable(Spec):
    """What each outcome is billed; outcomes left out are billed as by `provider`."""

    ok: Billed | None = None
    server_error: Billed | None = None
    overloaded: Billed | None = None
    rate_limited: Billed | None = None
    timeout: Billed | None = None
    connection_error: Billed | None = None
    client_error: Billed | None = None
    invalid_output: Billed | None = None
    cancelled: Billed | None = None
    broken_stream: Billed | None = None

    def over(self, table: dict[str, str]) -> dict[str, str]:
        return {**table, **{outcome: getattr(self, outcome) for outcome in self.model_fields_set}}


BILLING_SHORTHANDS: dict[str, dict[str, str]] = {
    "provider": {
        **dict.fromkeys((*ATTEMPT_OUTCOMES, "broken_stream"), "none"),
        **dict.fromkeys(("ok", "invalid_output"), "full"),
        **dict.fromkeys(("timeout", "cancelled", "broken_stream"), "partial"),
    },
    "per_attempt": dict.fromkeys((*ATTEMPT_OUTCOMES, "broken_stream"), "full"),
}


class BillingSpec(Spec):
    """A shorthand or a table."""

    shorthand: Literal["provider", "per_attempt"] = "provider"
    table: BillingTable = BillingTable()

    def outcomes(self) -> dict[str, str]:
        """What every attempt outcome, and `broken_stream`, is billed."""
        return self.table.over(BILLING_SHORTHANDS[self.shorthand])


def _billing(value: object) -> object:
    if isinstance(value, BillingSpec) or (isinstance(value, dict) and value.keys() == BillingSpec.model_fields.keys()):
        return value  # as a dumped scenario has it
    return {"table": value} if isinstance(value, dict) else {"shorthand": value}


class _BillingForms(Shorthand):
    """Only the two short forms are for authors: the full one is ours."""

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> Any:
        full = handler.resolve_ref_schema(handler(schema))
        return {"anyOf": [full["properties"]["table"] | {}, self.schema]} if "properties" in full else self.schema


Billing = Annotated[BillingSpec, _BillingForms(_billing, {"enum": ["provider", "per_attempt"]})]

Tags = dict[Text, Word]


class ModelSpec(ComponentSpec):
    """A model of a provider: an endpoint that legs of the chain call."""

    latency: LatencySpec | None = None
    """Duration of a response: a duration, a distribution, or {connect, first_token, tokens_per_second}."""
    errors: ErrorsSpec | None = None
    price: PriceSpec | None = None
    """The catalogue's price by default."""
    quality: Annotated[Amount, Field(le=1e30)] | None = None
    """How good its answers are, on any scale."""
    tags: Tags = Field(default_factory=dict)
    limits: LimitList | None = None
    capacity: Capacity | None = None
    """Calls served at once, and a queue before them."""
    billing: Billing | None = None


class ProviderSpec(ComponentSpec):
    """A provider: an account with limits, and models; latency and errors are those of models without their own."""

    models: Annotated[dict[Text, Annotated[ModelSpec, MAY_BE_EMPTY]], Field(min_length=1)]
    catalogue: Text | None = None
    """Name of the provider in the catalogue of prices, if it is another one."""
    latency: LatencySpec | None = None
    errors: ErrorsSpec | None = None
    tags: Tags = Field(default_factory=dict)
    limits: LimitList | None = None
    capacity: Capacity | None = None
    """Calls served at once, and a queue before them."""
    billing: Billing | None = None
