"""What is sound piece by piece, but not together or not alone, is refused in words."""

from collections.abc import Callable

import pytest

Problems = Callable[..., list[str]]


def test_a_leg_of_a_provider_with_two_models_must_name_one(two_providers: str, problems: Problems) -> None:
    text = two_providers.replace("      gpt-5-mini:", "      gpt-5: {latency: 3s}\n      gpt-5-mini:").replace(
        ", model: gpt-5-mini", ""
    )
    assert problems(text) == ["s.yaml:32:5: chain[1].model: which model? openai has gpt-5, gpt-5-mini"]


def test_two_legs_cannot_have_one_name(two_providers: str, problems: Problems) -> None:
    text = two_providers.replace("timeout: 30s", "name: x, timeout: 30s").replace("model: gpt-5-mini, ", "name: x, ")
    assert problems(text) == ["s.yaml:31:30: chain[1].name: the leg's name 'x' is already that of chain[0]"]


def test_a_model_without_latency_is_refused(two_providers: str, problems: Problems) -> None:
    text = two_providers.replace("{latency: {kind: lognormal, median: 1.4s, p99: 9s}}", "{quality: 1}")
    (line,) = problems(text)
    assert line.startswith("s.yaml:28:7: providers.openai.models.gpt-5-mini.latency: is required, but missing")


def test_overlapping_windows_of_one_schedule_are_refused(two_providers: str, problems: Problems) -> None:
    schedule = "{kind: schedule, windows: [{start: 1d, end: 2d}, {start: 3d, duration: 1h}, {start: 36h, end: 50h}]}"
    text = two_providers.replace("{kind: poisson, rate: 1.2/y, duration: {kind: exponential, mean: 1h}}", schedule)
    text = text.replace("    availability: 99.5%\n    episodes_per_year: 10\n", "")
    assert problems(text) == [
        "s.yaml:13:85: components.cdn.incidents[0].windows[2]: overlaps windows[0] of the same schedule"
    ]


def test_timestamps_of_windows_need_a_start(two_providers: str, problems: Problems) -> None:
    schedule = "{kind: schedule, windows: [{start: 2025-01-01T00:00Z, duration: 1h}]}"
    text = two_providers.replace("{kind: poisson, rate: 1.2/y, duration: {kind: exponential, mean: 1h}}", schedule)
    text = text.replace("    availability: 99.5%\n    episodes_per_year: 10\n", "")
    (line,) = problems(text)
    assert line.endswith(
        "incidents[0].windows[0].start: a timestamp needs the scenario's start, such as start: 2025-01-01T00:00Z"
    )
    assert problems("start: 2024-12-31T00:00Z\n" + text) == []


@pytest.mark.parametrize("field", ["latency_factor: 3", "hang: 20%"])
def test_an_incident_that_slows_or_hangs_some_calls_must_say_how_many_fail(
    field: str, two_providers: str, problems: Problems
) -> None:
    text = two_providers.replace("rate: 1.2/y,", f"rate: 1.2/y, {field},")
    (line,) = problems(text)
    assert "without error_rate" in line
    assert problems(two_providers.replace("rate: 1.2/y,", f"rate: 1.2/y, {field}, error_rate: 0%,")) == []


def test_tags_that_nothing_carries_are_refused(two_providers: str, problems: Problems) -> None:
    text = two_providers.replace("components:\n", "  requirements: [{share: 40%, tags: {region: eu}}]\ncomponents:\n")
    assert problems(text) == []
    (wrong_value,) = problems(text.replace("tags: {region: eu}}]", "tags: {region: euu}}]"))
    assert wrong_value == (
        "s.yaml:10:46: workload.requirements[0].tags.region: no provider, model or leg has 'region: euu'; "
        "did you mean 'eu'?"
    )
    (wrong_key,) = problems(text.replace("tags: {region: eu}}]", "tags: {regoin: eu}}]"))
    assert "has a tag 'regoin'; did you mean 'region'?" in wrong_key


def test_intent_that_shared_components_exceed_is_refused_with_the_numbers(
    two_providers: str, problems: Problems
) -> None:
    (line,) = problems(two_providers.replace("99.5%", "99.9999%"))
    assert line.startswith("s.yaml:17:19: providers.anthropic.availability: ")
    assert "shared components alone bring" in line


def test_intent_behind_outages_that_are_no_poisson_class_is_refused(two_providers: str, problems: Problems) -> None:
    text = two_providers.replace(
        "{kind: poisson, rate: 1.2/y, duration: {kind: exponential, mean: 1h}}",
        "{kind: renewal, up: {kind: exponential, mean: 300d}, down: 1h}",
    )
    (line,) = problems(text)
    assert line.startswith(
        "s.yaml:17:19: providers.anthropic.availability: 'cdn', which 'anthropic' depends on, has outages"
    )
    assert problems(text.replace("down: 1h", "down: 1h, error_rate: 50%")) == []


def test_replayed_files_are_refused_in_one_line(
    two_providers: str, problems: Problems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DES_DATA", raising=False)
    arrivals = "{kind: replay, file: '${DES_DATA}/workloads/trace.csv', columns: {time: at}}"
    text = two_providers.replace("{kind: poisson, rate: 2/min}", arrivals)
    assert problems(text) == [
        "s.yaml:6:34: workload.arrivals.file: environment variable DES_DATA is not set: "
        "it must name the folder with workloads/trace.csv"
    ]
    monkeypatch.setenv("DES_DATA", "data")
    assert problems(text) == ["s.yaml:6:34: workload.arrivals.file: data/workloads/trace.csv: no such file"]
