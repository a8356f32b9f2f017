"""`des optimise`: what it prints, where, and its exit codes."""

import json
from pathlib import Path

import pytest
from study.small_scenario import write_small

from tests.command import des, is_a_clear_error

PLAIN = {
    "horizon": "10d",
    "workload": {"arrivals": {"kind": "poisson", "rate": "1/h"}},
    "providers": {
        name: {"availability": "99%", "episodes_per_year": 200, "models": {"m": {"latency": "1s", "price": price}}}
        for name, price in (("first", {"per_request": 0.01}), ("second", {"per_request": 0.02}))
    },
    "chain": [{"provider": "first"}, {"provider": "second"}],
    "arms": {"as_modelled": {}},
}
ASKED = ("--subject-to", "availability >= 99.9%", "--workers", 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_small(tmp_path, **PLAIN)
    return tmp_path


def test_it_prints_the_best_beside_the_rule_and_leaves_nothing(folder: Path) -> None:
    done = des("optimise", "small.yaml", *ASKED, folder=folder, env={"COLUMNS": "80"})
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "best: first/m > second/m" in said
    assert "ascending cost per 1,000 answered: first/m $10.000, second/m $20.00" in said
    assert "it is as good as the best here" in said
    assert "the only candidate within reach" in said
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert [path.name for path in folder.iterdir() if path.is_dir()] == []


def test_json_is_what_out_holds(folder: Path) -> None:
    done = des("optimise", "small.yaml", *ASKED, "--json", "--out", "here", folder=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (folder / "here" / "optimise.json").read_text()
    assert json.loads(done.stdout)["best"]["chain"] == ["first/m", "second/m"]
    files = sorted(path.name for path in (folder / "here").iterdir())
    assert files == ["candidates.csv", "manifest.json", "optimise.json"]
    is_a_clear_error(des("optimise", "small.yaml", *ASKED, "--out", "here", folder=folder), 2)


def test_nothing_that_keeps_the_bounds_is_exit_code_1_and_the_nearest_is_named(folder: Path) -> None:
    done = des("optimise", "small.yaml", "--subject-to", "latency_s_p50 <= 100ms", "--workers", 1, folder=folder)
    assert done.returncode == 1
    assert "no candidate keeps the bounds" in done.stdout
    assert "nearest: " in done.stdout
    assert "it misses latency_s_p50 <= 100ms by 900.0 % of the bound" in done.stdout


def test_a_beam_says_that_it_may_miss_a_better_one(folder: Path) -> None:
    done = des("optimise", "small.yaml", *ASKED, "--screen", 2, "--most", 2, folder=folder)
    said = " ".join(done.stdout.split())
    assert "out of 4: all chains of one entry, and each entry behind the 8 most promising chains of each length" in said
    assert "a better one may have been missed (--screen ranks more)" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--minimise", "cost"), "unknown metric 'cost'"),
        (("--subject-to", "availability"), "expected a comparison such as 'availability >= 99.95%'"),
        (("--over", "policy.rounds"), "expected path=value"),
        (("--over", "policy.roundz=1,2"), "policy.roundz"),
        (("--legs", "first,secnod"), "unknown entry of the chain 'secnod'; did you mean 'second'"),
        (("--arm", "as_modeled"), "did you mean 'as_modelled'"),
    ],
)
def test_wrong_options_are_clear_errors(folder: Path, options: tuple[str, ...], said: str) -> None:
    done = des("optimise", "small.yaml", *options, folder=folder)
    is_a_clear_error(done, 2)
    assert said in done.stderr


def test_a_search_that_takes_long_is_announced_and_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from des.study import optimise
    from des.study.options import Forecast

    monkeypatch.setattr(optimise, "forecast_of", lambda *given: Forecast(seconds=4_000.0, processes=2))
    monkeypatch.setattr("des.cli.asking.confirm", _declined)
    done = des("optimise", "small.yaml", *ASKED, folder=folder)
    assert done.returncode == 4
    assert "des optimise will take about 67 min here, on 2 processes" in done.stderr
    assert "fewer --legs" in done.stderr


def _declined(question: str, declined: str) -> None:
    from des.cli.application import DeclinedError

    raise DeclinedError(declined)
