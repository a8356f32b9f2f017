"""What a body may cost: alternatives that would take too long are left out, which is said, and nothing else is."""

from typing import Any

import pytest

from des.scenario import plans
from des.service.bodies import SimulateBody
from des.service.bounds import Bounds
from des.service.effort import calls_of, too_long
from des.service.equivalent import Equivalent, equivalent
from des.service.recommending import _order
from des.service.simulating import _left_out

LEGS = [
    ("anthropic", "claude-sonnet-4-6"),
    ("openai", "gpt-5-mini"),
    ("google", "gemini-2.5-pro"),
    ("openai", "gpt-5"),
    ("google", "gemini-2.5-flash"),
    ("openai", "gpt-5-nano"),
]


def made(legs: int, *, shared: bool = False, policy: Any = None, **of_legs: Any) -> Equivalent:
    chain = [{"provider": provider, "model": model, **of_legs} for provider, model in LEGS[:legs]]
    body: dict[str, Any] = {"chain": chain, "policy": policy or {}}
    if shared:
        body["shared"] = [{"members": ["anthropic", "openai"], "fraction": 0.1}]
    return equivalent(SimulateBody.model_validate(body), Bounds())


def test_calls_are_counted_over_retries_rounds_and_legs() -> None:
    found = plans(made(3, retries=2, policy={"rounds": 2}).loaded)
    assert calls_of(found["as_modelled"]) == 2 * 3 * 3
    assert calls_of(found["first_alone"]) == 2 * 3
    assert calls_of(plans(made(2, policy={"preset": "openai-python"}).loaded)["as_modelled"]) == 2 * 3


@pytest.mark.parametrize("made_of", [{"legs": 6}, {"legs": 3, "retries": 2}])
def test_all_alternatives_are_compared_where_that_is_quick(made_of: Any) -> None:
    found = made(**made_of)
    assert found.left_out == {}
    assert set(found.content["arms"]) == {
        "as_modelled",
        "first_alone",
        "cheapest_first",
        *(f"without_leg_{number}" for number in range(2, made_of["legs"] + 1)),
    }


def test_alternatives_that_take_too_long_are_left_out_and_named() -> None:
    found = made(6, shared=True, retries=3, policy={"rounds": 4})
    assert list(found.content["arms"]) == ["as_modelled", "independent", "first_alone"]
    (words,) = _left_out(found)
    for name in ("the cheapest leg first", "without openai/gpt-5-nano"):
        assert name in words
    assert "claude" not in words, "without its first leg there is no alternative"
    assert found.without == {}
    assert _order(found, _Nothing())[1] == "no other order was compared, as that takes too long here"  # type: ignore[arg-type]


class _Nothing:
    """An answer without the alternative."""

    arms = dict.fromkeys(("as_modelled", "independent", "first_alone"))


def test_those_that_fit_are_kept_the_cheapest_order_first() -> None:
    every = plans(made(5, retries=2).loaded)
    calls = {arm: calls_of(plan) for arm, plan in every.items()}
    assert calls == {"as_modelled": 15, "first_alone": 3, "cheapest_first": 15} | {
        f"without_leg_{number}": 12 for number in (2, 3, 4, 5)
    }
    assert too_long(every, simulated=False) == set()
    assert too_long(every, simulated=True) == {"without_leg_2", "without_leg_3", "without_leg_4"}
