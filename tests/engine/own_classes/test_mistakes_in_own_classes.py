"""Mistakes in rules that users write are told with their class."""

from pathlib import Path
from typing import Any

import pytest

import des
from des.errors import RunError
from des.scenario.extensions import uses_extensions
from des.scenario.schema.own_classes import without_own_classes
from tests.engine.own_classes.own_scenario import own, scenario


@pytest.mark.parametrize("says", ["less", "text", "nothing", "error", "end", "much"])
def test_a_method_that_goes_wrong_is_an_error_with_its_class(folder: Path, tmp_path: Path, says: str) -> None:
    rule = {"kind": "more_rules:Wrong", "says": says}
    with pytest.raises(RunError, match=r"more_rules:Wrong: wait_s (returned|raised)"):
        des.run(scenario(folder, policy={"retry_backoff": rule}), out=tmp_path / "run")


def test_a_pick_beyond_the_legs_and_unsorted_arrivals_are_errors(folder: Path, tmp_path: Path) -> None:
    legs = [{"provider": "a", "name": "one"}, {"provider": "a", "name": "two"}]
    group = {"group": "both", "legs": legs, "routing": {"kind": "more_rules:Lost"}}
    with pytest.raises(RunError, match="more_rules:Lost: pick returned 2; expected a position among 2 legs"):
        des.run(scenario(folder, chain=[group]), out=tmp_path / "picked")
    with pytest.raises(RunError, match="more_rules:Backwards: times are not sorted"):
        des.run(scenario(folder, workload={"arrivals": {"kind": "more_rules:Backwards"}}), out=tmp_path / "arrived")


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "Stateless": ({"policy": {"breaker": own("Stateless")}}, "start returned None; expected an object with admits and"),
    "Full": (
        {"providers__a__limits": {"requests": "60/min", "algorithm": own("Full")}},
        "start returned <object .*; expected an object with admits",
    ),
    "Nobody": (
        {"chain": [{"group": "g", "legs": [{"provider": "a", "name": n} for n in "xy"], "routing": own("Nobody")}]},
        "start returned None; expected something to call",
    ),
    "Uncounted": ({"workload": {"arrivals": own("Uncounted")}}, "iter raised TypeError"),
    "Untold": ({"workload": {"arrivals": own("Untold")}}, "expected_requests returned nan; expected a number"),
    "Reversed": ({"providers__a__incidents": [own("Reversed")]}, "windows told an incident from 100.0 to 50.0"),
    "Unknown": ({"providers__a__incidents": [own("Unknown")]}, "mean_duration_s raised KeyError: 'mean'"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_anywhere_is_an_error_with_its_class(folder: Path, tmp_path: Path, name: str) -> None:
    changes, says = MISTAKES[name]
    with pytest.raises(RunError, match=f"more_rules:{name}: {says}"):
        des.run(scenario(folder, **changes), out=tmp_path / "run", traces=False)


def test_a_module_that_ends_the_program_is_refused_at_its_kind(folder: Path) -> None:
    (folder / "ending_rules.py").write_text("raise SystemExit(4)", encoding="utf-8")
    with pytest.raises(des.ScenarioError, match="importing ending_rules failed: SystemExit: 4"):
        scenario(folder, policy={"retry_backoff": {"kind": "ending_rules:Any"}})


def test_a_class_that_fails_as_it_is_made_is_refused_at_its_kind(folder: Path) -> None:
    with pytest.raises(des.ScenarioError, match="making a more_rules:Refusing raised OSError: no licence"):
        scenario(folder, policy={"retry_backoff": own("Refusing")})


WRONG = {
    "no_such_module:X": "there is no module no_such_module",
    "more_rules:Twold": "unknown class of more_rules 'Twold'; did you mean 'Told'",
    "more_rules:Second": "more_rules:Second has to derive from des.extend.Backoff",
    "json:JSONDecoder": "json:JSONDecoder derives from no class of des.extend",
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_class_that_does_not_fit_is_refused_at_its_kind(folder: Path, kind: str) -> None:
    with pytest.raises(des.ScenarioError) as refused:
        scenario(folder, policy={"retry_backoff": {"kind": kind}})
    assert [problem.path for problem in refused.value.problems] == ["policy.retry_backoff.kind"]
    assert WRONG[kind] in refused.value.problems[0].message


def test_a_class_without_its_methods_is_refused(folder: Path) -> None:
    limits = {"requests": "6/min", "algorithm": {"kind": "more_rules:Unfinished"}}
    with pytest.raises(des.ScenarioError, match="more_rules:Unfinished lacks start"):
        scenario(folder, providers__a__limits=limits)


def test_its_fields_are_checked_like_any_others(folder: Path) -> None:
    rule = {"kind": "more_rules:Told", "at_mst": "5s"}
    with pytest.raises(des.ScenarioError) as refused:
        scenario(folder, policy={"retry_backoff": rule})
    (problem,) = refused.value.problems
    assert problem.path == "policy.retry_backoff.at_mst"
    assert problem.message == "unknown key 'at_mst' of more_rules:Told; did you mean 'at_most'?"
    with pytest.raises(des.ScenarioError, match="expected a duration"):
        scenario(folder, policy={"retry_backoff": {"kind": "more_rules:Told", "at_most": "soon"}})


def test_no_class_is_imported_where_none_may_run(folder: Path) -> None:
    content = {**scenario(folder).to_dict(), "policy": {"retry_backoff": {"kind": "never_imported:X"}}}
    assert uses_extensions(content) == ("never_imported:X",)
    assert uses_extensions({"arms": {"x": {"policy.routing": "a.b:C"}}}) == ("a.b:C",)
    assert uses_extensions(scenario(folder)) == ()
    assert uses_extensions(folder / "fibonacci.yaml") == ("waiting:Fibonacci",)
    with without_own_classes(), pytest.raises(des.ScenarioError, match="none may run here"):
        des.Scenario.from_dict(content)
