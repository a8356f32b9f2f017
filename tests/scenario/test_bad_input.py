"""Every kind of bad input gets one message in words, at its line and column."""

from collections.abc import Callable

import pytest

from des.errors import ScenarioError
from des.scenario import from_mapping
from des.scenario.schema.expectations import EXPECTABLE

Problems = Callable[..., list[str]]

DURATION = "expected a duration such as 30s, 45min or 90d"
POSITIVE_DURATION = "expected a duration above zero, such as 30s, 45min or 90d"
RATE = "expected a rate such as 50/s, 2/min or 12/y"
MANY_NINES = "9" * 10_000
CUT_NINES = f"{MANY_NINES[:57]}..., which is too large"

ONE_PROBLEM = [
    # Unknown and missing keys.
    ("horizon: 30d", "horizn: 30d", "3:1: horizn: unknown key 'horizn'; did you mean 'horizon'?"),
    ("horizon: 30d\n", "", "1:1: horizon: is required, but missing: write horizon: 30d, for example"),
    ("horizon: 30d", "horizon:", "3:9: horizon: is required, but missing: write horizon: 30d, for example"),
    (
        "server_error: 0.2%",
        "server_eror: 0.2%",
        "24:18: providers.anthropic.models.claude-sonnet-4-6.errors.server_eror: unknown key 'server_eror'; "
        "did you mean 'server_error'?",
    ),
    (
        "first_token: 900ms",
        "first_tokn: 900ms",
        "23:19: providers.anthropic.models.claude-sonnet-4-6.latency.first_tokn: unknown key 'first_tokn'; "
        "did you mean 'first_token'?",
    ),
    (
        "p99: 4142",
        "p98: 4142",
        "8:44: workload.tokens.input.p98: unknown key 'p98'; the percentiles are median, p95 and p99",
    ),
    ("p99: 4142", "P99: 4142", "8:44: workload.tokens.input.P99: unknown key 'P99'; did you mean 'p99'?"),
    ("median: 1020", "p50: 1020", "8:30: workload.tokens.input.p50: unknown key 'p50'; did you mean 'median'?"),
    ("retries: 1", "retry: 1", "30:41: chain[0].retry: unknown key 'retry'; did you mean 'retries'?"),
    ("  rounds: 2\n", "  rounds: 2\n  rounds: 3\n", "34:3: duplicate key 'rounds' (first at 33:3)"),
    # Wrong units.
    ("horizon: 30d", "horizon: 30", f"3:10: horizon: {DURATION}; got 30, which has no unit: write 30s for seconds"),
    (
        "horizon: 30d",
        "horizon: 30m",
        f"3:10: horizon: {DURATION}; got '30m': minutes are written 'min', a month 30d",
    ),
    (
        "rate: 2/min",
        "rate: 2",
        f"6:35: workload.arrivals.rate: {RATE}; got 2, which has no unit: write 2/s, 2/min or 2/y",
    ),
    (
        "median: 1.4s",
        "median: 1.4",
        f"28:55: providers.openai.models.gpt-5-mini.latency.median: {DURATION}; got 1.4, which has no unit: "
        "write 1.4s for seconds",
    ),
    # Negative, zero, NaN.
    ("rate: 2/min", "rate: -2/min", f"6:35: workload.arrivals.rate: {RATE}; got '-2/min', which is negative"),
    ("rate: 2/min", "rate: .nan", f"6:35: workload.arrivals.rate: {RATE}; got nan, which is not a finite number"),
    (
        "rate: 2/min",
        "rate: 0",
        "6:35: workload.arrivals.rate: expected a rate above zero, such as 50/s, 2/min or 12/y; got 0",
    ),
    ("horizon: 30d", "horizon: 0s", f"3:10: horizon: {POSITIVE_DURATION}; got 0"),
    ("timeout: 30s", "timeout: 0s", f"30:36: chain[0].timeout: {POSITIVE_DURATION}; got 0"),
    ("retries: 1", "retries: -1", "30:50: chain[0].retries: expected a whole number that is not negative; got -1"),
    ("retries: 1", "retries: 1.5", "30:50: chain[0].retries: expected a whole number such as 3; got 1.5"),
    ("rounds: 2", "rounds: 0", "33:11: policy.rounds: expected a whole number of at least 1; got 0"),
    ("rounds: 2", "rounds: 010", "33:11: policy.rounds: expected a whole number such as 3; got '010'"),
    ("rounds: 2", "rounds: yes", "33:11: policy.rounds: expected a whole number such as 3; got 'yes'"),
    ("seed: 7", "seed: true", "4:7: seed: expected a whole number such as 3; got true"),
    # Too large.
    ("seed: 7", f"seed: {2**63}", f"4:7: seed: expected a whole number below 2^63; got {2**63}, which is too large"),
    ("seed: 7", f"seed: {MANY_NINES}", f"4:7: seed: expected a whole number below 2^63; got {CUT_NINES}"),
    (
        "rounds: 2",
        "rounds: 1e400",
        "33:11: policy.rounds: expected a whole number below 2^63; got 1e400, which is too large",
    ),
    (
        "rounds: 2",
        f"rounds: -{MANY_NINES}",
        f"33:11: policy.rounds: expected a whole number that is not negative; got -{MANY_NINES[:56]}...",
    ),
    (
        "retries: 1",
        f"retries: {MANY_NINES}",
        f"30:50: chain[0].retries: expected a whole number below 2^63; got {CUT_NINES}",
    ),
    ("rate: 2/min", f"rate: {MANY_NINES}", f"6:35: workload.arrivals.rate: {RATE}; got {CUT_NINES}"),
    ("rate: 2/min", "rate: .inf", f"6:35: workload.arrivals.rate: {RATE}; got inf, which is not a finite number"),
    # Shares over one.
    (
        "server_error: 0.2%",
        "server_error: 2",
        "24:32: providers.anthropic.models.claude-sonnet-4-6.errors.server_error: expected a share between 0 and 1 "
        "(0% to 100%); got 2: write 2% for per cent",
    ),
    (
        "errors: {server_error: 0.2%}",
        "errors: {server_error: 60%, overloaded: 50%}",
        "24:17: providers.anthropic.models.claude-sonnet-4-6.errors: the shares of calls that fail add up to 1.1, "
        "above 1",
    ),
    ("{cdn: 80%}", "{cdn: 180%}", None),
    # Kinds.
    (
        "{kind: poisson, rate: 2/min}",
        "{kind: poison, rate: 2/min}",
        "6:20: workload.arrivals.kind: unknown kind 'poison'; did you mean 'poisson'?",
    ),
    (
        "{kind: poisson, rate: 2/min}",
        "{rate: 2/min}",
        "6:13: workload.arrivals: its kind is missing: one of poisson, bursty, batch, closed, replay, "
        "such as {kind: poisson, rate: ...}",
    ),
    (
        "{kind: poisson, rate: 2/min}",
        "{every: 4h, size: 20}",
        "6:13: workload.arrivals: its kind is missing: write {kind: batch, every: ..., size: ...}",
    ),
    (
        "{kind: lognormal, median: 1.4s, p99: 9s}",
        "{p50: 1.4s, p99: 9s}",
        "28:29: providers.openai.models.gpt-5-mini.latency: its kind is missing: write {kind: lognormal, median: ..., "
        "p99: ...}",
    ),
    (
        "{kind: lognormal, median: 1.4s, p99: 9s}",
        "{median: 1.4s, p90: 9s}",
        "28:29: providers.openai.models.gpt-5-mini.latency: its kind is missing: write {kind: lognormal, median: ..., "
        "p99: ...}; the percentiles are median, p95 and p99",
    ),
    (
        "jitter: full",
        "jitter: fll",
        "34:62: policy.backoff.jitter: expected one of none, full, equal, decorrelated, additive, scaled; got 'fll'; "
        "did you mean 'full'?",
    ),
    # Names.
    (
        "provider: openai",
        "provider: opnai",
        "31:16: chain[1].provider: unknown provider 'opnai'; did you mean 'openai'?",
    ),
    (
        "model: gpt-5-mini",
        "model: gpt-5mini",
        "31:31: chain[1].model: unknown model of openai 'gpt-5mini'; did you mean 'gpt-5-mini'?",
    ),
    (
        "depends_on: [cdn]",
        "depends_on: [cnd]",
        "26:18: providers.openai.depends_on[0]: unknown component 'cnd'; did you mean 'cdn'?",
    ),
    (
        "  cdn:\n",
        "  cdn:\n    depends_on: [openai]\n",
        "12:18: components.cdn.depends_on[0]: a circle of dependencies: cdn -> openai -> cdn",
    ),
    (
        "depends_on: [cdn]",
        "depends_on: [cdn, cdn]",
        "26:23: providers.openai.depends_on[1]: 'openai' already depends on 'cdn'",
    ),
    (
        'availability: ">= 99.95%"',
        'availabilty: ">= 99.95%"',
        "40:3: expect.availabilty: unknown metric 'availabilty'; did you mean 'availability'? expect one of "
        f"{', '.join(EXPECTABLE)}",
    ),
    (
        "primary_only.latency_s_p95",
        "primary.latency_s_p95",
        "41:3: expect.primary.latency_s_p95: unknown arm 'primary'; did you mean 'primary_only'?",
    ),
    (
        '">= 99.95%"',
        "99.95%",
        '40:17: expect.availability: expected a comparison such as ">= 99.95%" or "< 2s"; got \'99.95%\'',
    ),
    (
        '">= 99.95%"',
        '">= 9995%"',
        "40:17: expect.availability: expected a share between 0 and 1 (0% to 100%); got '9995%'",
    ),
    ("primary_only: {", "Primary: {", None),
    # Contradictions.
    (
        "  rounds: 2\n",
        "  rounds: 2\n  retry_backoff: 1s\n",
        "34:18: policy.retry_backoff: backoff sets retry_backoff too: give either backoff, or retry_backoff and "
        "round_backoff",
    ),
    (
        "retries: 1",
        "retries: 1, retry_on: []",
        "30:50: chain[0].retries: retry_on is empty, so there are never retries",
    ),
    (
        "total: 60s",
        "total: 6s",
        "31:66: chain[1].timeout.first_token: first_token is longer than total, so it never expires",
    ),
    ("cap: 8s", "cap: 8ms", "34:50: policy.backoff.cap: cap is below base"),
    (
        "    episodes_per_year: 10\n",
        "",
        "17:19: providers.anthropic.availability: availability needs episodes_per_year, since 99.5% may be many short "
        "outages or a few long ones; for calls that fail at random say errors: {server_error: 3%} on the model",
    ),
    # What traces cannot hold.
    ("rounds: 2", "rounds: 200", "33:11: policy.rounds: 200 rounds: at most 127 are possible"),
    (
        "retries: 1",
        "retries: 20000",
        "30:50: chain[0].retries: a request may come to 40004 attempts (rounds times legs with their retries): "
        "at most 32767 are possible",
    ),
    (
        "median: 1020, p99: 4142",
        "median: 1020, p99: 41420000",
        "8:12: workload.tokens.input: token counts may reach 7.85e+14; a trace can hold 2147483647",
    ),
    # Types.
    ("chain:\n", "chain: 3\nchain_:\n", None),
    ("title: Two peers behind one CDN", "title: 12", '1:8: title: expected text; got 12: write "12"'),
    ("policy:\n", "policy: [1]\npolice:\n", None),
    # The catalogue.
    (
        "      claude-sonnet-4-6:",
        "      claude-sonet-4-6:",
        "22:7: providers.anthropic.models.claude-sonet-4-6.price: is required, since the catalogue has no model "
        "'claude-sonet-4-6' of anthropic (did you mean 'claude-sonnet-4-6'?): write price: {input_per_mtok: 3, "
        "output_per_mtok: 15}, or {per_request: 0} if it is free",
    ),
]


@pytest.mark.parametrize(("good", "bad", "message"), [case for case in ONE_PROBLEM if case[2]])
def test_one_thing_wrong_gives_one_message(
    good: str, bad: str, message: str, two_providers: str, problems: Problems
) -> None:
    assert two_providers.count(good) >= 1
    assert problems(two_providers.replace(good, bad, 1)) == [f"s.yaml:{message}"]


@pytest.mark.parametrize(("good", "bad", "message"), ONE_PROBLEM)
def test_no_message_shows_where_it_was_made(
    good: str, bad: str, message: str | None, two_providers: str, problems: Problems
) -> None:
    found = problems(two_providers.replace(good, bad, 1))
    assert found
    for line in found:
        assert line.startswith("s.yaml:")
        for inside in ("pydantic", "Input should", "Value error", "whole.", "stream.", "constant", "tagged"):
            assert inside not in line


def test_all_problems_come_at_once_in_the_order_of_lines(two_providers: str, problems: Problems) -> None:
    text = (
        two_providers.replace("rate: 2/min", "rate: -2/min")
        .replace("depends_on: [cdn]", "depends_on: [cnd]")
        .replace("provider: openai", "provider: opnai")
        .replace("jitter: full", "jitter: fll")
        .replace("chain: [anthropic]", "policy: {rouns: 2}")
        .replace('availability: ">=', 'availabilty: ">=')
    )
    assert [line.split(": ")[1] for line in problems(text)] == [
        "workload.arrivals.rate",
        "providers.openai.depends_on[0]",
        "chain[1].provider",
        "policy.backoff.jitter",
        "arms.primary_only.policy.rouns",
        "expect.availabilty",
    ]


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (
            "providers",
            "14:12: providers: expected a mapping such as {openai: {models: {gpt-5-mini: {latency: 2s}}}}; got a list",
        ),
        (
            "components",
            "10:13: components: expected a mapping such as "
            "{cdn: {incidents: [{kind: poisson, rate: 2/y, duration: 1h}]}}; got a list",
        ),
        ("chain", "29:8: chain: expected a list; got 'x': write [{provider: x}]"),
    ],
)
def test_a_section_of_the_wrong_form_draws_no_further_messages(
    section: str, message: str, two_providers: str, problems: Problems
) -> None:
    content = "x" if section == "chain" else "[x]"
    text = two_providers.replace(f"\n{section}:\n", f"\n{section}: {content}\nrest_of_it:\n")
    assert problems(text) == [
        f"s.yaml:{message}",
        f"s.yaml:{int(message.split(':')[0]) + 1}:1: rest_of_it: unknown key 'rest_of_it'",
    ]


def test_an_empty_chain_is_refused(two_providers: str, problems: Problems) -> None:
    start = two_providers.index("chain:\n")
    end = two_providers.index("policy:\n")
    text = two_providers[:start] + "chain: []\n" + two_providers[end:]
    assert problems(text.replace("chain: [anthropic]", "")) == [
        "s.yaml:29:8: chain: is empty: at least one entry is needed"
    ]


def test_a_leg_as_text_says_what_a_leg_is(two_providers: str, problems: Problems) -> None:
    start, end = two_providers.index("chain:\n"), two_providers.index("policy:\n")
    assert problems(two_providers[:start] + "chain: [anthropic, openai]\n" + two_providers[end:]) == [
        "s.yaml:29:9: chain[0]: a leg is a mapping such as {provider: anthropic}, or the name of a model; "
        "only an arm selects legs by name",
        "s.yaml:29:20: chain[1]: a leg is a mapping such as {provider: openai}, or the name of a model; "
        "only an arm selects legs by name",
    ]


def test_a_distribution_of_several_possible_kinds_is_told_all(two_providers: str, problems: Problems) -> None:
    assert problems(two_providers.replace("{kind: exponential, mean: 1h}", "{mean: 1h}")) == [
        "s.yaml:13:48: components.cdn.incidents[0].duration: its kind is missing: one of constant, uniform, "
        "exponential, lognormal, gamma, weibull, pareto, empirical, mixture, such as {kind: exponential, mean: ...}"
    ]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("policy:\n", "polcy:\npolicy:\n", "s.yaml:32:1: polcy: unknown key 'polcy'; did you mean 'policy'?"),
        ("  rounds: 2\n", "  ronds:\n", "s.yaml:33:3: policy.ronds: unknown key 'ronds'; did you mean 'rounds'?"),
        (
            "  as_modelled: {}\n",
            "  as_modelled: {policy: {ronds: }}\n",
            "s.yaml:37:26: arms.as_modelled.policy.ronds: unknown key 'ronds'; did you mean 'rounds'?",
        ),
        (
            'availability: ">= 99.95%"',
            "availability:",
            's.yaml:40:16: expect.availability: expected a comparison such as ">= 99.95%"; got nothing',
        ),
    ],
)
def test_a_key_without_a_value_is_held_to_the_same_names(
    old: str, new: str, line: str, two_providers: str, problems: Problems
) -> None:
    assert problems(two_providers.replace(old, new)) == [line]


def test_a_space_missing_after_a_colon_is_pointed_out(two_providers: str, problems: Problems) -> None:
    (line,) = problems(two_providers, ["expect={availability:'>=99%'}"])
    assert "a space after the colon: availability: '>=99%'" in line
    (line,) = problems(two_providers, ["policy={rounds:3}"])
    assert "a space after the colon: rounds: 3" in line


def test_half_a_character_in_plain_data_is_refused() -> None:
    with pytest.raises(ScenarioError, match="title: a lone surrogate"):
        from_mapping({"title": "\ud800"})


def test_more_users_than_memory_holds_are_refused(two_providers: str, problems: Problems) -> None:
    crowd = two_providers.replace("kind: poisson, rate: 2/min", "kind: closed, users: 1000000000, think: 1s")
    assert problems(crowd) == [
        "s.yaml:6:35: workload.arrivals.users: 1000000000 users: at most 1000000 are possible",
    ]
