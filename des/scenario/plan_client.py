"""What the client does beyond the plain walk: groups, retries, guards, budgets, queues, hedges.

Outcomes stand here as codes of outcome kinds: the position in `ATTEMPT_OUTCOMES`, or 9 and its position in
`Plan.statuses` for an outcome of another HTTP status than its usual one.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """v of retry k (from 0), at most `cap_s`, then jitter.

    exponential: base * factor^k; linear: base * (1 + k); constant: base; envoy: base * (factor^(k + 1) - 1);
    none: 0. Jitter: none, full, equal, decorrelated, additive (v + U(0, spread)), scaled (v * U(low, high)). The wait
    with its jitter is at most `most_s`.
    """

    kind: str = "none"
    base_s: float = 0.0
    factor: float = 2.0
    cap_s: float = float("inf")
    jitter: str = "none"
    spread_s: float = 0.0
    low: float = 1.0
    high: float = 1.0
    most_s: float = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryAfter:
    """What a refusal's Retry-After does to the wait before a retry; nothing unless `honours`.

    Above `cap_s` it is clipped to the cap, or the retry is refused (none at all), or the answer is ignored. The wait
    becomes the larger of the two (`max`) or the answer's (`replace`), plus U(0, `spread_s`). Waits for Retry-After of
    one request add up to at most `total_s`: the rest beyond is handled as above the cap.
    """

    honours: bool = False
    cap_s: float = float("inf")
    above: str = "clip"  # clip, refuse, ignore
    on: frozenset[int] = frozenset()  # outcome kinds; used after no others
    combine: str = "max"  # max, replace
    spread_s: float = 0.0
    total_s: float = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRule:
    """Up to `retries` further attempts after outcomes of `retry_on`; a layer that repeats what lies within.

    Of the application, `retry_on` has codes of `REQUEST_OUTCOMES` instead. `timeout_s` bounds the layer with all its
    attempts and waits, `attempt_timeout_s` each attempt; cut off, either ends as a timeout.
    """

    retries: int = 0
    retry_on: frozenset[int] = frozenset()
    backoff: Backoff = Backoff()
    throttled_backoff: Backoff | None = None  # after rate_limited and overloaded, if another
    retry_after: RetryAfter = RetryAfter()
    waits_after_last: bool = False  # a wait also follows the last failed attempt
    waits_with_healthy_peer: bool = True  # False: none while another leg of the group admits
    timeout_s: float | None = None
    attempt_timeout_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """The order in which legs of a group (or groups of the chain) are tried.

    ordered; round_robin (each pick, a retry's too, takes the next one); weighted (by weight, else rpm, else tpm);
    cheapest (expected price of a success); least_latency (mean of the last `samples`, at random among those within
    1 + `buffer` of the least); least_busy (of `choices` drawn, or of all); usage_based (fewest tokens in the clock
    minute).
    """

    kind: str = "ordered"
    buffer: float = 0.0
    samples: int = 10
    choices: int | None = None
    once: bool = False  # retries of a visit to a group stay with its first pick


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Legs that are tried as one entry of the chain; a leg by itself is a group of one."""

    index: int  # its position in the chain
    name: str
    legs: tuple[int, ...]
    routing: Routing = Routing()
    retry: RetryRule = RetryRule()
    fallback_on: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """Opens a leg for `open_s` after failures, then lets `half_open` probes through, or all when that is None.

    consecutive: `failures` in a row; count_window: `failure_share` of the last `calls`, at least `minimum` of them;
    time_window: the same of `window_s`. Half-open it closes when all its probes succeed, and opens at a failure.
    """

    kind: str
    failures: int = 0
    calls: int = 0
    window_s: float = 0.0
    failure_share: float = 0.0
    minimum: int = 1
    open_s: float
    half_open: int | None = None
    counts: frozenset[int] = frozenset()  # outcome kinds that are failures
    all_open: str = "refuse"  # refuse, bypass: what happens when no leg of the group admits


@dataclass(frozen=True, slots=True, kw_only=True)
class Cooldown:
    """LiteLLM's: a leg leaves its group for `cooldown_s` (or Retry-After) and comes back to full traffic.

    By `at_once` outcomes where the group has several legs; by `always` outcomes anywhere; when more than
    `failure_share` of at least `minimum` calls of the window failed (several legs), or all of at least `all_failed`.
    With `allowed_fails` none of this, but when more fail than so many within `cooldown_s`. The window of `window_s` is
    opened by its first event.
    """

    at_once: frozenset[int] = frozenset()
    always: frozenset[int] = frozenset()
    counts: frozenset[int] = frozenset()  # outcome kinds that are failures
    failure_share: float | None = None
    minimum: int = 1
    all_failed: int | None = None
    window_s: float = 60.0
    allowed_fails: int | None = None
    cooldown_s: float = 5.0
    honours_retry_after: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ejection:
    """Envoy's and Helicone's outlier detection: looked at every `every_s`, at most `most` of a group, at least one.

    A leg leaves after `consecutive` failures in a row, or when more than `failure_share` of at least `minimum` calls of
    the last `window_s` failed, for `for_s` times the number of its ejections so far, at most `longest_s`. With
    `rate_limited_s` a 429 ejects at once, for Retry-After (or so long, without one) and `for_s` more.
    """

    consecutive: int | None = None
    failure_share: float | None = None
    minimum: int = 1
    window_s: float = 60.0
    for_s: float
    longest_s: float = float("inf")
    every_s: float = 0.0
    most: float = 1.0
    rate_limited_s: float | None = None
    counts: frozenset[int] = frozenset()  # outcome kinds that are failures


Guard = Breaker | Cooldown | Ejection


@dataclass(frozen=True, slots=True, kw_only=True)
class Hedge:
    """Another copy of a call each `after_s` without an answer, at most so many; the first success wins.

    `loser`: cancel, or run (to its end, in the attempts and on the bill). A cancelled loser costs nothing unless
    `billed`, when it is billed as `cancelled` is. `to`: same (leg) or next (of the group that admits, else the chain).
    """

    after_s: float
    at_most: int = 1
    loser: str = "cancel"
    billed: bool = True
    to: str = "same"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """A synthetic call each `every_s`; so many failures in a row take the leg out, so many successes bring it back."""

    every_s: float
    timeout_s: float | None = None
    unhealthy_after: int = 1
    healthy_after: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaping:
    """The client's own token bucket, with a queue before it: `queue` calls at most, each waiting at most so long."""

    rate_per_s: float
    burst: float = 1.0
    queue: int | None = None  # None is no bound
    max_wait_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulkhead:
    """So many calls of a leg at once, and a queue before them, as of `Shaping`."""

    concurrent: int
    queue: int = 0
    max_wait_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryBudget:
    """What retries may come to, whoever makes them.

    active: at most max(`minimum`, `share` of the requests under way) retries at once (Envoy);
    ratio: a deposit of `share` a request and `per_second`, each kept for `ttl_s`; a retry withdraws one (Finagle);
    quota: `capacity`, of which a retry takes `retry_cost` (`throttle_cost` after rate_limited or overloaded), given
    back by its success; a success without retries gives `success` (AWS);
    throttle: `max_tokens`, less 1 a failure and more `token_ratio` a success; none at half of it or less (gRPC).
    """

    kind: str
    share: float = 0.0
    minimum: int = 0
    per_second: float = 0.0
    ttl_s: float = 0.0
    capacity: float = 0.0
    retry_cost: float = 0.0
    throttle_cost: float = 0.0
    success: float = 0.0
    max_tokens: float = 0.0
    token_ratio: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptiveThrottling:
    """A call is refused by the client with probability max(0, (requests - k accepts) / (requests + 1)) (Google SRE).

    Both are counted over the last `window_s`, requests when attempted, refused ones included.
    """

    k: float
    window_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """A failover grows: `start` of the calls is admitted at first, linearly all of them after `over_s`.

    It begins with the first call after `reset_after_s` without one; a call not admitted is refused by the client.
    """

    start: float
    over_s: float
    reset_after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LegClient:
    """How the client calls one leg; with the defaults, as the plain walk does."""

    leg: int
    inner: tuple[RetryRule, ...] = ()  # layers inside each attempt, outermost first
    guards: tuple[Guard, ...] = ()
    hedge: Hedge | None = None
    probes: Probes | None = None
    shaping: int | None = None  # index into Client.shapings
    bulkhead: Bulkhead | None = None
    throttle: AdaptiveThrottling | None = None
    retry_budget: int | None = None  # index into Client.retry_budgets
    ramp: Ramp | None = None
    weight: float = 1.0  # among its peers; by rpm or tpm where none of them has one
    tier: int = 1  # of its group: picked only while no leg of a lower tier admits
    rpm: float | None = None  # requests a minute; for routing alone
    tpm: float | None = None  # tokens a minute; for routing alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What the client does, leg by leg and entry by entry. Rounds and their back-off are the policy's."""

    groups: tuple[Group, ...] = ()  # in the order of the chain
    legs: tuple[LegClient, ...] = ()  # by the index of the leg
    application: RetryRule | None = None  # around the whole walk
    retry_budgets: tuple[RetryBudget, ...] = ()
    shapings: tuple[Shaping, ...] = ()
    order: Routing = Routing()  # of the groups
    fallback_depth: int | None = None  # groups tried after the first, at most
    plain: bool = False  # whether `chain` and `policy` alone say all of it
