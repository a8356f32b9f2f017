"""`des answer`: what it prints, where, and its exit codes."""

import json
from pathlib import Path

import pytest
from study.small_scenario import write_small

from tests.command import des, is_a_clear_error


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_small(tmp_path)
    return tmp_path


def test_it_prints_a_sentence_and_leaves_nothing(folder: Path) -> None:
    done = des("answer", "small.yaml", "--rounds", 1, "--workers", 1, folder=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "of the requests are answered" in done.stdout
    assert "requests simulated in 1 round" in done.stdout
    assert "Not seen" in done.stdout
    assert [path.name for path in folder.iterdir() if path.is_dir()] == []


def test_json_is_what_out_holds_and_the_same_again(folder: Path) -> None:
    first = des("answer", "small.yaml", "--rounds", 1, "--workers", 1, "--json", "--out", "here", folder=folder)
    again = des("answer", "small.yaml", "--rounds", 1, "--workers", 1, "--json", folder=folder)
    assert first.returncode == again.returncode == 0
    assert first.stdout == again.stdout == (folder / "here" / "answer.json").read_text()
    assert json.loads(first.stdout)["rounds"] == 1
    kept = {path.name for path in (folder / "here").iterdir()} - {"report.html"}
    assert kept == {"answer.json", "charts.json", "manifest.json"}
    is_a_clear_error(des("answer", "small.yaml", "--out", "here", folder=folder), 2)


def test_exit_codes_are_those_of_the_verdicts_and_junit_has_them(folder: Path) -> None:
    options = ("--rounds", 1, "--workers", 1, "--junit", "verdicts.xml")
    missed = des("answer", "small.yaml", "--set", 'expect={"availability": "< 1%"}', *options, folder=folder)
    assert missed.returncode == 1
    assert "<failure" in (folder / "verdicts.xml").read_text()
    met = des("answer", "small.yaml", "--set", 'expect={"availability": ">= 1%"}', *options, folder=folder)
    assert met.returncode == 0
    assert "<failure" not in (folder / "verdicts.xml").read_text()


@pytest.mark.parametrize(
    "options",
    [
        ("--within", "soon"),
        ("--arms", "nobody"),
        ("--rounds", "0"),
        ("--set", "objective.availability=2"),
        ("--seed", "x"),
    ],
)
def test_wrong_input_is_said_in_a_line(options: tuple[str, ...], folder: Path) -> None:
    is_a_clear_error(des("answer", "small.yaml", *options, folder=folder), 2)
