"""Components, providers and models: what fails, how fast they answer, what they cost."""

from collections.abc import Mapping
from math import inf, nan, nextafter
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, PlainSerializer, Tag, model_validator

from des.distributions import Constant, Distribution
from des.scenario.schema.distributions import (
    DurationDistribution,
    ShareDistribution,
    SpeedDistribution,
    is_parameter,
    written_duration,
)
from des.scenario.schema.incidents import Effect, Incidents, PoissonIncidents
from des.scenario.schema.limits import CapacityOrNumber, LimitList
from des.scenario.schema.setting import (
    MAY_BE_EMPTY,
    SHARE_SCHEMA,
    ReadAs,
    Setting,
    Shorthand,
    Text,
    WorkedOut,
    contradiction,
    mapping_or_word,
    scalar_as,
)
from des.scenario.schema.statuses import NO_RESPONSE, Status, misfit
from des.scenario.text.quantities import Amount, Duration, Positive, PositiveDuration, Share, Usd, Word
from des.scenario.text.units import read_usd
from des.vocabulary import ATTEMPT_OUTCOMES


class Dependency(Setting):
    """A component that this one depends on, and the share of its incidents that reach it."""

    component: Text
    """Name of the component that this one depends on."""
    share: Share = 1.0
    """Share of its incidents that reach this one; 100% by default."""


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


_DependencyList = tuple[
    Annotated[
        Dependency,
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


class ComponentSpec(Setting):
    """Anything that can fail. There are three ways to describe its failures.

    `incidents` lists classes of incidents. `availability` with `episodes_per_year` states outages of all causes; the
    component's own outages are what the shared ones leave over. `mttf` with `mttr` alternates exponential up and down
    times.
    """

    depends_on: _DependencyList = ()
    """Components whose incidents reach this one: [cdn], or [{cdn: 80%}] for a share of them."""
    incidents: tuple[Incidents, ...] = ()
    """Classes of incidents, each with its effect; none by default."""
    availability: Share | None = None
    """Share of time up, counting outages of all causes."""
    episodes_per_year: Positive | None = None
    """Number of times it goes down per year, counting outages of all causes."""
    duration: DurationDistribution | None = None
    """Shape of outage durations (the mean follows from the other fields); lognormal with sigma 1.3 by default."""
    mttf_s: PositiveDuration | None = None
    """Mean time to failure."""
    mttr_s: PositiveDuration | None = None
    """Mean time to repair."""
    effect: Effect | None = None
    """Effect on calls of outages given by availability, or of failures given by mttf."""

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
        if (self.mttf_s is None) != (self.mttr_s is None):
            raise contradiction("mttf and mttr belong together", "mttf" if self.mttr_s is None else "mttr")
        if self.availability is not None and self.mttf_s is not None:
            raise contradiction("either availability and episodes_per_year, or mttf and mttr", "mttf")
        if self.mttf_s is not None and self.incidents:
            raise contradiction("either mttf and mttr, or incidents (kind: renewal says the same)", "mttf")
        if self.availability is None and self.duration is not None:
            raise contradiction(
                "duration is the shape of outages given by availability and episodes_per_year", "duration"
            )
        if self.availability is None and self.mttf_s is None and self.effect is not None:
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
                "availability must lie between 0% and 100%, both excluded; leave it out for what never fails",
                "availability",
            )
        if self.effect is not None and self.effect.error_rate < 1.0:
            raise contradiction(
                "availability counts outages, so its effect has error_rate: 100%; list brownouts under incidents",
                "effect",
                "error_rate",
            )
        for position, incident in enumerate(self.incidents):
            if not isinstance(incident, PoissonIncidents) or incident.error_rate >= 1.0:
                raise contradiction(
                    "availability states outages of all causes: beside it, incidents may only be brownouts "
                    "(kind: poisson with error_rate below 100%)",
                    "incidents",
                    position,
                )
        return self


class Latency(Setting):
    """A streamed response: connect, wait for the first token, then output tokens at a constant speed."""

    whole: WorkedOut[Distribution | None] = None
    """Replaces the other fields: a response of this duration, with no token before its end."""
    connect: DurationDistribution | None = None
    """Time to open a connection; none by default."""
    first_token: DurationDistribution | None = None
    """Time from the connection to the first token; none by default."""
    tokens_per_s: Annotated[SpeedDistribution | None, Field(alias="tokens_per_second")] = None
    """Speed of the output in tokens per second; without it, all tokens come at once."""

    @model_validator(mode="after")
    def _takes_time(self) -> Self:
        if self.connect is None and self.first_token is None and self.tokens_per_s is None:
            raise contradiction(
                "empty: write a duration, a distribution (kind: ...), or {first_token, tokens_per_second}"
            )
        return self


_STREAMED = {"connect", "first_token", "tokens_per_second"}


def _latency_form(value: object) -> str:
    if not isinstance(value, dict) or "kind" in value:
        return "whole"
    return "stream" if value.keys() & _STREAMED or not any(is_parameter(key) for key in value) else "whole"


def _read_latency(form: Distribution | Latency) -> Latency:
    return form if isinstance(form, Latency) else Latency(whole=form)


def _write_latency(latency: Latency) -> Any:
    if latency.whole is not None:
        return written_duration(latency.whole)
    return latency.model_dump(mode="json", exclude_unset=True)


_AnyLatency = Annotated[
    Latency,
    ReadAs(
        Annotated[
            Annotated[DurationDistribution, Tag("whole")] | Annotated[Latency, Tag("stream")],
            Discriminator(_latency_form),
        ],
        _read_latency,
        _write_latency,
    ),
]


class RandomError(Setting):
    """A share of calls that fail at random, and how long such a failure takes."""

    outcome: WorkedOut[str] = ""
    """An attempt outcome other than ok, or `hang`; scenarios write it as the key."""
    rate: Share
    """Share of calls that fail in this way."""
    latency: DurationDistribution = Constant(0.2)
    """Time until the failure is answered; 200 ms by default."""
    status: Status | None = None
    """HTTP status, if it is not the usual one of the outcome."""
    retry_after_s: Duration | None = None
    """Retry-After sent with the failure; none by default."""

    @property
    def told_s(self) -> float:
        """The Retry-After, NaN for none."""
        return nan if self.retry_after_s is None else self.retry_after_s


_ErrorShare = Annotated[RandomError, scalar_as("rate", SHARE_SCHEMA)]


class BrokenStreams(Setting):
    """A share of responses that break off after part of their output. They are connection errors, billed in part."""

    rate: Share
    """Share of responses that break off."""
    after: ShareDistribution = Constant(0.5)
    """Share of the output received before the break; half by default."""


class Errors(Setting):
    """Calls that fail at random, by outcome: a share, or {rate, latency}."""

    server_error: _ErrorShare | None = None
    """Share of calls that fail with a 500, or a mapping with rate and latency; none by default."""
    overloaded: _ErrorShare | None = None
    """Share of calls that are refused with a 529, or a mapping with rate and latency; none by default."""
    rate_limited: _ErrorShare | None = None
    """Share of calls that are refused with a 429 whatever the load, or a mapping; none by default."""
    connection_error: _ErrorShare | None = None
    """Share of calls without a connection, or a mapping with rate and latency; none by default."""
    client_error: _ErrorShare | None = None
    """Share of calls that fail with a 400, or a mapping with rate and latency; none by default."""
    invalid_output: Share = 0.0
    """Share of complete responses that the caller's parser rejects."""
    hang: Share = 0.0
    """Share of calls that never answer."""
    mid_stream: BrokenStreams | None = None
    """Responses that break off after part of their output; none by default."""

    @property
    def at_once(self) -> tuple[RandomError, ...]:
        """Errors returned in place of a response, in the order of outcomes."""
        fields = ("server_error", "overloaded", "rate_limited", "connection_error", "client_error")
        said = ((name, getattr(self, name)) for name in fields)
        return tuple(error.model_copy(update={"outcome": name}) for name, error in said if error is not None)

    @property
    def at_random(self) -> tuple[RandomError, ...]:
        """Everything that a call may draw in place of a response, including hangs."""
        hangs = RandomError(outcome="hang", rate=self.hang)
        return tuple(error for error in (*self.at_once, hangs) if error.rate > 0.0)

    @property
    def broken_streams(self) -> BrokenStreams | None:
        return self.mid_stream if self.mid_stream is not None and self.mid_stream.rate > 0.0 else None

    @model_validator(mode="after")
    def _statuses_fit(self) -> Self:
        for error in self.at_once:
            if error.outcome == "connection_error" and error.retry_after_s is not None:
                raise contradiction(NO_RESPONSE, "connection_error", "retry_after")
            if message := misfit(error.outcome, error.status):
                raise contradiction(message, error.outcome, "status")
        return self

    @model_validator(mode="after")
    def _shares_of_one_whole(self) -> Self:
        total = sum(error.rate for error in self.at_once) + self.hang
        if total > 1.0 + 1e-9:
            raise contradiction(f"the shares of calls that fail add up to {total:.6g}, above 1")
        return self


def _per_token(usd_per_mtok: object) -> float:
    return read_usd(usd_per_mtok) / 1e6


def _per_mtok(usd_per_token: float) -> float:
    """The price per million that reads back as this price: the shortest such number, if there is one."""
    usd = usd_per_token * 1e6
    nearby = (float(f"{usd:.15g}"), usd, nextafter(usd, 0.0), nextafter(usd, inf))
    return next((each for each in nearby if each / 1e6 == usd_per_token), usd)


_UsdPerMillion = Annotated[Usd, BeforeValidator(_per_token), PlainSerializer(_per_mtok)]


class Price(Setting):
    """USD per million tokens, per request and per unit. It replaces the whole price of the catalogue."""

    input_per_token: Annotated[_UsdPerMillion, Field(alias="input_per_mtok")] = 0.0
    """USD per million input tokens; 0 by default."""
    output_per_token: Annotated[_UsdPerMillion, Field(alias="output_per_mtok")] = 0.0
    """USD per million output tokens; 0 by default."""
    cached_input_per_token: Annotated[_UsdPerMillion, Field(alias="cached_input_per_mtok")] = 0.0
    """The price of input by default."""
    cache_write_per_token: Annotated[_UsdPerMillion, Field(alias="cache_write_per_mtok")] = 0.0
    """The price of input by default."""
    per_request: Usd = 0.0
    """USD per request; 0 by default."""
    per_unit: Usd = 0.0
    """USD per billed unit, such as an image; 0 by default."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise contradiction("an empty price: write {per_request: 0} if it is free")
        return self

    @model_validator(mode="after")
    def _cached_input_costs_as_input(self) -> Self:
        cached = {"cached_input_per_token", "cache_write_per_token"}
        if "input_per_token" not in self.model_fields_set and self.model_fields_set & cached:
            raise contradiction("prices of cached input need input_per_mtok as well")
        self.__dict__.update(dict.fromkeys(cached - self.model_fields_set, self.input_per_token))
        return self


Billed = Literal["none", "input", "partial", "full"]


class BillingTable(Setting):
    """How each outcome is billed. Outcomes left out are billed as under `provider`."""

    ok: Billed | None = None
    """What a call of outcome ok pays; as under `provider` by default."""
    server_error: Billed | None = None
    """What a call of outcome server_error pays; as under `provider` by default."""
    overloaded: Billed | None = None
    """What a call of outcome overloaded pays; as under `provider` by default."""
    rate_limited: Billed | None = None
    """What a call of outcome rate_limited pays; as under `provider` by default."""
    timeout: Billed | None = None
    """What a call of outcome timeout pays; as under `provider` by default."""
    connection_error: Billed | None = None
    """What a call of outcome connection_error pays; as under `provider` by default."""
    client_error: Billed | None = None
    """What a call of outcome client_error pays; as under `provider` by default."""
    invalid_output: Billed | None = None
    """What a call of outcome invalid_output pays; as under `provider` by default."""
    cancelled: Billed | None = None
    """What a call of outcome cancelled pays; as under `provider` by default."""
    broken_stream: Billed | None = None
    """What a response pays that `mid_stream` broke off; as under `provider` by default."""


_BILLING: dict[str, dict[str, str]] = {
    "provider": {
        **dict.fromkeys((*ATTEMPT_OUTCOMES, "broken_stream"), "none"),
        **dict.fromkeys(("ok", "invalid_output"), "full"),
        **dict.fromkeys(("timeout", "cancelled", "broken_stream"), "partial"),
    },
    "per_attempt": dict.fromkeys((*ATTEMPT_OUTCOMES, "broken_stream"), "full"),
}
BILLED_BY_PROVIDER: Mapping[str, str] = _BILLING["provider"]


def _read_billing(form: str | BillingTable) -> Mapping[str, str]:
    if isinstance(form, str):
        return _BILLING[form]
    return {**BILLED_BY_PROVIDER, **{outcome: getattr(form, outcome) for outcome in form.model_fields_set}}


Billing = Annotated[
    Mapping[str, str],
    ReadAs(
        Annotated[
            Annotated[BillingTable, Tag("mapping")] | Annotated[Literal["provider", "per_attempt"], Tag("word")],
            Discriminator(mapping_or_word),
        ],
        _read_billing,
        dict,
    ),
]
"""How every attempt outcome and `broken_stream` is billed: none, input, partial or full."""

Tags = dict[Text, Word]


class Model(ComponentSpec):
    """A model of a provider: an endpoint that legs of the chain call."""

    latency: _AnyLatency | None = None
    """Duration of a response: a duration, a distribution, or {connect, first_token, tokens_per_second}."""
    errors: Errors | None = None
    """Calls that fail at random; the provider's by default."""
    price: Price | None = None
    """The catalogue's price by default."""
    quality: Annotated[Amount, Field(le=1e30)] | None = None
    """Quality of its answers, on any scale."""
    tags: Tags = Field(default_factory=dict)
    """Tags of this model, such as {region: eu}, beside those of the provider."""
    limits: LimitList | None = None
    """Rate limits of this model, beside those of its provider's account; none by default."""
    capacity: CapacityOrNumber | None = None
    """Number of calls served at once, with a queue."""
    billing: Billing | None = None
    """What each outcome pays at this model; the provider's by default."""


class Provider(ComponentSpec):
    """A provider: an account with limits and models. Its latency and errors apply to models without their own."""

    models: Annotated[dict[Text, Annotated[Model, MAY_BE_EMPTY]], Field(min_length=1)]
    """Models by name, each an endpoint that legs call."""
    catalogue: Text | None = None
    """Name of the provider in the price catalogue, if different."""
    latency: _AnyLatency | None = None
    """Duration of a response of models that set none of their own."""
    errors: Errors | None = None
    """Calls that fail at random, at models that set none of their own."""
    tags: Tags = Field(default_factory=dict)
    """Tags that its models and legs inherit, such as {region: eu}; none by default."""
    limits: LimitList | None = None
    """Rate limits of the account, shared by its models; none by default."""
    capacity: CapacityOrNumber | None = None
    """Number of calls served at once, with a queue."""
    billing: Billing | None = None
    """What each outcome pays at this provider; the policy's by default."""
