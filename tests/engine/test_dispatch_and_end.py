"""A call that was sent, and the ways in which somebody else may end it."""

from collections.abc import Callable
from math import inf, nan
from typing import Any

import pytest

from des.engine.leg import Leg
from des.engine.records import Bound, Call, Request, deadline, lost_race
from des.engine.world import World
from des.scenario.plan import Plan
from des.vocabulary import (
    BY_CAPACITY,
    BY_CHANCE,
    BY_DEADLINE,
    BY_HEDGE,
    BY_INCIDENT,
    CANCELLED,
    OK,
    RATE_LIMITED,
    SERVER_ERROR,
    TIMEOUT,
)
from engine.serving import arriving, limit, limited_by, one_endpoint, serving
from engine.traced import Collected, window

Cut = Callable[[float], Bound]


def given_up(until_s: float) -> Bound:
    return Bound(until_s, TIMEOUT, BY_CHANCE)


OUTCOMES: dict[Cut, tuple[int, int]] = {
    deadline: (CANCELLED, BY_DEADLINE),
    lost_race: (CANCELLED, BY_HEDGE),
    given_up: (TIMEOUT, BY_CHANCE),
}


class Sent:
    """One call of the plan's only leg at 0 s."""

    def __init__(self, plan: Plan, *, others: int = 0, deadline_s: float = inf) -> None:
        self.leg: Leg = World(plan, 0, Collected()).client.legs[0]
        self.request = Request(0, 0, 0.0, deadline_s, 100, 100, 1.0, -1)
        for _ in range(others):
            self.leg.dispatch(self.request, 0, 0.0)
        self.fate = self.leg.dispatch(self.request, 0, 0.0)

    def by(self, until_s: float, cut: Cut = deadline) -> Call:
        return self.leg.ended(self.fate, cut(until_s))


def told(call: Call) -> tuple[int, int, float]:
    return call.outcome, call.cause, call.end_s


def test_a_call_that_nobody_cuts_off_ends_by_itself() -> None:
    assert told(Sent(one_endpoint("4s")).by(inf)) == (OK, -1, 4.0)
    assert told(Sent(one_endpoint("4s")).by(4.0)) == (OK, -1, 4.0)


@pytest.mark.parametrize("cut", OUTCOMES)
def test_a_call_that_is_cut_off_ends_as_the_cut_says(cut: Cut) -> None:
    assert told(Sent(one_endpoint("4s")).by(3.0, cut)) == (*OUTCOMES[cut], 3.0)
    assert told(Sent(one_endpoint(errors={"hang": 1})).by(3.0, cut))[::2] == (OUTCOMES[cut][0], 3.0)


def test_asking_changes_nothing() -> None:
    sent = Sent(serving(limited_by(one_endpoint("4s"), limit("requests", rate_per_s=1.0, burst=9.0)), 1, 9), others=1)
    assert [sent.by(until_s).end_s for until_s in (inf, 3.0, inf, 7.0, inf)] == [8.0, 3.0, 8.0, 7.0, 8.0]


def test_a_call_keeps_its_number_though_its_request_has_made_others_since() -> None:
    sent = Sent(one_endpoint("4s"))
    sent.request.attempts = 5
    assert sent.by(inf).attempt == 0


def test_the_part_made_so_far_is_billed() -> None:
    plan = one_endpoint("4s", price={"output_per_mtok": 1, "input_per_mtok": 1}, billing={"cancelled": "partial"})
    call = Sent(plan).by(1.0, lost_race)
    assert (call.output_tokens, call.cost) == (25, 125 * 1_000_000)


def test_the_leg_s_own_timeout_comes_before_a_later_cut() -> None:
    plan = one_endpoint("9s", chain=[{"provider": "a", "timeout": "2s"}])
    assert told(Sent(plan).by(3.0, lost_race)) == (TIMEOUT, -1, 2.0)


def test_a_failure_that_comes_before_the_cut_is_seen() -> None:
    plan = one_endpoint(errors={"server_error": {"rate": 1, "latency": "2s"}})
    assert told(Sent(plan).by(3.0, lost_race)) == (SERVER_ERROR, BY_CHANCE, 2.0)
    assert told(Sent(plan).by(1.0, lost_race)) == (CANCELLED, BY_HEDGE, 1.0)


def test_a_refusal_cut_off_tells_no_retry_after() -> None:
    plan = limited_by(one_endpoint(), limit("requests", rate_per_s=1.0, burst=1.0))
    sent = Sent(plan, others=1)
    assert (sent.by(inf).outcome, sent.by(inf).retry_after_s) == (RATE_LIMITED, 1.0)
    assert sent.by(0.01).retry_after_s == pytest.approx(nan, nan_ok=True)


def slowed() -> Any:
    return window("0s", "1d", error_rate=0, latency_factor=10)


def started(plan: Plan) -> Sent:
    """A call at 0 s, with the incidents of that instant open."""
    world = World(plan, 0, Collected())
    ledger, endpoints = world.ledger, world.providers.endpoints
    for incident in range(len(ledger.timeline)):
        for endpoint in ledger.struck(incident):
            endpoints[endpoint].raise_incident(incident, ledger)
    sent = object.__new__(Sent)
    sent.leg, sent.request = world.client.legs[0], Request(0, 0, 0.0, inf, 100, 100, 1.0, -1)
    sent.fate = sent.leg.dispatch(sent.request, 0, 0.0)
    for incident in range(len(ledger.timeline)):
        for endpoint in ledger.struck(incident):
            endpoints[endpoint].clear_incident(incident, ledger)
    return sent


def test_the_incident_that_was_open_at_the_start_is_to_blame_even_when_asked_later() -> None:
    sent = started(one_endpoint("1s", incidents=[slowed()]))
    assert sent.by(inf).end_s == 10.0
    call = sent.by(3.0, given_up)
    assert (*told(call), call.cause_id) == (TIMEOUT, BY_INCIDENT, 3.0, 0)
    call = sent.by(3.0)
    assert (*told(call), call.cause_id) == (CANCELLED, BY_DEADLINE, 3.0, 0)
    call = sent.by(3.0, lost_race)
    assert (*told(call), call.cause_id) == (CANCELLED, BY_HEDGE, 3.0, -1)
    assert told(sent.by(0.5, given_up)) == (TIMEOUT, BY_CHANCE, 0.5)


def test_the_queue_is_to_blame_for_what_would_have_been_in_time_without_it() -> None:
    sent = Sent(serving(arriving(one_endpoint("4s"), [0.0]), 1, 9), others=1)
    assert told(sent.by(5.0, given_up)) == (TIMEOUT, BY_CAPACITY, 5.0)
    assert told(sent.by(3.0, given_up)) == (TIMEOUT, BY_CHANCE, 3.0)
    assert told(sent.by(5.0)) == (CANCELLED, BY_DEADLINE, 5.0)
