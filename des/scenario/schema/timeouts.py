"""Timeouts of a call as a scenario writes them."""

from typing import Annotated, Self

from pydantic import model_validator

from des.scenario.schema.spec import DURATION_SCHEMA, Spec, contradiction, scalar_as
from des.scenario.text.units import PositiveDuration


class TimeoutSpec(Spec):
    """Bounds on a call; a bare duration bounds the total."""

    connect: PositiveDuration | None = None
    first_token: PositiveDuration | None = None
    """From the start of the call."""
    idle: PositiveDuration | None = None
    """Longest silence between tokens, the wait for the first one included."""
    total: PositiveDuration | None = None

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        if not self.model_fields_set:
            raise contradiction("an empty timeout: give connect, first_token, idle or total")
        if self.total is not None:
            for name in ("connect", "first_token"):
                bound = getattr(self, name)
                if bound is not None and bound > self.total:
                    raise contradiction(f"{name} is longer than total, so it never strikes", name)
        return self


Timeout = Annotated[TimeoutSpec, scalar_as("total", DURATION_SCHEMA)]
