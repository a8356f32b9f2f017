"""Scripted cases for LiteLLM's Router: groups of deployments, what each answers when, and when requests come.

`answers` holds, by deployment, (from, to, answer) in seconds since the case began; without one, a call is served after
100 ms. A status of -1 closes the connection. `router` goes to LiteLLM's Router, `policy` over the preset; `anyhow` says
that LiteLLM picks at random, so that the order of calls is no matter; with `counts` only those served are compared, of
which LiteLLM may lose `refused_anyhow` to counters that are not up to date.
"""

from typing import Any

ALWAYS_S = 1e6
FIRST, SECOND = 1_000_000, 1
"""Weights by which the first of two deployments is picked."""
STATUSES = (400, 401, 402, 403, 404, 405, 408, 409, 413, 422, 425, 429, 500, 501, 502, 503, 504, 529)


def _always(status: int, **rest: Any) -> list[Any]:
    return [[0.0, ALWAYS_S, {"status": status, **rest}]]


def _alone(*names: str) -> dict[str, Any]:
    """A group of one for each."""
    return {f"only_{name}": [{"name": name}] for name in names}


def _case(name: str, groups: dict[str, Any], answers: dict[str, Any], at: list[float], **rest: Any) -> dict[str, Any]:
    router = {"num_retries": 2, **rest.pop("router", {})}
    names = list(groups)
    if "fallbacks" not in rest and len(names) > 1:
        rest["fallbacks"] = [{names[0]: names[1:]}]
    return {"name": name, "groups": groups, "answers": answers, "at": at, "router": router, **rest}


def _pair(**first: Any) -> list[dict[str, Any]]:
    return [{"name": "a", "weight": FIRST, **first}, {"name": "b", "weight": SECOND}]


_PAIR_AND_FALLBACK = {"main": [{"name": "a"}, {"name": "b"}], "only_c": [{"name": "c"}]}
_NO_RETRY = {"router": {"num_retries": 0}, "policy": {"retries": 0}}


def _allowed(fails: int, for_s: float, retries: int = 0) -> dict[str, Any]:
    return {
        "router": {"num_retries": retries, "allowed_fails": fails, "cooldown_time": for_s},
        "policy": {"retries": retries, "cooldown": {"allowed_fails": fails, "for": f"{for_s}s"}},
    }


def _every(every_s: float, count: int, first_s: float = 0.0) -> list[float]:
    return [round(first_s + every_s * number, 3) for number in range(count)]


CASES: list[dict[str, Any]] = [
    *(_case(f"alone_{status}", _alone("a", "b"), {"a": _always(status)}, [0.0]) for status in STATUSES),
    *(
        _case(f"pair_{status}", _PAIR_AND_FALLBACK, dict.fromkeys("ab", _always(status)), [0.0], anyhow=True)
        for status in STATUSES
    ),
    *(
        _case(f"rests_alone_{status}", _alone("a", "b"), {"a": _always(status)}, [0.0, 2.0], **_NO_RETRY)
        for status in (401, 402, 404, 429, 500)
    ),
    *(
        _case(f"rests_in_pair_{status}", {"main": _pair()}, {"a": _always(status)}, [0.0, 2.0], **_NO_RETRY)
        for status in STATUSES
    ),
    *(
        _case(f"share_{status}", {"main": _pair()}, {"a": _always(status)}, _every(1.2, 8), **_NO_RETRY)
        for status in (408, 409, 400, 500, 503, -1)
    ),
    _case(
        "share_400_then_500",
        {"main": _pair()},
        {"a": [[0.0, 6.6, {"status": 400}], [6.6, ALWAYS_S, {"status": 500}]]},
        _every(1.2, 8),
        **_NO_RETRY,
    ),
    _case(
        "share_timeout",
        {"main": _pair()},
        {"a": [[0.0, ALWAYS_S, {"latency": 1.0}]]},
        _every(0.9, 7),
        router={"num_retries": 0, "timeout": 0.3},
        policy={"retries": 0, "timeout": "300ms"},
    ),
    _case("share_alone", _alone("a", "b"), {"a": _always(500)}, _every(1.2, 8), **_NO_RETRY),
    _case("alone_closed", _alone("a", "b"), {"a": _always(-1)}, [0.0]),
    _case(
        "alone_refused",
        {"only_a": [{"name": "a", "refuses": True}], "only_b": [{"name": "b"}]},
        {},
        [0.0],
        refused=True,
    ),
    _case(
        "alone_timeout",
        _alone("a", "b"),
        {"a": [[0.0, ALWAYS_S, {"latency": 3.0}]]},
        [0.0],
        router={"timeout": 0.5},
        policy={"timeout": "500ms"},
    ),
    _case(
        "three_refuse",
        {"main": [{"name": n} for n in "abd"], "only_c": [{"name": "c"}]},
        dict.fromkeys("abd", _always(429)),
        [0.0],
        anyhow=True,
    ),
    _case(
        "pair_429_without_fallback",
        {"main": [{"name": "a"}, {"name": "b"}]},
        dict.fromkeys("ab", _always(429)),
        [0.0, 1.0],
        anyhow=True,
    ),
    _case(
        "first_comes_back",
        {"main": _pair()},
        {"a": _always(429), "b": _always(500)},
        [0.0],
        router={"cooldown_time": 1},
        policy={"cooldown": {"for": "1s"}},
    ),
    _case("counts_408", {"main": _pair()}, {"a": _always(408)}, _every(2.0, 5)),
    _case("allowed_alone", _alone("a"), {"a": _always(429)}, _every(1.2, 10), **_allowed(3, 60)),
    _case("allowed_with_fallback", _alone("a", "b"), {"a": _always(500)}, _every(1.3, 6), **_allowed(2, 60)),
    _case(
        "allowed_of_the_last", _alone("a", "b"), dict.fromkeys("ab", _always(500)), _every(1.3, 6), **_allowed(1, 60)
    ),
    _case(
        "allowed_of_a_flat_list",
        _alone("a", "b", "c"),
        dict.fromkeys("ab", _always(500)),
        _every(1.3, 6),
        **_allowed(1, 60),
    ),
    _case(
        "allowed_of_nested_lists",
        _alone("a", "b", "c"),
        dict.fromkeys("ab", _always(500)),
        _every(1.3, 6),
        fallbacks=[{"only_a": ["only_b"]}, {"only_b": ["only_c"]}],
        imported=True,
        router={"num_retries": 0, "allowed_fails": 1, "cooldown_time": 60},
    ),
    _case("allowed_408", _alone("a", "b"), {"a": _always(408)}, _every(1.3, 6), **_allowed(1, 60)),
    _case("allowed_400", _alone("a", "b"), {"a": _always(400)}, _every(1.3, 6), **_allowed(1, 60)),
    _case("allowed_401", _alone("a", "b"), {"a": _always(401)}, _every(1.3, 4), **_allowed(2, 60)),
    _case(
        "allowed_window_opens_with_a_failure",
        {"main": _pair()},
        {"a": [[2.0, 5.4, {"status": 500}]]},
        [0.0, 2.6, 4.5, 6.0],
        **_allowed(1, 4),
    ),
    _case(
        "keeps_the_first_deadline",
        {"main": _pair()},
        {"a": [[0.0, 1.5, {"status": 429, "latency": 5.0}], [1.5, 3.5, {"status": 429}]]},
        [0.0, 2.5, 4.0, 6.5, 8.6, 9.4],
        router={"num_retries": 1},
        policy={"retries": 1},
    ),
    _case(
        "a_shorter_cooldown_ends_a_longer_one",
        {"main": _pair()},
        {
            "a": [
                [0.0, 1.0, {"status": 429, "latency": 3.0, "retry_after": 1}],
                [1.0, 2.9, {"status": 429, "retry_after": 8}],
            ]
        },
        [0.0, 1.8, 3.5, 5.2, 6.2],
        **_NO_RETRY,
    ),
    _case(
        "cools_for_retry_after",
        {"main": _pair()},
        {"a": [[0.0, 1.5, {"status": 429, "retry_after": 3}]]},
        [0.0, 1.0, 2.2, 4.2],
        **_NO_RETRY,
    ),
    _case(
        "retry_after_0_cools_nobody",
        {"main": _pair()},
        {"a": [[0.0, 1.5, {"status": 429, "retry_after": 0}]]},
        [0.0, 2.2],
        **_NO_RETRY,
    ),
    _case(
        "retry_after_0_alone",
        _alone("a"),
        {"a": _always(429, retry_after=0)},
        [0.0],
        router={"num_retries": 1},
        policy={"retries": 1},
    ),
    _case(
        "retry_after_2_alone",
        _alone("a"),
        {"a": _always(429, retry_after=2)},
        [0.0],
        router={"num_retries": 1},
        policy={"retries": 1},
    ),
    _case(
        "retry_after_2_of_503",
        _alone("a"),
        {"a": _always(503, retry_after=2)},
        [0.0],
        router={"num_retries": 1},
        policy={"retries": 1},
    ),
    _case(
        "retry_after_100_alone",
        _alone("a"),
        {"a": _always(429, retry_after=100)},
        [0.0],
        router={"num_retries": 1},
        policy={"retries": 1},
    ),
    _case(
        "windows_of_their_own",
        {"main": _pair()},
        {"a": [[45.0, ALWAYS_S, {"status": 500}]]},
        [*_every(0.1, 20), *_every(0.4, 4, 50.0), 64.0, 65.0],
        **_NO_RETRY,
    ),
    _case(
        "least_busy_ties",
        {"main": [{"name": "a"}, {"name": "b"}]},
        {},
        _every(1.5, 6),
        router={"routing_strategy": "least-busy"},
        policy={"routing": "least_busy"},
    ),
    *(
        _case(
            f"rpm_{rpm}",
            {"main": [{"name": "a", "rpm": rpm}, {"name": "b", "rpm": rpm}]},
            {},
            _every(0.0, 2 * rpm + 3),
            router={"num_retries": 0, "routing_strategy": "usage-based-routing-v2"},
            policy={"retries": 0, "routing": "usage_based"},
            within_minute=15,
            counts=True,
            refused_anyhow=1,
        )
        for rpm in (1, 2, 3, 5)
    ),
    *(
        _case(
            f"rpm_{rpm}_in_turn",
            {"main": [{"name": "a", "rpm": rpm}, {"name": "b", "rpm": rpm}]},
            {},
            _every(0.4, 2 * rpm + 3),
            router={"num_retries": 0, "routing_strategy": "usage-based-routing-v2"},
            policy={"retries": 0, "routing": "usage_based"},
            within_minute=15,
            counts=True,
            refused_anyhow=1,
        )
        for rpm in (1, 2, 3, 5)
    ),
    _case("flat_list_of_seven", _alone(*"abcdefgh"), {n: _always(500) for n in "abcdefg"}, [0.0], **_NO_RETRY),
    _case(
        "nested_lists",
        _alone(*"abcdefgh"),
        {n: _always(500) for n in "abcdefgh"},
        [0.0],
        fallbacks=[{f"only_{one}": [f"only_{other}"]} for one, other in zip("abcdefg", "bcdefgh", strict=True)],
        policy={"retries": 0, "fallback_depth": 5},
        router={"num_retries": 0},
    ),
    _case("max_retries", {"only_a": [{"name": "a", "max_retries": 2}]}, {"a": _always(500)}, [0.0]),
    _case(
        "max_parallel",
        {"only_a": [{"name": "a", "max_parallel_requests": 1}]},
        {"a": [[0.0, ALWAYS_S, {"latency": 0.5}]]},
        [0.0, 0.05, 0.1],
        counts=True,
        router={"num_retries": 0},
        policy={"retries": 0},
        legs={"a": {"bulkhead": {"concurrent": 1}}},
    ),
    _case(
        "max_parallel_pair",
        {"main": _pair(max_parallel_requests=1)},
        {"a": [[0.0, ALWAYS_S, {"latency": 0.5}]]},
        [0.0, 0.05, 0.1, 2.0],
        router={"num_retries": 0},
        imported=True,
    ),
    _case(
        "max_parallel_retried",
        {"only_a": [{"name": "a", "max_parallel_requests": 1}], "only_b": [{"name": "b"}]},
        {"a": [[0.0, ALWAYS_S, {"latency": 0.3}]]},
        [0.0, 0.05],
        imported=True,
    ),
    _case(
        "order_share",
        {"main": [{"name": "a", "order": 1}, {"name": "b", "order": 2}]},
        {"a": _always(500)},
        _every(1.2, 8),
        router={"num_retries": 0},
        imported=True,
    ),
    _case(
        "order_429",
        {"main": [{"name": "a", "order": 1}, {"name": "b", "order": 2}]},
        {"a": _always(429)},
        _every(1.2, 4),
        router={"num_retries": 0},
        imported=True,
    ),
]
