"""A call: one attempt on one leg, known to its end at its start."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from des.vocabulary import BY_DEADLINE, CALL, CANCELLED

if TYPE_CHECKING:
    from des.engine.conditions import Condition


class Call(NamedTuple):
    """A row of the attempts trace, in codes. `end_s` is infinite for a call that can never end."""

    request_id: int  # -1 for a probe
    attempt: int
    round: int
    leg: int
    start_s: float
    end_s: float
    outcome: int
    cause: int  # -1 for none
    cause_id: int  # the incident or limit; -1 for none
    retry_after_s: float  # NaN where the provider sends none
    cost: int  # picodollars
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    kind: int = CALL  # or HEDGE; probes are known by their request


# The named tuple's own constructor is a Python call, which would cost as much as the rest of a refused attempt.
as_call = cast("Callable[[tuple[Any, ...]], Call]", partial(tuple.__new__, Call))
"""A `Call` of the values of its fields, in order."""

Failure = tuple[int, int, int, float]
"""How a provider fails a call, if the client waits: (outcome, cause, cause_id, seconds, infinite for a hang)."""

Response = tuple[int, float, float, float, float, float, float, float]
"""When the parts of a response come, in seconds into the call, and what becomes of it:

(outcome, connected, first token, gap between two tokens or 0 where it comes whole, its end or the moment at which
the stream breaks, its end had the stream not broken, tokens per second or 0 where it comes whole, the wait before the
endpoint took the call up, which all of them but the connection come after)."""

NaturalEnd = tuple[int, float, int]
"""How a call ends that nobody cuts off: (outcome, seconds into the call, tokens of output)."""

Cut = tuple[int, int]
"""What ends a call that somebody else ends: (outcome, cause)."""

AT_DEADLINE: Cut = (CANCELLED, BY_DEADLINE)


class Fate(NamedTuple):
    """What a provider makes of a call that nobody gives up: a failure, or else a response."""

    attempt: int  # the call's number among its request's
    failure: Failure | None
    response: Response | None
    retry_after_s: float  # NaN where the provider sends none
    condition: "Condition | None"  # of the endpoint when the call came
    is_warm: bool  # whether the leg's prompt cache was warm then
