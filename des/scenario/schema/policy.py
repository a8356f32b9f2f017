"""The client's policy as a scenario writes it: rounds, back-off, deadline, billing, response cache."""

from typing import Annotated, Any, Self

from pydantic import Discriminator, Field, Tag, model_validator

from des.scenario.schema.calls import AnyTimeout, ResponseCache
from des.scenario.schema.load_control import AnyRouting, CallSettings
from des.scenario.schema.providers import Billing
from des.scenario.schema.retries import AnyBackoff, AnyRetryAfter, ApplicationSpec, Retries, refuse_idle_retries
from des.scenario.schema.setting import Flag, Off, OrNone, Text, contradiction
from des.scenario.schema.statuses import Handled
from des.scenario.text.units import Count, PositiveCount, PositiveDuration


def _off_or_else(value: Any) -> str:
    """The tag of a field that is `none` or a quantity."""
    return "word" if value == "none" else "quantity"


_TimeoutOrNone = Annotated[Annotated[AnyTimeout, Tag("quantity")] | Off, Discriminator(_off_or_else)]
_DeadlineOrNone = Annotated[Annotated[PositiveDuration, Tag("quantity")] | Off, Discriminator(_off_or_else)]


class PolicySpec(CallSettings):
    """What the client does about failures, for all entries of the chain that do not say otherwise."""

    preset: Text | None = None
    """Takes the policy of a client that people run, by name and version; whatever else is written overrides it."""
    rounds: PositiveCount = 1
    """Passes over the chain."""
    retries: Retries | None = None
    """Further attempts on an entry in one round; 0 by default."""
    retry_on: tuple[Handled, ...] | None = None
    """Outcomes or statuses that are retried."""
    fallback_on: tuple[Handled, ...] | None = None
    """Outcomes or statuses after which the next entry is tried."""
    fallback_depth: Count | None = None
    """How many entries after the first one are tried, at most."""
    timeout: _TimeoutOrNone | None = None
    """Of each call; with clients, its total is of all that they do in an attempt."""
    backoff: AnyBackoff | None = None
    """Sets both retry_backoff and round_backoff."""
    retry_backoff: AnyBackoff | None = None
    """Before another attempt on the same entry."""
    round_backoff: AnyBackoff | None = None
    """Before another round."""
    retry_after: AnyRetryAfter | None = None
    """Whether to wait as long as a refusal asks for; ignored by default."""
    wait_after_last: Flag = False
    """Whether a wait follows the last failed attempt on an entry too."""
    wait_with_healthy_peer: Flag = True
    """Whether a wait is due while the group has another leg that admits."""
    routing: AnyRouting | None = None
    """Of the legs within each group; as written by default."""
    order: AnyRouting | None = None
    """Of the entries of the chain; as written by default."""
    application: OrNone[ApplicationSpec] | None = None
    """What calls the whole chain, and calls it again when that fails."""
    deadline: _DeadlineOrNone | None = None
    """After which a request is given up."""
    billing: Billing | None = None
    """`provider` by default."""
    response_cache: Annotated[ResponseCache, Field(discriminator="kind")] | None = None

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
