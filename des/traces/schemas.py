"""The tables of a run as explicit Arrow schemas: columns, order, types, units and OpenTelemetry names.

A schema does not depend on the rows, so a column with only nulls keeps its type. Each field's metadata has its `unit`
(if any), the corresponding `otel` attribute (OpenTelemetry semantic conventions for generative AI and HTTP, if any) and
a `description`.
"""

from collections.abc import Mapping
from typing import Final

import pyarrow as pa

ROWS_PER_GROUP: Final = 122_880


def _names(bits: pa.DataType) -> pa.DataType:
    return pa.dictionary(bits, pa.string())


_FEW: Final = _names(pa.int8())
"""Names from a fixed vocabulary (outcomes, kinds, causes)."""
_MANY: Final = _names(pa.int16())
"""Names from a scenario (arms, providers, models, legs, components)."""


def _field(
    name: str, kind: pa.DataType, description: str, *, unit: str = "", otel: str = "", null: bool = False
) -> pa.Field:
    metadata = {"unit": unit, "otel": otel, "description": description}
    return pa.field(name, kind, nullable=null, metadata={key: text for key, text in metadata.items() if text})


def _run_columns() -> list[pa.Field]:
    return [
        _field("arm", _MANY, "variant of the scenario"),
        _field("replication", pa.int32(), "independent run of the arm, from 0"),
    ]


def _schema(description: str, fields: list[pa.Field]) -> pa.Schema:
    return pa.schema([*_run_columns(), *fields], metadata={"description": description})


REQUESTS: Final = _schema(
    "One row per request, sorted by end time, then request_id; requests that never end come last.",
    [
        _field("request_id", pa.int64(), "number of the request in its replication, from 0"),
        _field("arrival_s", pa.float64(), "when the request was sent, since the scenario's start", unit="s"),
        _field("end_s", pa.float64(), "when its user had an answer or gave up; null if never", unit="s", null=True),
        _field("latency_s", pa.float64(), "from arrival to end; null if it never ended", unit="s", null=True),
        _field("outcome", _FEW, "ok, failed, deadline, rejected or in_flight"),
        _field("error_type", _FEW, "its last failure; null on success", otel="error.type", null=True),
        _field("provider", _MANY, "provider that served; null if none did", otel="gen_ai.provider.name", null=True),
        _field("model", _MANY, "model that served; null if none did", otel="gen_ai.request.model", null=True),
        _field("chain_position", pa.int8(), "leg that served: 0 the primary, -1 none"),
        _field("rounds", pa.int8(), "passes over the chain that were begun"),
        _field("attempts", pa.int16(), "calls made, hedges included"),
        _field("backoff_s", pa.float64(), "time spent waiting between attempts", unit="s"),
        _field("queued_s", pa.float64(), "time spent waiting for a free place before a call", unit="s"),
        _field("cost_usd", pa.float64(), "what all of its attempts were billed", unit="USD"),
        _field("wasted_cost_usd", pa.float64(), "the part of it billed for attempts that did not serve", unit="USD"),
        _field("input_tokens", pa.int32(), "length of the prompt", unit="token", otel="gen_ai.usage.input_tokens"),
        _field(
            "output_tokens",
            pa.int32(),
            "length of the answer; 0 if the request was not served",
            unit="token",
            otel="gen_ai.usage.output_tokens",
        ),
        _field("response_cache_hit", pa.bool_(), "answered out of the client's response cache"),
        _field("quality", pa.float32(), "quality of the model that served; null if unknown or none did", null=True),
        _field("weight", pa.float64(), "requests that this row stands for: 1 unless a rare-event estimator ran"),
    ],
)

ATTEMPTS: Final = _schema(
    "One row per call of a leg (a probe is a call without a request), sorted by end time, then request_id and attempt.",
    [
        _field("request_id", pa.int64(), "the request it was made for; null for probes", null=True),
        _field("attempt", pa.int16(), "number of the attempt in its request, from 0"),
        _field("round", pa.int8(), "pass over the chain, from 0"),
        _field("chain_position", pa.int8(), "number of the leg in the chain, from 0"),
        _field("leg", _MANY, "leg of the chain that was called"),
        _field("provider", _MANY, "provider that was called", otel="gen_ai.provider.name"),
        _field("model", _MANY, "model that was called", otel="gen_ai.request.model"),
        _field("kind", _FEW, "call, hedge or probe"),
        _field("start_s", pa.float64(), "when the call was sent, since the scenario's start", unit="s"),
        _field("end_s", pa.float64(), "when its client had an answer or gave up; null if never", unit="s", null=True),
        _field("duration_s", pa.float64(), "from start to end; null if it never ended", unit="s", null=True),
        _field("outcome", _FEW, "ok, or how it failed"),
        _field(
            "http_status",
            pa.int16(),
            "status that the client saw; null without a complete response",
            otel="http.response.status_code",
            null=True,
        ),
        _field("cause", _FEW, "why it did not serve; null if it did, or if the outcome says it all", null=True),
        _field("cause_id", pa.int64(), "number of the incident or limit that was the cause", null=True),
        _field("retry_after_s", pa.float64(), "wait that a refusal asked for", unit="s", null=True),
        _field("cost_usd", pa.float64(), "what it was billed", unit="USD"),
        _field("input_tokens", pa.int32(), "tokens sent", unit="token", otel="gen_ai.usage.input_tokens"),
        _field(
            "cached_tokens",
            pa.int32(),
            "tokens of the input that the provider's prompt cache held",
            unit="token",
            otel="gen_ai.usage.cache_read.input_tokens",
        ),
        _field("output_tokens", pa.int32(), "tokens received", unit="token", otel="gen_ai.usage.output_tokens"),
    ],
)

_INCIDENTS: Final = _schema(
    "One row per incident of a component, sorted by start, then incident_id.",
    [
        _field("incident_id", pa.int64(), "number of the incident in its replication; attempts name it as cause_id"),
        _field("component", _MANY, "what failed"),
        _field("kind", _FEW, "class of incident it was drawn from"),
        _field("shared", pa.bool_(), "reached endpoints of more than one provider"),
        _field("start_s", pa.float64(), "start, since the scenario's; negative if it was open before", unit="s"),
        _field("end_s", pa.float64(), "end (exclusive); may lie past the horizon", unit="s"),
        _field("error_rate", pa.float64(), "share of calls that fail; 1 is an outage", unit="1"),
        _field("latency_factor", pa.float64(), "factor on the time of a response", unit="1"),
        _field("hang", pa.float64(), "share of calls that never answer", unit="1"),
        _field("kills_in_flight", pa.bool_(), "its start also fails calls already in flight"),
        _field(
            "endpoints", pa.list_(pa.field("item", pa.string(), nullable=False)), "endpoints it reached: provider/model"
        ),
    ],
)

_TRANSITIONS: Final = _schema(
    "One row per change of state of a component or a leg, sorted by time, then entity in the model's order.",
    [
        _field("time_s", pa.float64(), "when, since the scenario's start", unit="s"),
        _field("entity", _MANY, "what changed its state"),
        _field("kind", _FEW, "what sort of thing the entity is"),
        _field("from", _FEW, "state until then; null for the first", null=True),
        _field("to", _FEW, "state from then on"),
    ],
)

_MINUTES: Final = _schema(
    "One row per minute, sorted by time, up to the horizon or the last minute after it in which anything happened. "
    "A run of more than 31 days has bins of several minutes: bin_s. Probes are left out.",
    [
        _field("time_s", pa.float64(), "start of the bin, since the scenario's start", unit="s"),
        _field(
            "bin_s",
            pa.float64(),
            "length of the bin: 60, or a multiple of it where the horizon is longer than 31 days",
            unit="s",
        ),
        _field("offered", pa.int64(), "requests that arrived"),
        _field("calls", pa.int64(), "calls sent, hedges not included"),
        _field("hedges", pa.int64(), "hedges sent"),
        _field("retries", pa.int64(), "calls sent that were not the first of their request"),
        _field("admitted", pa.int64(), "calls and hedges sent that no budget, limit or capacity refused"),
        _field(
            "refused_by_budget",
            pa.int64(),
            "calls and hedges that a budget of the client's own refused: they never reached a provider",
        ),
        _field("refused_by_limit", pa.int64(), "calls and hedges sent that a provider's limit answered with 429"),
        _field("refused_by_capacity", pa.int64(), "calls and hedges sent that a capacity or a surge answered with 529"),
        _field("refused_by_client", pa.int64(), "times that the client itself refused a leg or a group to a request"),
        _field("served", pa.int64(), "requests that arrived and were served in the end"),
        _field("goodput", pa.int64(), "requests whose answer came"),
        _field("late_work", pa.int64(), "calls and hedges that their client gave up: timed out or cancelled"),
        _field("failed", pa.int64(), "requests that arrived and were lost in the end"),
    ],
)

TABLES: Final[Mapping[str, pa.Schema]] = {
    "requests": REQUESTS,
    "attempts": ATTEMPTS,
    "incidents": _INCIDENTS,
    "transitions": _TRANSITIONS,
    "minutes": _MINUTES,
}
