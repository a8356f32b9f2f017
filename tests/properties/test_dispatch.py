"""A call is known to its end when it is sent: asking how it ends, with whatever bound, changes nothing."""

from typing import Any
from unittest.mock import patch

from des.engine.ending import Ending
from des.engine.records import Bound, Call, Fate, deadline
from properties.runs import run
from properties.whole_scenarios import of_whole_scenarios

ended = Ending.ended


def asked_twice(ending: Ending, fate: Fate, bound: Bound) -> Call:
    """The end of a call, asked about before with another bound."""
    ended(ending, fate, deadline(fate.start_s + 1.0))
    return ended(ending, fate, bound)


@of_whole_scenarios
def test_asking_how_a_call_ends_changes_nothing(scenario: dict[str, Any]) -> None:
    at_once = run(scenario).digest()
    with patch.object(Ending, "ended", asked_twice):
        assert run(scenario).digest() == at_once
