"""Tests that share what is slow to make run in one process."""

import re
import subprocess
import sys

import pytest
from grouping import TOGETHER, group_of


def test_files_stay_together_and_some_folders_do(request: pytest.FixtureRequest) -> None:
    assert group_of("tests/engine/test_capacity.py::test_queue[a/b::c-1]") == "tests/engine/test_capacity.py"
    assert group_of("tests/test_pool.py::test_order") == "tests/test_pool.py"
    assert group_of("tests/oracles/test_cases.py::test_agrees[renewal]") == "oracles"
    for folder in TOGETHER:
        assert (request.config.rootpath / "tests" / folder).is_dir()


def test_a_file_runs_in_one_process(request: pytest.FixtureRequest) -> None:
    """What looked for groups by marks stopped to find any with a later pytest, without a word."""
    pytest.importorskip("xdist")
    root = request.config.rootpath
    command = [sys.executable, "-m", "pytest", "-vv", "--numprocesses", "2", "--dist", "loadfile"]
    files = ["tests/test_words.py", "tests/test_output_path.py"]
    ran = subprocess.run([*command, *files], cwd=root, capture_output=True, text=True, check=True)
    where = set(re.findall(r"\[(gw\d)\].* PASSED (\S+)::", ran.stdout))
    assert sorted(file for _, file in where) == sorted(files)
    assert len({process for process, _ in where}) == 2
