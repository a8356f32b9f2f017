"""The manners in which a call can fail, with what the chance of each can rise to whatever is open: see `offered_load`.

Two manners are one where they have the same outcome after times of the same distribution, such as the errors of all
incidents by default: together their chance is at most 1.
"""

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from operator import mul
from typing import Final

from des.distributions import Constant, Distribution, Empirical, Gamma, Lognormal, Pareto, Uniform, Weibull
from des.estimate.call import kind_of, output_tokens
from des.estimate.estimate import Inapplicable
from des.estimate.flow import EVERYTHING, NOTHING, Flow
from des.faults.reach import Reach
from des.mixture import Mixture
from des.scenario.plan import Effect, IncidentClass, Leg, Plan, RecordedIncidents, RenewalIncidents, RetryRule
from des.scenario.schema.statuses import broken_stream_kind
from des.vocabulary import INVALID_OUTPUT, TIMEOUT

BEYOND: Final = 1e-25
"""Requests longer than the longest cell, as a share."""
_CELLS: Final = (0.9, 0.75, 0.6, 0.45, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, *(10.0**-power for power in range(3, 25)))
_SPLITS: Final = tuple(number / 16.0 for number in range(1, 16))


@dataclass(frozen=True, slots=True)
class Manner:
    """One way in which a call fails.

    `after` tells apart manners of one outcome by their times. None is a time that depends on when the call is made: at
    most `mean_s` on average. No call ends so in less than `least_s`.
    """

    kind: int
    after: Hashable | None
    chance: float
    least_s: float
    mean_s: float

    @property
    def flow(self) -> Flow:
        if self.after is not None:
            return Flow(self.chance, self.chance)
        return Flow(self.chance, 2.0 * self.chance, self.chance * self.mean_s)


@dataclass(frozen=True, slots=True)
class Stay:
    """How long calls keep a place: the sum of the mean times over the manners in which they end, by their chances.

    `manners` is the sum of these chances.
    """

    mean_s: float
    manners: float


class Endings:
    """How the calls of a plan's legs end for requests with this number of output tokens, from above."""

    def __init__(self, plan: Plan, tokens: float) -> None:
        self._plan, self._tokens = plan, tokens
        self._deadline_s = math.inf if plan.policy.deadline_s is None else plan.policy.deadline_s
        self._legs = {leg.index: _LegFacts(plan, leg, tokens) for leg in plan.chain}

    def of(self, leg: int, cut_s: float | None) -> Mapping[int, Flow]:
        """The failures of a call that is cut off after `cut_s`, by outcome kind."""
        failures: dict[int, Flow] = {}
        for manner in self.manners(leg, cut_s):
            failures[manner.kind] = failures.get(manner.kind, NOTHING).plus(manner.flow)
        return failures

    @property
    def cut_off(self) -> Flow:
        """Of calls that come to the bound of a layer around them: perhaps all, each at a time that the bound fixes."""
        return EVERYTHING

    def least_s(self, leg: int, cut_s: float | None) -> float:
        """The least time in which a call fails; infinite where none does."""
        return min((manner.least_s for manner in self.manners(leg, cut_s)), default=math.inf)

    def answered(self, leg: int) -> "Stay":
        """Of calls that the provider answers, however slow incidents make them; failures take no place.

        Raises Inapplicable where nothing bounds their times.
        """
        return Stay(self._legs[leg].response_s, 1.0)

    def kept(self, leg: int) -> "Stay":
        """Of all calls, until the ends that the provider brings them to; a hang lasts as long as its client waits.

        Raises Inapplicable where nothing bounds their times.
        """
        facts = self._legs[leg]
        stays = [(chance, chance * latency.mean) for _, latency, chance in facts.errors()]
        if facts.hang > 0.0:
            stays.append((facts.hang, facts.hang * min(facts.silence_s, self._deadline_s)))
        mean_s = math.fsum(each for _, each in stays) + facts.response_s
        return Stay(self._finite(mean_s, facts), 1.0 + math.fsum(chance for chance, _ in stays))

    def waited_for(self, leg: int) -> "Stay":
        """Of all calls, until their client has an answer or gives up. Raises Inapplicable where nothing bounds that."""
        facts = self._legs[leg]
        longest_s = min(facts.total_s, self._deadline_s)
        stays = [(chance, chance * min(latency.mean, longest_s)) for _, latency, chance in facts.errors()]
        if facts.hang > 0.0:
            stays.append((facts.hang, facts.hang * min(facts.silence_s, longest_s)))
        mean_s = math.fsum(each for _, each in stays) + min(facts.response_or_inf_s, longest_s)
        return Stay(self._finite(mean_s, facts), 1.0 + math.fsum(chance for chance, _ in stays))

    def manners(self, leg: int, cut_s: float | None) -> tuple[Manner, ...]:
        """Every way to fail. Raises Inapplicable where the times of one of them have no bound."""
        facts = self._legs[leg]
        whole_s = min(facts.total_s, math.inf if cut_s is None else cut_s)
        found: dict[tuple[int, Hashable], Manner] = {}
        for manner in (*facts.at_fixed_times(whole_s), *self._at_any_time(facts, whole_s)):
            key = (manner.kind, manner.after)
            before = found[key].chance if key in found else 0.0
            chance = min(1.0, before + manner.chance)
            found[key] = Manner(manner.kind, manner.after, chance, manner.least_s, manner.mean_s)
        return tuple(manner for manner in found.values() if manner.chance > 0.0)

    def _at_any_time(self, facts: "_LegFacts", whole_s: float) -> Iterator[Manner]:
        """Calls killed in flight, and responses that fail in the end but are slowed down by what is open."""
        longest_s = min(whole_s, self._deadline_s)
        for kind, chance in facts.delayed():
            mean_s = min(longest_s, facts.response_or_inf_s)
            yield Manner(kind, None, chance, 0.0, self._finite(mean_s, facts))
        killers = {kind_of(self._plan, effect) for effect in facts.effects if effect.kills_in_flight}
        if killers:
            failing = math.fsum(chance * min(longest_s, latency.mean) for _, latency, chance in facts.errors())
            hanging = facts.hang * min(longest_s, facts.silence_s) if facts.hang > 0.0 else 0.0
            mean_s = self._finite(min(longest_s, facts.response_or_inf_s) + failing + hanging, facts)
            for kind in killers:
                yield Manner(kind, None, 1.0, 0.0, mean_s)

    def _finite(self, mean_s: float, facts: "_LegFacts") -> float:
        if not math.isfinite(mean_s):
            raise Inapplicable(f"nothing bounds how long a call of {facts.name} is under way")
        return mean_s


class _LegFacts:
    """What is needed of one leg: its time-outs, its endpoint's times and errors, and the incidents that reach it."""

    def __init__(self, plan: Plan, leg: Leg, tokens: float) -> None:
        self._plan, self._leg = plan, leg
        self._endpoint = plan.endpoints[leg.endpoint]
        self._tokens = tokens
        self.name = leg.name
        timeout = leg.timeout
        given = (timeout.connect_s, timeout.first_token_s, timeout.idle_s, timeout.total_s)
        self._connect_s, self._first_s, self._idle_s, self.total_s = (math.inf if s is None else s for s in given)
        self.silence_s = min(self._first_s, self._idle_s, self.total_s)
        """How long the client waits for a call that never answers."""
        classes = tuple(_classes_at(plan, leg.endpoint))
        self.effects: tuple[Effect, ...] = tuple(
            dict.fromkeys(effect for incidents in classes for effect in incidents.every_effect)
        )
        self._slowdown = math.prod(map(_slowdown_of, classes))
        rates = [error.rate for error in self._endpoint.errors if error.outcome == "hang"]
        certain = any(effect.hang > 0.0 for effect in self.effects)
        self.hang = 1.0 if certain else 1.0 - math.prod(1.0 - rate for rate in rates)

    def errors(self) -> Iterator[tuple[int, Distribution, float]]:
        """(outcome kind, time until it is answered, chance) of each error that comes instead of a response."""
        seen: set[tuple[int, Distribution]] = set()
        for effect in self.effects:
            manner = (kind_of(self._plan, effect), effect.error_latency)
            if effect.error_rate > 0.0 and manner not in seen:
                seen.add(manner)
                yield *manner, 1.0
        for error in self._endpoint.errors:
            if error.outcome not in ("hang", "invalid_output"):
                yield kind_of(self._plan, error), error.latency, error.rate

    def at_fixed_times(self, whole_s: float) -> Iterator[Manner]:
        """Failures whose times do not depend on when the call is made."""
        silence_s = min(self._first_s, self._idle_s, whole_s)
        given_up = self.hang if math.isfinite(silence_s) else 0.0
        for kind, latency, chance in self.errors():
            yield Manner(kind, latency, chance, min(_least(latency), silence_s), latency.mean)
            if math.isfinite(silence_s):
                given_up += chance * float(latency.survival(silence_s))
        yield self._timed_out(silence_s, given_up)
        for bound_s, chance in self._too_slow(whole_s):
            yield self._timed_out(bound_s, chance)
        if self._slowdown == 1.0:
            for kind, chance in self._spoilt():
                yield Manner(kind, ("response", kind), chance, self._least_response_s(), self.response_s)
            yield Manner(TIMEOUT, "silent between tokens", self._silent_between(), self._idle_s, math.inf)

    def delayed(self) -> Iterator[tuple[int, float]]:
        """(outcome kind, chance) of failures whose times depend on the incidents open when the call is made."""
        if self._slowdown > 1.0:
            yield from self._spoilt()
            if math.isfinite(self._idle_s):
                yield TIMEOUT, self._silent_between()

    @property
    def response_s(self) -> float:
        if not math.isfinite(self.response_or_inf_s):
            reason = "incidents that slow it down may overlap" if self._slowdown == math.inf else "its speed may be 0"
            raise Inapplicable(f"nothing bounds how long {self.name} works on a call: {reason}")
        return self.response_or_inf_s

    @cached_property
    def response_or_inf_s(self) -> float:
        parts = [part.mean for part in self._before_output()]
        speed = self._endpoint.latency.tokens_per_s
        if speed is not None and self._tokens > 0.0:
            parts.append(self._tokens * _mean_inverse(speed))
        mean_s = math.fsum(parts)
        return mean_s * self._slowdown if mean_s > 0.0 else 0.0

    def _before_output(self) -> list[Distribution]:
        latency = self._endpoint.latency
        return [part for part in (latency.whole, latency.connect, latency.first_token) if part is not None]

    def _least_response_s(self) -> float:
        return math.fsum(map(_least, self._before_output())) if self._endpoint.broken_streams is None else 0.0

    def _timed_out(self, after_s: float, chance: float) -> Manner:
        return Manner(TIMEOUT, after_s, chance if math.isfinite(after_s) else 0.0, after_s, after_s)

    def _too_slow(self, whole_s: float) -> Iterator[tuple[float, float]]:
        """(time-out, what the chance that a response exceeds it can rise to)."""
        latency, slowdown = self._endpoint.latency, self._slowdown
        first = [_survival(part) for part in self._before_output()]
        if latency.connect is not None:
            yield self._connect_s, _exceeds([_survival(latency.connect)], self._connect_s / slowdown)
        for bound_s in (self._first_s, self._idle_s):
            yield bound_s, _exceeds(first, bound_s / slowdown)
        everything = first
        if latency.tokens_per_s is not None and self._tokens > 0.0:
            speed, tokens = latency.tokens_per_s, self._tokens
            everything = [*first, lambda limit_s: _slower(speed, tokens, limit_s)]
        yield whole_s, _exceeds(everything, whole_s / slowdown)

    def _silent_between(self) -> float:
        speed = self._endpoint.latency.tokens_per_s
        if speed is None or self._tokens <= 1.0 or not math.isfinite(self._idle_s):
            return 0.0
        return _slower(speed, 1.0, self._idle_s / self._slowdown)

    def _spoilt(self) -> Iterator[tuple[int, float]]:
        valid = 1.0 - self._leg.invalid_output
        for error in self._endpoint.errors:
            valid *= 1.0 - error.rate if error.outcome == "invalid_output" else 1.0
        if valid < 1.0:
            yield INVALID_OUTPUT, 1.0 - valid
        broken = self._endpoint.broken_streams
        if broken is not None and broken.rate > 0.0:
            yield broken_stream_kind(self._plan.statuses), broken.rate


def output_cells(plan: Plan) -> list[tuple[float, float]]:
    """(share of requests, output tokens at most) in cells. A share of 1e-25 may be longer than the last of them."""
    output = output_tokens(plan)
    if isinstance(output, Constant):
        return [(1.0, output.value + 0.5 if output.value > 0.0 else 0.0)]
    tops = [_reached_by(output, above) for above in (*_CELLS, BEYOND)]
    shares = [1.0, *(float(output.survival(top)) for top in tops)]
    cells = zip(tops, pairwise(shares), strict=True)
    return [(more - less, max(1.0, top + 0.5)) for top, (more, less) in cells if more > less]


def length_matters(plan: Plan) -> bool:
    """Whether the number of output tokens decides if some call is in time."""
    rules = [rule for group in plan.client.groups for rule in (group.retry, *_inner(plan, group.legs))]
    bounded = any(leg.timeout.total_s is not None for leg in plan.chain)
    bounded = bounded or any(rule.attempt_timeout_s is not None for rule in rules)
    return bounded and any(plan.endpoints[leg.endpoint].latency.tokens_per_s is not None for leg in plan.chain)


def _inner(plan: Plan, legs: Sequence[int]) -> list[RetryRule]:
    return [rule for leg in legs for rule in plan.client.legs[leg].inner]


def _reached_by(output: Distribution, above: float) -> float:
    """A value that at most this share exceeds."""
    top = max(1.0, float(output.quantile(0.01)))
    while float(output.survival(top)) > above and top < 1e300:
        top *= 1.05
    return top


def _classes_at(plan: Plan, endpoint: int) -> Iterator[IncidentClass]:
    """The classes of incidents that can hit an endpoint."""
    reach = Reach.of(plan)
    for component in plan.components:
        if component.incidents and endpoint in reach.members(component.index):
            yield from component.incidents


def _slowdown_of(incidents: IncidentClass) -> float:
    """The most that incidents of a class slow responses down; infinite where several may be open at once."""
    factor = max((effect.latency_factor for effect in incidents.every_effect), default=1.0)
    if factor == 1.0 or isinstance(incidents, RenewalIncidents):
        return factor
    if isinstance(incidents, RecordedIncidents):
        ends_s = accumulate(incidents.end_s, max)
        if all(start_s >= end_s for start_s, end_s in zip(incidents.start_s[1:], ends_s, strict=False)):
            return factor
    return math.inf


def _least(latency: Distribution) -> float:
    match latency:
        case Constant():
            return latency.value
        case Uniform():
            return latency.low
        case Empirical():
            return min(latency.values)
        case Pareto():
            return latency.scale
        case Mixture():
            return min(map(_least, latency.parts))
        case _:
            return 0.0


def _mean_inverse(speed: Distribution) -> float:
    """E[1 / X]."""
    match speed:
        case Constant(value=value):
            return 1.0 / value if value > 0.0 else math.inf
        case Uniform(low=low, high=high):
            if low <= 0.0:
                return math.inf
            return math.log(high / low) / (high - low) if high > low else 1.0 / low
        case Lognormal():
            return math.exp(-speed.mu + speed.sigma**2 / 2.0)
        case Gamma():
            return 1.0 / ((speed.shape - 1.0) * speed.scale) if speed.shape > 1.0 else math.inf
        case Weibull():
            return math.gamma(1.0 - 1.0 / speed.shape) / speed.scale if speed.shape > 1.0 else math.inf
        case Pareto():
            return speed.shape / ((speed.shape + 1.0) * speed.scale)
        case Mixture():
            return math.fsum(map(mul, speed.shares, map(_mean_inverse, speed.parts)))
        case Empirical():
            return math.fsum(1.0 / value if value > 0.0 else math.inf for value in speed.values) / len(speed.values)
        case _:
            return math.inf


def _slower(speed: Distribution, tokens: float, limit_s: float) -> float:
    """P(tokens / speed > limit), rounded up."""
    if not math.isfinite(limit_s):
        return 0.0
    if limit_s <= 0.0:
        return 1.0
    least = tokens / limit_s
    if isinstance(speed, Constant):
        return float(speed.value < least)
    return min(1.0, 1.0 - float(speed.survival(least)) + 1e-15)


_Survival = Callable[[float], float]


def _survival(part: Distribution) -> _Survival:
    return lambda value: float(part.survival(value))


def _exceeds(parts: Sequence[_Survival], limit_s: float) -> float:
    """At least P(a sum of independent parts > limit), each given as its survival, since one exceeds its part of it."""
    if not math.isfinite(limit_s) or not parts:
        return 0.0
    splits: list[tuple[float, ...]] = [(1.0,)]
    if len(parts) == 2:
        splits = [(split, 1.0 - split) for split in _SPLITS]
    elif len(parts) == 3:
        splits = [(a, b, 1.0 - a - b) for a in _SPLITS for b in _SPLITS if a + b < 1.0]
    return min(1.0, *(sum(part(limit_s * s) for part, s in zip(parts, split, strict=True)) for split in splits))
