"""Commands that simulate no requests: `validate`, `schema`, `catalogue`, `availability`, and help."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from study.small_scenario import write_small

from des.catalogue.failures import failure_figures
from des.catalogue.list_prices import further_models
from tests.command import SCENARIOS, des, is_a_clear_error


def test_validate_says_ok_or_everything_that_is_wrong(tmp_path: Path) -> None:
    good = write_small(tmp_path)
    bad = write_small(tmp_path, "bad", horizon="12 parsecs", chain=[{"provider": "frist", "timeout": "5s"}])
    done = des("validate", good.name, folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "small.yaml: ok\n", "")
    done = des("validate", bad.name, good.name, "missing.yaml", folder=tmp_path)
    is_a_clear_error(done, 2)
    assert done.stdout == "small.yaml: ok\n"
    assert "bad.yaml:1:" in done.stderr
    assert "parsecs" in done.stderr
    assert "did you mean 'first'?" in done.stderr
    assert "missing.yaml" in done.stderr
    assert not (tmp_path / "results").exists()


def test_schema_is_a_json_schema(tmp_path: Path) -> None:
    schema = json.loads(des("schema", folder=tmp_path).stdout)
    assert {"horizon", "chain", "providers"} <= set(schema["properties"])


def test_the_catalogue_names_models_and_prices(tmp_path: Path) -> None:
    done = des("catalogue", folder=tmp_path)
    assert done.returncode == 0
    (line,) = [line for line in done.stdout.splitlines() if line.split()[1:2] == ["claude-sonnet-4-6"]]
    assert "$3.00" in line
    assert "$15.00" in line


def test_the_catalogue_says_how_many_models_it_does_not_list(tmp_path: Path) -> None:
    said = " ".join(des("catalogue", folder=tmp_path).stdout.split())
    assert f"{len(further_models())} more models of Anthropic, OpenAI and Google are known by name" in said
    assert len(further_models()) > 20


@pytest.mark.parametrize(("name", "price"), [("gpt-4o", "$2.50"), ("claude-sonnet-4-6", "$3.00"), ("sora-2", "$0.10")])
def test_the_catalogue_shows_one_model_by_its_name(tmp_path: Path, name: str, price: str) -> None:
    done = des("catalogue", name, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    priced = done.stdout.partition("Latency, until")[0].splitlines()
    rows = [line.split() for line in priced if line.startswith(("openai", "anthropic"))]
    assert [row[1] for row in rows] == [name]
    assert price in rows[0]
    (model,) = json.loads(des("catalogue", name, "--json", folder=tmp_path).stdout)
    assert model["model"] == name


def test_the_catalogue_says_how_often_providers_are_down_with_the_source(tmp_path: Path) -> None:
    printed = des("catalogue", folder=tmp_path, env={"COLUMNS": "80"}).stdout
    rows = [line.split() for line in printed.partition("Outages, until")[2].splitlines()]
    assert ["anthropic", "99.58", "%", "136", "below"] in rows
    assert ["google", "99.5", "%", "10", "placeholder"] in rows
    listed = json.loads(des("catalogue", "--json", folder=tmp_path).stdout)
    for model in listed:
        assert model["failures"] == asdict(failure_figures(model["provider"]))
    source = failure_figures("openai").source
    assert f"openai: {source} (2025-01)" in " ".join(printed.split())
    block = printed.partition("Latency, until")[2].partition("more models of")[0]
    assert max(map(len, block.splitlines())) <= 80


def test_the_catalogue_says_which_latency_is_assumed_of_a_model(tmp_path: Path) -> None:
    printed = " ".join(des("catalogue", "gpt-5-mini", folder=tmp_path).stdout.split())
    assert "first token 700ms (99th percentile 4s), then 80 tokens/s: gpt-5-mini" in printed
    (model,) = json.loads(des("catalogue", "gpt-5-mini", "--json", folder=tmp_path).stdout)
    assert model["latency"]["tokens_per_second"] == 80


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gpt-4.1-mni", "unknown model 'gpt-4.1-mni'; did you mean 'gpt-4.1-mini'?"),
        ("claude", "no model is named 'claude' alone: claude-opus-4-7, claude-sonnet-4-6, claude-haiku-4-5, "),
        ("litellm", "; the preset: des catalogue --presets litellm@"),
    ],
)
def test_a_name_of_no_model_is_answered_with_the_nearest(tmp_path: Path, name: str, said: str) -> None:
    done = des("catalogue", name, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_availability_has_a_seed_of_its_own(tmp_path: Path) -> None:
    retried = {"chain": [{"provider": "first", "retries": 1}, {"provider": "second"}]}
    outages = {"kind": "poisson", "rate": "20/y", "duration": {"kind": "exponential", "mean": "10h"}}
    write_small(tmp_path, **retried, arms={}, components={"cloud": {"incidents": [outages]}})
    sets = [f"--set=providers.{name}.depends_on=[cloud]" for name in ("first", "second")]
    sets += ["--set=providers.second.limits=null", "--set=providers.first.incidents=null"]
    command = ("availability", "small.yaml", *sets, "--years", 0.5, "--estimator", "timeline", "--json")

    def lost(*more: object) -> dict[str, Any]:
        done = des(*command, *more, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)["arms"]["as_modelled"]["availability"]
        return found

    assert lost() == lost() != lost("--seed", 99)


def test_availability_says_why_it_has_no_figure_and_what_has_one(tmp_path: Path) -> None:
    shutil.copy(SCENARIOS / "market_failover_surge.yaml", tmp_path)
    done = des("availability", "market_failover_surge.yaml", "--years", 20, folder=tmp_path)
    assert done.returncode == 0
    assert "requests interact (surge: it depends on the load)" in done.stdout
    assert "des compare" in done.stdout
