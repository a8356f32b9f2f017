"""Faults of time-outs: too short for answers, missing where calls hang, too long for the fallback to come in time."""

import math
from collections.abc import Iterator
from typing import Final

from des.estimate.foresight.foreseen import Foretold
from des.estimate.foresight.outlook import Outlook
from des.estimate.foresight.words import duration, listed, share, times, written
from des.estimate.linear import weighted_sum
from des.estimate.longest_walk import longest_wait_s
from des.rules.retry import backoff_s
from des.scenario.plan import Backoff, Group, Leg, RetryRule, Timeout
from des.scenario.schema.statuses import kinds_handled
from des.scenario.text.places import Path
from des.vocabulary import TIMEOUT

_MANY: Final = 0.01
"""Share of answers above which a time-out is too short."""
_SERVED: Final = 0.999
"""Share of answers that a time-out should let through."""
_FAR_BEYOND: Final = 10.0
"""A fallback comes late where it comes after this many times the time in which nearly all answers come."""
_JITTER_MEANS: Final = {"full": 0.5, "equal": 0.75}


def slow_answers(outlook: Outlook) -> Iterator[Foretold]:
    """Answers that exceed a time-out although nothing is wrong. What is slow by its own tokens is slow once more."""
    for leg in outlook.legs:
        late = outlook.late(leg)
        shares, _ = outlook.cells(leg)
        once = weighted_sum(shares, late)
        if once <= _MANY:
            continue
        name, bound_s = _tightest(outlook, leg)
        again = weighted_sum(shares, late * late) / once
        sentence = f"{share(once)} of the answers of {leg.name} take longer than its timeout of {duration(bound_s)}"
        rules = outlook.rules_around(leg)
        if _retries_timeouts(outlook, rules):
            why = ", because the same tokens take as long again" if again > 2.0 * once else ""
            sentence += f"; a retry of such a call times out with {share(again)}{why}"
        yield Foretold(
            code="slow_answers",
            path=outlook.timeout_path(leg) if name == "total" else (*outlook.timeout_path(leg), name),
            sentence=sentence,
            remedy=_longer(outlook, leg, name, bound_s),
            figures={"timed_out_share": once, "timed_out_again_share": again, "timeout_s": bound_s},
        )


def _tightest(outlook: Outlook, leg: Leg) -> tuple[str, float]:
    """The bound that most answers exceed."""
    bounds = outlook.bounds_of(leg)
    return max(bounds, key=lambda bound: outlook.late_share(leg, Timeout(**{f"{bound[0]}_s": bound[1]})))


def _longer(outlook: Outlook, leg: Leg, name: str, bound_s: float) -> str:
    if name != "total":
        return f"a longer {name}, or only a bound on the total"
    enough_s = outlook.answered_within_s(leg, _SERVED)
    return f"timeout: {written(_rounded_up_s(enough_s))} lets {share(_SERVED)} through, or bound the first token alone"


def _rounded_up_s(value_s: float) -> float:
    """Two digits, upwards."""
    step = 10.0 ** (len(str(int(value_s))) - 2)
    return max(1.0, step) * -(-value_s // max(1.0, step))


def _retries_timeouts(outlook: Outlook, rules: tuple[RetryRule, ...]) -> bool:
    return any(_retries_of_timeouts(outlook, rule) for rule in rules)


def _retries_of_timeouts(outlook: Outlook, rule: RetryRule) -> int:
    """How often a layer repeats a call that has timed out."""
    return rule.retries if TIMEOUT in kinds_handled(rule.retry_on, outlook.plan.statuses) else 0


def answers_past_deadline(outlook: Outlook) -> Iterator[Foretold]:
    """Answers of the first leg that take longer than the deadline, although nothing is wrong."""
    deadline_s = outlook.plan.policy.deadline_s
    leg = _first(outlook, outlook.plan.client.groups[0])
    if deadline_s is None or (outlook.silence_s(leg) or math.inf) < deadline_s:
        return
    late = outlook.late_share(leg, Timeout(total_s=deadline_s))
    if late <= _MANY:
        return
    enough_s = outlook.answered_within_s(leg, _SERVED)
    yield Foretold(
        code="answers_past_deadline",
        path=("policy", "deadline"),
        sentence=f"{share(late)} of the answers of {leg.name} take longer than the deadline of {duration(deadline_s)}, "
        "which ends the request while its first call is in progress",
        remedy=f"deadline: {written(_rounded_up_s(enough_s))} lets {share(_SERVED)} through, or a faster leg first",
        figures={"past_deadline_share": late},
    )


def hang_without_timeout(outlook: Outlook) -> Iterator[Foretold]:
    """Calls that never answer, and no bound that ends them: their requests never end."""
    if outlook.plan.policy.deadline_s is not None or _application_bounds(outlook):
        return
    for leg in outlook.legs:
        hang = outlook.hang_share(leg)
        if hang <= 0.0 or outlook.silence_s(leg) is not None or any(r.timeout_s for r in outlook.rules_around(leg)):
            continue
        enough_s = _rounded_up_s(outlook.answered_within_s(leg, _SERVED))
        yield Foretold(
            code="hang_without_timeout",
            path=outlook.timeout_path(leg),
            sentence=f"up to {share(hang)} of the calls of {leg.name} hang, and nothing ends them: neither a timeout "
            "nor a deadline; their requests are lost without a retry or a fallback",
            remedy=f"timeout: {written(enough_s)}, which {share(_SERVED)} of its answers keep",
            figures={"hang_share": hang},
        )


def _application_bounds(outlook: Outlook) -> bool:
    application = outlook.plan.client.application
    return application is not None and (application.timeout_s, application.attempt_timeout_s) != (None, None)


def fallback_after_deadline(outlook: Outlook) -> Iterator[Foretold]:
    """Time-outs and waits of an entry that hangs, or answers with errors, use up the deadline before the next entry."""
    deadline_s = outlook.plan.policy.deadline_s
    if deadline_s is None:
        return
    for before, entry in outlook.entries_before():
        hanging = [group for group in before if outlook.hang_share(_first(outlook, group)) > 0.0]
        for wait, of in (("hang", hanging), ("fail", [group for group in before if outlook.may_fail(group)])):
            if len(of) < len(before):
                continue
            mean_s = sum(_time_at(outlook, group, wait, longest=False) for group in before)
            most_s = sum(_time_at(outlook, group, wait, longest=True) for group in before)
            if mean_s < deadline_s:
                continue
            yield Foretold(
                code="fallback_after_deadline",
                path=_to_shorten(outlook, before[-1], wait),
                sentence=f"while calls of {listed([group.name for group in before])} {wait}, "
                f"{_how_long(outlook, before[-1], wait, mean_s, most_s)}; the deadline ends the request after "
                f"{duration(deadline_s)}, before {entry.name} is called",
                remedy=_fitting(outlook, before, deadline_s, wait),
                figures={"deadline_s": deadline_s}
                | ({"mean_s": mean_s, "most_s": most_s} if math.isfinite(most_s) else {}),
            )
            return


def _how_long(outlook: Outlook, group: Group, wait: str, mean_s: float, most_s: float) -> str:
    first, attempts = _first(outlook, group), _attempts(outlook, group, wait)
    if not math.isfinite(mean_s):
        return "no timeout ends them"
    of = f" of {duration(_silence_s(outlook, first))}" if wait == "hang" else " and their back-off"
    up_to = f" on average and up to {duration(most_s)}" if most_s > 1.01 * mean_s else ""
    return f"{times(attempts, 'attempt')}{of} take {duration(mean_s)}{up_to}"


def _first(outlook: Outlook, group: Group) -> Leg:
    return outlook.legs[group.legs[0]]


def _silence_s(outlook: Outlook, leg: Leg) -> float:
    return outlook.silence_s(leg) or float("inf")


def _attempts(outlook: Outlook, group: Group, wait: str = "hang") -> int:
    """Calls of one visit, all of which hang or fail."""
    calls = 1
    for rule in outlook.rules_around(_first(outlook, group)):
        calls *= 1 + (rule.retries if wait == "fail" else _retries_of_timeouts(outlook, rule))
    return calls


def _time_at(outlook: Outlook, group: Group, wait: str, *, longest: bool) -> float:
    """Seconds from the first call of an entry until the next entry may be called, all calls failing."""
    leg = _first(outlook, group)
    if wait == "hang":
        a_call_s = _silence_s(outlook, leg)
    else:
        effect = outlook.worst_effect(leg.endpoint)
        assert effect is not None
        a_call_s = effect.error_latency.tail_quantile() if longest else effect.error_latency.mean
        a_call_s = min(a_call_s, _silence_s(outlook, leg))
    for rule in reversed(outlook.rules_around(leg)):
        retries = rule.retries if wait == "fail" else _retries_of_timeouts(outlook, rule)
        waits = [waited_s(rule.backoff, done, longest=longest) for done in range(retries)]
        a_call_s = (1 + retries) * a_call_s + sum(waits)
        a_call_s = a_call_s if rule.timeout_s is None else min(a_call_s, rule.timeout_s)
    return a_call_s


def waited_s(backoff: Backoff, done: int, *, longest: bool) -> float:
    """The wait after `done` others: the longest, or its mean over the jitter."""
    if longest:
        return longest_wait_s(backoff, done)
    if backoff.own is not None:
        return backoff.own.usual_wait_s(done)
    plain_s = backoff_s(backoff.kind, backoff.base_s, backoff.factor, backoff.cap_s, done)
    match backoff.jitter:
        case "additive":
            plain_s += backoff.spread_s / 2.0
        case "scaled":
            plain_s *= (backoff.low + backoff.high) / 2.0
        case "decorrelated":
            plain_s = _decorrelated_s(backoff, done)
        case jitter:
            plain_s *= _JITTER_MEANS.get(jitter, 1.0)
    return min(plain_s, backoff.most_s)


def _decorrelated_s(backoff: Backoff, done: int) -> float:
    """About: each wait is drawn between the base and three times the wait before it."""
    wait_s = backoff.base_s
    for _ in range(done + 1):
        wait_s = min(backoff.cap_s, (backoff.base_s + 3.0 * wait_s) / 2.0)
    return wait_s


def _to_shorten(outlook: Outlook, group: Group, wait: str) -> Path:
    if wait == "hang":
        return outlook.timeout_path(_first(outlook, group))
    return outlook.retry_path(group, "retries")


def _fitting(outlook: Outlook, before: tuple[Group, ...], deadline_s: float, wait: str) -> str:
    """What makes the fallback come before the deadline. A shorter time-out must not cut off answers."""
    if wait == "fail":
        return "fewer retries or a shorter back-off, or a longer deadline"
    enough_s = max(outlook.answered_within_s(_first(outlook, group), _SERVED) for group in before)
    calls = sum(_attempts(outlook, group) for group in before)
    if calls * enough_s < deadline_s:
        return f"timeout: {written(_rounded_up_s(enough_s))}, which {share(_SERVED)} of its answers keep"
    return (
        f"no retry of timeouts, a bound on the first token, or a longer deadline: {share(_SERVED)} of its answers "
        f"come within {duration(enough_s)}"
    )


def late_fallback(outlook: Outlook) -> Iterator[Foretold]:
    """A hang keeps requests at an entry for many times as long as its answers take."""
    deadline_s = outlook.plan.policy.deadline_s
    for before, entry in outlook.entries_before():
        leg = _first(outlook, before[-1])
        if outlook.hang_share(leg) <= 0.0 or outlook.silence_s(leg) is None or _is_guarded(outlook, leg):
            continue
        mean_s = _time_at(outlook, before[-1], "hang", longest=False)
        enough_s = outlook.answered_within_s(leg, _SERVED)
        if mean_s <= _FAR_BEYOND * enough_s or (deadline_s is not None and mean_s >= deadline_s):
            continue
        attempts = _attempts(outlook, before[-1])
        yield Foretold(
            code="late_fallback",
            path=outlook.timeout_path(leg),
            sentence=f"while calls of {leg.name} hang, {entry.name} is called after {duration(mean_s)} "
            f"({times(attempts, 'attempt')} of {duration(_silence_s(outlook, leg))}); {share(_SERVED)} of its answers "
            f"come within {duration(enough_s)}",
            remedy=f"timeout: {written(_rounded_up_s(enough_s))}, or a bound on the first token"
            + (", and no retry of timeouts" if attempts > 1 else ""),
            figures={"fallback_after_s": mean_s, "answered_within_s": enough_s, "attempts": float(attempts)},
        )


def _is_guarded(outlook: Outlook, leg: Leg) -> bool:
    """Whether a breaker or the like takes a hanging leg out of use."""
    client = outlook.plan.client.legs[leg.index]
    return bool(client.guards) or client.probes is not None


CHECKS: Final = (slow_answers, answers_past_deadline, hang_without_timeout, fallback_after_deadline, late_fallback)
