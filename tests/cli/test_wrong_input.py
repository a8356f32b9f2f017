"""Wrong input is exit code 2, with a clear sentence, and nothing is written."""

import os
from pathlib import Path
from typing import Any

import pytest
from study.small_scenario import write_small

from tests.command import des, des_process, is_a_clear_error, left_in


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "missing.yaml"],
        ["run", "small.yaml", "--set", "polici.rounds=2"],
        ["run", "small.yaml", "--set", "policy.rounds"],
        ["run", "small.yaml", "--set", "horizon=-1h"],
        ["run", "small.yaml", "--replications", "0"],
        ["run", "small.yaml", "--seed", "-1"],
        ["run", "small.yaml", "--seed", "many"],
        ["run", "small.yaml", "--no-such-option"],
        ["run", "small.yaml", "--out", "small.yaml"],
        ["run", "small.yaml", "--out", "small.yaml/below"],
        ["run", "small.yaml", "--out", "."],
        ["run", "."],
        ["run"],
        ["fly"],
    ],
)
def test_wrong_input_is_code_2_with_a_clear_sentence_and_writes_nothing(tmp_path: Path, arguments: list[str]) -> None:
    write_small(tmp_path)
    is_a_clear_error(des(*arguments, folder=tmp_path), 2)
    assert left_in(tmp_path) == []


MANY_NINES = "9" * 10_000


@pytest.mark.parametrize("number", ["99999999999999999999", MANY_NINES, "1" + "_000" * 3_000])
@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("run", "--seed"),
        ("run", "--replications"),
        ("run", "--workers"),
        ("compare", "--max-replications"),
        ("answer", "--rounds"),
        ("sweep", "--rounds"),
        ("optimise", "--most"),
        ("availability", "--seed"),
        ("fit", "--permutations"),
    ],
)
def test_a_number_of_too_many_digits_is_refused_with_the_range(
    tmp_path: Path, command: str, option: str, number: str
) -> None:
    write_small(tmp_path)
    done = des(command, "small.yaml", option, number, folder=tmp_path)
    is_a_clear_error(done, 2)
    assert f"'{option}': expected a whole number below 2^63; got {number[:57]}" in done.stderr
    assert "which is too large" in done.stderr
    assert len(done.stderr) < 500
    assert left_in(tmp_path) == []


def test_so_is_one_that_is_set_and_a_long_assignment_is_cut_short(tmp_path: Path) -> None:
    write_small(tmp_path)
    for options in (["--set", f"seed={MANY_NINES}"], ["--set", f"policy.rounds={MANY_NINES}"]):
        done = des("validate", "small.yaml", *options, folder=tmp_path)
        is_a_clear_error(done, 2)
        assert "expected a whole number below 2^63; got 999" in done.stderr
        assert len(done.stderr) < 500


@pytest.mark.parametrize(
    ("option", "number", "said"),
    [
        ("--workers", "0", "expected a whole number of at least 1; got 0"),
        ("--workers", "-3", "expected a whole number of at least 1; got -3"),
        ("--workers", "two", "expected a whole number of at least 1; got 'two'"),
        ("--workers", "\u0663", "expected a whole number of at least 1; got '\u0663'"),
        ("--seed", "1.5", "expected a whole number; got '1.5'"),
        ("--replications", "1,000", "expected a whole number; got '1,000': write 1000"),
        ("--seed", f"-{MANY_NINES}", "expected a whole number above -2^63; got -999"),
    ],
)
def test_a_number_that_is_none_of_an_option_says_what_is_expected(
    tmp_path: Path, option: str, number: str, said: str
) -> None:
    write_small(tmp_path)
    done = des("run", "small.yaml", option, number, folder=tmp_path)
    is_a_clear_error(done, 2)
    assert f"'{option}': {said}" in done.stderr
    assert len(done.stderr) < 500


@pytest.mark.parametrize("option", [("--arms", "nobody"), ("--arms", ","), ("--precision", "cost"), ("--workers", 0)])
def test_wrong_options_of_compare_are_code_2_and_write_nothing(tmp_path: Path, option: tuple[str, Any]) -> None:
    write_small(tmp_path)
    is_a_clear_error(des("compare", "small.yaml", *option, folder=tmp_path), 2)
    assert left_in(tmp_path) == []


@pytest.mark.parametrize(("years", "written"), [("1k", "1000"), ("10y", "10"), ("10,000", "10000")])
def test_years_in_other_words_are_told_in_ours(tmp_path: Path, years: str, written: str) -> None:
    write_small(tmp_path)
    done = des("availability", "small.yaml", "--years", years, folder=tmp_path)
    is_a_clear_error(done, 2)
    assert f"expected a number of years such as 10000; got '{years}': write {written}" in done.stderr


@pytest.mark.parametrize("years", ["inf", "nan", "1e300", "-1", "0", "1e-300", "many"])
def test_years_that_are_none_are_code_2_whatever_the_estimator(tmp_path: Path, years: str) -> None:
    write_small(tmp_path)
    done = des("availability", "small.yaml", "--years", years, folder=tmp_path)
    is_a_clear_error(done, 2)
    assert "--years" in done.stderr
    assert "unexpected" not in done.stderr


def test_a_results_file_in_the_way_is_named(tmp_path: Path) -> None:
    write_small(tmp_path)
    (tmp_path / "results").write_text("mine")
    done = des("run", "small.yaml", folder=tmp_path)
    is_a_clear_error(done, 2)
    assert "results is not a directory" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser may become nobody")
def test_an_unwritable_directory_is_wrong_input(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o755)
    write_small(folder)
    try:
        done = des_process("run", "small.yaml", folder=folder, user=65534)
    except PermissionError:
        pytest.skip("nobody may not enter this folder")
    if "ermission denied" in done.stderr and "small.yaml" in done.stderr.partition("cannot write")[0]:
        pytest.skip("nobody may not read this folder")
    is_a_clear_error(done, 2)
    assert "permission denied" in done.stderr
