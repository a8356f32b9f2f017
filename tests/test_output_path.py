"""`~` in the name of an output is the home folder, for every command, and nothing is written below one named `~`."""

from pathlib import Path

import pytest

from des.errors import OutputError
from des.single_files import output_path
from des.study.options import RunOptions
from tests.command import Done, des

SCENARIO = """\
title: Two
horizon: 1h
workload: {arrivals: {kind: poisson, rate: 1/min}}
providers:
  a: {availability: 99%, episodes_per_year: 12, models: {m: {latency: 1s, price: {per_request: 0.01}}}}
  b: {availability: 99%, episodes_per_year: 12, models: {m: {latency: 1s, price: {per_request: 0.02}}}}
chain: [{provider: a}, {provider: b}]
"""
LITELLM = """\
model_list: [{model_name: chat, litellm_params: {model: gpt-5-mini}}]
"""
COMMANDS = {
    "run": ("run", "s.yaml", "--no-traces"),
    "answer": ("answer", "s.yaml", "--rounds", 1, "--workers", 1),
    "sweep": ("sweep", "s.yaml", "--over", "shared=0,1", "--metric", "availability"),
    "optimise": ("optimise", "s.yaml", "--most", 1, "--replications", 1, "--workers", 1),
    "new": ("new",),
    "schema": ("schema",),
    "import": ("import", "litellm", "litellm.yaml"),
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "s.yaml").write_text(SCENARIO, encoding="utf-8")
    (tmp_path / "litellm.yaml").write_text(LITELLM, encoding="utf-8")
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def _in_the_folder(home: Path, name: str, out: str) -> Done:
    return des(*COMMANDS[name], f"--out={out}", folder=home.parent, env={"HOME": str(home)})


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - {"answer"}))
def test_an_output_below_a_tilde_lands_at_home(name: str, home: Path) -> None:
    done = _in_the_folder(home, name, "~/made")
    assert done.returncode in (0, 3), done.stderr  # 3: one replication decides no search
    assert (home / "made").exists()
    assert not (home.parent / "~").exists()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_home_of_nobody_is_refused_before_any_work(name: str, home: Path) -> None:
    done = _in_the_folder(home, name, "~no-such-user/made")
    assert done.returncode == 2
    assert done.stderr == "~no-such-user/made: there is no user ~no-such-user; write the folder in full\n"
    assert sorted(each.name for each in home.parent.iterdir()) == ["home", "litellm.yaml", "s.yaml"]


def test_so_it_is_in_python(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home))
    assert RunOptions(out="~/made").out == home / "made" == output_path("~/made")
    with pytest.raises(OutputError, match="there is no user ~no-such-user"):
        RunOptions(out="~no-such-user/made")


@pytest.mark.parametrize("name", ["run", "answer", "sweep", "optimise"])
def test_a_directory_that_exists_is_refused_alike(name: str, home: Path) -> None:
    done = _in_the_folder(home, name, "home")
    assert (done.returncode, done.stderr) == (2, "home exists already; name a directory that does not exist\n")


def test_an_address_stays_as_it_is_where_runs_are_written() -> None:
    assert RunOptions(out="s3://bucket/prefix").out == "s3://bucket/prefix"


@pytest.mark.parametrize("out", ["s3://bucket/made", Path("s3://bucket/made")])
def test_what_is_written_here_only_refuses_an_address(out: str | Path) -> None:
    with pytest.raises(OutputError, match="only runs and sweeps can be kept at an address"):
        output_path(out)
