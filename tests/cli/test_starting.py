"""`des new`, `des examples`, shipped scenarios by name, `des schema --out`, and what shells complete."""

import json
from pathlib import Path

import pytest

from des.scenario import json_schema
from tests.command import SCENARIOS, des, is_a_clear_error, left_in

NAMES = sorted(path.stem for path in SCENARIOS.glob("*.yaml"))


def completed(folder: Path, words: str) -> list[str]:
    """What bash offers for the last word of a command line."""
    count = len(words.split(" ")) - 1
    done = des(folder=folder, env={"_DES_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(count)})
    return done.stdout.split()


def test_new_writes_a_valid_scenario_and_its_schema_and_overwrites_nothing(tmp_path: Path) -> None:
    arguments = ("new", "--models", "gpt-5, gemini-2.5-pro", "--client", "openai-python", "--out", "my.yaml")
    done = des(*arguments, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert left_in(tmp_path) == ["des.schema.json", "my.yaml"]
    text = (tmp_path / "my.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=./des.schema.json\n")
    assert json.loads((tmp_path / "des.schema.json").read_text()) == json_schema()
    assert des("validate", "my.yaml", folder=tmp_path).returncode == 0
    is_a_clear_error(des("new", "--out", "my.yaml", folder=tmp_path), 2)
    assert (tmp_path / "my.yaml").read_text() == text


def test_new_prints_the_same_text_without_a_file(tmp_path: Path) -> None:
    printed = des("new", "--question", "limits", folder=tmp_path).stdout
    des("new", "--question", "limits", "--out", "my.yaml", folder=tmp_path)
    assert (tmp_path / "my.yaml").read_text() == printed


def test_new_writes_the_figures_that_it_is_given(tmp_path: Path) -> None:
    figures = ("--rate", "10/h", "--limit", "4000/min", "--limit", "openai=500/min", "--shared", "10%")
    aims = ("--objective", "99.9%", "--lost-request", "$0.10")
    done = des("new", *figures, *aims, "--out", "my.yaml", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    text = (tmp_path / "my.yaml").read_text()
    for line in (
        "  arrivals: {kind: poisson, rate: 10/h}",
        "    limits: {requests: 4000/min}",
        "    limits: {requests: 500/min}",
        "    depends_on: [shared_cause]",
        "  nothing_shared: {shared: 0}  # each provider fails as often, and none with another",
    ):
        assert line in text.splitlines()
    assert des("validate", "my.yaml", folder=tmp_path).stdout == "my.yaml: ok\n"
    answered = json.loads(des("answer", "my.yaml", "--within", "3s", "--json", folder=tmp_path).stdout)
    assert list(answered["arms"]) == ["as_modelled", "without_fallback", "nothing_shared"]
    assert "99.9 %" in answered["sentence"]


def test_new_tells_every_figure_that_is_wrong(tmp_path: Path) -> None:
    done = des("new", "--rate", "4,000/min", "--shared", "10", "--out", "my.yaml", folder=tmp_path)
    is_a_clear_error(done, 2)
    assert "--rate expected a rate such as 50/s, 2/min or 12/y; got '4,000/min': write 4000/min" in done.stderr
    assert "--shared expected a share between 0 and 1 (0% to 100%); got '10': write 10% for per cent" in done.stderr
    assert left_in(tmp_path) == []


def test_new_leaves_nothing_for_a_name_that_is_unknown(tmp_path: Path) -> None:
    done = des("new", "--models", "gpt-5-minni", "--out", "my.yaml", folder=tmp_path)
    is_a_clear_error(done, 2)
    assert "did you mean 'gpt-5-mini'" in done.stderr
    assert left_in(tmp_path) == []


def test_schema_is_written_over_an_earlier_schema_and_over_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text('{"title": "des scenario"}')
    assert des("schema", "--out", "old.json", folder=tmp_path).returncode == 0
    assert json.loads((tmp_path / "old.json").read_text()) == json_schema()
    (tmp_path / "mine.json").write_text('{"title": "mine"}')
    is_a_clear_error(des("schema", "--out", "mine.json", folder=tmp_path), 2)
    assert (tmp_path / "mine.json").read_text() == '{"title": "mine"}'


def test_examples_lists_every_shipped_scenario_with_its_question(tmp_path: Path) -> None:
    printed = des("examples", folder=tmp_path).stdout
    named = [line.split()[0] for line in printed.splitlines() if line and not line.startswith(" ")]
    assert named[:-1] == NAMES
    assert "\n  When an hour without answers costs 1,000 dollars" in printed
    assert "status_page_replay  (needs files under ${DES_DATA})" in printed


def test_a_shipped_scenario_is_found_by_name_from_anywhere(tmp_path: Path) -> None:
    done = des("validate", "two_stage", "three_stage", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, "two_stage: ok\nthree_stage: ok\n")


def test_a_file_of_that_name_comes_first(tmp_path: Path) -> None:
    (tmp_path / "two_stage").write_text("horizon: 1y")
    assert "two_stage:1:1: chain: is required" in des("validate", "two_stage", folder=tmp_path).stderr


@pytest.mark.parametrize("word", ["two_stag", "two_stage.yaml", "scenarios/two_stage.yaml"])
def test_a_name_that_is_nearly_right_is_answered_with_the_right_one(tmp_path: Path, word: str) -> None:
    done = des("validate", word, folder=tmp_path)
    is_a_clear_error(done, 2)
    assert "did you mean 'two_stage'?" in done.stderr


def test_shells_complete_scenarios_models_clients_and_questions(tmp_path: Path) -> None:
    (tmp_path / "twofold.yaml").touch()
    (tmp_path / "two.csv").touch()
    (tmp_path / "twigs").mkdir()
    assert completed(tmp_path, "des run tw") == ["twenty_minute_outage", "two_stage", "twigs/", "twofold.yaml"]
    assert completed(tmp_path, "des validate three_stage_") == ["three_stage_correlated"]
    assert completed(tmp_path, "des new --models gpt-5-mini,claude-o") == ["gpt-5-mini,claude-opus-4-7"]
    assert completed(tmp_path, "des new --client openai") == ["openai-python@3.54"]
    assert completed(tmp_path, "des new --question c") == ["cost"]


def test_completion_can_be_installed(tmp_path: Path) -> None:
    assert "--install-completion" in des("--help", folder=tmp_path).stdout
    shown = des("--show-completion", "bash", folder=tmp_path, env={"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"})
    assert "_DES_COMPLETE=complete_bash" in shown.stdout
