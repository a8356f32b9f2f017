"""Whole scenarios, drawn: every kind of incident, error, limit, wait, cache, bill and workload, over a few minutes."""

from collections.abc import Callable
from typing import Any

from examples import TIMES
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

Draw = Any
FAILURES = ["server_error", "overloaded", "rate_limited", "connection_error", "client_error", "invalid_output"]
HANDLED = [*FAILURES[:5], "timeout", "invalid_output"]
BILLED = ["none", "input", "partial", "full"]
REGIONS = ["eu", "us"]

shares = st.sampled_from([0, 0.01, 0.1, 0.3, 0.5, 0.9, 1])
partial_shares = st.sampled_from([0.01, 0.1, 0.2])


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


def durations(low_ms: int, high_ms: int) -> st.SearchStrategy[str]:
    return st.integers(low_ms, high_ms).map(lambda ms: f"{ms}ms")


@st.composite
def durations_between(draw: Draw, low_ms: int, high_ms: int) -> Any:
    """A distribution whose typical values lie between the two."""
    kind = draw(st.sampled_from(["constant", "uniform", "exponential", "lognormal", "gamma", "weibull", "empirical"]))
    first, second = sorted([draw(st.integers(low_ms, high_ms)), draw(st.integers(low_ms, high_ms)) + 1])
    match kind:
        case "constant":
            return f"{first}ms"
        case "uniform":
            return {"kind": kind, "low": f"{first}ms", "high": f"{second}ms"}
        case "exponential":
            return {"kind": kind, "mean": f"{second}ms"}
        case "lognormal":
            return {"kind": kind, "median": f"{second}ms", "sigma": 0.8}
        case "gamma":
            return {"kind": kind, "mean": f"{second}ms", "cv": 0.7}
        case "weibull":
            return {"kind": kind, "shape": 0.8, "scale": f"{second}ms"}
    return {"kind": kind, "values": [f"{first}ms", f"{second}ms", f"{first + second}ms"]}


@st.composite
def effects(draw: Draw) -> dict[str, Any]:
    effect: dict[str, Any] = {
        "error_rate": draw(shares),
        "outcome": draw(st.sampled_from(FAILURES)),
        "hang": draw(st.sampled_from([0, 0, 0, 0.2, 1])),
        "latency_factor": draw(st.sampled_from([1, 1, 2, 7.5])),
        "kills_in_flight": draw(st.booleans()),
    }
    if draw(st.booleans()):
        effect["error_latency"] = draw(durations_between(0, 3000))
    return effect


@st.composite
def incidents(draw: Draw) -> dict[str, Any]:
    kind = draw(st.sampled_from(["poisson", "renewal", "marked_renewal", "schedule"]))
    effect = draw(effects())
    match kind:
        case "poisson":
            rate = f"{draw(st.integers(5, 120))}/h"
            profile = {"profile": {"hours": [2, 1] * 12}} if draw(st.booleans()) else {}
            return {"kind": kind, "rate": rate, "duration": draw(durations_between(0, 60_000)), **profile, **effect}
        case "renewal":
            return {
                "kind": kind,
                "up": draw(durations_between(5_000, 90_000)),
                "down": draw(durations_between(100, 40_000)),
                **effect,
            }
        case "marked_renewal":
            return {
                "kind": kind,
                "between": draw(durations_between(10_000, 90_000)),
                "duration": draw(durations_between(0, 40_000)),
                **effect,
            }
    edges = sorted(draw(st.lists(st.integers(0, 200), min_size=2, max_size=6, unique=True)))
    if draw(st.booleans()):  # touching windows
        edges = [edges[0], *(edge for edge in edges[1:-1] for _ in range(2)), edges[-1]]
    windows = [{"start": f"{a}s", "end": f"{b}s"} for a, b in zip(edges[::2], edges[1::2], strict=False)]
    return {"kind": kind, "windows": windows, **effect}


@st.composite
def dependencies(draw: Draw, targets: list[str]) -> list[Any]:
    chosen = draw(st.lists(st.sampled_from(targets), max_size=2, unique=True)) if targets else []
    return [target if draw(st.booleans()) else {target: draw(st.sampled_from([0, 0.3, 0.8, 1]))} for target in chosen]


@st.composite
def components(draw: Draw) -> dict[str, Any]:
    names = ["cdn", "cloud", "identity"][: draw(st.integers(0, 3))]
    return {
        name: {
            "depends_on": draw(dependencies(names[:position])),
            "incidents": draw(st.lists(incidents(), max_size=2)),
        }
        for position, name in enumerate(names)
    }


@st.composite
def latencies(draw: Draw) -> Any:
    if draw(st.booleans()):
        return draw(durations_between(0, 8000))
    parts = {
        "connect": draw(maybe(durations_between(0, 500))),
        "first_token": draw(maybe(durations_between(0, 3000))),
        "tokens_per_second": draw(maybe(st.sampled_from([8, 60, {"kind": "uniform", "low": 0.5, "high": 80}]))),
    }
    given = {name: part for name, part in parts.items() if part is not None}
    return given or {"first_token": "1s"}


@st.composite
def random_errors(draw: Draw) -> dict[str, Any]:
    errors: dict[str, Any] = {}
    for outcome in draw(st.lists(st.sampled_from(FAILURES[:5]), max_size=3, unique=True)):
        rate = draw(partial_shares)
        errors[outcome] = {"rate": rate, "latency": draw(durations_between(0, 4000))} if draw(st.booleans()) else rate
    if draw(st.booleans()):
        errors["invalid_output"] = draw(shares)
    if draw(st.booleans()):
        errors["hang"] = draw(partial_shares)
    if draw(st.booleans()):
        errors["mid_stream"] = {
            "rate": draw(shares),
            "after": draw(st.sampled_from([0, 0.5, 1, {"kind": "uniform", "low": 0, "high": 1}])),
        }
    return errors


limits = st.fixed_dictionaries(
    {"requests": st.sampled_from(["6/min", "20/min", "1/s", "3/s"])},
    optional={"burst": st.sampled_from([1, 1.5, 4, 10]), "refusal_latency": durations_between(0, 500)},
)
billing = st.one_of(
    st.sampled_from(["provider", "per_attempt"]),
    st.dictionaries(
        st.sampled_from(["ok", *HANDLED, "cancelled", "broken_stream"]), st.sampled_from(BILLED), min_size=1
    ),
)
prices = st.one_of(
    st.fixed_dictionaries(
        {"input_per_mtok": st.sampled_from([0.1, 3, 2.5])},
        optional={
            "output_per_mtok": st.sampled_from([0.4, 15]),
            "cached_input_per_mtok": st.sampled_from([0.01, 0.3]),
            "cache_write_per_mtok": st.sampled_from([0.125, 3.75]),
            "per_request": st.sampled_from([0.001, 0.03]),
        },
    ),
    st.fixed_dictionaries({"per_request": st.sampled_from([0, 0.04])}, optional={"per_unit": st.just(0.002)}),
)


@st.composite
def providers(draw: Draw, shared: list[str]) -> dict[str, Any]:
    drawn = {}
    for name in "abcd"[: draw(st.integers(1, 4))]:
        models = {}
        for model in "xy"[: draw(st.integers(1, 2))]:
            models[model] = {
                "price": draw(prices),
                "latency": draw(latencies()),
                "errors": draw(random_errors()),
                "tags": {"region": draw(st.sampled_from(REGIONS))},
                "depends_on": draw(dependencies(shared)),
                "incidents": draw(st.lists(incidents(), max_size=1)),
                "limits": draw(maybe(limits)),
                "billing": draw(maybe(billing)),
                "quality": draw(maybe(st.sampled_from([0.5, 1]))),
            }
        drawn[name] = {
            "depends_on": draw(dependencies(shared)),
            "incidents": draw(st.lists(incidents(), max_size=2)),
            "limits": draw(maybe(limits)),
            "billing": draw(maybe(billing)),
            "models": models,
        }
    return drawn


@st.composite
def timeouts(draw: Draw) -> Any:
    if draw(st.booleans()):
        return draw(durations(200, 15_000))
    parts = {
        "connect": draw(maybe(durations(10, 400))),
        "first_token": draw(maybe(durations(100, 3000))),
        "idle": draw(maybe(durations(20, 3000))),
        "total": draw(maybe(durations(3000, 15_000))),
    }
    given = {name: part for name, part in parts.items() if part is not None}
    return given or None


@st.composite
def chains(draw: Draw, endpoints: list[tuple[str, str]]) -> list[dict[str, Any]]:
    chain = []
    for _ in range(draw(st.integers(1, 4))):
        provider, model = draw(st.sampled_from(endpoints))
        retries = draw(st.integers(0, 3))
        chain.append(
            {
                "provider": provider,
                "model": model,
                "timeout": draw(timeouts()),
                "retries": retries,
                "retry_on": draw(maybe(st.lists(st.sampled_from(HANDLED), min_size=1, unique=True))),
                "fallback_on": draw(maybe(st.lists(st.sampled_from(HANDLED), unique=True))),
                "invalid_output": draw(st.sampled_from([0, 0, 0.2])),
                "prompt_cache": draw(maybe(st.just({"share": 0.6, "ttl": "6s"}))),
                "silent_rot": draw(maybe(rots())),
                "tags": draw(st.sampled_from([{}, {"region": "eu"}])),
            }
        )
    return chain


@st.composite
def rots(draw: Draw) -> dict[str, Any]:
    return {
        "time_to_rot": draw(durations_between(5_000, 120_000)),
        "repair": draw(durations_between(0, 30_000)),
        "outcome": draw(st.sampled_from(FAILURES)),
        "probe_every": draw(maybe(durations(3_000, 40_000))),
    }


@st.composite
def backoffs(draw: Draw) -> Any:
    kind = draw(st.sampled_from(["none", "constant", "linear", "exponential"]))
    if kind == "none":
        return "none"
    base = draw(st.integers(0, 2000))
    jitter = draw(st.sampled_from(["none", "full", "equal", "decorrelated", "additive"]))
    given: dict[str, Any] = {"kind": kind, "base": f"{base}ms", "jitter": jitter}
    if jitter == "additive":
        given["spread"] = draw(durations(0, 1000))
    if draw(st.booleans()):
        given["cap"] = f"{base + draw(st.integers(1, 5000))}ms"
    if kind == "exponential" and draw(st.booleans()):
        given["factor"] = draw(st.sampled_from([1, 1.5, 3]))
    return given


@st.composite
def policies(draw: Draw) -> dict[str, Any]:
    caches = [
        {"kind": "share", "hit_rate": 0.3, "latency": "10ms"},
        {"kind": "zipf", "keys": 10, "exponent": 1.1, "ttl": "20s"},
    ]
    return {
        "rounds": draw(st.integers(1, 3)),
        "retry_backoff": draw(maybe(backoffs())),
        "round_backoff": draw(maybe(backoffs())),
        "retry_after": draw(st.sampled_from(["ignore", "honour"])),
        "deadline": draw(maybe(durations(500, 40_000))),
        "billing": draw(maybe(billing)),
        "response_cache": draw(maybe(st.sampled_from(caches))),
    }


arrivals = st.one_of(
    st.just({"kind": "poisson", "rate": "40/min"}),
    st.just({"kind": "poisson", "rate": "30/min", "profile": {"days": [3, 1, 1, 1, 1, 0, 0]}}),
    st.just({"kind": "bursty", "rate": "40/min", "cv": 3, "clients": 2}),
    st.just({"kind": "batch", "every": "7s", "size": 5, "first": "1s"}),
    st.just({"kind": "closed", "users": 6, "think": {"kind": "exponential", "mean": "4s"}}),
    st.just({"kind": "closed", "users": 2, "think": "3s"}),
    st.just({"kind": "replay", "file": "arrivals.csv", "columns": {"time": "t"}, "loop": True}),
)


@st.composite
def workloads(draw: Draw, carried: list[str]) -> dict[str, Any]:
    distribution = {"kind": "lognormal", "median": 200, "p95": 900}
    required = draw(st.lists(st.sampled_from(carried), max_size=1)) if carried else []
    return {
        "arrivals": draw(arrivals),
        "tokens": {
            "input": draw(st.sampled_from([0, 7, distribution])),
            "output": draw(st.sampled_from([0, 1, 40, distribution])),
        },
        "units": draw(st.sampled_from([1, 3, {"kind": "uniform", "low": 0, "high": 5}])),
        "requirements": [{"share": 0.4, "tags": {"region": region}} for region in required],
    }


@st.composite
def scenarios(draw: Draw) -> dict[str, Any]:
    shared = draw(components())
    offered = draw(providers(list(shared)))
    endpoints = [(name, model) for name, provider in offered.items() for model in provider["models"]]
    chain = draw(chains(endpoints))
    carried = sorted(
        {model["tags"]["region"] for provider in offered.values() for model in provider["models"].values()}
    )
    return {
        "title": "Drawn",
        "horizon": draw(st.sampled_from(["40s", "90s", "3min"])),
        "seed": draw(st.integers(0, 2**32)),
        "start_state": draw(st.sampled_from(["equilibrium", "up"])),
        "drain": draw(st.sampled_from([None, None, None, "0s", "3s"])),
        "workload": draw(workloads(carried)),
        "components": shared,
        "providers": offered,
        "chain": chain,
        "policy": draw(policies()),
    }


def of_whole_scenarios(claim: Callable[[dict[str, Any]], None]) -> Callable[[], None]:
    """The test of a claim about every scenario. They take minutes to shrink: a failure is printed as it was found."""
    without_shrinking = [Phase.explicit, Phase.reuse, Phase.generate]
    return settings(max_examples=20 * TIMES, phases=without_shrinking)(given(scenarios())(claim))
