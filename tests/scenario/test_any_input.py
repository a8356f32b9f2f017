"""Whatever stands anywhere in a scenario, it loads or is refused in words: no other exception, no foreign words."""

import copy
from typing import Any

import pytest
from examples import TIMES
from hypothesis import given, settings
from hypothesis import strategies as st

from des.errors import Problem, ScenarioError
from des.scenario import from_mapping, plans
from des.scenario.yaml_nodes import read_yaml

from .conftest import TWO_PROVIDERS

SHARED = """\
common_cause:
  - {members: [anthropic/claude-sonnet-4-6, openai], fraction: 10%, name: fire}
surge: {when: anthropic, to: [openai], load: 1.4, capacity: 50/s}
shared: 30%
"""
INCIDENTS = "incidents: [{kind: poisson, rate: 4/y, duration: 1h}]"
CONTENT = read_yaml(
    TWO_PROVIDERS.replace("        errors:", f"        {INCIDENTS}\n        errors:").replace(
        "    models:\n      gpt", f"    {INCIDENTS}\n    models:\n      gpt"
    )
    + SHARED
)[0]
FOREIGN = ("pydantic", "Input should", "Value error", "NoneType", "Traceback", "<class", "Annotated", "Spec")

JUNK: Any = st.one_of(
    st.sampled_from(
        [None, True, 0, -1, 3, 0.5, 1e308, 10**400, float("nan"), float("-inf"), "", "x", "3s", "-3s", "1e400d", "50%"]
    ),
    st.sampled_from(
        ["5/s", "0/s", "cdn", "anthropic", "none", "2025-01-01T00:00Z", "${NOWHERE}/x.csv", "a.b", "[", "\0"]
    ),
    st.sampled_from(
        [[], {}, [None], [[]], {"kind": "lognormal"}, {"kind": []}, {"": None}, {"x": {"y": 1}}, ["anthropic"]]
    ),
    st.sampled_from(
        [
            {"kind": "replay", "file": "none.csv", "columns": {"time": "t", "start": "a", "end": "b"}},
            {"kind": "empirical", "values": [0]},
            {"kind": "weibull", "shape": 0.01, "scale": "1y"},
            {"kind": "gamma", "mean": "1s", "cv": 1e6},
            {"cdn": {}},
        ]
    ),
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(below for key, child in children for below in paths(child, (*path, key)))][0 if path else 1 :]


PATHS = paths(CONTENT)
KEYS = ["kind", "name", "duration", "errors", "effect", "hang", "mttf", "profile", "policy", "chain", "nonsense"]


def changed(path: tuple[Any, ...], key: str | None, junk: Any) -> dict[str, Any]:
    content: dict[str, Any] = copy.deepcopy(CONTENT)
    here: Any = content
    for part in path[:-1]:
        here = here[part]
    if key is not None and isinstance(here[path[-1]], dict):
        here[path[-1]][key] = junk
    else:
        here[path[-1]] = junk
    return content


@settings(max_examples=600 * TIMES)
@given(path=st.sampled_from(PATHS), key=st.none() | st.sampled_from(KEYS), junk=JUNK)
def test_anything_anywhere_loads_or_is_refused_in_words(path: tuple[Any, ...], key: str | None, junk: Any) -> None:
    refused: tuple[Problem, ...] = ()
    try:
        plans(from_mapping(changed(path, key, junk)))
    except ScenarioError as error:
        refused = error.problems
    for problem in refused:
        assert "\n" not in str(problem)
        assert not any(word in problem.message for word in FOREIGN), problem.message


def test_the_scenario_itself_loads() -> None:
    assert plans(from_mapping(CONTENT))


@pytest.mark.parametrize("junk", [None, [], "x", 3])
def test_a_scenario_that_is_all_junk_is_refused(junk: Any) -> None:
    with pytest.raises(ScenarioError):
        from_mapping(dict.fromkeys(CONTENT, junk))
