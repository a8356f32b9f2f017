"""What a call counts for, by a limit's metric and the time at which it counts."""

from typing import TYPE_CHECKING

from des.scenario import plan

if TYPE_CHECKING:
    from des.engine.request import Request

LEAST = 1.0  # what must be left of a limit that counts a call only after its success


def reckoned(limit: plan.Limit, request: "Request", cached_tokens: int) -> float:
    """What there must be room for when a call is sent: what it will use, or is estimated to, or the least amount."""
    if limit.counted == "success":
        return LEAST
    output = request.output_tokens if limit.estimated_output is None else limit.estimated_output
    return used(limit, request, cached_tokens, output)


def used(limit: plan.Limit, request: "Request", cached_tokens: int, output_tokens: int) -> float:
    """What a call has used that had so much output; `cached_tokens` of its input were read from a prompt cache."""
    input_tokens = request.input_tokens if limit.counts_cached else request.input_tokens - cached_tokens
    if limit.metric == "input_tokens":
        return float(input_tokens)
    if limit.metric == "output_tokens":
        return float(output_tokens)
    if limit.metric == "tokens":
        return float(input_tokens + output_tokens)
    return 1.0
