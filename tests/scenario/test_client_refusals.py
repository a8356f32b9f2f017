"""Contradictory policies, limits and groups are refused in words, at the line of what is wrong."""

from collections.abc import Callable

import pytest

Problems = Callable[..., list[str]]

BASE = """\
horizon: 1d
workload: {arrivals: {kind: poisson, rate: 10/s}, tokens: {input: 1000, output: 200}}
providers:
  a: {latency: 1s, LIMITS, models: {m: {price: {per_request: 0}}}}
  b: {latency: 1s, models: {m: {price: {per_request: 0}}, n: {price: {per_request: 0}}}}
budgets: {BUDGETS}
chain: [{provider: a, timeout: 10s}, {provider: b, model: m}]
policy: {POLICY}
"""
GROUP = "chain: [{group: g, LEGS}]"


def text(policy: str = "", limits: str = "", budgets: str = "", chain: str = "") -> str:
    written = BASE.replace("POLICY", policy).replace(" LIMITS,", f" {limits}," if limits else "")
    written = written.replace("BUDGETS", budgets)
    lines = [chain if chain and line.startswith("chain:") else line for line in written.splitlines()]
    return "\n".join(lines) + "\n"


POLICIES = [
    ("retry_budget: {kind: active, share: 20%}", "8:24: policy.retry_budget: a retry budget needs retries"),
    ("retries: 1, retry_budget: {kind: active, share: 0, minimum: 0}", "share: this budget allows no retries"),
    (
        "retries: 1, retry_budget: {kind: quota, capacity: 5, retry_cost: 14}",
        "8:75: policy.retry_budget.retry_cost: a retry costs more than the whole capacity",
    ),
    ("retries: 1, retry_budget: {kind: lavish}", "unknown kind 'lavish'; there are: active, ratio, quota, throttle"),
    (
        "hedge: {after: 20s}",
        "8:25: policy.hedge.after: the timeout of a expires after 10 s, before the first copy is sent",
    ),
    (
        "hedge: {after: 4s, at_most: 3}",
        "8:38: policy.hedge.at_most: the timeout of a expires after 10 s, before copy 3 is sent",
    ),
    (
        "deadline: 3s, hedge: {after: 3s}",
        "policy.hedge.after: the deadline expires after 3 s, before the first copy is sent",
    ),
    ("hedge: {after: 1s, loser: run, billed: true}", "policy.hedge.billed: billed belongs to loser: cancel"),
    (
        "breaker: {kind: consecutive, failures: 5, open: 30s, half_open: 0}",
        "8:74: policy.breaker.half_open: expected a whole number of at least 1; got 0",
    ),
    (
        "breaker: {kind: count_window, calls: 10, failure_share: 50%, minimum: 20, open: 1s}",
        "policy.breaker.minimum: the window has 10 calls, so a minimum above that is never reached",
    ),
    (
        "breaker: {kind: time_window, window: 30s, failure_share: 150%, open: 5s}",
        "policy.breaker.failure_share: expected a share between 0 and 1 (0% to 100%); got '150%'",
    ),
    (
        "breaker: {kind: time_window, window: 30s, failure_share: 0, open: 5s}",
        "policy.breaker.failure_share: a share of 0 is reached without a failure",
    ),
    ("breaker: {kind: consecutive, failures: 5}", "policy.breaker.open: is required, but missing"),
    (
        "breaker: {failures: 5, open: 30s}",
        "policy.breaker: its kind is missing: write {kind: consecutive, failures: ..., ",
    ),
    (
        "breaker: {kind: consecutive, failures: 5, open: 30s, window: 30s}",
        "8:63: policy.breaker.window: unknown key 'window' of kind consecutive; it belongs to kind time_window",
    ),
    (
        "retries: 1, retry_budget: {kind: quota, capacity: 50, retry_cost: 5, share: 20%}",
        "policy.retry_budget.share: unknown key 'share' of kind quota; it belongs to kind active or ratio",
    ),
    ("backoff: {kind: constant, base: 1s, factor: 3}", "policy.backoff.factor: factor belongs to kind: exponential or"),
    ("backoff: {kind: none, cap: 3s}", "policy.backoff.cap: cap belongs to kind: constant or linear or exponential or"),
    ("backoff: {kind: none, jitter: full}", "policy.backoff.jitter: a back-off of kind none has no jitter"),
    ("backoff: {kind: exponential, cap: 3s}", "policy.backoff: a back-off of kind exponential needs its base, such as"),
    (
        "retry_backoff: {kind: constant, base: 2s, throttled: {factor: 3}}",
        "policy.retry_backoff.throttled.factor: factor belongs to kind: exponential or envoy",
    ),
    ("breaker: nne", "open: 30s}; got 'nne'; did you mean 'none'?"),
    (
        "cooldown: {for: 5s}",
        "policy.cooldown: nothing starts this cooldown: give on, share, all_failed, also_on or allowed_fails",
    ),
    ("cooldown: {on: [429], minimum: 5}", "policy.cooldown.minimum: minimum belongs to share"),
    ("cooldown: {on: [429], fr: 5s}", "policy.cooldown.fr: unknown key 'fr'; did you mean 'for'?"),
    ("cooldown: {on: [rate_limitd]}", "got 'rate_limitd'; did you mean 'rate_limited'?"),
    ("ejection: {for: 5s}", "policy.ejection: nothing starts an ejection: give consecutive, share or on_rate_limited"),
    ("ejection: {consecutive: 5, for: 30s, longest: 3s}", "policy.ejection.longest: longest is below for"),
    ("probes: {every: 1s, timeout: 5s}", "policy.probes.timeout: timeout is longer than every: probes would overlap"),
    ("shaping: {rate: 10/s}", "policy.shaping: the queue is unbounded: give queue: 100 or max_wait: 10s"),
    (
        "shaping: {rate: 10/s, queue: 0, max_wait: 1s}",
        "policy.shaping.max_wait: max_wait needs a queue, and queue is 0",
    ),
    ("bulkhead: {concurrent: 5, queue: 3}", "policy.bulkhead.queue: calls that hang would block the queue forever"),
    ("adaptive_throttling: {k: 0.5}", "policy.adaptive_throttling.k: expected at least 1.0; got 0.5"),
    (
        "ramp: {start: 100%, over: 1min, reset_after: 1min}",
        "policy.ramp.start: a ramp that starts at 100 % has no effect",
    ),
    (
        "ramp: {start: 0%, over: 2d, reset_after: 1min}",
        "policy.ramp.start: a ramp from 0 % over 172800 s, longer than the horizon of 86400 s, admits",
    ),
    ("ejection: {consecutive: 5}", "policy.ejection: legs are ejected from their group, and the chain has none"),
    (
        "cooldown: {allowed_fails: 3, share: 50%}",
        "8:46: policy.cooldown.share: allowed_fails replaces share, minimum, all_failed, window",
    ),
    ("cooldown: {allowed_fails: 3, all_failed: 5}", "policy.cooldown.all_failed: allowed_fails replaces share"),
    ("application: {retries: 127}", "retries: 127: with rounds: 1 makes 128 passes, at most 127 can be counted"),
    ("rounds: 16, application: {retries: 7}", "retries: 7: with rounds: 16 makes 128 passes, at most 127 can be"),
    ("backoff: {kind: exponential, base: 2s, cap: 1s}", "policy.backoff.cap: cap is below base"),
    (
        "backoff: {kind: exponential, base: 2s, jitter: scaled, low: 0.8}",
        "policy.backoff.jitter: scaled jitter needs low and high, such as low: 0.8, high: 1.2",
    ),
    ("backoff: {kind: constant, base: 2s, low: 0.8}", "policy.backoff.low: low belongs to jitter: scaled"),
    (
        "backoff: {kind: constant, base: 2s, cap: 3s, throttled: {base: 5s}}",
        "policy.backoff.throttled.base: cap is below base",
    ),
    ("retry_after: {mode: ignore, cap: 2s}", "8:43: policy.retry_after.cap: mode: ignore takes no cap"),
    ("retry_after: {above: refuse}", "policy.retry_after.above: above needs a bound: give cap: 60s, or total"),
    ("retries: 2, retry_on: []", "policy.retries: retry_on is empty, so there are never retries"),
    ("retry_on: [299]", "policy.retry_on[0]: expected one of server_error"),
    ("routing: weighted", "8:19: policy.routing: routing picks among legs of a group, and the chain has none"),
    ("order: {kind: weighted, buffer: 1}", "policy.order.buffer: buffer belongs to kind: least_latency"),
    ("application: {retries: 0}", "policy.application.retries: expected a whole number of at least 1; got 0"),
    ("application: {retries: 1, retry_on: [deadline]}", "policy.application.retry_on: deadline is an attempt cut off"),
    (
        "clients: [{retries: 1, timeout: 5s, attempt_timeout: 10s}]",
        "policy.clients[0].attempt_timeout: attempt_timeout is",
    ),
    (
        "application: {retries: 1, backoff: {kind: constant, base: 1s, throttled: {base: 5s}}}",
        "policy.application.backoff.throttled: the application only sees that the chain fails: throttled belongs to",
    ),
    (
        "rounds: 20, retries: 100",
        "policy.retries: a request may make 4040 attempts without waiting once, more than 1000: give a back-off",
    ),
    (
        "retries: 9, rounds: 6, application: {retries: 20}",
        "policy.application.retries: a request may make 2520 attempts without waiting once, more than 1000",
    ),
    ("retries: 20000, backoff: 1s", "policy.retries: a request may come to 40002 attempts"),
    ("retries: 60, clients: [{retries: 600, backoff: 1s}], backoff: 1s", "a request may come to 73322 attempts"),
]


@pytest.mark.parametrize(("policy", "message"), POLICIES, ids=[policy for policy, _ in POLICIES])
def test_a_contradictory_policy_gives_one_message_at_its_place(problems: Problems, policy: str, message: str) -> None:
    (line,) = problems(text(policy))
    assert line.startswith("s.yaml:8:")
    assert message in line


LIMITS = [
    (
        "limits: {burst: 5}",
        "providers.a.limits: limits nothing: give one of requests, input_tokens, output_tokens, tokens",
    ),
    (
        "limits: {requests: 5/min, tokens: 5000/min, burst: 5}",
        "limits.burst: burst of which? write burst: {requests: ...",
    ),
    (
        "limits: {requests: 5/min, burst: {tokens: 50}}",
        "burst.tokens: there is no limit of tokens for this burst",
    ),
    (
        "limits: {requests: 5/min, burst: 0.5}",
        "limits.burst: a bucket of less than one request would refuse every call",
    ),
    ("limits: {requests: 5/min, algorithm: {fixed_window: 1s}}", "limits.requests: less than one in 1 s: every call"),
    (
        "limits: {requests: 5/min, burst: 2, algorithm: {sliding_log: 1min}}",
        "limits.burst: burst belongs to a token bucket",
    ),
    ("limits: {requests: 5/min, algorithm: leaky}", "limits.algorithm: expected one of token_bucket; got 'leaky'"),
    (
        "limits: {requests: 5/min, algorithm: {}}",
        "algorithm: one of token_bucket, {fixed_window: 1min} and {sliding_log",
    ),
    (
        "limits: {requests: 5/min, counting: {estimate: 9}}",
        "counting: an estimate needs a limit on output_tokens or tokens",
    ),
    (
        "limits: {requests: 5/min, counting: success, counts_refused: true}",
        "counts_refused: counting: success counts successful calls only",
    ),
    ("limits: {concurrency: 5, counting: success}", "limits.counting: concurrency counts calls from their dispatch"),
    (
        "limits: {concurrency: 5, counts_failed: false}",
        "limits.counts_failed: concurrency counts calls from their dispatch: leave out counts_failed",
    ),
    (
        "limits: {concurrency: 5, counts_refused: true}",
        "limits.counts_refused: concurrency counts calls from their dispatch: leave out counts_refused",
    ),
    (
        "limits: {acceleration: {growth: 2, over: 1s, floor: 5/s}, counting: success}",
        "limits.counting: acceleration counts calls from their dispatch: leave out counting",
    ),
    ("limits: {input_tokens: 500/min}", "limits.input_tokens: a mean request has 1000 input_tokens, but at most 500"),
    (
        "limits: {acceleration: {growth: 2, over: 1s, floor: 1/min}}",
        "acceleration.floor: a floor of less than one request per window would refuse every request",
    ),
    ("capacity: 0", "providers.a.capacity: expected a whole number of at least 1; got 0"),
    (
        "errors: {client_error: {rate: 1%, status: 503}}",
        "status: 503 is not a status of client_error: it belongs to server_e",
    ),
    ("errors: {connection_error: {rate: 1%, status: 503}}", "status: connection_error has no status of its own"),
    (
        "incidents: [{kind: poisson, rate: 1/y, duration: 1h, status: 401}]",
        "status: 401 is not a status of server_error: it belongs to client_error",
    ),
]


@pytest.mark.parametrize(("limits", "message"), LIMITS, ids=[limits for limits, _ in LIMITS])
def test_what_a_provider_cannot_have_is_refused_at_its_place(problems: Problems, limits: str, message: str) -> None:
    (line,) = problems(text(limits=limits))
    assert line.startswith("s.yaml:4:")
    assert message in line


BUDGETS = [
    ("own: {requests: 5/s, legs: [c]}", "budgets.own.legs[0]: unknown leg, group or provider 'c'"),
    ("own: {requests: 5/s, legs: []}", "budgets.own.legs: is empty"),
    ("own: {requests: 5/s, legs: [a, a]}", "budgets.own.legs[1]: 'a' is already in the budget"),
    ("own: {requests: 5/s, legs: [a, b], split: {a: 70%, b: 20%}}", "split: the shares add up to 90 %, not to 100 %"),
    ("own: {requests: 5/s, legs: [a, b], split: {a: 100%}}", "split: 'b' has no share: give it one, or take it out"),
    ("own: {requests: 5/s, legs: [a], split: {a: 50%, b: 50%}}", "split.b: 'b' is not among the budget's legs"),
    ("own: {requests: 5/s, legs: [a, b], split: half}", "split: expected one of shared, equal; got 'half'"),
    ("own: {concurrency: 1, legs: [a, b], split: equal}", "split: the part of 'a' comes to 0.5 concurrency: less than"),
    (
        "own: {requests: 5/s, legs: [a, a/m], split: equal}",
        "budgets.own.legs[1]: 'a/m' and 'a' both mean the leg a/m, but a leg has one part of a split budget",
    ),
    ("a: {requests: 5/s, legs: [a]}", "budgets.a: 'a' is also a component, whose limits have that name"),
]


@pytest.mark.parametrize(("budgets", "message"), BUDGETS, ids=[budgets for budgets, _ in BUDGETS])
def test_what_a_budget_cannot_be_is_refused_at_its_place(problems: Problems, budgets: str, message: str) -> None:
    (line,) = problems(text(budgets=budgets))
    assert line.startswith("s.yaml:6:")
    assert message in line


CHAINS = [
    ("chain: [{group: g, legs: []}]", "chain[0].legs: is empty: at least one entry is needed"),
    ("chain: [{legs: [{provider: a}]}]", "chain[0].group: is required, but missing"),
    (
        "chain: [{group: g, legs: [{group: h, legs: [{provider: a}]}]}]",
        "chain[0].legs[0]: a group cannot contain a group",
    ),
    (
        "chain: [{group: g, legs: [{provider: a, retries: 2}]}]",
        "chain[0].legs[0].retries: retries belongs to the group",
    ),
    ("chain: [{group: g, legs: [{provider: a, weight: 0}]}]", "legs[0].weight: all weights are 0, so no leg is ever"),
    ("chain: [{group: a, legs: [{provider: a}]}]", "chain[0].group: 'a' is already the name of the provider 'a'"),
    ("chain: [{group: g, legs: [{provider: c}]}]", "chain[0].legs[0].provider: unknown provider 'c'"),
    ("chain: [{group: g, legs: [{provider: a}], routng: ordered}]", "unknown key 'routng'; did you mean 'routing'?"),
    (
        "chain: [{group: g, legs: [{provider: a}]}, {group: h, legs: [{provider: a, name: a/m}]}]",
        "chain[1].legs[0].name: the leg's name 'a/m' is already that of chain[0].legs[0]",
    ),
    (
        "chain: [{provider: a, ramp: {start: 10%, over: 1min, reset_after: 1min}}]",
        "chain[0].ramp: nothing fails over to the only entry of the chain: write ramp: none",
    ),
    ("chain: [{provider: a, ejection: {consecutive: 5}}]", "chain[0].ejection: a leg is ejected from its group, and"),
    (
        "chain: [{group: g, legs: [{provider: a, weight: 1.0e300}]}]",
        "chain[0].legs[0].weight: expected at most 1000000000.0; got 1e+300",
    ),
    ("chain: [{provider: a, hedge: {after: 1s, to: next}}]", "chain[0].hedge.to: the chain has no other leg"),
    (
        "chain: [{provider: a, retry_budget: {kind: active, share: 1%}}, {provider: b, model: m, retries: 1}]",
        "chain[0].retry_budget: a retry budget needs retries: write retries: 2 beside it, for example, or "
        "retry_budget: none",
    ),
]


@pytest.mark.parametrize(("chain", "message"), CHAINS, ids=[chain for chain, _ in CHAINS])
def test_what_a_chain_cannot_be_is_refused_at_its_place(problems: Problems, chain: str, message: str) -> None:
    (line,) = problems(text(chain=chain))
    assert line.startswith("s.yaml:7:")
    assert message in line


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (
            "backoff: {kind: constant, base: 1s, cap_jitter: true}",
            "policy.backoff.cap_jitter: cap_jitter needs a cap",
        ),
        (
            "backoff: {kind: constant, base: 1s, cap: 2s, cap_jitter: true}",
            "only additive and scaled jitter exceed a cap",
        ),
        ("order: {kind: round_robin, once: true}", "policy.order.once: round_robin sends retries to the next leg"),
    ],
)
def test_what_is_capped_or_picked_once_must_be_able_to_differ(policy: str, message: str, problems: Problems) -> None:
    assert any(message in line for line in problems(text(policy)))


@pytest.mark.parametrize("cooldown", ["{on: [rate_limited]}", "{share: 50%, minimum: 5}"])
def test_a_cooldown_of_groups_needs_one(cooldown: str, problems: Problems) -> None:
    (line,) = problems(text(f"cooldown: {cooldown}"))
    assert "policy.cooldown: on and share cool only legs in a group of several" in line


def test_retries_that_never_wait_beside_a_healthy_peer_are_bounded_too(problems: Problems) -> None:
    chain = "chain: [{group: g, legs: [{provider: a}, {provider: b, model: m}]}]"
    policy = "retries: 2000, backoff: {kind: constant, base: 1s}"
    assert problems(text(policy, chain=chain)) == []
    (line,) = problems(text(f"{policy}, wait_with_healthy_peer: false", chain=chain))
    assert "a request may make 2001 attempts without waiting once" in line


def test_a_leg_outside_of_groups_has_no_tier(problems: Problems) -> None:
    (line,) = problems(text("", chain="chain: [{provider: a, tier: 2}]"))
    assert "chain[0].tier: tier ranks legs of a group" in line


def test_all_weights_of_a_weighted_order_may_not_be_zero(problems: Problems) -> None:
    (line,) = problems(text("order: weighted", chain="chain: [{provider: a, weight: 0}]"))
    assert "chain[0].weight: all weights are 0" in line


SOUND = [
    "rounds: 127, clients: none",
    "application: {retries: 126}",
    "preset: litellm@1.109, cooldown: {allowed_fails: 3}",
    "preset: litellm@1.109, cooldown: {allowed_fails: 3, share: null, minimum: null, all_failed: null, window: null}",
    "preset: helicone",
    "ejection: none",
    "ramp: {start: 0%, over: 10min, reset_after: 1min}",
]


@pytest.mark.parametrize("policy", SOUND)
def test_what_only_looks_like_a_contradiction_is_taken(problems: Problems, policy: str) -> None:
    assert problems(text(policy)) == []


def test_a_shared_budget_may_name_a_leg_by_two_names(problems: Problems) -> None:
    assert problems(text(budgets="own: {requests: 5/s, legs: [a, a/m]}")) == []


def test_each_arm_is_checked_for_its_passes(problems: Problems) -> None:
    (line,) = problems(text() + "arms: {one: {}, two: {policy.application: {retries: 200}}}\n")
    assert "arms.two" in line
    assert "200: with rounds: 1 makes 201 passes" in line
