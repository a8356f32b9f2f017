"""An option of a run is described once, and every function that takes it shows it."""

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Any, get_type_hints

import pytest

import des
from des.errors import DesError
from des.study.options import RunKeywords, RunOptions


def test_keywords_and_options_have_the_same_fields_and_types() -> None:
    assert get_type_hints(RunKeywords) == get_type_hints(RunOptions)
    assert list(get_type_hints(RunKeywords)) == [field.name for field in fields(RunOptions)]


def test_every_option_is_explained() -> None:
    explained = inspect.getdoc(RunOptions) or ""
    assert all(f"`{field.name}`" in explained for field in fields(RunOptions))


@pytest.mark.parametrize("function", [des.run, des.compare, des.sweep])
def test_help_and_completion_know_each_keyword(function: Callable[..., Any]) -> None:
    shown = inspect.signature(function).parameters
    for field in fields(RunOptions):
        parameter = shown[field.name]
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert parameter.annotation == field.type
        assert parameter.default == (False if (function, field.name) == (des.sweep, "traces") else field.default)
    assert not any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in shown.values())


@pytest.mark.parametrize("function", [des.run, des.compare])
def test_an_unknown_keyword_is_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="sede"):
        function({}, sede=7)


def test_what_the_cli_takes_is_what_a_run_takes() -> None:
    from des.cli.options import _run_options

    taken = {"overrides" if name == "changes" else name for name in inspect.signature(_run_options).parameters}
    assert taken == {field.name for field in fields(RunOptions)} - {"traces", "progress", "before"}


def test_no_worker_at_all_is_refused() -> None:
    with pytest.raises(DesError, match="at least 1"):
        RunOptions(workers=0)
