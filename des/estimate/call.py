"""One call of a leg: its chance of success while no incident is open, and how it fails given the open incidents.

The chance of failure is exact given the open incidents, the time left until the deadline, and the draws of connect time
and speed. The first token, or the whole response, is integrated over. The manner of the failure (hang, incident, random
error, too slow, broken stream, invalid output, killed) is drawn in proportion to its chance.
"""

import math
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from des.distributions import Constant, Distribution, Empirical, FloatArray
from des.estimate.conditions import Conditions
from des.scenario.plan import Effect, Leg, Plan, RandomError, ReplayedArrivals, Timeout
from des.scenario.schema.statuses import broken_stream_kind, kinds_handled
from des.vocabulary import ATTEMPT_OUTCOMES, CANCELLED, INVALID_OUTPUT, TIMEOUT

_IntArray = NDArray[np.int64]
_INFINITY: Final = float("inf")
_POINTS: Final = 1 << 12
_MOST_AT_ONCE: Final = 1 << 18
_LEAST: Final = 1e-300
_HANGS, _BY_INCIDENT, _TOO_SLOW, _BREAKS, _INVALID, _KILLED, _BY_CHANCE = range(7)  # random errors come last


def success(plan: Plan, leg: Leg, outputs: FloatArray) -> FloatArray:
    """Chances that calls with `outputs` tokens succeed while no incident is open, float64[n].

    The first token, or the whole response, is integrated exactly. A connect time and a speed that vary are integrated
    over 4,096 points of a Sobol sequence.
    """
    endpoint = plan.endpoints[leg.endpoint]
    answered = 1.0
    random_errors = 0.0
    for error in endpoint.errors:
        if error.outcome in ("hang", "invalid_output"):
            answered *= 1.0 - error.rate
        else:
            random_errors += error.rate
    answered *= max(0.0, 1.0 - random_errors) * (1.0 - leg.invalid_output)
    if endpoint.broken_streams is not None:
        answered *= 1.0 - endpoint.broken_streams.rate
    return answered * in_time(plan, leg, outputs)


def in_time(plan: Plan, leg: Leg, outputs: FloatArray) -> FloatArray:
    """Chances that whole responses of `outputs` tokens keep all of the leg's time-outs, float64[n]."""
    connect_bound, first_bound, idle_bound, total_bound = (
        math.inf if bound is None else bound
        for bound in (leg.timeout.connect_s, leg.timeout.first_token_s, leg.timeout.idle_s, leg.timeout.total_s)
    )
    if min(connect_bound, first_bound, idle_bound, total_bound) == math.inf:
        return np.ones(len(outputs))
    latency = plan.endpoints[leg.endpoint].latency
    silence = min(first_bound, idle_bound)
    if latency.whole is not None:
        return np.full(len(outputs), latency.whole.cdf(np.array([min(silence, total_bound)]))[0])
    connect, speed = _points([latency.connect or Constant(0.0), latency.tokens_per_s or Constant(math.inf)])
    chances = np.empty(len(outputs))
    for few in np.array_split(np.arange(len(outputs)), -(-len(outputs) * len(speed) // _MOST_AT_ONCE)):
        output = outputs[few, None]
        gap = np.where(output > 1.0, 1.0 / speed, 0.0)
        latest = np.minimum(silence, total_bound - output / speed) - connect
        late = (connect > connect_bound) | (gap > idle_bound) | (latest < 0.0)
        first = (latency.first_token or Constant(0.0)).cdf(np.where(late, 0.0, latest))
        chances[few] = np.where(late, 0.0, first).mean(axis=1)
    return chances


def outputs(plan: Plan) -> list[tuple[float, float]]:
    """(share, tokens): cells of the distribution of a request's output, as finely as time-outs need them.

    All calls of a request have the same output, so where one is too slow the next one probably is. The cells are fine
    in the body of the distribution. In the tail each covers an equal step of the logarithm of the share, down to 1e-12.
    """
    output = output_tokens(plan)
    if isinstance(output, Constant) or not any(hangs_on_output(plan, leg) for leg in plan.chain):
        return [(1.0, max(output.mean, 1.0) if output.mean > 0.0 else 0.0)]
    if isinstance(output, Empirical):
        values, counts = np.unique(np.rint(np.maximum(output.values, 1.0)), return_counts=True)
        if len(values) <= 512:
            return [(count / len(output.values), value) for value, count in zip(values.tolist(), counts, strict=True)]
    edges = np.concatenate((np.linspace(1.0, 0.1, 49)[:-1], np.geomspace(0.1, 1e-12, 769), [0.0]))
    tokens = np.rint(np.maximum(output.quantile(1.0 - 0.5 * (edges[1:] + edges[:-1])), 1.0))
    return list(zip((edges[:-1] - edges[1:]).tolist(), tokens.tolist(), strict=True))


def hangs_on_output(plan: Plan, leg: Leg) -> bool:
    """Whether the number of output tokens decides if the leg's calls are in time."""
    bounded = leg.timeout.total_s is not None
    return bounded and plan.endpoints[leg.endpoint].latency.tokens_per_s is not None


def output_tokens(plan: Plan) -> Distribution:
    """The distribution of a request's output tokens: the recorded ones where arrivals are replayed."""
    arrivals = plan.workload.arrivals
    if isinstance(arrivals, ReplayedArrivals) and arrivals.output_tokens is not None and arrivals.output_tokens.size:
        return Empirical(tuple(float(count) for count in arrivals.output_tokens))
    return plan.workload.output_tokens


def _points(distributions: Sequence[Distribution]) -> list[FloatArray]:
    """Quantiles of the distributions at points that fill their joint space evenly; one point where none varies."""
    varying = [each for each in distributions if not isinstance(each, Constant)]
    if not varying:
        return [each.quantile(np.zeros(1)) for each in distributions]
    if len(varying) == 1:
        shares = ((np.arange(_POINTS) + 0.5) / _POINTS)[:, None]
    else:
        from scipy.stats.qmc import Sobol

        shares = Sobol(len(varying), scramble=False).random(_POINTS) + 0.5 / _POINTS
    columns = iter(shares.T)
    return [each.quantile(np.zeros(_POINTS) if isinstance(each, Constant) else next(columns)) for each in distributions]


def is_bounded(timeout: Timeout) -> bool:
    return any(
        bound is not None for bound in (timeout.connect_s, timeout.first_token_s, timeout.idle_s, timeout.total_s)
    )


def kind_names(plan: Plan) -> tuple[str, ...]:
    """The attempt outcome of each outcome kind, in the order of the codes."""
    return (*ATTEMPT_OUTCOMES, *(outcome for outcome, _ in plan.statuses))


def kinds_of(plan: Plan, handled: Collection[str]) -> frozenset[int]:
    """The codes of the outcome kinds that a setting handles."""
    return kinds_handled(handled, plan.statuses)


def kind_of(plan: Plan, failure: Effect | RandomError) -> int:
    """The code of the outcome kind in which this failure ends a call."""
    own = [place for place, kind in enumerate(plan.statuses) if kind == (failure.outcome, failure.status)]
    return len(ATTEMPT_OUTCOMES) + own[0] if own else ATTEMPT_OUTCOMES.index(failure.outcome)


class Ends(NamedTuple):
    """How n calls end: each one's chance of failure, its end if it fails, and how long it takes if it does not.

    `lasts_s` is infinite for a call that never ends. `output_s` is float64[2, n]: when the output of a failing call
    begins and when it would be whole, infinite where there is none. `served_s` is None where it was not asked for.
    """

    fails: FloatArray
    lasts_s: FloatArray
    outcome: _IntArray
    output_s: FloatArray
    served_s: FloatArray | None


class FailingCall:
    """A leg's call over arrays. The effect codes of conditions are positions in `effects`."""

    def __init__(self, plan: Plan, leg: Leg, effects: Sequence[Effect]) -> None:
        endpoint = plan.endpoints[leg.endpoint]
        given = (leg.timeout.connect_s, leg.timeout.first_token_s, leg.timeout.idle_s, leg.timeout.total_s)
        self._connect_s, self._first_s, self._idle_s, self._total_s = (_INFINITY if b is None else b for b in given)
        self._endpoint = leg.endpoint
        self._latency = endpoint.latency
        self._effects = tuple(effects)
        self._hang = np.array([*(effect.hang for effect in effects), 0.0])
        self._error = np.array([*(effect.error_rate for effect in effects), 0.0])
        self._factor = np.array([*(effect.latency_factor for effect in effects), 1.0])
        self._kills = any(effect.kills_in_flight for effect in effects)
        self._effect_kinds = np.array([kind_of(plan, effect) for effect in effects], dtype=np.int64)
        self._random = [error for error in endpoint.errors if error.outcome not in ("invalid_output", "hang")]
        self._random_kinds = [kind_of(plan, error) for error in self._random]
        valid, answered = 1.0 - leg.invalid_output, 1.0
        for error in endpoint.errors:
            valid *= 1.0 - error.rate if error.outcome == "invalid_output" else 1.0
            answered *= 1.0 - error.rate if error.outcome == "hang" else 1.0
        self._invalid, self._hangs_anyway = 1.0 - valid, 1.0 - answered
        self._streams, self._broken_kind = endpoint.broken_streams, broken_stream_kind(plan.statuses)

    def __call__(
        self,
        conditions: Conditions,
        rng: np.random.Generator,
        rows: _IntArray,
        start_s: FloatArray,
        left_s: FloatArray,
        tokens: FloatArray,
        *,
        served: bool = False,
    ) -> Ends:
        """How each call ends, which starts at `start_s`; `served` asks how long a successful one takes.

        An outer bound ends the call after `left_s` with outcome `cancelled`.
        """
        n = len(rows)
        opened = conditions.open_effects(self._endpoint, start_s, rows)
        hang = 1.0 - _product(1.0 - self._hang[opened]) * (1.0 - self._hangs_anyway)
        struck = 1.0 - _product(1.0 - self._error[opened])
        response = _Responses(self, rng, n, _product(self._factor[opened]), left_s, tokens)
        through = (1.0 - hang) * (1.0 - struck)
        by_chance = [through * error.rate for error in self._random]
        through = through * max(0.0, 1.0 - sum(error.rate for error in self._random))
        broken = self._streams.rate if self._streams is not None else 0.0
        whole = through * (1.0 - broken)
        ok = whole * response.in_time * (1.0 - self._invalid)
        killed = np.zeros(n)
        kill_s = np.full(n, _INFINITY)
        killer = np.full(n, -1, dtype=np.int64)
        output_s = np.full((2, n), _INFINITY)
        in_time: tuple[FloatArray, ...] | None = None
        if self._kills:
            in_time = response.in_time_s(rng)
            spared, kill_s, killer = self._first_kill(conditions, rng, rows, start_s, in_time[4], is_killed=True)
            killed = ok * (1.0 - spared)
            ok = ok * spared
        chances = np.stack(
            [
                hang,
                (1.0 - hang) * struck,
                whole * (1.0 - response.in_time),
                through * broken,
                whole * response.in_time * self._invalid,
                killed,
                *by_chance,
            ]
        )
        fails = np.minimum(chances.sum(axis=0), 1.0)  # not 1 - ok: a small chance keeps its digits
        manner = _drawn(chances, rng)
        after_s, outcome = np.full(n, _INFINITY), np.full(n, TIMEOUT, dtype=np.int64)
        self._strike(manner, opened, rng, after_s, outcome)
        self._respond(manner, response, rng, left_s, after_s, outcome, output_s)
        patience_s = min(self._first_s, self._idle_s, self._total_s)
        failing = (manner == _HANGS) | (manner == _BY_INCIDENT) | (manner >= _BY_CHANCE)
        given_up = failing & (after_s > patience_s)
        after_s[given_up], outcome[given_up] = patience_s, TIMEOUT
        past = after_s > left_s
        after_s[past], outcome[past] = left_s[past], CANCELLED
        if self._kills:
            _, earlier_s, by = self._first_kill(conditions, rng, rows, start_s, after_s, is_killed=False)
            hit = np.isfinite(earlier_s) & (manner != _KILLED)
            after_s[hit], outcome[hit] = earlier_s[hit] - start_s[hit], self._effect_kinds[by[hit]]
            cut = manner == _KILLED
            after_s[cut], outcome[cut] = kill_s[cut] - start_s[cut], self._effect_kinds[killer[cut]]
            assert in_time is not None
            self._keep(output_s, cut, in_time)
        if not served:
            return Ends(fails, after_s, outcome, output_s, None)
        return Ends(fails, after_s, outcome, output_s, (in_time or response.in_time_s(rng))[4])

    def _strike(
        self, manner: _IntArray, opened: _IntArray, rng: np.random.Generator, after_s: FloatArray, outcome: _IntArray
    ) -> None:
        """Fills in errors by incidents (the first that strikes names the outcome) and random errors."""
        struck = np.flatnonzero(manner == _BY_INCIDENT)
        if len(struck):
            rates: FloatArray = self._error[opened[struck]]
            left = np.cumprod(np.concatenate((np.ones((len(struck), 1)), 1.0 - rates[:, :-1]), axis=1), axis=1)
            to_blame: _IntArray = opened[struck, _drawn((rates * left).T, rng)]
            for code in distinct(to_blame):
                hit = struck[to_blame == code]
                effect = self._effects[code]
                after_s[hit] = effect.error_latency.sample(rng, len(hit))
                outcome[hit] = self._effect_kinds[code]
        for number, error in enumerate(self._random):
            hit = np.flatnonzero(manner == _BY_CHANCE + number)
            after_s[hit] = error.latency.sample(rng, len(hit))
            outcome[hit] = self._random_kinds[number]

    def _respond(
        self,
        manner: _IntArray,
        response: "_Responses",
        rng: np.random.Generator,
        left_s: FloatArray,
        after_s: FloatArray,
        outcome: _IntArray,
        output_s: FloatArray,
    ) -> None:
        """Fills in responses that are too slow, invalid or broken off."""
        slow = np.flatnonzero(manner == _TOO_SLOW)
        if len(slow):
            times = response.too_slow_s(rng, slow)
            output_s[0, slow] = 0.0 if self._latency.whole is not None else times[1]
            output_s[1, slow] = times[3]
            given_up_s = self._gives_up_s(times)
            on_the_bound = np.isinf(given_up_s) & (times[4] <= left_s[slow])  # late by less than the rounding error
            given_up_s[on_the_bound] = min(self._first_s, self._idle_s, self._total_s)
            after_s[slow] = given_up_s  # infinite where only the deadline is passed
        invalid = manner == _INVALID
        if invalid.any():
            after_s[invalid] = response.in_time_s(rng)[4][invalid]
            outcome[invalid] = INVALID_OUTPUT
        breaks = manner == _BREAKS
        if breaks.any():
            assert self._streams is not None
            times = response.any_s(rng)
            self._keep(output_s, breaks, times)
            connect_s, first_s, gap_s, _, full_s = times
            share = self._streams.after.sample(rng, len(first_s))
            whole = self._latency.whole is not None
            broken_s = share * full_s if whole else first_s + share * (full_s - first_s)
            given_up_s = self._gives_up_s((connect_s, np.minimum(first_s, broken_s), gap_s, full_s, broken_s))
            late = given_up_s < broken_s
            after_s[breaks] = np.where(late, given_up_s, broken_s)[breaks]
            outcome[breaks] = np.where(late, TIMEOUT, self._broken_kind)[breaks]

    def _keep(self, output_s: FloatArray, of: NDArray[np.bool_], times: tuple[FloatArray, ...]) -> None:
        """When the output of some calls begins and is whole. Responses without a first token come at an even pace."""
        output_s[0, of] = 0.0 if self._latency.whole is not None else times[1][of]
        output_s[1, of] = times[3][of]

    def _gives_up_s(self, response: tuple[FloatArray, ...]) -> FloatArray:
        """When the first time-out is exceeded, infinite where none is: `des.rules.calls` over arrays."""
        connect_s, first_s, gap_s, _, whole_s = response
        give_up = np.where(connect_s > self._connect_s, self._connect_s, _INFINITY)
        give_up = np.minimum(give_up, np.where(first_s > self._first_s, self._first_s, _INFINITY))
        silent = np.where(gap_s > self._idle_s, first_s + self._idle_s, _INFINITY)
        give_up = np.minimum(give_up, np.where(first_s > self._idle_s, self._idle_s, silent))
        return np.minimum(give_up, np.where(whole_s > self._total_s, self._total_s, _INFINITY))

    def _first_kill(
        self,
        conditions: Conditions,
        rng: np.random.Generator,
        rows: _IntArray,
        start_s: FloatArray,
        lasts_s: FloatArray,
        *,
        is_killed: bool,
    ) -> tuple[FloatArray, FloatArray, _IntArray]:
        """(chance that no incident kills the call, time and effect of the first that does).

        With `is_killed` the killer is drawn given that there is one.
        """
        spared = np.ones(len(rows))
        kill_s, killer = np.full(len(rows), _INFINITY), np.full(len(rows), -1, dtype=np.int64)
        times: list[FloatArray] = []
        codes: list[_IntArray] = []
        chances: list[FloatArray] = []
        now_s, end_s = start_s.copy(), start_s + lasts_s
        while True:
            next_s, effect = conditions.next_kill(self._endpoint, now_s, rows)
            hit = next_s <= end_s
            if not hit.any() or len(times) > 64:
                break
            chance = np.where(hit, self._error[np.where(hit, effect, -1)], 0.0)
            times.append(next_s)
            codes.append(effect)
            chances.append(spared * chance)
            spared = spared * (1.0 - chance)
            now_s = np.where(hit, next_s, _INFINITY)
        if not times:
            return spared, kill_s, killer
        if not is_killed:
            chances.append(spared)
            times.append(kill_s)
            codes.append(killer)
        chosen = _drawn(np.stack(chances), rng)
        every_row = np.arange(len(rows))
        return spared, np.stack(times)[chosen, every_row], np.stack(codes)[chosen, every_row]


class _Responses:
    """Response times of n calls: connect time and speed are drawn, the first token or the whole is left random."""

    def __init__(
        self,
        call: FailingCall,
        rng: np.random.Generator,
        n: int,
        factor: FloatArray,
        left_s: FloatArray,
        tokens: FloatArray,
    ) -> None:
        latency = call._latency
        self._n, self._factor = n, factor
        self._drawn_from: Distribution = latency.whole or latency.first_token or Constant(0.0)
        self._connect_s = np.zeros(n)
        self._rest_s, self._gap_s = np.zeros(n), np.zeros(n)
        if latency.whole is None:
            if latency.connect is not None:
                self._connect_s = latency.connect.sample(rng, n) * factor
            if latency.tokens_per_s is not None:
                speed = latency.tokens_per_s.sample(rng, n) / factor
                self._rest_s = tokens / speed
                self._gap_s = np.where(tokens > 1.0, 1.0 / speed, 0.0)
        first_bound_s = min(call._first_s, call._idle_s)
        within = np.minimum(first_bound_s, np.minimum(call._total_s, left_s) - self._rest_s)
        self._latest = (within - self._connect_s) / factor
        lost = (self._connect_s > call._connect_s) | (self._gap_s > call._idle_s) | (self._latest < 0.0)
        self.in_time: FloatArray = np.where(lost, 0.0, self._drawn_from.cdf(np.where(lost, 0.0, self._latest)))
        """Chance that a response keeps every time-out and ends by the deadline."""

    def in_time_s(self, rng: np.random.Generator) -> tuple[FloatArray, ...]:
        """(connect, first token, gap, whole if unbroken, end), given that the response is in time."""
        drawn = self._drawn_from.quantile(rng.random(self._n) * self.in_time)
        return self._times(np.minimum(drawn, np.maximum(self._latest, 0.0)))

    def too_slow_s(self, rng: np.random.Generator, rows: _IntArray) -> tuple[FloatArray, ...]:
        """The same of some of the calls, given that their responses are not in time."""
        in_time = self.in_time[rows]
        share = in_time + rng.random(self._n)[rows] * (1.0 - in_time)
        drawn = self._drawn_from.quantile(np.minimum(share, 1.0 - 1e-16))
        beyond = np.where(in_time > 0.0, np.nextafter(self._latest[rows], _INFINITY), 0.0)
        first_s = (
            self._connect_s[rows] + np.maximum(drawn, np.where(np.isfinite(beyond), beyond, 0.0)) * (self._factor[rows])
        )
        full_s = first_s + self._rest_s[rows]
        return self._connect_s[rows], first_s, self._gap_s[rows], full_s, full_s

    def any_s(self, rng: np.random.Generator) -> tuple[FloatArray, ...]:
        return self._times(self._drawn_from.sample(rng, self._n))

    def _times(self, drawn: FloatArray) -> tuple[FloatArray, ...]:
        first_s = self._connect_s + drawn * self._factor
        full_s = first_s + self._rest_s
        return self._connect_s, first_s, self._gap_s, full_s, full_s


def _drawn(chances: FloatArray, rng: np.random.Generator) -> _IntArray:
    """One index of the first axis for each column, drawn in proportion to its chances."""
    reach = [chances[0]]
    for row in chances[1:]:  # row by row: many times as fast as np.cumsum along the first axis
        reach.append(reach[-1] + row)
    u = rng.random(chances.shape[1]) * reach[-1]
    chosen: _IntArray = np.zeros(chances.shape[1], dtype=np.int64)
    for up_to in reach[:-1]:
        chosen += up_to <= u
    impossible = np.take_along_axis(chances, chosen[None, :], axis=0)[0] <= _LEAST
    if impossible.any():  # all chances are zero, or rounding led past the last one
        chosen[impossible] = chances.argmax(axis=0)[impossible]
    return chosen


def _product(factors: FloatArray) -> FloatArray:
    """Along the second axis, column by column."""
    found: FloatArray = factors[:, 0]
    for column in range(1, factors.shape[1]):
        found = found * factors[:, column]
    return found


def distinct(codes: _IntArray) -> list[int]:
    """The values among many small codes, sorted; much faster than np.unique."""
    if not len(codes) or codes.min() < 0:
        return [int(code) for code in np.unique(codes)]
    return [int(code) for code in np.flatnonzero(np.bincount(codes))]
