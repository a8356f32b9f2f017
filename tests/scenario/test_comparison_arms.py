"""A comparison has the scenario as modelled and its independent twin, whatever arms the scenario has."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from des.errors import ScenarioError
from des.scenario import Loaded, from_mapping, plans

Load = Callable[..., Loaded]


def without_arms(text: str) -> str:
    start, end = text.index("arms:\n"), text.index("expect:\n")
    return text[:start] + text[end:].replace("  primary_only", "  as_modelled")


def with_arms(text: str, arms: str) -> str:
    return without_arms(text).replace("expect:\n", f"{arms}\nexpect:\n").replace("  as_modelled", "  primary_only")


@pytest.mark.parametrize(
    ("arms", "expected"),
    [
        ("arms: {as_modelled: {}, primary_only: {chain: [anthropic]}}", ["as_modelled", "independent", "primary_only"]),
        ("arms: {primary_only: {chain: [anthropic]}}", ["as_modelled", "independent", "primary_only"]),
        (
            "arms: {primary_only: {chain: [anthropic]}, independent: {shared: 20%}}",
            ["as_modelled", "independent", "primary_only"],
        ),
    ],
)
def test_arms_that_a_comparison_needs_are_added_where_they_lack(
    arms: str, expected: list[str], two_providers: str, load: Load
) -> None:
    compared = load(with_arms(two_providers, arms)).with_arms()
    assert list(compared.arms) == list(compared.scenario.arms) == list(plans(compared)) == expected
    found = plans(compared)
    assert found["independent"].shared == (0.2 if "20%" in arms else 0.0)
    assert found["as_modelled"].shared == 1.0
    assert len(found["primary_only"].chain) == 1


def test_a_scenario_without_arms_is_compared_with_its_twin(two_providers: str, load: Load) -> None:
    loaded = load(without_arms(two_providers))
    assert list(loaded.arms) == ["as_modelled"]
    assert {name: plan.shared for name, plan in plans(loaded.with_arms()).items()} == {
        "as_modelled": 1.0,
        "independent": 0.0,
    }


def test_arms_run_as_written_where_nothing_is_compared(two_providers: str, load: Load) -> None:
    loaded = load(two_providers)
    loaded.with_arms()
    assert list(loaded.arms) == ["as_modelled", "primary_only"]


@pytest.mark.parametrize("names", [["independent"], ["primary_only", "independent"], ["primary_only", "primary_only"]])
def test_arms_are_selected_by_name_in_the_order_given(names: list[str], two_providers: str, load: Load) -> None:
    assert list(load(two_providers).with_arms(names).arms) == list(dict.fromkeys(names))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["independant"], "unknown arm 'independant'; did you mean 'independent'?"),
        (["as_modelled", "x"], "unknown arm 'x'; there are: as_modelled, independent, primary_only"),
        ([], "no arm is named; there are: as_modelled, independent, primary_only"),
    ],
)
def test_names_of_no_arm_are_refused(names: Sequence[str], message: str, two_providers: str, load: Load) -> None:
    with pytest.raises(ScenarioError) as refused:
        load(two_providers).with_arms(names)
    assert [problem.message for problem in refused.value.problems] == [message]


def test_expectations_go_with_their_arms(two_providers: str, load: Load) -> None:
    def expected(loaded: Loaded) -> set[tuple[str, str]]:
        return {(each.arm, each.metric) for each in loaded.expectations()}

    both = {("as_modelled", "availability"), ("primary_only", "latency_s_p95")}
    loaded = load(two_providers)
    assert expected(loaded.with_arms()) == both
    assert expected(loaded.with_arms(["as_modelled"])) == {("as_modelled", "availability")}
    assert expected(loaded.with_arms(["primary_only"])) == {("primary_only", "latency_s_p95")}
    assert expected(loaded.with_arms(["independent"])) == set()


def test_an_expectation_of_the_first_arm_stays_with_it(two_providers: str, load: Load) -> None:
    loaded = load(with_arms(two_providers, "arms: {primary_only: {chain: [anthropic]}}"))
    assert {each.arm for each in loaded.expectations()} == {"primary_only"}
    assert loaded.with_arms().expectations() == loaded.expectations()


def test_what_is_compared_says_the_same_again(two_providers: str, load: Load) -> None:
    compared = load(two_providers).with_arms(["independent", "primary_only"])
    again: Any = from_mapping(compared.resolved())
    assert plans(again) == plans(compared)
    assert again.expectations() == compared.expectations()
    assert list(compared.with_arms().arms) == ["as_modelled", "independent", "primary_only"]
