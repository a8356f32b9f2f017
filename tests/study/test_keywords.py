"""A keyword that a function does not take is refused by the function that was called, with the nearest one."""

import inspect

import pytest

import des


@pytest.mark.parametrize("function", [des.run, des.compare, des.sweep], ids=["run", "compare", "sweep"])
def test_an_unknown_keyword_names_the_function_and_the_nearest_keyword(function: object) -> None:
    assert callable(function)
    with pytest.raises(TypeError) as refused:
        function("two_stage", replication=3)
    told = str(refused.value)
    assert "got an unexpected keyword argument 'replication'; did you mean 'replications'?" in told
    assert "RunOptions" not in told


def test_help_lists_the_options() -> None:
    assert "replications" in inspect.signature(des.run).parameters
    assert des.run.__name__ == "run"
