"""Runs of the shipped scenarios, each made once for all tests."""

from collections.abc import Iterator
from functools import cache

import pytest

import des
from des.traces import Run
from tests.command import des as des_command
from tests.scenarios.shipped import SHORTENED, Answer, lacks_data, path_of, plain


@pytest.fixture(scope="session")
def answer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answer]:
    """A shipped scenario's shortened run, made once by the command."""
    folder = tmp_path_factory.mktemp("shipped")

    @cache
    def run(name: str) -> Run:
        if reason := lacks_data(name):
            pytest.skip(reason)
        changes = [part for change in [*SHORTENED[name], "expect={}"] for part in ("--set", change)]
        out = folder / name
        done = des_command("run", path_of(name), *changes, "--out", out)
        assert done.returncode == 0, done.stderr
        assert plain(des.load(out).manifest["scenario"]["question"]) in plain(done.stdout)
        return des.load(out)

    yield run
    run.cache_clear()
