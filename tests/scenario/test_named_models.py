"""A chain of models by name: what each means, what is assumed of it, and that this is said."""

from pathlib import Path
from typing import Any

import pytest

import des
from des.catalogue import assumed
from des.catalogue.failures import failure_figures
from des.errors import ScenarioError
from des.scenario import Loaded, from_mapping, json_schema, load_scenario, plans
from des.scenario.plan import remarks_of
from tests.command import des as des_command

BARE: dict[str, Any] = {
    "horizon": "1h",
    "workload": {"arrivals": {"kind": "batch", "every": "30min", "size": 1}, "tokens": {"input": 10, "output": 10}},
    "chain": ["claude-sonnet-4-6", "gpt-5-mini"],
}


def legs(loaded: Loaded, arm: str = "as_modelled") -> list[tuple[str, str]]:
    plan = plans(loaded)[arm]
    return [(leg.name, plan.endpoints[leg.endpoint].provider) for leg in plan.chain]


def test_models_of_the_catalogue_bring_their_providers_and_the_assumptions_are_said() -> None:
    loaded = from_mapping(BARE | {"arms": {"as_modelled": {}, "second": {"chain": ["gpt-5-mini"]}}})
    assert legs(loaded) == [("claude-sonnet-4-6", "anthropic"), ("gpt-5-mini", "openai")]
    assert legs(loaded, "second") == [("gpt-5-mini", "openai")]
    told = remarks_of(plans(loaded))
    assert [remark.partition(":")[0] for remark in told] == ["chain[0]", "chain[1]"]
    for remark, figures in zip(told, map(failure_figures, ("anthropic", "openai")), strict=True):
        assert "assumed" in remark
        assert f"{figures.availability_text} available with {figures.episodes_per_year:g} outages a year" in remark
    openai = loaded.resolved()["providers"]["openai"]
    assert openai["availability"] == "99.76%"
    assert openai["models"]["gpt-5-mini"]["latency"] == assumed.latency_of("gpt-5-mini", None) != assumed.latency(None)
    assert plans(from_mapping(loaded.resolved())) == plans(loaded)


def test_a_provider_that_is_written_keeps_what_it_says() -> None:
    written = {"openai": {"latency": "1s", "availability": "99%", "episodes_per_year": 5}}
    loaded = from_mapping(BARE | {"chain": ["gpt-5-mini"], "providers": written})
    assert loaded.resolved()["providers"] == {"openai": {**written["openai"], "models": {"gpt-5-mini": {}}}}
    assert remarks_of(plans(loaded)) == ()


def test_a_model_under_providers_comes_before_the_catalogues() -> None:
    azure = {"azure": {"catalogue": "openai", "models": {"gpt-5-mini": {"latency": "1s"}}}}
    assert legs(from_mapping(BARE | {"chain": ["gpt-5-mini"], "providers": azure})) == [("gpt-5-mini", "azure")]


def test_a_model_of_several_providers_needs_its_provider() -> None:
    model = {"models": {"m": {"latency": "1s", "price": {"per_request": 0}}}}
    with pytest.raises(ScenarioError, match=r"chain\[0\]\.provider: is required"):
        from_mapping(BARE | {"chain": ["m"], "providers": {"one": model, "two": model}})


@pytest.mark.parametrize("providers", [5, {"openai": 5}, {"openai": {"models": [5]}}])
def test_providers_that_are_no_mapping_are_still_refused(providers: Any) -> None:
    with pytest.raises(ScenarioError, match=r"providers.*: expected a mapping"):
        from_mapping(BARE | {"chain": ["gpt-5-mini"], "providers": providers})


def test_a_model_may_be_named_twice() -> None:
    loaded = from_mapping(BARE | {"chain": ["gpt-5-mini", "claude-haiku-4-5", "gpt-5-mini"]})
    assert [name for name, _ in legs(loaded)] == ["gpt-5-mini", "claude-haiku-4-5", "openai/gpt-5-mini"]


def test_a_misspelt_model_is_asked_back() -> None:
    with pytest.raises(ScenarioError, match=r"chain\[0\]: .*did you mean 'claude-sonnet-4-6'"):
        from_mapping(BARE | {"chain": ["claude-sonet-4-6"], "providers": {"one": {"models": {"m": {"latency": "1s"}}}}})


def test_an_override_refines_what_is_assumed_and_names_models(tmp_path: Path) -> None:
    path = tmp_path / "bare.yaml"
    path.write_text(
        "horizon: 1h\nworkload: {arrivals: {kind: poisson, rate: 1/min}, tokens: {input: 1, output: 1}}\n"
        "chain: [gpt-5-mini]\n"
    )
    loaded = load_scenario(path, ["providers.openai.availability=99%", "chain=[gpt-5-mini, claude-haiku-4-5]"])
    assert loaded.resolved()["providers"]["openai"]["availability"] == "99%"
    assert legs(loaded) == [("gpt-5-mini", "openai"), ("claude-haiku-4-5", "anthropic")]
    done = des_command("validate", path)
    assert (done.returncode, done.stdout) == (0, f"{path}: ok\n")
    assert "chain[0]: gpt-5-mini of openai is not under providers; assumed" in done.stderr


def test_a_run_keeps_the_assumptions_in_its_summary(tmp_path: Path) -> None:
    run = des.run(BARE, out=tmp_path / "run", traces=False)
    assert "typical latency of gpt-5-mini" in run.summary["remarks"][1]


def test_editors_accept_a_name_as_a_leg() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    errors = jsonschema.Draft202012Validator(json_schema()).iter_errors(BARE | {"providers": {"one": {"models": {}}}})
    assert not [error for error in errors if "chain" in error.absolute_path]
