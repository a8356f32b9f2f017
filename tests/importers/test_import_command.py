"""`des import litellm` and `des catalogue --presets` as commands: what they print where, and their exit codes."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from des.catalogue.presets import names
from des.cli import app
from tests.importers.configurations import TWO_REGIONS, configuration, deployment


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(TWO_REGIONS, encoding="utf-8")
    return path


def des(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_scenario_is_printed_and_what_is_left_out_on_standard_error(config: Path) -> None:
    result = des("import", "litellm", config)
    assert result.exit_code == 0
    assert result.stdout.startswith("# Imported from config.yaml")
    assert f"{config}:22:7: model_list[2].litellm_params.stream_timeout" in result.stderr
    assert "stream_timeout" not in result.stdout


def test_a_file_takes_the_scenario(config: Path) -> None:
    out = config.parent / "scenario.yaml"
    result = des("import", "litellm", config, "--out", out, "--set", "seed=9")
    assert (result.exit_code, result.stdout) == (0, f"scenario: {out}\n")
    assert "seed: 9\n" in out.read_text(encoding="utf-8")


def test_a_file_that_exists_is_left_alone(config: Path) -> None:
    result = des("import", "litellm", config, "--out", config)
    assert result.exit_code == 2
    assert "exists already" in result.stderr
    assert config.read_text(encoding="utf-8") == TWO_REGIONS


def test_a_bad_configuration_leaves_no_file(tmp_path: Path) -> None:
    path, out = tmp_path / "config.yaml", tmp_path / "scenario.yaml"
    path.write_text("- a\n", encoding="utf-8")
    result = des("import", "litellm", path, "--out", out)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert not out.exists()


def test_presets_are_listed_with_their_sources() -> None:
    result = des("catalogue", "--presets")
    assert result.exit_code == 0
    assert all(name in result.stdout for name in names())
    assert "package litellm 1.109.1" in result.stdout


def test_presets_are_listed_as_json() -> None:
    listed = json.loads(des("catalogue", "--presets", "--json").stdout)
    assert [each["name"] for each in listed] == list(names())
    assert all(each["policy"] and each["source"] and each["date"] for each in listed)


def test_models_are_listed_as_json() -> None:
    listed = json.loads(des("catalogue", "--json").stdout)
    assert {"openai", "anthropic", "google"} <= {each["provider"] for each in listed}


def test_a_change_that_makes_it_invalid_is_an_error_and_prints_nothing(config: Path) -> None:
    out = config.parent / "scenario.yaml"
    result = des("import", "litellm", config, "--set", "policy.retries=nope", "--out", out)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "policy.retries: expected a whole number such as 3; got 'nope'" in result.stderr
    assert not out.exists()


def test_more_deployments_than_legs_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    for count, code in ((127, 0), (128, 2)):
        deployments = [deployment("a", "openai/gpt-5", api_key=f"key-{number}") for number in range(count)]
        path.write_text(configuration(*deployments), encoding="utf-8")
        result = des("import", "litellm", path)
        assert result.exit_code == code, result.stderr
    assert "model_list: requests may reach 128 deployments, each a leg: at most 127 legs are possible" in result.stderr
