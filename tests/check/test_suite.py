"""What `des check` holds against each other, and that it can fail."""

import inspect
import json
import math
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import des.check
import des.theory
from des.check import suite
from des.check.case import MONTE_CARLO, Case, Finding, Size, compared, equal
from des.check.suite import BY_NAME, CASES, Checked, all_ok, check, chosen, spread
from des.cli import app
from des.errors import DesError

QUICK = ("ledger_exact", "week_shifts", "hedge", "fixed_window")
BEYOND = {
    # what chains are made of, and searches over them
    "paid_per_attempt",
    # parts of what is checked, and inverses
    "common_shock_pair",
    "common_shock_pair_repaired_together",
    "generator",
    "stationary",
    "mean_first_passage",
    "occupation",
    "effective_redundancy",
    "mean_wait_s",
    # one line each, said of a scenario
    "layers_attempts",
    "collapse_feeds_itself",
    "ChainLeg",
    # held against drawn windows in tests/theory/test_windows.py
    "ledger_outages",
    "renewal_outages",
    "met",
    "served_enough",
}


def test_every_closed_form_is_held_against_something() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in Path(des.check.__file__).parent.glob("*.py"))
    for found in pkgutil.iter_modules(des.theory.__path__):
        module = import_module(f"des.theory.{found.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_") and name not in BEYOND:
                assert f"{name}(" in source, f"{module.__name__}.{name}"


def test_quick_checks_agree_whatever_the_number_of_processes() -> None:
    alone, shared = check(QUICK), check(QUICK, workers=2)
    assert all_ok(alone)
    assert [one.findings for one in alone] == [one.findings for one in shared]
    assert [one.case for one in alone] == list(chosen(QUICK))


def test_names_are_unique_and_unknown_ones_are_refused() -> None:
    assert len(BY_NAME) == len(CASES)
    assert chosen(()) == tuple(BY_NAME)
    with pytest.raises(DesError, match=r"--only: no check is called 'nonsense'"):
        check(["nonsense"])


def test_five_standard_errors_fail_and_so_does_no_error_at_all() -> None:
    samples = np.random.default_rng(1).normal(size=100)
    error = samples.std(ddof=1) / 10.0
    assert compared("right", samples, samples.mean() - 3.9 * error).ok
    assert not compared("wrong", samples, samples.mean() - 4.1 * error).ok
    assert not compared("stuck", np.ones(100), 2.0).ok
    assert not compared("undefined", [*samples, math.nan], 0.0).ok
    assert not compared("too few", [1.0, 1.1, 0.9], 1.0).ok
    assert equal("same", 0.1 + 0.2, 0.3).ok
    assert not equal("other", 0.3, 0.3001).ok


def _findings(scores: Iterator[float] | list[float]) -> list[Finding]:
    return [Finding("one", score, 1.0, 32, 0.0) for score in scores]


def test_scores_that_are_too_small_or_too_large_together_fail() -> None:
    likely = np.random.default_rng(2).standard_t(31, size=200).tolist()
    assert spread(_findings(likely)).ok
    assert not spread(_findings([0.1 * score for score in likely])).ok
    assert not spread(_findings([1.6 * score for score in likely])).ok
    assert spread(_findings([3.0] * 5)).ok  # too few to say


@pytest.fixture
def wrong_form(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(size: Size) -> Iterator[Finding]:
        yield Finding("two and two", 5.0, 0.1, 32, 4.0)

    monkeypatch.setitem(suite.BY_NAME, "wrong", Case("wrong", MONTE_CARLO, find, "arithmetic"))


def test_a_wrong_closed_form_ends_the_command_with_1(wrong_form: None) -> None:
    done = CliRunner().invoke(app, ["check", "--only", "wrong"])
    assert done.exit_code == 1
    assert "FAILS" in done.stdout
    assert "+10.00" in done.stdout
    told = json.loads(CliRunner().invoke(app, ["check", "--only", "wrong", "--json"]).stdout)
    assert not told["ok"]
    assert told["rows"][0]["z"] == pytest.approx(10.0)


def test_the_command_prints_a_table_or_json_or_names() -> None:
    done = CliRunner().invoke(app, ["check", "--only", "ledger_exact", "--only", "hedge"])
    assert done.exit_code == 0
    assert "hedge after 2 s" in done.stdout
    assert "all agree" in done.stdout
    told = json.loads(CliRunner().invoke(app, ["check", "--only", "hedge", "--json"]).stdout)
    assert told["ok"]
    assert {"claim", "by", "simulated", "exact", "standard_error", "z", "ok"} <= told["rows"][0].keys()
    listed = CliRunner().invoke(app, ["check", "--list"])
    assert all(name in listed.stdout for name in BY_NAME)
    assert CliRunner().invoke(app, ["check", "--only", "nonsense"]).exit_code == 2


def test_all_is_well_only_where_everything_is() -> None:
    good, bad = (Checked("one", MONTE_CARLO, tuple(_findings([score])), 0.0) for score in (1.0, 9.0))
    assert all_ok([good])
    assert not all_ok([good, bad])
