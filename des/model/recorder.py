"""What a run leaves: finished requests, ended attempts and transitions, in order of their end, in blocks of columns."""

from collections.abc import Callable, Mapping
from math import inf, nan
from operator import itemgetter
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from des import vocabulary
from des.model.call import Call
from des.model.names import Names
from des.model.request import Request
from des.rules.billing import PICO
from des.scenario.plan import Plan
from des.vocabulary import CALL, PROBE, REQUEST_OK

Block = Mapping[str, NDArray[Any]]
ROWS = 16_384  # rows held as Python tuples before they become columns


class Sink(Protocol):
    """Where blocks of columns go: dictionary columns as codes, nulls as NaN or -1, money in picodollars too."""

    def requests(self, block: Block) -> None: ...
    def attempts(self, block: Block) -> None: ...
    def transitions(self, block: Block) -> None: ...
    def incidents(self, block: Block) -> None: ...


RequestRow = tuple[int, float, float, int, int, int, int, int, float, int, int, int, int, bool, int]
TransitionRow = tuple[float, int, int, int, int]


class Recorder:
    """Rows come in order of time; those of the last instant are held back, since others may join them."""

    def __init__(self, plan: Plan, names: Names, sink: Sink) -> None:
        self._sink = sink
        self._names = names
        self._attempts: list[Call] = []
        self._requests: list[RequestRow] = []
        self._endless_attempts: list[Call] = []
        self._endless_requests: list[RequestRow] = []
        self._transitions: list[TransitionRow] = []
        self._due_attempts = self._due_requests = self._due_transitions = ROWS
        endpoints = [plan.endpoints[leg.endpoint] for leg in plan.chain]
        self._provider_of_leg = np.array([names.providers.index(e.provider) for e in endpoints] + [-1])
        self._model_of_leg = np.array([names.models.index(e.model) for e in endpoints] + [-1])
        quality = [nan if e.quality is None else e.quality for e in endpoints]
        self._quality_of_leg = np.array([*quality, nan], dtype=np.float32)
        self._status = np.array([-1 if status is None else status for status in vocabulary.HTTP_STATUS])

    def attempt(self, call: Call) -> None:
        if call.end_s == inf:
            self._endless_attempts.append(call)
            return
        self._attempts.append(call)
        if len(self._attempts) >= self._due_attempts:
            self._flush_attempts(last=False)

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
            request.cost,
            request.cost - last.cost if served and last is not None else request.cost,
            request.input_tokens,
            request.output_tokens if outcome == REQUEST_OK else 0,
            cached,
            lost_to,
        )
        if end_s != end_s:
            self._endless_requests.append(row)
            return
        self._requests.append(row)
        if len(self._requests) >= self._due_requests:
            self._flush_requests(last=False)

    def transition(self, time_s: float, entity: str, kind: str, before: str, after: str) -> None:
        names = self._names
        self._transitions.append(
            (
                time_s,
                names.entities.index(entity),
                names.entity_kinds.index(kind),
                names.states.index(before),
                names.states.index(after),
            )
        )
        if len(self._transitions) >= self._due_transitions:
            self._flush_transitions(last=False)

    def close(self) -> None:
        """Hand over what is left; what never ended comes last, by number."""
        self._flush_attempts(last=True)
        self._flush_requests(last=True)
        self._flush_transitions(last=True)
        if self._endless_attempts:
            self._send_attempts(sorted(self._endless_attempts, key=lambda call: (call.request_id, call.attempt)))
        if self._endless_requests:
            self._send_requests(sorted(self._endless_requests, key=itemgetter(0)))

    def _flush_attempts(self, *, last: bool) -> None:
        rows, self._attempts = _settled(self._attempts, itemgetter(5, 0, 1), last=last)
        self._due_attempts = ROWS + 2 * len(self._attempts)
        if rows:
            self._send_attempts(rows)

    def _flush_requests(self, *, last: bool) -> None:
        rows, self._requests = _settled(self._requests, itemgetter(2, 0), last=last)
        self._due_requests = ROWS + 2 * len(self._requests)
        if rows:
            self._send_requests(rows)

    def _flush_transitions(self, *, last: bool) -> None:
        rows, self._transitions = _settled(self._transitions, itemgetter(0, 1), last=last)
        self._due_transitions = ROWS + 2 * len(self._transitions)
        if rows:
            time_s, entity, kind, before, after = zip(*rows, strict=True)
            self._sink.transitions(
                {
                    "time_s": np.array(time_s),
                    "entity": np.array(entity),
                    "kind": np.array(kind),
                    "from": np.array(before),
                    "to": np.array(after),
                }
            )

    def _send_attempts(self, rows: list[Call]) -> None:
        values = zip(*rows, strict=True)
        columns: dict[str, NDArray[Any]] = dict(zip(Call._fields, map(np.array, values), strict=True))
        start_s, leg, outcome, cost = columns["start_s"], columns["leg"], columns["outcome"], columns["cost"]
        end_s = np.where(np.isinf(columns["end_s"]), nan, columns["end_s"])
        self._sink.attempts(
            {
                "request_id": columns["request_id"],
                "attempt": columns["attempt"],
                "round": columns["round"],
                "chain_position": leg,
                "leg": leg,
                "provider": self._provider_of_leg[leg],
                "model": self._model_of_leg[leg],
                "kind": np.where(columns["request_id"] < 0, PROBE, CALL),
                "start_s": start_s,
                "end_s": end_s,
                "duration_s": end_s - start_s,
                "outcome": outcome,
                "http_status": np.where(np.isnan(end_s), -1, self._status[outcome]),
                "cause": columns["cause"],
                "cause_id": columns["cause_id"],
                "retry_after_s": columns["retry_after_s"],
                "cost_picousd": cost,
                "cost_usd": cost / PICO,
                "input_tokens": columns["input_tokens"],
                "cached_tokens": columns["cached_tokens"],
                "output_tokens": columns["output_tokens"],
            }
        )

    def _send_requests(self, rows: list[RequestRow]) -> None:
        columns = [np.array(column) for column in zip(*rows, strict=True)]
        number, arrival_s, end_s, outcome, error_type, leg, rounds, attempts, backoff_s = columns[:9]
        cost, wasted, input_tokens, output_tokens, cached, lost_to = columns[9:]
        self._sink.requests(
            {
                "request_id": number,
                "arrival_s": arrival_s,
                "end_s": end_s,
                "latency_s": end_s - arrival_s,
                "outcome": outcome,
                "error_type": error_type,
                "provider": self._provider_of_leg[leg],
                "model": self._model_of_leg[leg],
                "chain_position": leg,
                "rounds": rounds,
                "attempts": attempts,
                "backoff_s": backoff_s,
                "queued_s": np.zeros(len(rows)),
                "cost_picousd": cost,
                "wasted_picousd": wasted,
                "cost_usd": cost / PICO,
                "wasted_cost_usd": wasted / PICO,
                "input_tokens": input_tokens,
                "output_tokens": output_tokens,
                "response_cache_hit": cached,
                "quality": self._quality_of_leg[leg],
                "weight": np.ones(len(rows)),
                "lost_to": lost_to,
            }
        )


def _settled(rows: list[Any], key: Callable[[Any], Any], *, last: bool) -> tuple[list[Any], list[Any]]:
    """(rows in order that nothing can join any more, rows of the last instant, held back)."""
    rows.sort(key=key)
    if last or not rows:
        return rows, []
    last_s = key(rows[-1])[0]
    end = len(rows)
    while end > 0 and key(rows[end - 1])[0] == last_s:
        end -= 1
    return rows[:end], rows[end:]
