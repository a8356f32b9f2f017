"""What keeps a client from calling a leg: breakers, cooldowns, ejections, health by probes, throttling, ramps."""

from math import isnan

# Circuit breakers: when one opens, when it lets a probe through, and what its probes decide. closed -> open by a
# streak or a share of failures; open -> half-open (or straight to closed) by time; half-open -> closed or open by
# its probes. Closing forgets what was counted.


CLOSED, OPEN, HALF_OPEN = range(3)


def streak_after(streak: int, *, failed: bool) -> int:
    """Consecutive failures after one more call."""
    return streak + 1 if failed else 0


def streak_opens(streak: int, failures: int) -> bool:
    """Consecutive breaker: a number of failures in a row opens it."""
    return streak >= failures


def share_opens(failed: int, calls: int, failure_share: float, minimum: int) -> bool:
    """Window breaker: at least `minimum` calls in the window, and at least the share of them failed.

    Count window: the last `calls` calls (resilience4j: 100, 50 %, minimum 100, 60 s open, 10 probes). Time window: the
    calls that ended in a window of seconds (Polly v8: 30 s, 10 %, minimum 100, 5 s open, one probe).
    """
    return calls >= minimum and calls > 0 and failed / calls >= failure_share


def admits_probe(started: int, half_open: int) -> bool:
    """Half-open: whether another call may go through as a probe. `started` counts probes since it became half-open."""
    return started < half_open


def after_probes(done: int, failed: int, half_open: int, failure_share: float | None) -> int:
    """The state of a half-open breaker after `done` probes have ended, `failed` of them in failure.

    Without a share (consecutive breakers, Polly's one probe): OPEN at the first failure, CLOSED once all have
    succeeded. With one (resilience4j): decided when all `half_open` probes have ended, OPEN where the share failed.
    """
    if failure_share is None:
        if failed:
            return OPEN
        return CLOSED if done >= half_open else HALF_OPEN
    if done < half_open:
        return HALF_OPEN
    return OPEN if failed / done >= failure_share else CLOSED


# Cooldowns of deployments in a group, as LiteLLM decides them: litellm 1.109, router_utils/cooldown_handlers.py. No
# half-open state: when a cooldown expires, full traffic returns.


def window_is_open(opened_s: float, window_s: float, now_s: float) -> bool:
    """Whether a window opened by its first event still counts. The next event after it opens another."""
    return now_s < opened_s + window_s


def cools(
    *,
    at_once: bool,
    always: bool,
    deployments: int,
    failed: int,
    calls: int,
    share: float | None,
    minimum: int,
    all_failed: int | None,
) -> bool:
    """Whether a deployment cools down after a failed call, by LiteLLM's default algorithm.

    `at_once`: the outcome (429) cools at once where the group has several deployments; `always`: it cools in any group
    (401, 404). `failed` of `calls` ended calls of the window, this one included: all of at least `all_failed` (1000),
    or more than the share (50 %) of at least `minimum` (5) in a group of several. None switches a condition off.
    """
    several = deployments > 1
    if always or (at_once and several):
        return True
    if all_failed is not None and calls >= all_failed and failed == calls:
        return True
    return several and share is not None and calls >= minimum and failed / calls > share


def cools_until_s(first_end_s: float, end_s: float, *, renews: bool) -> float:
    """The end of a leg's cooldown after another failure whose own cooldown would end at `end_s`.

    litellm 1.109 (router_utils/cooldown_cache.py) keeps the first end, unless the later failure's ends sooner.
    """
    return end_s if renews else min(first_end_s, end_s)


def exceeds_allowed(fails: int, allowed_fails: int) -> bool:
    """With `allowed_fails` set, instead of the default: whether failures within the cooldown time exceed it.

    `fails` includes the current failure.
    """
    return fails > allowed_fails


def lasts_s(for_s: float, asked_s: float, *, retry_after: bool) -> float:
    """The length of a cooldown: the Retry-After where one was given and counts (0: none), else the default of 5 s.

    `asked_s` is NaN without a header.
    """
    return asked_s if retry_after and not isnan(asked_s) else for_s


# Outlier ejection: failing hosts leave the pool for a time, up to a share of the pool.


def is_outlier(streak: int, consecutive: int) -> bool:
    """Envoy outlier detection: 5 consecutive 5xx by default."""
    return streak >= consecutive


def fails_too_often(failed: int, calls: int, share: float, minimum: int) -> bool:
    """Helicone 2025-07: an error share above 10 % in 60 s, of at least 20 calls."""
    return calls >= minimum and calls > 0 and failed / calls > share


def may_eject(ejected: int, hosts: int, most: float, *, always_one: bool) -> bool:
    """Whether one more host may leave: at most the share of them (Envoy: 10 %, so none of two), or always one."""
    return (always_one and ejected == 0) or (ejected + 1) / hosts <= most


def panics(admitted: int, hosts: int, panic: float) -> bool:
    """Whether all hosts are called because the admitted share is below `panic` (Envoy: 50 %)."""
    return admitted < panic * hosts


def ejected_for_s(for_s: float, times: int, longest_s: float) -> float:
    """The length of the `times`-th ejection (from 1): 30 s x times, at most 300 s (Envoy)."""
    return min(for_s * times, max(for_s, longest_s))


def times_after_healthy_check(times: int) -> int:
    """Ejections that count after a check of a host in the pool that is no outlier: one fewer (Envoy)."""
    return max(0, times - 1)


def first_check_s(after_s: float, every_s: float) -> float:
    """The first check at or after a time, at multiples of `every_s`. Hosts return at checks (Envoy: every 10 s)."""
    checks = int(after_s / every_s)
    while checks * every_s < after_s:
        checks += 1
    return checks * every_s


def removed_for_s(asked_s: float, default_s: float) -> float:
    """How long a 429 removes a provider: its Retry-After plus the default (Helicone 2025-07).

    Without a Retry-After (NaN) the default of 30 s takes its place.
    """
    return (default_s if isnan(asked_s) else asked_s) + default_s


# Health checks: consecutive probes decide.


def after_probe(
    healthy: bool, streak: int, *, passed: bool, unhealthy_after: int, healthy_after: int
) -> tuple[bool, int]:
    """(healthy, streak) after one more probe. The streak counts the latest probes that contradict the state.

    Consecutive failures make it unhealthy, consecutive passes healthy again (as the thresholds of Envoy and
    Kubernetes).
    """
    if passed == healthy:
        return healthy, 0
    streak += 1
    if streak >= (unhealthy_after if healthy else healthy_after):
        return passed, 0
    return healthy, streak


# Client-side adaptive throttling: calls that would probably be refused are not sent.


def rejection_probability(requests: float, accepts: float, k: float) -> float:
    """max(0, (requests - K x accepts) / (requests + 1)), both counted over the window (two minutes).

    `requests` counts attempts, throttled ones included; `accepts` those that the backend served. K = 2 by default
    (Beyer et al. 2016, Site Reliability Engineering, chapter 21, "Handling Overload").
    """
    return max(0.0, (requests - k * accepts) / (requests + 1.0))


# Gradual failover: a leg admits a growing share of the calls that come to it.


def admitted_share(begun_s: float, now_s: float, start: float, over_s: float) -> float:
    """Share admitted: linear from `start` at the beginning of the failover to 1 after `over_s` seconds."""
    elapsed_s = now_s - begun_s
    if elapsed_s >= over_s:
        return 1.0
    return start + (1.0 - start) * (elapsed_s / over_s)


def begins_anew(last_asked_s: float, now_s: float, reset_after_s: float) -> bool:
    """Whether a call begins a new failover: the last one came longer than `reset_after_s` ago."""
    return now_s - last_asked_s > reset_after_s
