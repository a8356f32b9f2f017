"""The workload as a scenario writes it: when requests arrive, how large they are and what they require."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from des.scenario.schema.distributions import CountDistribution, DurationDistribution
from des.scenario.schema.incidents import ProfileSpec, Words
from des.scenario.schema.spec import Flag, Spec, Text, contradiction
from des.scenario.text.units import Duration, FrequentRate, Positive, PositiveCount, PositiveDuration, Share, Word

MOST_TOKENS = 2**31 - 1
"""Token counts are int32 in traces."""


class PoissonArrivalsSpec(Spec):
    """Requests at random, independent of each other."""

    kind: Literal["poisson"]
    rate: FrequentRate
    profile: ProfileSpec | None = None


class BurstyArrivalsSpec(Spec):
    """Clients with gamma inter-arrival times: the larger the coefficient of variation, the burstier."""

    kind: Literal["bursty"]
    rate: FrequentRate
    """Of all clients together."""
    cv: Annotated[Positive, Field(ge=0.01, le=1000.0)]
    clients: Annotated[PositiveCount, Field(le=100_000)] = 1
    profile: ProfileSpec | None = None


class BatchArrivalsSpec(Spec):
    """So many requests at once, every so often."""

    kind: Literal["batch"]
    every: PositiveDuration
    size: Annotated[PositiveCount, Field(le=10_000_000)]
    first: Duration = 0.0
    """When the first batch comes."""


class ClosedArrivalsSpec(Spec):
    """Users who think, send a request, wait for its end and think again."""

    kind: Literal["closed"]
    users: PositiveCount
    think: DurationDistribution

    @model_validator(mode="after")
    def _thinks(self) -> Self:
        if self.think.distribution().mean <= 0.0:
            raise contradiction(
                "users must think for some time, or requests that fail at once would never end", "think"
            )
        return self


class ArrivalColumns(Spec):
    """Columns of an arrival file."""

    time: Text
    input_tokens: Text | None = None
    output_tokens: Text | None = None


class ReplayedArrivalsSpec(Spec):
    """Recorded arrivals from a file (CSV, JSON lines or parquet), from the first one on."""

    kind: Literal["replay"]
    file: Text
    columns: ArrivalColumns
    format: Literal["csv", "jsonl", "parquet"] | None = None
    """Told by the file's suffix, if it is not given."""
    unit: Literal["ns", "us", "ms", "s", "min", "h", "d"] | None = None
    """Of times that are numbers: seconds, if it is not given. Timestamps are recognised by themselves."""
    where: dict[Text, Words] = Field(default_factory=dict)
    """Rows to keep: each column with the value or values it must have."""
    stretch: Annotated[Positive, Field(ge=1e-6, le=1e6)] = 1.0
    """How many times longer gaps become: 100 makes an hour into a hundred."""
    loop: Flag = False
    """Begin again at the end, until the horizon."""
    limit: PositiveCount | None = None
    """Keep so many rows, the earliest."""


ArrivalsSpec = Annotated[
    PoissonArrivalsSpec | BurstyArrivalsSpec | BatchArrivalsSpec | ClosedArrivalsSpec | ReplayedArrivalsSpec,
    Field(discriminator="kind"),
]


class TokensSpec(Spec):
    """Tokens of a request and of its response."""

    input: CountDistribution | None = None
    output: CountDistribution | None = None

    @model_validator(mode="after")
    def _fit_their_columns(self) -> Self:
        for name in ("input", "output"):
            spec = getattr(self, name)
            if spec is not None and (reach := spec.distribution().rough_maximum()) > MOST_TOKENS:
                raise contradiction(f"token counts may reach {reach:.3g}, above the {MOST_TOKENS} of a trace", name)
        return self


class RequirementSpec(Spec):
    """A share of requests that may only use legs with these tags."""

    share: Share
    tags: Annotated[dict[Text, Word], Field(min_length=1)]


class WorkloadSpec(Spec):
    """Requests: when they come, how large they are, what they require."""

    arrivals: ArrivalsSpec
    tokens: TokensSpec = TokensSpec()
    units: CountDistribution | None = None
    """Billed units of a request (images, seconds of sound), for prices per unit; 1 by default."""
    requirements: tuple[RequirementSpec, ...] = ()

    @model_validator(mode="after")
    def _requirements_are_shares_of_one_whole(self) -> Self:
        total = sum(requirement.share for requirement in self.requirements)
        if total > 1.0 + 1e-9:
            raise contradiction(f"the shares add up to {total:.6g}, above 1", "requirements")
        return self

    @model_validator(mode="after")
    def _tokens_come_from_one_place(self) -> Self:
        if isinstance(self.arrivals, ReplayedArrivalsSpec):
            for name in ("input", "output"):
                if getattr(self.tokens, name) is not None and getattr(self.arrivals.columns, f"{name}_tokens"):
                    raise contradiction(
                        f"{name} tokens come from the replayed file already: leave one of both out", "tokens", name
                    )
        return self
