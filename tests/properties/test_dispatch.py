"""A call that is sent and a call that is sent and then asked about, a deadline at hand, are the same call."""

from typing import Any
from unittest.mock import patch

from des.engine.call import Call
from des.engine.leg import Leg
from des.engine.request import Request
from properties.runs import run
from properties.whole_scenarios import of_whole_scenarios


def in_two_steps(leg: Leg, request: Request, nth: int, round_number: int, now_s: float) -> Call:
    """A call by its dispatch, asked about before with another end: asking changes nothing."""
    fate = leg.dispatch(request, nth, now_s)
    leg.ended(request, fate, nth, round_number, now_s, now_s + 1.0)
    return leg.ended(request, fate, nth, round_number, now_s, request.deadline_s)


@of_whole_scenarios
def test_a_call_is_what_its_dispatch_comes_to_by_the_deadline(scenario: dict[str, Any]) -> None:
    at_once = run(scenario).digest()
    with patch.object(Leg, "call", in_two_steps):
        assert run(scenario).digest() == at_once
