"""One arm as the checks see it: its scenario with the paths of settings, its plan, its load and what can go wrong."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Final

import numpy as np

from des.distributions import Constant, FloatArray
from des.estimate.call import in_time, is_bounded, output_tokens, outputs
from des.estimate.exact import ExactAnswer
from des.estimate.linear import weighted_sum
from des.faults.reach import Reach
from des.scenario.plan import UNBOUNDED, Effect, Group, Leg, Plan, PoissonArrivals, ReplayedArrivals, RetryRule, Timeout
from des.scenario.resolution.inheritance import call_setting, clients_of, legs_with_paths, retry_setting
from des.scenario.schema.chain import LegSpec
from des.scenario.schema.scenario import Scenario
from des.scenario.text.places import Path

_TOGETHER: Final = 12
"""Fine cells of output tokens in a coarse one."""
_LONGEST_S: Final = 1e7
_HALVINGS: Final = 9
_BOUNDS: Final = ("connect_s", "first_token_s", "idle_s", "total_s")


class Outlook:
    """An arm's scenario, its plan and, where there is one, its exact answer. Shared facts are worked out once."""

    def __init__(self, scenario: Scenario, plan: Plan, exact: ExactAnswer | None) -> None:
        self.scenario, self.plan, self.exact = scenario, plan, exact
        self._late: dict[tuple[int, tuple[float | None, ...]], FloatArray] = {}
        self._within_s: dict[tuple[int, float], float] = {}

    # Load

    @cached_property
    def rate_per_s(self) -> float | None:
        """Mean requests a second; None for users who wait for their answers."""
        expected = self.plan.workload.arrivals.expected_requests(self.plan.horizon_s)
        return None if expected is None else self._sent(expected / self.plan.horizon_s)

    @cached_property
    def busiest_per_s(self) -> float | None:
        """Requests a second in the busiest hour of the week."""
        weekly = self.plan.workload.arrivals.weekly
        if self.rate_per_s is None or weekly is None:
            return self.rate_per_s
        arrivals = self.plan.workload.arrivals
        mean_per_s = arrivals.rate_per_s if isinstance(arrivals, PoissonArrivals) else self.rate_per_s
        return self._sent(mean_per_s * max(weekly.weights))

    def _sent(self, per_s: float) -> float:
        cache = self.plan.policy.response_cache
        return per_s * (1.0 - (cache.hit_rate or 0.0)) if cache is not None else per_s

    def mean_tokens(self, metric: str) -> float:
        """What a call counts for on average, by the metric of a limit; 1 of requests."""
        if metric in ("requests", "concurrency"):
            return 1.0
        sent = self.plan.workload.input_tokens.mean
        arrivals = self.plan.workload.arrivals
        if isinstance(arrivals, ReplayedArrivals) and arrivals.input_tokens is not None and arrivals.input_tokens.size:
            sent = float(arrivals.input_tokens.mean())
        received = output_tokens(self.plan).mean
        return {"input_tokens": sent, "output_tokens": received}.get(metric, sent + received)

    # The chain

    @property
    def legs(self) -> tuple[Leg, ...]:
        return self.plan.chain

    def group_of(self, leg: Leg) -> Group:
        return self.plan.client.groups[leg.position]

    def endpoints_of(self, group: Group) -> frozenset[int]:
        return frozenset(self.plan.chain[leg].endpoint for leg in group.legs)

    def rules_around(self, leg: Leg) -> tuple[RetryRule, ...]:
        """The layers that retry its calls, outermost first, the application's left out."""
        return (self.group_of(leg).retry, *self.plan.client.legs[leg.index].inner)

    @cached_property
    def _placed(self) -> tuple[tuple[Path, LegSpec], ...]:
        entries = range(len(self.scenario.chain))
        return tuple(placed for position in entries for placed in legs_with_paths(self.scenario, position))

    def path_of(self, leg: Leg) -> Path:
        return self._placed[leg.index][0]

    def setting_path(self, leg: Leg, field: str) -> Path:
        """Where a setting of calls that is in effect for a leg is written: at the leg, its group or the policy."""
        path, spec = self._placed[leg.index]
        return call_setting(self.scenario, leg.position, path, spec, field).path

    def retry_path(self, group: Group, field: str) -> Path:
        """Where a setting of an entry's retries is written; the entry's own field if it is written nowhere."""
        said = retry_setting(self.scenario, group.index, field)
        return ("chain", group.index, field) if said.value is None else said.path

    def timeout_path(self, leg: Leg) -> Path:
        """Where the time-out of a leg's calls is written, or where to write one if there is none."""
        path, spec = self._placed[leg.index]
        if spec.timeout is not None:
            return (*path, "timeout")
        clients = clients_of(self.scenario, leg.position, spec)
        if clients and clients[-1].attempt_timeout is not None:
            return (*self.setting_path(leg, "clients"), len(clients) - 1, "attempt_timeout")
        return ("policy", "timeout") if is_bounded(leg.timeout) else (*path, "timeout")

    # Time-outs

    def bounds_of(self, leg: Leg) -> tuple[tuple[str, float], ...]:
        """(field of the time-out, seconds) of each bound of one call."""
        said = ((name.removesuffix("_s"), getattr(leg.timeout, name)) for name in _BOUNDS)
        return tuple((name, bound_s) for name, bound_s in said if bound_s is not None)

    def silence_s(self, leg: Leg) -> float | None:
        """How long a call that never answers is waited for; None if forever."""
        timeout = leg.timeout
        layers = [rule.attempt_timeout_s for rule in self.rules_around(leg)]
        bounds = [timeout.first_token_s, timeout.idle_s, timeout.total_s, *layers]
        return min((bound_s for bound_s in bounds if bound_s is not None), default=None)

    def cells(self, leg: Leg) -> tuple[FloatArray, FloatArray]:
        """(shares, output tokens) of requests: as fine as time-outs need, or coarse where speeds spread them anyway."""
        latency = self.plan.endpoints[leg.endpoint].latency
        spread = [part for part in (latency.connect, latency.tokens_per_s) if not isinstance(part, Constant | None)]
        return self._coarse if spread else self._fine

    @cached_property
    def _fine(self) -> tuple[FloatArray, FloatArray]:
        bounded = tuple(replace(leg, timeout=Timeout(total_s=1.0)) for leg in self.plan.chain)
        cells = np.array(outputs(replace(self.plan, chain=bounded)))
        return cells[:, 0], cells[:, 1]

    @cached_property
    def _coarse(self) -> tuple[FloatArray, FloatArray]:
        """Neighbours among the fine cells taken together, at the mean of their tokens."""
        shares, tokens = self._fine
        starts = np.arange(0, len(shares), _TOGETHER)
        together = np.add.reduceat(shares, starts)
        means = np.add.reduceat(shares * tokens, starts) / np.maximum(together, 1e-300)
        return together, np.where(tokens[starts] > 0.0, np.maximum(np.rint(means), 1.0), 0.0)

    def late(self, leg: Leg, timeout: Timeout | None = None, slower: float = 1.0) -> FloatArray:
        """By cell of `cells`: the chance that an answer exceeds a time-out, by default the leg's own, float64[n]."""
        bounds = leg.timeout if timeout is None else timeout
        given = tuple(None if (s := getattr(bounds, name)) is None else s / slower for name in _BOUNDS)
        key = leg.index, given
        if key not in self._late:  # a response that is f times as slow keeps a bound of t as a full-speed one t / f
            said = {name: s for name, s in zip(_BOUNDS, given, strict=True) if s is not None}
            bounded = replace(leg, timeout=Timeout(**said) if said else UNBOUNDED)
            self._late[key] = 1.0 - in_time(self.plan, bounded, self.cells(leg)[1])
        return self._late[key]

    def late_share(self, leg: Leg, timeout: Timeout | None = None, slower: float = 1.0) -> float:
        return weighted_sum(self.cells(leg)[0], self.late(leg, timeout, slower))

    def answered_within_s(self, leg: Leg, served: float) -> float:
        """About the time within which that share of a leg's answers are complete: at most 0.2 % too long."""
        key = leg.index, served
        if key not in self._within_s:
            self._within_s[key] = self._least_within_s(leg, 1.0 - served)
        return self._within_s[key]

    def _least_within_s(self, leg: Leg, late: float) -> float:
        high = 1.0
        while self.late_share(leg, Timeout(total_s=high)) > late and high < _LONGEST_S:
            high *= 2.0
        low = high / 2.0 if high > 1.0 else 1e-3
        for _ in range(_HALVINGS if high > 1.0 else 2 * _HALVINGS):
            middle = (low + high) / 2.0
            low, high = (middle, high) if self.late_share(leg, Timeout(total_s=middle)) > late else (low, middle)
        return high

    # What can go wrong

    @cached_property
    def _reach(self) -> Reach:
        return Reach.of(self.plan)

    @cached_property
    def _effects(self) -> dict[int, tuple[Effect, ...]]:
        found: dict[int, dict[Effect, None]] = {leg.endpoint: {} for leg in self.plan.chain}
        for component in self.plan.components:
            members = [each for each in self._reach.members(component.index) if each in found]
            for incidents in component.incidents if members else ():
                for endpoint in members:
                    found[endpoint].update(dict.fromkeys(incidents.every_effect))
        return {endpoint: tuple(effects) for endpoint, effects in found.items()}

    def effects_at(self, endpoint: int) -> tuple[Effect, ...]:
        """Effects of the incidents that can reach an endpoint of the chain."""
        return self._effects[endpoint]

    def worst_effect(self, endpoint: int) -> Effect | None:
        """That of which most calls fail; None where no incident makes calls fail."""
        failing = [effect for effect in self.effects_at(endpoint) if fails(effect) > 0.0]
        return max(failing, key=fails, default=None)

    def hang_share(self, leg: Leg) -> float:
        """The largest share of a leg's calls that hang, at random or in an incident."""
        at_random = [error.rate for error in self.plan.endpoints[leg.endpoint].errors if error.outcome == "hang"]
        return max([*at_random, *(effect.hang for effect in self.effects_at(leg.endpoint))], default=0.0)

    def may_fail(self, group: Group) -> bool:
        """Whether an outage of every leg of an entry can come."""
        effects = [self.worst_effect(endpoint) for endpoint in self.endpoints_of(group)]
        return all(effect is not None and fails(effect) >= 1.0 for effect in effects)

    def entries_before(self) -> Iterator[tuple[tuple[Group, ...], Group]]:
        """(the entries before it, the entry), for each but the first."""
        groups = self.plan.client.groups
        for number in range(1, len(groups)):
            yield groups[:number], groups[number]


def fails(effect: Effect) -> float:
    """The share of calls that fail or hang while it is open."""
    return 1.0 - (1.0 - effect.hang) * (1.0 - effect.error_rate)
