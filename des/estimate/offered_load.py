"""How many calls a chain sends to each leg at most, whatever fails and when: an upper bound for any incidents at all.

Fix the incidents and all draws of a request; then its walk depends on its arrival s alone. A call ends in one of a few
manners (an error of one kind, a time-out, a hang given up), each after a time that does not depend on s, though which
manner it is may. So for each sequence of manners the k-th call comes at s + D with D independent of s, and requests
whose arrivals number at most rate x h + burst in any window of h seconds make no more k-th calls in any window by that
sequence, times the chance that the draws allow it. Those chances are products of what each manner's chance can rise to,
1 for the errors of an outage. The sum over all sequences is worked out layer by layer, as a `Flow`.

A manner whose time does depend on s (an incident kills the calls in flight, or slows the response) delays a call at
most by D. Then calls that end in a window have started in it or were in flight at its beginning, so that the end of the
call adds a burst of rate x E D.

Output tokens are shared by all calls of a request, so the sum is taken for each of several lengths, and averaged.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from des.estimate.call import is_bounded
from des.estimate.endings import Endings
from des.estimate.flow import EVERYTHING, NOTHING, Flow, share, total
from des.scenario.plan import Group, Plan, RetryRule
from des.scenario.schema.statuses import kinds_handled
from des.vocabulary import TIMEOUT


@dataclass(slots=True)
class Passage:
    """Through a call with the layers around it: `calls` by leg, and the failures that come out, by outcome kind."""

    calls: dict[int, Flow] = field(default_factory=dict)
    failures: dict[int, Flow] = field(default_factory=dict)

    def add(self, other: "Passage", through: Flow) -> None:
        """What `other` does to what comes `through`."""
        for mine, theirs in ((self.calls, other.calls), (self.failures, other.failures)):
            for key, flow in theirs.items():
                mine[key] = mine.get(key, NOTHING).plus(through.then(flow))

    def fails(self, kind: int, flow: Flow) -> None:
        self.failures[kind] = self.failures.get(kind, NOTHING).plus(flow)


class Failing(Protocol):
    """How calls fail. With upper bounds of the chances, what is worked out from them is an upper bound too."""

    def of(self, leg: int, cut_s: float | None) -> Mapping[int, Flow]:
        """The failures of a call that is cut off after `cut_s`, by outcome kind."""

    @property
    def cut_off(self) -> Flow:
        """What the bound of a layer around calls turns into a time-out of its own."""


def calls_by_leg(plan: Plan, failing: Failing) -> dict[int, Flow]:
    """Calls of each leg that the requests of a process make, over the requirements that requests have."""
    return through_chain(plan, failing)[0]


def through_chain(plan: Plan, failing: Failing) -> tuple[dict[int, Flow], Flow]:
    """(calls by leg, requests lost) of the requests of a process, over the requirements that requests have."""
    whole, lost = Passage(), NOTHING
    for chance, legs in eligible(plan):
        passage, end = _of_requests(plan, failing, legs)
        whole.add(passage, share(chance))
        lost = lost.plus(share(chance).then(end))
    return whole.calls, lost


def most_calls(plan: Plan, of: frozenset[int]) -> int:
    """The largest number of calls of some legs that one request can make."""
    return max(
        plan.policy.rounds * sum(_most_of_group(plan, group, legs & of) for group in _visited(plan, legs))
        for _, legs in eligible(plan)
    )


def least_gap_s(plan: Plan, endings: Endings, of: frozenset[int]) -> float:
    """The least time between two calls of some legs by one request; infinite where none is followed by another."""
    least_s = math.inf
    for group in plan.client.groups:
        for leg in of & {*group.legs}:
            *around, last = (group.retry, *plan.client.legs[leg].inner)
            if last.timeout_s is not None or any(_is_bounded(rule) for rule in around):
                return 0.0
            least_s = min(least_s, endings.least_s(leg, last.attempt_timeout_s))
    return least_s


def gives_up_early(plan: Plan, of: frozenset[int]) -> bool:
    """Whether a request may make its next call while the provider still works on one of these legs."""
    for group in plan.client.groups:
        for leg in of & {*group.legs}:
            rules = (group.retry, *plan.client.legs[leg].inner)
            if is_bounded(plan.chain[leg].timeout) or any(_is_bounded(rule) for rule in rules):
                return True
    classes = (incidents for component in plan.components for incidents in component.incidents)
    return any(effect.kills_in_flight for incidents in classes for effect in incidents.every_effect)


def _is_bounded(rule: RetryRule) -> bool:
    return rule.timeout_s is not None or rule.attempt_timeout_s is not None


def eligible(plan: Plan) -> list[tuple[float, frozenset[int]]]:
    """(share of requests, the legs that they may use), by requirement; those with none come last."""
    every = frozenset(leg.index for leg in plan.chain)
    found = [
        (one.share, frozenset(leg.index for leg in plan.chain if one.tags.items() <= leg.tags.items()))
        for one in plan.workload.requirements
    ]
    rest = max(0.0, 1.0 - math.fsum(part for part, _ in found))
    return [*found, (rest, every)]


def _visited(plan: Plan, legs: frozenset[int]) -> list[Group]:
    """The entries that a request may visit in a round, in order."""
    groups = [group for group in plan.client.groups if legs & {*group.legs}]
    depth = plan.client.fallback_depth
    return groups if depth is None else groups[: depth + 1]


def _most_of_group(plan: Plan, group: Group, of: frozenset[int]) -> int:
    inside = [math.prod(1 + rule.retries for rule in plan.client.legs[leg].inner) for leg in group.legs if leg in of]
    return (1 + group.retry.retries) * max(inside, default=0)


def _of_requests(plan: Plan, failing: Failing, legs: frozenset[int]) -> tuple[Passage, Flow]:
    """(calls by leg, requests lost)."""
    result, lost = Passage(), NOTHING
    entries = [
        (_through_group(plan, failing, group, legs), kinds_handled(group.fallback_on, plan.statuses))
        for group in _visited(plan, legs)
    ]
    coming = EVERYTHING
    for _ in range(plan.policy.rounds):
        for entry, falls_back in entries:
            result.add(Passage(calls=entry.calls), coming)
            ends = total(flow for kind, flow in entry.failures.items() if kind not in falls_back)
            lost = lost.plus(coming.then(ends))
            coming = coming.then(total(flow for kind, flow in entry.failures.items() if kind in falls_back))
    return result, lost.plus(coming)


def _through_group(plan: Plan, failing: Failing, group: Group, legs: frozenset[int]) -> Passage:
    """A visit to an entry; of a group, by the leg that is first or drawn."""
    of = [plan.client.legs[leg] for leg in group.legs if leg in legs]
    least = min(leg.tier for leg in of)
    of = [leg for leg in of if leg.tier == least]
    if group.routing.kind == "ordered":
        of = of[:1]
    weights = [leg.weight for leg in of]
    picked = [weight / sum(weights) if any(weights) else 1.0 / len(of) for weight in weights]
    each = [_through_layers(plan, failing, leg.leg, leg.inner, group.retry.attempt_timeout_s) for leg in of]
    result, attempt = Passage(), Passage()
    for chance, passage in zip(picked, each, strict=True):
        if group.routing.once:
            result.add(_through_retries(plan, failing, passage, group.retry), share(chance))
        attempt.add(passage, share(chance))
    return result if group.routing.once else _through_retries(plan, failing, attempt, group.retry)


def _through_layers(plan: Plan, failing: Failing, leg: int, rules: Sequence[RetryRule], cut_s: float | None) -> Passage:
    """An attempt on a leg, cut off after `cut_s` by the layer around it."""
    if not rules:
        return Passage(calls={leg: EVERYTHING}, failures=dict(failing.of(leg, cut_s)))
    rule, *inside = rules
    result = _through_retries(plan, failing, _through_layers(plan, failing, leg, inside, rule.attempt_timeout_s), rule)
    if cut_s is not None:
        result.fails(TIMEOUT, failing.cut_off)
    return result


def _through_retries(plan: Plan, failing: Failing, attempt: Passage, rule: RetryRule) -> Passage:
    """A layer that repeats an attempt. Each time-out of its own is another manner to fail, at its own time."""
    retried = kinds_handled(rule.retry_on, plan.statuses)
    again = total(flow for kind, flow in attempt.failures.items() if kind in retried)
    starts, last = EVERYTHING, EVERYTHING
    for _ in range(rule.retries):
        last = last.then(again)
        starts = starts.plus(last)
    result = Passage()
    result.add(Passage(calls=attempt.calls), starts)
    for kind, flow in attempt.failures.items():
        result.fails(kind, (last if kind in retried else starts).then(flow))
    if rule.timeout_s is not None:
        result.fails(TIMEOUT, failing.cut_off)
    return result
