"""A scenario to start from is valid whatever was asked for, and says what it does not know."""

from typing import Any

import pytest

from des.catalogue import presets
from des.catalogue.failures import failure_figures
from des.catalogue.naming import named_model
from des.errors import DesError
from des.scenario import from_mapping, plans
from des.scenario.starter import QUESTIONS, starter
from des.scenario.text.strict_yaml import read_yaml
from des.service.bounds import Bounds
from des.service.catalogue import catalogue

CHAINS = (
    ("claude-sonnet-4-6", "gpt-5-mini"),
    ("gpt-5",),
    ("gpt-5", "o4-mini"),
    ("flux-pro-1.1", "recraftv3"),
    ("gpt-5", "whisper-1", "fal-ai/flux/dev", "sd3.5-large"),
)


def read(text: str) -> Any:
    return read_yaml(text)[0]


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("models", CHAINS, ids="+".join)
def test_it_is_valid_for_every_question_and_chain(models: tuple[str, ...], question: str) -> None:
    text = starter(models, question=question)
    assert max(map(len, text.splitlines())) <= 120
    found = plans(from_mapping(read(text)))
    assert next(iter(found)) == "as_modelled"
    assert [leg.name.partition("/")[2] for leg in found["as_modelled"].chain] == list(models)


def test_every_fallback_has_an_arm_that_ends_before_it() -> None:
    """So the figures of an answer tell what each one adds."""
    found = plans(from_mapping(read(starter(CHAINS[-1], question="nines"))))
    assert {len(plan.chain) for plan in found.values()} == {1, 2, 3, 4}
    assert [leg.name for leg in found["first_2"].chain] == [leg.name for leg in found["as_modelled"].chain[:2]]


def test_it_is_valid_with_every_client() -> None:
    for client in presets.names():
        content = read(starter(client=client))
        assert content["policy"] == {"preset": client}
        plans(from_mapping(content))


def test_a_client_without_a_version_is_the_newest_one() -> None:
    assert read(starter(client="litellm"))["policy"] == {"preset": "litellm@1.110"}


def test_what_is_assumed_says_so() -> None:
    lines = starter(["gemini-2.5-flash"], question="cost").splitlines()
    for word in ("availability:", "episodes_per_year:", "latency: {", "errors:", "rate:", "lost_request"):
        said = [line for line in lines if word in line and not line.lstrip().startswith("#")]
        assert said
        assert all("# assumed" in line for line in said)


def test_the_drill_of_an_outage_fails_calls_and_hangs_them_in_another_arm() -> None:
    found = plans(from_mapping(read(starter(question="outage"))))
    effects = {arm: plan.components[0].incidents[0].every_effect[0] for arm, plan in found.items()}  # type: ignore[union-attr]
    assert (effects["as_modelled"].error_rate, effects["as_modelled"].hang) == (1.0, 0.0)
    assert effects["hangs"].hang == 1.0


def test_every_unknown_name_is_told_at_once() -> None:
    with pytest.raises(DesError) as refused:
        starter(["gpt5-mini", "claude-sonnet-4-6", "claude-sonnet-4-6"], "opnai-python", "nine")
    told = str(refused.value).splitlines()
    assert len(told) == 4
    for line, word in zip(told, ("'gpt-5-mini'", "named twice", "'openai-python@3.54'", "'nines'"), strict=True):
        assert word in line


def test_a_model_has_the_provider_that_lists_it_unless_another_one_is_named() -> None:
    assert named_model("claude-sonnet-4-6").provider == "anthropic"
    assert named_model("google/claude-sonnet-4-6").provider == "google"
    assert named_model("fal-ai/flux/dev").provider == "fal"
    assert named_model("fal/fal-ai/flux/dev").model == "fal-ai/flux/dev"
    with pytest.raises(LookupError, match="did you mean 'claude-sonnet-4-6'"):
        named_model("claude-sonet-4-6")
    with pytest.raises(LookupError, match=r"unknown model 'sonnet'; did you mean 'claude-sonnet-4-6'\?"):
        named_model("sonnet")
    with pytest.raises(LookupError, match=r"'gemini-2\.5-"):
        named_model("gemini")


@pytest.mark.parametrize("question", ["nines", "cost"])
def test_an_availability_says_that_shared_outages_are_among_its_own(question: str) -> None:
    text = starter(["gpt-5-mini", "gemini-2.5-pro"], question=question)
    said = [line for line in text.splitlines() if line.startswith("    availability: ")]
    assert len(said) == 2
    assert all("those of shared causes among them" in line for line in said)


@pytest.mark.parametrize("question", ["nines", "cost"])
def test_failures_are_those_of_the_catalogue_with_source_and_date(question: str) -> None:
    text = starter(["claude-sonnet-4-6", "gpt-5-mini", "gemini-2.5-pro"], question=question)
    said = " ".join(line.lstrip(" #") for line in text.splitlines())
    written = read(text)["providers"]
    for provider in ("anthropic", "openai", "google"):
        figures = failure_figures(provider)
        assert written[provider]["availability"] == figures.availability_text
        assert written[provider]["episodes_per_year"] == figures.episodes_per_year
        assert (f"{provider}: {figures.source} ({figures.date})" in said) is not figures.assumed
        assert f"episodes_per_year: {figures.episodes_per_year:g}  # assumed" in text or not figures.assumed
    assert "des fit HISTORY --into FILE --as anthropic" in said


@pytest.mark.parametrize("question", ["limits", "outage"])
def test_no_source_is_told_where_no_availability_is_written(question: str) -> None:
    assert "status page" not in starter(question=question)


def test_a_chain_is_as_fast_and_as_often_down_as_the_service_takes_it_to_be() -> None:
    """The scenario beside an answer of POST /simulate, and `des new`, are two starts for the same user."""
    names = ["claude-sonnet-4-6", "gpt-5-mini", "gemini-2.5-flash"]
    mine = read(starter(names))["providers"]
    for provider in (each for each in catalogue(Bounds()).providers if each.name in mine):
        of = mine[provider.name]
        assert float(of["availability"].rstrip("%")) == pytest.approx(100.0 * provider.availability)
        assert of["episodes_per_year"] == provider.episodes_per_year
        latencies = {model.name: model.latency for model in provider.models}
        for model, written in of["models"].items():
            assert written["latency"] == latencies[model]
