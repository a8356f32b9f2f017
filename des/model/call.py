"""A call: one attempt on one leg, known to its end at its start."""

from typing import NamedTuple


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


class Failure(NamedTuple):
    """How a provider fails a call, if the client waits: after `after_s`, infinite for a hang."""

    outcome: int
    cause: int
    cause_id: int
    after_s: float


class Response(NamedTuple):
    """When the parts of a response come, in seconds into the call, and what becomes of it."""

    outcome: int
    connect_s: float
    first_token_s: float
    gap_s: float  # between two tokens; 0 where the response comes whole
    whole_s: float  # its end, or the moment at which the stream breaks
    full_s: float  # its end, had the stream not broken
    tokens_per_s: float  # 0 where the response comes whole
