"""Files that are none, have no end, or hold what nobody writes by hand: refused in words, and at once."""

import json
import os
import socket
from itertools import product
from pathlib import Path

import pytest
from study.small_scenario import small, write_small

from des.errors import DesError, ScenarioError
from des.files import read_history
from des.importers import import_litellm
from des.scenario import load_scenario, plans
from des.study.fit import fit

DIGITS = "9" * 10_000
HEXADECIMAL = "0x" + "f" * 10_000
DEEP = "[" * 5_000 + "]" * 5_000


def _no_files(folder: Path) -> list[tuple[Path, str]]:
    """Paths without a regular file, and what is said of each."""
    os.mkfifo(folder / "pipe.json")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(folder / "socket.csv"))
    (folder / "zero.csv").symlink_to("/dev/zero")
    (folder / "folder.csv").mkdir()
    return [
        (folder / "pipe.json", "is a pipe"),
        (folder / "socket.csv", "is a socket"),
        (folder / "zero.csv", "is a device"),
        (folder / "folder.csv", "folder"),
        (folder / "nothing.csv", "no such file"),
        (folder / f"{'x' * 5_000}.csv", "too long"),
        (folder / "null\0.csv", "null"),
    ]


def test_what_is_no_regular_file_is_no_scenario_history_or_configuration(tmp_path: Path) -> None:
    for path, why in _no_files(tmp_path):
        for read in (load_scenario, read_history, fit, import_litellm):
            with pytest.raises(DesError, match=f"(?i){why}"):
                read(path)


def test_a_scenario_names_no_such_file_either(tmp_path: Path) -> None:
    for path, why in _no_files(tmp_path):
        content = small(workload={"arrivals": {"kind": "replay", "file": str(path), "format": "csv"}})
        content["workload"]["arrivals"]["columns"] = {"time": "at"}
        scenario = tmp_path / "names.yaml"
        scenario.write_text(json.dumps(content))
        with pytest.raises(ScenarioError, match=f"(?i){why}"):
            plans(load_scenario(scenario))


def test_a_home_of_nobody_is_said(tmp_path: Path) -> None:
    arrivals = {"kind": "replay", "file": "~nosuchuser/calls.csv", "columns": {"time": "at"}}
    with pytest.raises(ScenarioError, match="there is no user ~nosuchuser"):
        plans(load_scenario(write_small(tmp_path, workload={"arrivals": arrivals})))


KEYS = ["horizon", "seed", "replications", "title", "question", "nobody"]
NUMBERS = [DIGITS, HEXADECIMAL, f"-{DIGITS}", f"1e{DIGITS}", "1e999"]


@pytest.mark.parametrize(("key", "value"), [*product(KEYS, NUMBERS), ("seed", DEEP)])
def test_numbers_without_measure_and_nesting_without_end_are_refused(tmp_path: Path, key: str, value: str) -> None:
    rest = json.dumps({name: each for name, each in small().items() if name != key})[:-1]
    (tmp_path / "broken.yaml").write_text(f"{rest}, {key}: {value}}}")
    with pytest.raises(ScenarioError) as caught:
        plans(load_scenario(tmp_path / "broken.yaml"))
    assert len(str(caught.value)) < 2_000


@pytest.mark.parametrize(
    "text",
    [
        "a." * 10_000 + "a = 1",
        "[" + "a." * 10_000 + "a]\nb = 1",
        "[" + "a." * 400 + "a]\nb = 1",
        f"seed = {DIGITS}",
        f"seed = {HEXADECIMAL}",
        f"horizon = 1e{DIGITS}",
        f"a = {DEEP}",
        "a = " + "{a=" * 3_000 + "1" + "}" * 3_000,
        'a = "\0"',
        "[[a]]\n" * 5_000,
    ],
)
def test_so_are_they_in_toml(tmp_path: Path, text: str) -> None:
    (tmp_path / "broken.toml").write_text(text)
    with pytest.raises(ScenarioError):
        load_scenario(tmp_path / "broken.toml")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a: \xed\xa0\x80", b"a: \x00", "a: 1".encode("utf-16"), b""])
@pytest.mark.parametrize("suffix", ["yaml", "toml"])
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, content: bytes, suffix: str) -> None:
    (tmp_path / f"broken.{suffix}").write_bytes(content)
    with pytest.raises(ScenarioError):
        load_scenario(tmp_path / f"broken.{suffix}")


@pytest.mark.parametrize(
    "change",
    [
        "a." * 10_000 + "a=1",
        f"seed={DIGITS}",
        f"seed={HEXADECIMAL}",
        f"chain[{DIGITS}].timeout=1s",
        "chain.².timeout=1s",
        "chain[" + "[" * 10_000 + "=1",
        f"nobody={'[' * 1_000}{']' * 1_000}",
        "horizon=\ud800",
        "\ud800=1",
        "policy.rounds=\0",
    ],
)
def test_so_are_changes_of_the_kind(tmp_path: Path, change: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(write_small(tmp_path), [change])
    assert str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", '{"incidents":' + "[" * 100_000),
        ("a.json", '{"incidents":[{"id":' + DIGITS + "}]}"),
        ("a.jsonl", '{"start":' + DIGITS + ',"end":1}\n'),
        ("a.jsonl", "[" * 100_000),
        ("a.csv", f"start,end\n{DIGITS},1\n2,3\n"),
        ("a.csv", "start,end\n\0,1\n"),
        ("a.csv", "start,end\n1e400,1\n2,3\n"),
        ("a.csv", '"' * 10_001),
        ("a.parquet", "PAR1xxxxPAR1"),
    ],
)
def test_so_are_histories_of_the_kind(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DesError):
        fit(tmp_path / name)
