"""What a run leaves: finished requests, ended attempts and transitions, in order of their end, in blocks of columns."""

from collections.abc import Mapping
from math import inf, nan
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from des.engine.call import Call
from des.engine.clock import Clock
from des.engine.kinds import Kinds
from des.engine.names import Names
from des.engine.request import Request
from des.engine.rows import Rows
from des.rules.billing import PICO
from des.scenario.plan import Plan
from des.vocabulary import PROBE, REQUEST_OK

Block = Mapping[str, NDArray[Any]]


class Sink(Protocol):
    """Where blocks of columns go: dictionary columns as codes, nulls as NaN or -1, money in picodollars too.

    What a client's policy refused itself comes once, at the end, counted by minute, leg and reason, for plans with one.
    """

    def requests(self, block: Block) -> None: ...
    def attempts(self, block: Block) -> None: ...
    def transitions(self, block: Block) -> None: ...
    def incidents(self, block: Block) -> None: ...
    def refusals(self, block: Block) -> None: ...


REQUEST_LAYOUT = [
    ("request_id", "q"),
    ("arrival_s", "d"),
    ("end_s", "d"),
    ("outcome", "b"),
    ("error_type", "b"),
    ("leg", "b"),
    ("rounds", "b"),
    ("attempts", "h"),
    ("backoff_s", "d"),
    ("queued_s", "d"),
    ("cost", "q"),
    ("wasted", "q"),
    ("input_tokens", "i"),
    ("output_tokens", "i"),
    ("response_cache_hit", "b"),
    ("lost_to", "h"),
]
ATTEMPT_LAYOUT = list(zip(Call._fields, "qhbbddbbqdqiiib", strict=True))
TRANSITION_LAYOUT = [("time_s", "d"), ("entity", "h"), ("kind", "b"), ("from", "b"), ("to", "b")]


class Recorder:
    """Rows come in order of time, and leave as sorted columns whenever a buffer is full.

    Rows without an end, which come last of all, wait in tables of their own.
    """

    def __init__(self, plan: Plan, names: Names, clock: Clock, sink: Sink) -> None:
        self._sink = sink
        self._names = names
        self.attempts = Rows(clock, ATTEMPT_LAYOUT, ("end_s", "request_id", "attempt"), self._send_attempts)
        self._requests = Rows(clock, REQUEST_LAYOUT, ("end_s", "request_id"), self._send_requests)
        self.transitions = Rows(clock, TRANSITION_LAYOUT, ("time_s", "entity"), self._send_transitions)
        self._endless_attempts = Rows(clock, ATTEMPT_LAYOUT, ("end_s", "request_id", "attempt"), None)
        self._endless_requests = Rows(clock, REQUEST_LAYOUT, ("end_s", "request_id"), None)
        endpoints = [plan.endpoints[leg.endpoint] for leg in plan.chain]
        self._provider_of_leg = np.array([names.providers.index(e.provider) for e in endpoints] + [-1])
        self._model_of_leg = np.array([names.models.index(e.model) for e in endpoints] + [-1])
        quality = [nan if e.quality is None else e.quality for e in endpoints]
        self._quality_of_leg = np.array([*quality, nan], dtype=np.float32)
        self._position_of_leg = np.array([*(leg.position for leg in plan.chain), -1], dtype=np.int8)
        kinds = Kinds(plan)
        self._status = np.array(kinds.statuses)
        self._outcome = np.array(kinds.outcomes, dtype=np.int8)

    def attempt(self, call: Call) -> None:
        """Take a call that may never end; one that does may go to `attempts` as it is, and before its end."""
        (self._endless_attempts if call.end_s == inf else self.attempts).append(call)

    def request(
        self, request: Request, end_s: float, outcome: int, error_type: int, lost_to: int, *, cached: bool = False
    ) -> None:
        last = request.last
        served = outcome == REQUEST_OK and last is not None
        row = (
            request.id,
            request.arrival_s,
            end_s,
            outcome,
            error_type,
            last.leg if served and last is not None else -1,
            request.rounds,
            request.attempts,
            request.backoff_s,
            request.queued_s,
            request.cost,
            request.cost - last.cost if served and last is not None else request.cost,
            request.input_tokens,
            request.output_tokens if outcome == REQUEST_OK else 0,
            cached,
            lost_to,
        )
        (self._endless_requests if end_s != end_s else self._requests).append(row)

    def transition(self, time_s: float, entity: str, kind: str, before: str, after: str) -> None:
        """Take a change of state; what changes often asks once for its `turn` and appends to `transitions`."""
        self.transitions.append((time_s, *self.turn(entity, kind, before, after)))

    def turn(self, entity: str, kind: str, before: str, after: str) -> tuple[int, int, int, int]:
        """A change of state in codes: a row of `transitions` but for its time."""
        names = self._names
        return (
            names.entities.index(entity),
            names.entity_kinds.index(kind),
            names.states.index(before),
            names.states.index(after),
        )

    def close(self, until_s: float) -> None:
        """Hand over what is left up to the end of the run; what never ended comes last, by number."""
        self._send_attempts(self.attempts.settle(until_s=until_s))
        self._send_requests(self._requests.settle(until_s=until_s))
        self._send_transitions(self.transitions.settle(until_s=until_s))
        self._send_attempts(self._endless_attempts.settle(until_s=nan))
        self._send_requests(self._endless_requests.settle(until_s=nan))

    def _send_transitions(self, rows: NDArray[Any]) -> None:
        if len(rows):
            self._sink.transitions({name: rows[name] for name, _ in TRANSITION_LAYOUT})

    def _send_attempts(self, rows: NDArray[Any]) -> None:
        if not len(rows):
            return
        start_s, leg, outcome, cost = rows["start_s"], rows["leg"], rows["outcome"], rows["cost"]
        end_s = np.where(np.isinf(rows["end_s"]), nan, rows["end_s"])
        self._sink.attempts(
            {
                "request_id": rows["request_id"],
                "attempt": rows["attempt"],
                "round": rows["round"],
                "chain_position": self._position_of_leg[leg],
                "leg": leg,
                "provider": self._provider_of_leg[leg],
                "model": self._model_of_leg[leg],
                "kind": np.where(rows["request_id"] < 0, PROBE, rows["kind"]),
                "start_s": start_s,
                "end_s": end_s,
                "duration_s": end_s - start_s,
                "outcome": self._outcome[outcome],
                "http_status": np.where(np.isnan(end_s), -1, self._status[outcome]),
                "cause": rows["cause"],
                "cause_id": rows["cause_id"],
                "retry_after_s": rows["retry_after_s"],
                "cost_picousd": cost,
                "cost_usd": cost / PICO,
                "input_tokens": rows["input_tokens"],
                "cached_tokens": rows["cached_tokens"],
                "output_tokens": rows["output_tokens"],
            }
        )

    def _send_requests(self, rows: NDArray[Any]) -> None:
        if not len(rows):
            return
        leg, arrival_s, end_s = rows["leg"], rows["arrival_s"], rows["end_s"]
        self._sink.requests(
            {
                "request_id": rows["request_id"],
                "arrival_s": arrival_s,
                "end_s": end_s,
                "latency_s": end_s - arrival_s,
                "outcome": rows["outcome"],
                "error_type": rows["error_type"],
                "provider": self._provider_of_leg[leg],
                "model": self._model_of_leg[leg],
                "chain_position": self._position_of_leg[leg],
                "rounds": rows["rounds"],
                "attempts": rows["attempts"],
                "backoff_s": rows["backoff_s"],
                "queued_s": rows["queued_s"],
                "cost_picousd": rows["cost"],
                "wasted_picousd": rows["wasted"],
                "cost_usd": rows["cost"] / PICO,
                "wasted_cost_usd": rows["wasted"] / PICO,
                "input_tokens": rows["input_tokens"],
                "output_tokens": rows["output_tokens"],
                "response_cache_hit": rows["response_cache_hit"].astype(bool),
                "quality": self._quality_of_leg[leg],
                "weight": np.ones(len(rows)),
                "lost_to": rows["lost_to"],
                "served_by": leg,
            }
        )
