"""The client's policy as a scenario writes it: rounds, back-off, deadline, billing, response cache."""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from des.scenario.schema.calls import AnyTimeout, ResponseCache
from des.scenario.schema.load_control import AnyRouting, CallSettings
from des.scenario.schema.providers import Billing
from des.scenario.schema.retries import (
    AnyBackoff,
    AnyRetryAfter,
    ApplicationSpec,
    Retries,
    WaitAfterLast,
    refuse_idle_retries,
)
from des.scenario.schema.setting import Flag, Off, OrNone, Text, contradiction
from des.scenario.schema.statuses import Handled
from des.scenario.text.quantities import Count, PositiveCount, PositiveDuration


def _off_or_else(value: Any) -> str:
    """The union tag of a field that takes `none` or a quantity."""
    return "word" if value == "none" else "quantity"


_TimeoutOrNone = Annotated[Annotated[AnyTimeout, Tag("quantity")] | Off, Discriminator(_off_or_else)]
_DeadlineOrNone = Annotated[Annotated[PositiveDuration, Tag("quantity")] | Off, Discriminator(_off_or_else)]


class PolicySpec(CallSettings):
    """The client's reaction to failures, for all entries of the chain that set nothing else."""

    preset: Text | None = None
    """Policy of a known client, by name and version. Fields written beside it override it."""
    rounds: PositiveCount = 1
    """Passes over the chain."""
    retries: Retries | None = None
    """Further attempts on an entry within one round; 0 by default."""
    retry_on: tuple[Handled, ...] | None = None
    """Outcomes or statuses that are retried."""
    fallback_on: tuple[Handled, ...] | None = None
    """Outcomes or statuses after which the next entry is tried."""
    fallback_depth: Count | None = None
    """Largest number of entries tried after the first one."""
    timeout: _TimeoutOrNone | None = None
    """Bounds on each call. With clients, total bounds the whole attempt, including everything they do in it."""
    backoff: AnyBackoff | None = None
    """Sets both retry_backoff and round_backoff."""
    retry_backoff: AnyBackoff | None = None
    """Wait before another attempt on the same entry."""
    round_backoff: AnyBackoff | None = None
    """Wait before another round."""
    retry_after: AnyRetryAfter | None = None
    """Whether to wait as long as a Retry-After asks for; ignored by default."""
    wait_after_last: WaitAfterLast = False
    """Whether a wait also follows the last failed attempt on an entry; `after_retries`: only if it has retries."""
    wait_with_healthy_peer: Flag = True
    """Whether to wait while the group has another leg that admits."""
    end_when_all_out: Flag = False
    """Whether an entry is given up, without a wait or a retry, once none of its legs admits."""
    routing: AnyRouting | None = None
    """How legs are picked within a group; as written by default."""
    ties: Literal["random", "first"] = "random"
    """How least_busy picks among equally busy legs: one at random, or the first as written."""
    order: AnyRouting | None = None
    """How entries of the chain are ordered; as written by default."""
    application: OrNone[ApplicationSpec] | None = None
    """The application around the chain: it calls the whole chain again when that fails."""
    deadline: _DeadlineOrNone | None = None
    """Time after which the request is given up."""
    billing: Billing | None = None
    """What is billed by outcome; `provider` by default."""
    response_cache: Annotated[ResponseCache, Field(discriminator="kind")] | None = None
    """Cache of whole responses before the chain; none by default."""

    @model_validator(mode="after")
    def _retries_on_something(self) -> Self:
        refuse_idle_retries(self.retries, self.retry_on)
        if self.round_backoff is not None and self.round_backoff.throttled is not None:
            raise contradiction("a round ends with any failure: throttled belongs to retry_backoff", "round_backoff")
        return self

    @model_validator(mode="after")
    def _one_backoff(self) -> Self:
        for field in ("retry_backoff", "round_backoff"):
            if self.backoff is not None and getattr(self, field) is not None:
                raise contradiction(
                    f"backoff sets {field} too: give either backoff, or retry_backoff and round_backoff", field
                )
        return self
