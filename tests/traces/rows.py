"""Synthetic blocks of rows as the engine hands them to the writer."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from des.traces.writer import TraceWriter
from des.vocabulary import (
    ATTEMPT_KINDS,
    ATTEMPT_OUTCOMES,
    CAUSES,
    COMPONENT_STATES,
    ERROR_TYPES,
    INCIDENT_KINDS,
    REQUEST_OUTCOMES,
)

ARMS = ("as_modelled", "primary_only")
PROVIDERS = ("anthropic", "openai")
MODELS = ("claude-sonnet-4-6", "gpt-5-mini")
NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "requests": {
        "arm": ARMS,
        "outcome": REQUEST_OUTCOMES,
        "error_type": ERROR_TYPES,
        "provider": PROVIDERS,
        "model": MODELS,
    },
    "attempts": {
        "arm": ARMS,
        "leg": ("anthropic/claude-sonnet-4-6", "openai/gpt-5-mini"),
        "provider": PROVIDERS,
        "model": MODELS,
        "kind": ATTEMPT_KINDS,
        "outcome": ATTEMPT_OUTCOMES,
        "cause": CAUSES,
    },
    "incidents": {"arm": ARMS, "component": ("cdn", *PROVIDERS), "kind": INCIDENT_KINDS},
    "transitions": {
        "arm": ARMS,
        "entity": ("cdn", *PROVIDERS),
        "kind": ("component",),
        "from": COMPONENT_STATES,
        "to": COMPONENT_STATES,
    },
    "minutes": {"arm": ARMS},
}

Block = dict[str, NDArray[Any]]


def requests(rows: int, served: bool = True) -> Block:
    """Requests that are all served by the primary, or all fail for good; ids count from 0."""
    number = np.arange(rows)
    never = np.full(rows, np.nan)
    none = np.full(rows, -1)
    return {
        "request_id": number,
        "arrival_s": number * 1.0,
        "end_s": number + 0.25 if served else never,
        "latency_s": np.full(rows, 0.25) if served else never,
        "outcome": np.full(rows, 0 if served else 1),
        "error_type": none if served else np.full(rows, ERROR_TYPES.index("hang")),
        "provider": number % 2 if served else none,
        "model": number % 2 if served else none,
        "chain_position": np.zeros(rows, np.int64) if served else none,
        "rounds": np.ones(rows, np.int64),
        "attempts": np.ones(rows, np.int64),
        "backoff_s": np.zeros(rows),
        "queued_s": np.zeros(rows),
        "cost_usd": np.full(rows, 0.125),
        "wasted_cost_usd": np.zeros(rows),
        "input_tokens": number + 1,
        "output_tokens": number + 2,
        "response_cache_hit": number % 3 == 0,
        "quality": np.full(rows, 0.5 if served else np.nan, np.float32),
        "weight": np.ones(rows),
        "lost_to": none,
    }


def attempts(rows: int) -> Block:
    """Attempts that are all served, every fourth a probe and every fifth refused by a limit."""
    number = np.arange(rows)
    refused = number % 5 == 0
    return {
        "request_id": np.where(number % 4 == 0, -1, number),
        "attempt": np.zeros(rows, np.int64),
        "round": np.zeros(rows, np.int64),
        "chain_position": number % 2,
        "leg": number % 2,
        "provider": number % 2,
        "model": number % 2,
        "kind": np.where(number % 4 == 0, ATTEMPT_KINDS.index("probe"), 0),
        "start_s": number * 1.0,
        "end_s": number + 0.25,
        "duration_s": np.full(rows, 0.25),
        "outcome": np.where(refused, ATTEMPT_OUTCOMES.index("rate_limited"), 0),
        "http_status": np.where(refused, 429, -1),
        "cause": np.where(refused, CAUSES.index("limit"), -1),
        "cause_id": np.where(refused, 0, -1),
        "retry_after_s": np.where(refused, 0.04, np.nan),
        "cost_usd": np.full(rows, 0.125),
        "input_tokens": number + 1,
        "cached_tokens": number,
        "output_tokens": number + 2,
    }


def incidents() -> Block:
    endpoints = np.empty(2, object)
    endpoints[:] = [["anthropic/claude-sonnet-4-6", "openai/gpt-5-mini"], []]
    return {
        "incident_id": np.arange(2),
        "component": np.array([0, 1]),
        "kind": np.array([0, 3]),
        "shared": np.array([True, False]),
        "start_s": np.array([-5.0, 7.0]),
        "end_s": np.array([3.0, 9.0]),
        "error_rate": np.array([1.0, 0.5]),
        "latency_factor": np.array([1.0, 2.0]),
        "hang": np.zeros(2),
        "kills_in_flight": np.array([True, False]),
        "endpoints": endpoints,
    }


def transitions() -> Block:
    return {
        "time_s": np.array([0.0, 3.0]),
        "entity": np.array([0, 0]),
        "kind": np.array([0, 0]),
        "from": np.array([-1, 2]),
        "to": np.array([2, 0]),
    }


def writer(directory: Path, table: str, arm: str = "as_modelled", replication: int = 0) -> TraceWriter:
    return TraceWriter(directory, table, arm, replication, NAMES[table], '{"title": "two peers"}')
