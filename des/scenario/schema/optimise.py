"""What is to be chosen, as a scenario writes it: the aim, what must hold, and what may vary."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from des.scenario.schema.expectations import ExpectationTexts
from des.scenario.schema.setting import MAY_BE_EMPTY, Setting, Text, contradiction
from des.scenario.text.quantities import PositiveCount, Share

TOTAL_COST = "total_cost"
"""The aim of the bill and the price of failing together, in USD a year; it takes `value:`."""
AVAILABILITY = "availability"


class LegChoice(Setting):
    """Which entries the chain may have, and how many. Every order of every choice is a candidate."""

    among: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    """Entries of the chain by name; all by default."""
    least: PositiveCount = 1
    """The shortest chain."""
    most: PositiveCount = 4
    """The longest chain."""

    @model_validator(mode="after")
    def _some_length(self) -> Self:
        if self.least > self.most:
            raise contradiction(f"no chain has at least {self.least} and at most {self.most} entries", "least")
        return self


class Optimise(Setting):
    """What `des optimise` looks for."""

    minimise: Text | None = None
    """A metric, or `total_cost` where the scenario has `value`."""
    maximise: Text | None = None
    """`availability`, the one metric to maximise."""
    subject_to: dict[Text, ExpectationTexts] = Field(default_factory=dict)
    """What must hold, by metric, such as ">= 99.95%"."""
    legs: Annotated[LegChoice, MAY_BE_EMPTY] | None = None
    """The order and the choice of the chain's entries vary; they do too where `over` is not given."""
    over: dict[Text, Annotated[tuple[Any, ...], Field(min_length=1)]] = Field(default_factory=dict)
    """The values that a path may have, such as `policy.rounds: [1, 2, 3]`."""
    indifference: Annotated[Share, Field(gt=0.0)] = 0.01
    """Candidates whose aim differs by a smaller share than this count as equally good."""
    tolerance: Annotated[Share, Field(gt=0.0)] = 0.05
    """A simulated figure that misses its bound by a smaller share of it than this may pass."""

    @model_validator(mode="after")
    def _one_aim(self) -> Self:
        if self.minimise is not None and self.maximise is not None:
            raise contradiction(
                "two aims: give minimise or maximise, and a bound for the other in subject_to", "maximise"
            )
        return self
