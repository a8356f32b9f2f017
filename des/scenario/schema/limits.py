"""Rate limits, capacities and the client's own budgets."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from des.distributions import Constant, Distribution
from des.scenario.schema.distributions import DurationDistribution
from des.scenario.schema.own_classes import OwnKind
from des.scenario.schema.own_rules import OwnLimiter
from des.scenario.schema.setting import Flag, OneAlone, Setting, Text, contradiction, mapping_or_word, scalar_as
from des.scenario.text.quantities import Count, Factor, FrequentRate, Positive, PositiveCount, PositiveDuration, Share
from des.scenario.text.units import MINUTE_S

_RATES = ("requests", "input_tokens", "output_tokens", "tokens")
_METRICS = (*_RATES, "concurrency")


class Burst(Setting):
    """Size of the token bucket, by metric."""

    requests: Positive | None = None
    """Requests that a full bucket holds; those of one second by default, at least 1."""
    input_tokens: Positive | None = None
    """Input tokens that a full bucket holds; those of one minute by default."""
    output_tokens: Positive | None = None
    """Output tokens that a full bucket holds; those of one minute by default."""
    tokens: Positive | None = None
    """Input and output tokens that a full bucket holds; those of one minute by default."""


class Windows(Setting):
    """Counting in windows: clock windows counted from the start of the run, or a sliding window of that length."""

    fixed_window_s: PositiveDuration | None = None
    """Length of clock windows counted from the start of the run."""
    sliding_log_s: PositiveDuration | None = None
    """Length of a window that ends at each call."""

    @property
    def algorithm(self) -> str:
        """The algorithm's name, which is that of the only field set."""
        return self.written(self._lengths()[0])

    @property
    def window_s(self) -> float:
        length_s: float = getattr(self, self._lengths()[0])
        return length_s

    def _lengths(self) -> list[str]:
        return [name for name in type(self).model_fields if getattr(self, name) is not None]

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if len(self._lengths()) != 1:
            *others, last = (f"{{{self.written(name)}: 1min}}" for name in type(self).model_fields)
            raise contradiction(f"one of {', '.join(('token_bucket', *others))} and {last}")
        return self


class Estimate(Setting):
    """Output tokens counted at dispatch. The end of the call corrects them."""

    estimate: PositiveCount
    """Output tokens counted when a call starts."""


class Acceleration(Setting):
    """Each clock window admits at most `growth` times what the previous one admitted, and always the floor."""

    growth: Factor
    """Largest ratio of what one window admits to what the one before admitted."""
    over_s: PositiveDuration
    """Length of a window."""
    floor_per_s: FrequentRate
    """Rate of requests that is always admitted."""


ALGORITHMS: Final = ("token_bucket", *map(Windows.written, Windows.model_fields), "acceleration", "concurrency")
"""The kinds of limiters: token bucket, windows, acceleration and concurrency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricLimit:
    """One limit of one metric, with the parameters of its algorithm.

    `metric` is requests, input_tokens, output_tokens, tokens (of both kinds) or concurrency, whose algorithm is
    `concurrency` too. A limit of another metric grants `rate_per_s` by its algorithm:

    - token_bucket: refilled continuously, at most `burst` at once;
    - fixed_window, sliding_log: at most `burst` (the rate times the window) in `window_s`, in clock windows counted
      from the start of the run, or in any window;
    - acceleration: in each clock window of `window_s` at most `growth` times what was admitted in the one before, and
      always `burst`, the floor of `rate_per_s`.

    `counted` says when a call counts. `dispatch`: at its start, with what it will use. `estimate`: at its start, with
    `estimated_output` tokens, which its end corrects. `success`: only after it has succeeded, so the limit can be
    exceeded.
    """

    metric: str = "requests"
    algorithm: str = "token_bucket"
    rate_per_s: float = 0.0  # 0 of concurrency
    burst: float = 1.0  # the bucket's size, the most in a window, the most at once
    window_s: float | None = None
    growth: float | None = None
    counted: str = "dispatch"
    estimated_output: int | None = None
    counts_refused: bool = False  # whether a call refused by this or another limit counts
    counts_failed: bool = True
    counts_cached: bool = True  # whether input from the provider's prompt cache counts
    sends_retry_after: bool = True
    retry_after_step_s: float = 0.0  # a Retry-After is a whole multiple of it; 0: not rounded
    refusal_latency: Distribution = Constant(0.05)
    own: OwnLimiter | None = None  # counts in place of an algorithm, which then has its name


_AnyBurst = Annotated[
    Annotated[Burst, Tag("mapping")] | Annotated[Positive, Tag("word")], Discriminator(mapping_or_word)
]
_Algorithm = Annotated[
    Annotated[Windows, Tag("mapping")] | Annotated[Literal["token_bucket"], Tag("word")],
    Discriminator(mapping_or_word),
    OwnKind(OwnLimiter),
]
_Counting = Annotated[
    Annotated[Estimate, Tag("mapping")] | Annotated[Literal["dispatch", "success"], Tag("word")],
    Discriminator(mapping_or_word),
]
_Split = Annotated[
    Annotated[dict[Text, Share], Tag("mapping")] | Annotated[Literal["shared", "equal"], Tag("word")],
    Discriminator(mapping_or_word),
]


class RoundedUp(Setting):
    """A Retry-After in whole multiples of a duration, such as the seconds of the HTTP header."""

    round_up_s: PositiveDuration
    """Step to which a Retry-After is rounded up, such as 1s."""


_RetryAfterTold = Annotated[
    Annotated[RoundedUp, Tag("mapping")] | Annotated[Flag, Tag("word")], Discriminator(mapping_or_word)
]


def _whole(number: float) -> float:
    """Corrects the rounding of rates: 60 a minute must give exactly 60 in a minute."""
    return float(int(number + 1e-6))


def _refuse_less_than_one(burst: float | None, metric: str, *field: str) -> None:
    if burst is not None and burst < 1.0:
        unit = "request" if metric == "requests" else "token"
        raise contradiction(f"a bucket of less than one {unit} would refuse every call", *field)


class Limits(Setting):
    """Rate limits. Calls above a limit are refused (429). Each metric given is a separate limit."""

    requests: FrequentRate | None = None
    """Requests per time, such as 4000/min; no limit by default."""
    input_tokens: FrequentRate | None = None
    """Input tokens per time; no limit by default."""
    output_tokens: FrequentRate | None = None
    """Output tokens per time; no limit by default."""
    tokens: FrequentRate | None = None
    """Input and output tokens together."""
    concurrency: PositiveCount | None = None
    """Calls in progress at once."""
    burst: _AnyBurst | None = None
    """Size of the token bucket. By default the requests of one second (at least 1) and the tokens of one minute."""
    algorithm: _Algorithm = "token_bucket"
    """A token bucket with continuous refill, or counting in windows."""
    counting: _Counting = "dispatch"
    """When a call counts. If it counts only after success, the limit can be exceeded."""
    counts_refused: Flag = False
    """Whether refused calls count."""
    counts_failed: Flag = True
    """Whether failed calls count."""
    counts_cached: Flag = True
    """Whether input tokens served from the provider's prompt cache count."""
    retry_after: _RetryAfterTold = True
    """Whether a refusal carries a Retry-After. It is exact unless it is rounded up."""
    refusal_latency: DurationDistribution = Constant(0.05)
    """Time until the refusal is answered; 50 ms by default."""
    acceleration: Acceleration | None = None
    """How fast the request rate may grow."""

    @property
    def metrics(self) -> tuple[str, ...]:
        return tuple(name for name in _METRICS if getattr(self, name) is not None)

    @property
    def estimated_output(self) -> int | None:
        return self.counting.estimate if isinstance(self.counting, Estimate) else None

    def burst_of(self, metric: str) -> float | None:
        """The burst written for a metric. A plain number belongs to the only rate."""
        if isinstance(self.burst, Burst):
            own: float | None = getattr(self.burst, metric)
            return own
        return self.burst if metric in self.metrics else None

    @property
    def window_s(self) -> float | None:
        """Length of the window, where the algorithm counts in windows."""
        return self.algorithm.window_s if isinstance(self.algorithm, Windows) else None

    def by_metric(self, share: float = 1.0) -> Iterator[MetricLimit]:
        """The limit of each metric and of acceleration, scaled to a `share`."""
        for metric in self.metrics:
            yield self._at_once(share) if metric == "concurrency" else self._of_rate(metric, share)
        if self.acceleration is not None:
            yield self._of_acceleration(self.acceleration, share)

    def _of_rate(self, metric: str, share: float) -> MetricLimit:
        rate_per_s, window_s, counted, estimated = getattr(self, metric) * share, self.window_s, "dispatch", None
        if self.counting == "success":
            counted = "success"
        elif metric in ("output_tokens", "tokens") and self.estimated_output is not None:
            counted, estimated = "estimate", self.estimated_output
        return MetricLimit(
            metric=metric,
            algorithm=self._algorithm_name,
            rate_per_s=rate_per_s,
            burst=self._bucket(metric, rate_per_s, share) if window_s is None else _whole(rate_per_s * window_s),
            window_s=window_s,
            counted=counted,
            estimated_output=estimated,
            counts_refused=self.counts_refused,
            counts_failed=self.counts_failed,
            counts_cached=self.counts_cached,
            sends_retry_after=self.retry_after is not False,
            retry_after_step_s=self._step_s,
            refusal_latency=self.refusal_latency,
            own=self.own,
        )

    @property
    def own(self) -> OwnLimiter | None:
        """The class of a user that counts the rates."""
        algorithm: object = self.algorithm
        return algorithm if isinstance(algorithm, OwnLimiter) else None

    @property
    def _algorithm_name(self) -> str:
        if self.own is not None:
            return self.own.kind_name()
        return self.algorithm.algorithm if isinstance(self.algorithm, Windows) else self.algorithm

    @property
    def _step_s(self) -> float:
        return self.retry_after.round_up_s if isinstance(self.retry_after, RoundedUp) else 0.0

    def _bucket(self, metric: str, rate_per_s: float, share: float) -> float:
        written = self.burst_of(metric)
        if written is not None:
            return max(1.0, written * share)
        return max(1.0, rate_per_s if metric == "requests" else rate_per_s * MINUTE_S)

    def _at_once(self, share: float) -> MetricLimit:
        return MetricLimit(
            metric="concurrency",
            algorithm="concurrency",
            burst=max(1.0, _whole((self.concurrency or 0) * share)),
            counts_refused=self.counts_refused,
            counts_failed=self.counts_failed,
            counts_cached=self.counts_cached,
            sends_retry_after=self.retry_after is not False,
            retry_after_step_s=self._step_s,
            refusal_latency=self.refusal_latency,
        )

    def _of_acceleration(self, of: Acceleration, share: float) -> MetricLimit:
        return MetricLimit(
            algorithm="acceleration",
            rate_per_s=of.floor_per_s * share,
            burst=max(1.0, _whole(of.floor_per_s * of.over_s * share)),
            window_s=of.over_s,
            growth=of.growth,
            counts_refused=self.counts_refused,
            sends_retry_after=self.retry_after is not False,
            retry_after_step_s=self._step_s,
            refusal_latency=self.refusal_latency,
        )

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if not self.metrics and self.acceleration is None:
            raise contradiction(f"limits nothing: give one of {', '.join(_METRICS)}, such as requests: 4000/min")
        acceleration = self.acceleration
        if acceleration is not None and acceleration.floor_per_s * acceleration.over_s < 1.0:
            raise contradiction(
                "a floor of less than one request per window would refuse every request", "acceleration", "floor"
            )
        return self

    @model_validator(mode="after")
    def _bursts_of_buckets(self) -> Self:
        if self.burst is None:
            return self
        rates = [metric for metric in self.metrics if metric != "concurrency"]
        if isinstance(self.algorithm, Windows):
            raise contradiction("burst belongs to a token bucket: a window admits what its rate allows", "burst")
        if not rates:
            raise contradiction("burst belongs to a rate, such as requests: 4000/min", "burst")
        if not isinstance(self.burst, Burst):
            if len(rates) > 1:
                example = ", ".join(f"{metric}: ..." for metric in rates)
                raise contradiction(f"burst of which? write burst: {{{example}}}", "burst")
            _refuse_less_than_one(self.burst, rates[0], "burst")
            return self
        for metric in _RATES:
            burst = self.burst_of(metric)
            if burst is not None and metric not in rates:
                raise contradiction(f"there is no limit of {metric} for this burst", "burst", metric)
            _refuse_less_than_one(burst, metric, "burst", metric)
        return self

    @model_validator(mode="after")
    def _own_class_counts_as_sent(self) -> Self:
        if self.own is None:
            return self
        if not any(metric != "concurrency" for metric in self.metrics):
            raise contradiction("a class of your own counts a rate, such as requests: 4000/min", "algorithm")
        for field in ("counting", "counts_failed"):
            if field in self.model_fields_set:
                raise contradiction(f"a class of your own counts each call as it is sent: leave out {field}", field)
        return self

    @model_validator(mode="after")
    def _windows_hold_something(self) -> Self:
        window_s = self.window_s
        if window_s is None:
            return self
        for metric in self.metrics:
            if metric != "concurrency" and getattr(self, metric) * window_s < 1.0 - 1e-9:
                raise contradiction(f"less than one in {window_s:g} s: every call would be refused", metric)
        if not any(metric != "concurrency" for metric in self.metrics):
            raise contradiction("windows count a rate, such as requests: 4000/min", "algorithm")
        return self

    def _counts_what_it_limits(self) -> None:
        """Refuses ways to count that the limits given do not have."""
        if {*self.metrics} - {"concurrency"}:
            return
        limits = [*self.metrics, *(["acceleration"] if self.acceleration is not None else [])]
        idle = {"counting": self.counting == "success", "counts_failed": not self.counts_failed}
        if self.acceleration is None:
            idle["counts_refused"] = self.counts_refused
        for field, is_said in idle.items():
            if is_said:
                message = f"{' and '.join(limits)} counts calls from their dispatch: leave out {field}"
                raise contradiction(message, field)

    @model_validator(mode="after")
    def _counts_consistently(self) -> Self:
        if self.estimated_output is not None and not {"output_tokens", "tokens"} & {*self.metrics}:
            raise contradiction("an estimate needs a limit on output_tokens or tokens", "counting")
        self._counts_what_it_limits()
        if self.counting == "success":
            for field in ("counts_refused", "counts_failed"):
                if field in self.model_fields_set and getattr(self, field):
                    raise contradiction(f"counting: success counts successful calls only: leave out {field}", field)
        if "counts_cached" in self.model_fields_set and not {"input_tokens", "tokens"} & {*self.metrics}:
            raise contradiction("counts_cached needs a limit on input_tokens or tokens", "counts_cached")
        return self


LimitList = Annotated[tuple[Limits, ...], Field(min_length=1), OneAlone()]
"""One mapping of limits, or a list where they are counted in different ways."""


class Capacity(Setting):
    """The number of calls served at once, first come, first served. Calls beyond the queue get a 529."""

    concurrent: PositiveCount
    """Number of calls served at once."""
    queue: Count = 0
    """Number of calls that may wait."""
    refusal_latency: DurationDistribution = Constant(0.05)
    """Time until the refusal is answered; 50 ms by default."""


CapacityOrNumber = Annotated[Capacity, scalar_as("concurrent", {"type": "integer", "minimum": 1})]


class Budget(Limits):
    """The client's own limits over some legs, shared or split between them. A refusal looks like a provider's 429."""

    legs: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Names of legs, groups or providers."""
    split: _Split = "shared"
    """One budget shared by all, equal parts, or a share for each of `legs`."""
    refusal_latency: DurationDistribution = Constant(0.0)
    """Time until the refusal is answered; 0 by default."""

    @property
    def shares(self) -> dict[str, float]:
        """The part of each of `legs` in a split budget."""
        if isinstance(self.split, dict):
            return {over: self.split[over] for over in self.legs}
        return dict.fromkeys(self.legs, 1.0 / len(self.legs))

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not isinstance(self.split, dict):
            return self
        for name in self.split:
            if name not in self.legs:
                raise contradiction(f"'{name}' is not among the budget's legs", "split", name)
        for name in self.legs:
            if not self.split.get(name):
                raise contradiction(f"'{name}' has no share: give it one, or take it out of legs", "split")
        total = sum(self.split.values())
        if abs(total - 1.0) > 1e-6:
            raise contradiction(f"the shares add up to {100.0 * total:.6g} %, not to 100 %", "split")
        return self
