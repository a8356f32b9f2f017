"""Every request's calls are the walk that its policy lays down, with the waits that it allows."""

from typing import Any

import numpy as np
from engine.traced import Traced

from des.engine.marks import RequestMarks
from des.scenario.plan import Backoff, Group, Leg, Plan
from properties.runs import ROUNDING_S, by_request, run
from properties.whole_scenarios import of_whole_scenarios

Scenario = dict[str, Any]
NO_WAIT = (0.0, 0.0)
Wait = tuple[float, float]


def eligible_chains(of: Traced, closed: bool) -> dict[int, list[list[Leg]]]:
    """The chains that a request may have walked: the one of its requirement where that is known, else any."""
    plan = of.plan
    by_requirement = [
        [leg for leg in plan.chain if requirement.tags.items() <= leg.tags.items()]
        for requirement in plan.workload.requirements
    ]
    chains = [*by_requirement, list(plan.chain)]
    if closed:
        return dict.fromkeys(of.requests.request_id, chains)
    marks = RequestMarks(plan, 0)
    return {number: [chains[marks(number)[3]]] for number in of.requests.request_id}


def base_wait_s(policy: Backoff, k: int) -> float:
    """Before jitter."""
    match policy.kind:
        case "none":
            return 0.0
        case "constant":
            return min(policy.cap_s, policy.base_s)
        case "linear":
            return min(policy.cap_s, policy.base_s * (k + 1))
    return min(policy.cap_s, policy.base_s * policy.factor**k)


def allowed_wait(policy: Backoff, k: int, previous_s: float) -> Wait:
    """The range of the k-th wait after jitter; `previous_s` is the wait before it."""
    wait_s = base_wait_s(policy, k)
    if policy.kind == "none":
        return NO_WAIT
    match policy.jitter:
        case "full":
            return 0.0, wait_s
        case "equal":
            return wait_s / 2.0, wait_s
        case "additive":
            return wait_s, wait_s + policy.spread_s
        case "decorrelated":
            ends = sorted([policy.base_s, 3.0 * previous_s])
            return min(policy.cap_s, ends[0]), min(policy.cap_s, ends[1])
    return wait_s, wait_s


class Walk:
    """Where a request stands in its chain; `step` takes a call's outcome and says what may follow."""

    def __init__(self, plan: Plan, chain: list[Leg]) -> None:
        self.plan, self.chain = plan, chain
        self.round = self.place = self.retry = 0
        self.previous_s = self.group.retry.backoff.base_s
        self.previous_round_s = plan.policy.round_backoff.base_s

    @property
    def leg(self) -> Leg:
        return self.chain[self.place]

    @property
    def group(self) -> Group:
        return self.plan.client.groups[self.leg.position]

    def step(self, call: Any) -> tuple[str, Wait]:
        """("ok", "failed", "deadline" or "goes on", the wait before the next call)."""
        policy = self.plan.policy
        if call.outcome == "ok":
            return "ok", NO_WAIT
        if call.outcome == "cancelled":
            return "deadline", NO_WAIT
        group, rule = self.group, self.group.retry
        if self.retry < rule.retries and call.outcome in rule.retry_on:
            wait = allowed_wait(rule.backoff, self.retry, self.previous_s)
            if rule.retry_after.honours and not np.isnan(call.retry_after_s):
                wait = (max(wait[0], call.retry_after_s), max(wait[1], call.retry_after_s))
            self.retry += 1
            return "goes on", wait
        if call.outcome not in group.fallback_on:
            return "failed", NO_WAIT
        self.place, self.retry = self.place + 1, 0
        if self.place < len(self.chain):
            self.previous_s = self.group.retry.backoff.base_s
            return "goes on", NO_WAIT
        wait = allowed_wait(policy.round_backoff, self.round, self.previous_round_s)
        self.round, self.place = self.round + 1, 0
        self.previous_s = self.group.retry.backoff.base_s
        return ("goes on", wait) if self.round < policy.rounds else ("failed", NO_WAIT)

    def waited(self, seconds: float, *, between_rounds: bool) -> None:
        if between_rounds:
            self.previous_round_s = seconds
        else:
            self.previous_s = seconds


def walks(plan: Plan, chain: list[Leg], request: Any, made: list[Any]) -> str:
    """What is amiss with the calls of a request, "" for nothing."""
    walk = Walk(plan, chain)
    for place, call in enumerate(made):
        if (call.leg, call.round) != (walk.leg.name, walk.round):
            return f"attempt {place} calls {call.leg} in round {call.round}, not {walk.leg.name} in {walk.round}"
        if np.isnan(call.end_s):
            is_last = place == len(made) - 1 and request.error_type == "hang"
            return "" if is_last else f"attempt {place} hangs, and the request goes on"
        before = (walk.place, walk.round)
        verdict, (low_s, high_s) = walk.step(call)
        if place == len(made) - 1:
            return ends_amiss(plan, request, verdict, call, low_s, high_s)
        if verdict != "goes on":
            return f"attempt {place} should have been the last: {verdict}"
        waited_s = made[place + 1].start_s - call.end_s
        if not low_s - ROUNDING_S <= waited_s <= high_s + ROUNDING_S:
            return f"waited {waited_s} after attempt {place}, not between {low_s} and {high_s}"
        if (walk.place, walk.round) == before or walk.round != before[1]:
            walk.waited(waited_s, between_rounds=walk.round != before[1])
    return "no calls"


def ends_amiss(plan: Plan, request: Any, verdict: str, call: Any, low_s: float, high_s: float) -> str:
    """Whether a request may end as it did after its last call."""
    if request.outcome == "in_flight":
        return "" if verdict == "goes on" else f"in flight, although {verdict}"
    if verdict == "goes on":
        if request.outcome != "deadline":
            return f"{request.outcome}, although the walk goes on"
        deadline_s = request.arrival_s + plan.policy.deadline_s
        return "" if call.end_s + high_s >= deadline_s - ROUNDING_S else "the deadline strikes too early"
    return "" if request.outcome == verdict else f"{request.outcome}, not {verdict}"


def calls_follow_the_chain(scenario: Scenario, of: Traced) -> None:
    closed = scenario["workload"]["arrivals"]["kind"] == "closed"
    chains = eligible_chains(of, closed)
    made = by_request(of)
    for request in of.requests.itertuples():
        possible = [chain for chain in chains[request.request_id] if chain]
        calls = made.get(request.request_id, [])
        if request.outcome == "rejected":
            assert len(possible) < len(chains[request.request_id])
            assert not calls
        elif request.response_cache_hit:
            assert not calls
        elif request.outcome != "in_flight" or calls:
            amiss = [walks(of.plan, chain, request, calls) for chain in possible]
            assert "" in amiss, amiss


def no_leg_is_called_more_often_in_a_round_than_its_retries_allow(scenario: Scenario, of: Traced) -> None:
    retries = {leg.name: of.plan.client.groups[leg.position].retry.retries for leg in of.plan.chain}
    own = of.attempts[of.attempts.kind == "call"]
    for (_, _, leg), count in own.groupby(["request_id", "round", "leg"]).size().items():
        assert count <= 1 + retries[leg]
    assert own.empty or own["round"].max() < of.plan.policy.rounds


@of_whole_scenarios
def test_requests_walk_the_chain_as_their_policy_lays_down(scenario: Scenario) -> None:
    of = run(scenario)
    calls_follow_the_chain(scenario, of)
    no_leg_is_called_more_often_in_a_round_than_its_retries_allow(scenario, of)
