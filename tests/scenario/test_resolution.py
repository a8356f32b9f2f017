"""A sound scenario resolves to the numbers it means."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from des import distributions
from des.scenario import plans
from des.scenario.plan import (
    NO_BACKOFF,
    PoissonIncidents,
    RecordedIncidents,
    RenewalIncidents,
    ReplayedArrivals,
    Timeout,
)
from des.scenario.resolution.intent import reach_probability
from des.vocabulary import ATTEMPT_OUTCOMES, DEFAULT_RETRIED

Load = Callable[..., Any]
YEAR_S = 31_536_000.0
CDN = "{kind: poisson, rate: 1.2/y, duration: {kind: exponential, mean: 1h}}"


def component(plan: Any, name: str) -> Any:
    return next(each for each in plan.components if each.name == name)


def test_components_come_as_declared_then_providers_then_models(two_providers: str, load: Load) -> None:
    plan = plans(load(two_providers))["as_modelled"]
    assert [(each.index, each.name, each.kind) for each in plan.components] == [
        (0, "cdn", "component"),
        (1, "anthropic", "provider"),
        (2, "openai", "provider"),
        (3, "anthropic/claude-sonnet-4-6", "model"),
        (4, "openai/gpt-5-mini", "model"),
    ]
    assert [(each.component, each.share) for each in component(plan, "anthropic").depends_on] == [(0, 0.8)]
    assert [(each.component, each.share) for each in plan.components[4].depends_on] == [(2, 1.0)]
    assert [endpoint.component for endpoint in plan.endpoints] == [3, 4]


def test_intent_alone_has_its_availability_and_its_episodes(two_providers: str, load: Load) -> None:
    text = two_providers.replace("    depends_on: [{cdn: 80%}]\n", "")
    (incidents,) = component(plans(load(text))["as_modelled"], "anthropic").incidents
    assert isinstance(incidents, PoissonIncidents)
    availability = math.exp(-incidents.rate_per_s * incidents.duration.mean)
    assert availability == pytest.approx(0.995, rel=1e-12)
    assert incidents.rate_per_s * availability * YEAR_S == pytest.approx(10.0, rel=1e-12)
    assert isinstance(incidents.duration, distributions.Lognormal)
    assert incidents.duration.sigma == 1.3
    assert incidents.effect.outage


def test_the_private_share_is_what_shared_incidents_leave(two_providers: str, load: Load) -> None:
    (private,) = component(plans(load(two_providers))["as_modelled"], "anthropic").incidents
    rate_per_s = private.rate_per_s + 0.8 * 1.2 / YEAR_S
    load_ = private.rate_per_s * private.duration.mean + 0.8 * 1.2 / YEAR_S * 3600.0
    assert math.exp(-load_) == pytest.approx(0.995, rel=1e-12)
    assert rate_per_s * 0.995 * YEAR_S == pytest.approx(10.0, rel=1e-12)


def test_intent_of_a_model_counts_its_providers_outages_too(two_providers: str, load: Load) -> None:
    text = two_providers.replace(
        "{latency: {kind: lognormal, median: 1.4s, p99: 9s}}",
        "{latency: 1s, depends_on: [{cdn: 50%}], availability: 99%, episodes_per_year: 20, duration: {kind: weibull, "
        "shape: 0.8, scale: 1h}}",
    ).replace("depends_on: [cdn]\n", "depends_on: [{cdn: 40%}]\n    availability: 99.9%\n    episodes_per_year: 4\n")
    plan = plans(load(text))["as_modelled"]
    (of_provider,), (of_model,) = component(plan, "openai").incidents, component(plan, "openai/gpt-5-mini").incidents
    # The CDN reaches the model over its own edge or over its provider's: 1 - 0.5 * 0.6.
    cdn_rate = 0.7 * 1.2 / YEAR_S
    rate_per_s = of_model.rate_per_s + of_provider.rate_per_s + cdn_rate
    down = (
        of_model.rate_per_s * of_model.duration.mean
        + of_provider.rate_per_s * of_provider.duration.mean
        + cdn_rate * 3600.0
    )
    assert math.exp(-down) == pytest.approx(0.99, rel=1e-12)
    assert rate_per_s * 0.99 * YEAR_S == pytest.approx(20.0, rel=1e-12)
    assert isinstance(of_model.duration, distributions.Weibull)
    assert of_model.duration.shape == 0.8


def test_brownouts_leave_intent_alone(two_providers: str, load: Load) -> None:
    brownout = two_providers.replace("rate: 1.2/y,", "rate: 1.2/y, error_rate: 30%,")
    (private,) = component(plans(load(brownout))["as_modelled"], "anthropic").incidents
    assert private.rate_per_s * 0.995 * YEAR_S == pytest.approx(10.0, rel=1e-12)


def test_an_incident_counts_once_however_many_paths_lead_there() -> None:
    edges = {
        "model": [("provider", 1.0), ("cdn", 0.5)],
        "provider": [("region", 0.8), ("cdn", 0.4)],
        "region": [("cdn", 0.25)],
        "cdn": [],
    }
    assert reach_probability(edges, "model", "provider") == 1.0
    assert reach_probability(edges, "model", "region") == pytest.approx(0.8)
    # Not over the model's own edge, nor the provider's, nor the region's.
    assert reach_probability(edges, "model", "cdn") == pytest.approx(1 - 0.5 * 0.6 * (1 - 0.8 * 0.25))
    assert reach_probability(edges, "region", "model") == 0.0


def test_a_path_of_shared_edges_is_not_counted_as_two() -> None:
    edges = {"t": [("a", 0.5)], "a": [("b", 1.0), ("c", 1.0)], "b": [("s", 1.0)], "c": [("s", 1.0)], "s": []}
    assert reach_probability(edges, "t", "s") == 0.5


def test_mttf_and_mttr_alternate_exponentially(two_providers: str, load: Load) -> None:
    text = two_providers.replace(
        "    availability: 99.5%\n    episodes_per_year: 10\n",
        "    mttf: 400s\n    mttr: 100s\n    effect: {error_rate: 50%, outcome: overloaded, error_latency: 1s}\n",
    )
    (incidents,) = component(plans(load(text))["as_modelled"], "anthropic").incidents
    assert isinstance(incidents, RenewalIncidents)
    assert (incidents.up, incidents.down) == (distributions.Exponential(400.0), distributions.Exponential(100.0))
    assert (incidents.effect.error_rate, incidents.effect.outcome) == (0.5, "overloaded")
    assert incidents.effect.error_latency == distributions.Constant(1.0)


def test_windows_are_placed_by_the_start_and_past_ones_dropped(two_providers: str, load: Load) -> None:
    windows = (
        "{start: 2025-01-05T12:00Z, duration: 1d}, {start: 2025-01-01T00:00Z, end: 2025-01-05T00:00Z}, "
        "{start: 2025-01-05T00:00Z, end: 2025-01-05T06:00Z}, {start: 3d, end: 4d}"
    )
    text = "start: 2025-01-05T03:00+00:00\n" + two_providers.replace(CDN, f"{{kind: schedule, windows: [{windows}]}}")
    text = text.replace("    availability: 99.5%\n    episodes_per_year: 10\n", "")
    plan = plans(load(text))["as_modelled"]
    (incidents,) = component(plan, "cdn").incidents
    assert isinstance(incidents, RecordedIncidents)
    assert incidents.start_s == (-10800.0, 32400.0, 259200.0)
    assert incidents.end_s == (10800.0, 118800.0, 345600.0)
    assert plan.start == "2025-01-05T03:00:00Z"


def test_replayed_incidents_have_effects_by_severity(two_providers: str, load: Load, tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text(
        "who,begin,finish,impact\n"
        "us,2024-12-31T23:00,2025-01-01T01:00,major\n"
        "them,2025-01-02T00:00,2025-01-02T01:00,critical\n"
        "us,2025-01-03T00:00Z,2025-01-03T02:00Z,minor\n"
        "us,2024-12-01T00:00,2024-12-01T01:00,major\n"
    )
    replay = (
        "{kind: replay, file: history.csv, columns: {start: begin, end: finish, severity: impact}, where: {who: us}, "
        "error_latency: 1s, error_rate: 10%, effects: {major: {error_rate: 60%, outcome: overloaded}}}"
    )
    text = "start: 2025-01-01T00:00Z\n" + two_providers.replace(CDN, replay)
    loaded = load(text)
    (incidents,) = component(plans(loaded)["as_modelled"], "cdn").incidents
    assert isinstance(incidents, RecordedIncidents)
    assert incidents.kind == "replay"
    assert incidents.start_s == (-3600.0, 172800.0)
    assert incidents.end_s == (3600.0, 180000.0)
    major, minor = incidents.effects
    assert (major.error_rate, major.outcome, major.error_latency) == (0.6, "overloaded", distributions.Constant(1.0))
    assert (minor.error_rate, minor.outcome) == (0.1, "server_error")
    assert list(loaded.files()) == ["history.csv"]
    assert len(loaded.files()["history.csv"]) == 64


def test_a_severity_of_which_nothing_is_said_is_no_silent_outage(
    two_providers: str, load: Load, problems: Any, tmp_path: Path
) -> None:
    (tmp_path / "history.csv").write_text("begin,finish,impact\n0,60,mild\n")
    replay = (
        "{kind: replay, file: history.csv, columns: {start: begin, end: finish, severity: impact}, "
        "effects: {mid: {error_rate: 1%}}}"
    )
    (line,) = problems(two_providers.replace(CDN, replay).replace("99.5%", "99%"))[:1]
    assert "effects has no entry for severity 'mild' of the file; did you mean 'mid'?" in line


@pytest.fixture
def replayed(two_providers: str, tmp_path: Path) -> str:
    rows = [{"at": 1.5 * n, "in": 10 * n, "out": n} for n in range(5)]
    (tmp_path / "trace.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    arrivals = (
        "{kind: replay, file: trace.jsonl, columns: {time: at, input_tokens: in, output_tokens: out}, stretch: 10}"
    )
    start, end = two_providers.index("  tokens:"), two_providers.index("components:")
    return (two_providers[:start] + two_providers[end:]).replace("{kind: poisson, rate: 2/min}", arrivals)


def test_replayed_arrivals_are_stretched_and_cut_to_the_horizon(replayed: str, load: Load) -> None:
    arrivals = plans(load(replayed, ["horizon=45s"]))["as_modelled"].workload.arrivals
    assert isinstance(arrivals, ReplayedArrivals)
    np.testing.assert_array_equal(arrivals.arrival_s, [0.0, 15.0, 30.0])
    assert arrivals.input_tokens is not None
    np.testing.assert_array_equal(arrivals.input_tokens, [0, 10, 20])
    assert arrivals.period_s is None


def test_looped_arrivals_repeat_after_a_mean_gap(replayed: str, load: Load) -> None:
    overrides = ["workload.arrivals.loop=true", "workload.arrivals.limit=4"]
    arrivals = plans(load(replayed, overrides))["as_modelled"].workload.arrivals
    assert isinstance(arrivals, ReplayedArrivals)
    assert arrivals.period_s == pytest.approx(60.0)
    assert len(arrivals.arrival_s) == 4


def test_tokens_come_from_the_file_or_from_a_distribution_not_from_both(replayed: str, problems: Any) -> None:
    (line,) = problems(replayed, ["workload.tokens={input: 3}"])
    assert "workload.tokens.input: input tokens already come from the replayed file" in line
    assert problems(replayed.replace(", input_tokens: in", ""), ["workload.tokens={input: 3}"]) == []


def test_a_bad_row_is_named(replayed: str, problems: Any, tmp_path: Path) -> None:
    with (tmp_path / "trace.jsonl").open("a") as stream:
        stream.write('\n{"at": "soon", "in": 1, "out": 1}\n')
    (line,) = problems(replayed)
    assert line.startswith("s.yaml:6:34: workload.arrivals.file: trace.jsonl")
    assert "soon" in line


def test_prices_come_from_the_catalogue_unless_written(two_providers: str, load: Load) -> None:
    text = two_providers.replace(
        "gpt-5-mini: {", "gpt-5-mini: {price: {input_per_mtok: 3, output_per_mtok: 15, cached_input_per_mtok: 0.3}, "
    )
    listed, written = (endpoint.price for endpoint in plans(load(text))["as_modelled"].endpoints)
    assert (listed.input_per_token, listed.output_per_token) == (3 / 1e6, 15 / 1e6)
    assert (written.input_per_token, written.output_per_token) == (3 / 1e6, 15 / 1e6)
    assert (written.cached_input_per_token, written.cache_write_per_token) == (0.3 / 1e6, 3 / 1e6)


def test_billing_is_a_whole_table_whichever_way_it_is_written(two_providers: str, load: Load) -> None:
    text = two_providers.replace("  rounds: 2\n", "  rounds: 2\n  billing: per_attempt\n").replace(
        "    tags: {region: eu}\n", "    billing: {timeout: full, server_error: input}\n"
    )
    own, shorthand = (endpoint.billing for endpoint in plans(load(text))["as_modelled"].endpoints)
    assert set(own) == {*ATTEMPT_OUTCOMES, "broken_stream"}
    assert shorthand == dict.fromkeys(own, "full")
    assert own == {
        "ok": "full",
        "server_error": "input",
        "overloaded": "none",
        "rate_limited": "none",
        "timeout": "full",
        "connection_error": "none",
        "client_error": "none",
        "invalid_output": "full",
        "cancelled": "partial",
        "broken_stream": "partial",
    }


def test_tags_of_a_leg_overlay_its_models_and_its_providers(two_providers: str, load: Load) -> None:
    text = (
        two_providers.replace("tags: {region: eu}", "tags: {region: eu, tier: a, gdpr: true}")
        .replace("        errors: {server", "        tags: {tier: b}\n        errors: {server")
        .replace("timeout: 30s", "tags: {tier: c}, timeout: 30s")
    )
    plan = plans(load(text))["as_modelled"]
    assert plan.endpoints[0].tags == {"region": "eu", "tier": "b", "gdpr": "true"}
    assert plan.chain[0].tags == {"region": "eu", "tier": "c", "gdpr": "true"}


def test_legs_and_policy_have_their_defaults(two_providers: str, load: Load) -> None:
    start, end = two_providers.index("policy:\n"), two_providers.index("arms:\n")
    plan = plans(load(two_providers[:start] + two_providers[end:].replace("{chain: [anthropic]}", "{}")))["as_modelled"]
    first, second = plan.chain
    assert first.timeout == Timeout(total_s=30.0)
    assert second.timeout == Timeout(first_token_s=10.0, total_s=60.0)
    group = plan.client.groups[0]
    assert group.retry.retry_on == group.fallback_on == DEFAULT_RETRIED
    assert plan.policy.rounds == 1
    assert group.retry.backoff == plan.policy.round_backoff == NO_BACKOFF
    assert plan.policy.deadline_s is None
    assert plan.limits[0].rate_per_s == pytest.approx(4000 / 60)
    assert plan.limits[0].burst == 50.0
    assert plan.endpoints[0].limits == (0,)
    assert plan.endpoints[1].limits == ()


def test_a_limit_without_burst_holds_the_requests_of_one_second(two_providers: str, load: Load) -> None:
    text = two_providers.replace("4000/min, burst: 50", "30/min")
    assert plans(load(text))["as_modelled"].limits[0].burst == 1.0
    text = two_providers.replace(", burst: 50", "")
    assert plans(load(text))["as_modelled"].limits[0].burst == pytest.approx(4000 / 60)


def test_rejected_output_of_model_and_leg_are_independent(two_providers: str, load: Load) -> None:
    text = two_providers.replace("server_error: 0.2%", "server_error: 0.2%, invalid_output: 10%").replace(
        "timeout: 30s", "invalid_output: 20%, timeout: 30s"
    )
    plan = plans(load(text))["as_modelled"]
    assert plan.chain[0].invalid_output == pytest.approx(1 - 0.9 * 0.8)
    assert [error.outcome for error in plan.endpoints[0].errors] == ["server_error"]


def test_a_week_profile_starts_where_the_scenario_does(two_providers: str, load: Load) -> None:
    text = "start: 2025-01-07T06:00Z\n" + two_providers.replace(
        "rate: 2/min}", "rate: 2/min, profile: {days: [1, 1, 1, 1, 1, 0.2, 0.2]}}"
    )
    profile = plans(load(text))["as_modelled"].workload.arrivals.profile
    assert profile.offset_s == 86400 + 6 * 3600
    assert sum(profile.weights) / 168 == pytest.approx(1.0)


def test_a_profile_of_the_wrong_length_is_refused_where_it_stands(two_providers: str, problems: Any) -> None:
    (line,) = problems(two_providers.replace("rate: 2/min}", "rate: 2/min, profile: {days: [1, 1]}}"))
    assert line == "s.yaml:6:51: workload.arrivals.profile: days must have 7 numbers, one a day from Monday on, not 2"


def test_the_same_scenario_gives_the_same_plan(two_providers: str, load: Load) -> None:
    assert plans(load(two_providers)) == plans(load(two_providers))
