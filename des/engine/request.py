"""A request and its walk along the chain."""

from collections.abc import Generator
from typing import TYPE_CHECKING

from simpy.events import Event

from des.engine.clock import ATTEMPT_END, TIMER, Moment
from des.vocabulary import (
    CANCELLED,
    OK,
    REQUEST_DEADLINE,
    REQUEST_FAILED,
    REQUEST_OK,
    REQUEST_REJECTED,
)

if TYPE_CHECKING:
    from des.engine.caches import ResponseCache
    from des.engine.call import Call
    from des.engine.simulation import Simulation

INFINITY = float("inf")
ATTEMPTS_BITS = 15  # attempts of one request are counted in an int16


class Request:
    """What a user sends, and what has become of it so far."""

    __slots__ = (
        "arrival_s",
        "attempts",
        "backoff_s",
        "cost",
        "deadline_s",
        "hangs",
        "id",
        "input_tokens",
        "last",
        "luck",
        "output_tokens",
        "requirement",
        "rounds",
        "units",
    )
    queued_s = 0.0  # in queues of the client's own
    refused_by = ""  # the error type of a request that the client itself refused

    def __init__(
        self,
        number: int,
        luck: int,
        arrival_s: float,
        deadline_s: float,
        input_tokens: int,
        output_tokens: int,
        units: float,
        requirement: int,
    ) -> None:
        self.id = number
        self.luck = luck  # the index of all its draws
        self.arrival_s = arrival_s
        self.deadline_s = deadline_s
        self.input_tokens = input_tokens
        self.output_tokens = output_tokens
        self.units = units
        self.requirement = requirement  # index into the workload's requirements; -1 for none
        self.rounds = 0
        self.attempts = 0
        self.cost = 0  # picodollars
        self.backoff_s = 0.0
        self.last: Call | None = None
        self.hangs = False  # for ever, so that its user sends no other

    @classmethod
    def probe(cls, nth: int, now_s: float, marks: tuple[int, int, float, int]) -> "Request":
        """A synthetic request of its own, without a number."""
        return cls(-1, nth, now_s, INFINITY, *marks)

    def cut(self, now_s: float) -> None:
        """The run ends here: a call under way leaves no row, and a wait is over."""
        if self.last is not None and self.last.end_s > now_s:
            self.attempts -= 1
            self.cost -= self.last.cost
        elif self.last is not None:
            self.backoff_s += now_s - self.last.end_s


def answered_from_cache(sim: "Simulation", request: Request, cache: "ResponseCache") -> Generator[Event, None, None]:
    """Wait for the answer of the cache, and end there, unless the request's deadline strikes before."""
    answer_s = sim.clock.now + cache.latency_s(request)
    yield Moment(sim.clock, min(answer_s, request.deadline_s), TIMER, request.id << ATTEMPTS_BITS)
    if answer_s > request.deadline_s:
        sim.finish(request, REQUEST_DEADLINE)
    else:
        sim.finish_from_cache(request)


def request(sim: "Simulation", request: Request) -> Generator[Event, None, None]:
    """Walk the chain until a leg serves the request, its deadline strikes or the chain is exhausted.

    A call is known to its end at its start, and so is the wait before its retry: where no leg learns from the end, the
    process sleeps through it. A third of the events of a chain under stress are saved by that.
    """
    clock, policy = sim.clock, sim.policy
    record = sim.recorder.attempts.append
    if sim.response_cache is not None and sim.response_cache.answers(request, clock.now):
        yield from answered_from_cache(sim, request, sim.response_cache)
        return None
    legs = sim.eligible(request)
    if not legs:
        return sim.finish(request, REQUEST_REJECTED)
    calls = [0] * len(sim.legs)
    round_waited_s = policy.round_backoff.base_s
    for round_number in range(policy.rounds):
        request.rounds += 1
        for leg in legs:
            waited_s = policy.retry_backoff.base_s
            for retry in range(leg.retries + 1):
                nth = calls[leg.index]
                calls[leg.index] = nth + 1
                call = leg.call(request, nth, round_number, clock._now)
                request.attempts += 1
                request.last = call
                request.cost += call.cost
                if call.end_s == INFINITY:
                    return sim.abandon(request)
                record(call)
                outcome = call.outcome
                if outcome == OK or retry == leg.retries or not leg.is_retried[outcome]:
                    yield Moment(clock, call.end_s, ATTEMPT_END, (request.id << ATTEMPTS_BITS) + call.attempt)
                    if leg.remembers:
                        leg.learns(call)
                    if outcome == OK:
                        return sim.finish(request, REQUEST_OK)
                    if outcome == CANCELLED:
                        return sim.finish(request, REQUEST_DEADLINE)
                    break
                if leg.certain_waits_s is not None:
                    waited_s = leg.certain_waits_s[retry]
                else:
                    waited_s = leg.retry_wait_s(request, call, nth, retry, waited_s)
                if leg.remembers or waited_s <= 0.0:
                    yield Moment(clock, call.end_s, ATTEMPT_END, (request.id << ATTEMPTS_BITS) + call.attempt)
                    leg.learns(call)
                if waited_s > 0.0:
                    resume_s = min(call.end_s + waited_s, request.deadline_s)
                    yield Moment(clock, resume_s, TIMER, (request.id << ATTEMPTS_BITS) + call.attempt)
                    request.backoff_s += resume_s - call.end_s
                    if resume_s == request.deadline_s:
                        return sim.finish(request, REQUEST_DEADLINE)
            if not leg.falls_back[outcome]:
                return sim.finish(request, REQUEST_FAILED)
        if round_number + 1 < policy.rounds:
            round_waited_s = sim.round_wait_s(request, round_number, round_waited_s)
            if round_waited_s > 0.0:
                resume_s = min(call.end_s + round_waited_s, request.deadline_s)
                yield Moment(clock, resume_s, TIMER, (request.id << ATTEMPTS_BITS) + request.attempts)
                request.backoff_s += resume_s - call.end_s
                if resume_s == request.deadline_s:
                    return sim.finish(request, REQUEST_DEADLINE)
    return sim.finish(request, REQUEST_FAILED)
