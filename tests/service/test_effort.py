"""What a body may cost: beyond a bound the answer is quick and leaves alternatives out, which is said."""

import json
from pathlib import Path
from typing import Any

import pytest

from des.estimate.availability import choose
from des.scenario import plans
from des.service.bodies import SimulateBody
from des.service.bounds import FIXED, Bounds
from des.service.effort import KEPT, Effort, effort_of
from des.service.equivalent import Equivalent, equivalent
from des.service.problems import ProblemError
from des.service.recommending import _order
from des.service.simulating import _left_out, simulated
from des.study.answer import answer

LEGS = [
    ("anthropic", "claude-sonnet-4-6"),
    ("openai", "gpt-5-mini"),
    ("google", "gemini-2.5-pro"),
    ("openai", "gpt-5"),
    ("google", "gemini-2.5-flash"),
    ("openai", "gpt-5-nano"),
]


def body_of(legs: int, *, shared: bool = False, policy: Any = None, rate: str = "", **of_legs: Any) -> SimulateBody:
    chain = [{"provider": provider, "model": model, **of_legs} for provider, model in LEGS[:legs]]
    body: dict[str, Any] = {"chain": chain, "policy": policy or {}}
    if shared:
        body["shared"] = [{"members": ["anthropic", "openai"], "fraction": 0.1}]
    if rate:
        body["workload"] = {"rate": rate}
    return SimulateBody.model_validate(body)


def made(legs: int, **rest: Any) -> Equivalent:
    return equivalent(body_of(legs, **rest), Bounds())


@pytest.mark.parametrize("made_of", [{"legs": 2}, {"legs": 3, "shared": True}, {"legs": 2, "rate": "2/min"}])
def test_all_is_answered_in_full_where_that_is_soon_done(made_of: Any) -> None:
    found = made(**made_of)
    assert not found.quick
    assert found.left_out == {}
    assert list(_left_out(found)) == []


def test_beyond_that_the_answer_is_quick_and_says_so() -> None:
    found = made(3, retries=2)
    assert found.quick
    assert any("a quick answer" in words and "POST /runs" in words for words in _left_out(found))


def test_alternatives_that_take_too_long_are_left_out_and_named() -> None:
    found = made(6, shared=True, retries=10, policy={"rounds": 5})
    assert list(found.content["arms"]) == ["as_modelled", "independent", "first_alone"]
    words = next(_left_out(found))
    for name in ("the cheapest leg first", "without openai/gpt-5-nano"):
        assert name in words
    assert "claude" not in words, "without its first leg there is no alternative"
    assert found.without == {}
    assert _order(found, _Nothing())[1] == "no other order was compared, as that takes too long here"  # type: ignore[arg-type]


class _Nothing:
    """An answer without the alternative."""

    arms = dict.fromkeys(("as_modelled", "independent", "first_alone"))


def test_those_that_fit_are_kept_the_cheapest_order_first() -> None:
    found = made(3, shared=True, retries=2)
    assert "cheapest_first" in found.content["arms"]
    assert set(found.left_out) == {"without_leg_2", "without_leg_3"}


def test_the_effort_is_the_same_on_any_machine() -> None:
    """It is counted from the plans alone."""
    every = plans(made(3, retries=1).loaded)
    choices = {arm: choose(plan) for arm, plan in every.items() if arm in KEPT}
    one, two = (effort_of(every, choices) for _ in range(2))
    assert one == two != Effort()


@pytest.mark.parametrize(
    "made_of",
    [{"legs": 2, "retries": 3, "policy": {"rounds": 2}}, {"legs": 2, "rate": "30/min", "rate_limit": "60/min"}],
    ids=["drawn incidents", "windows"],
)
def test_a_quick_answer_has_the_figures_of_the_command_that_it_names(made_of: Any, tmp_path: Path) -> None:
    found = simulated(body_of(**made_of), Bounds())
    file = tmp_path / found["file"]
    file.write_text(found["scenario"], encoding="utf-8")
    assert found["command"] == f"des answer {file.name} --quick"
    printed = answer(file, quick=True, workers=1)
    assert json.loads(json.dumps(printed.as_json())) == json.loads(json.dumps(found["answer"]))


def test_what_is_too_much_even_for_a_quick_answer_is_refused_by_its_name() -> None:
    with pytest.raises(ProblemError) as refused:
        simulated(body_of(6, rate="10/s", rate_limit="8/s"), Bounds())
    assert refused.value.status == 422
    assert refused.value.limit == "quick_calls"
    assert refused.value.most == FIXED["quick_calls"]
    assert "POST /runs" in refused.value.detail
    with pytest.raises(ProblemError, match="whole replications") as refused:
        simulated(body_of(6, availability="50%", retries=10, policy={"rounds": 5}), Bounds())
    assert refused.value.limit == "quick_calls"
