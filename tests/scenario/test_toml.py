"""A scenario in TOML is the same scenario, with lines and columns of its own."""

from collections.abc import Callable
from typing import Any

from des.scenario import plans
from des.scenario.text.toml_places import toml_places

TRICKY = '''\
# a = 1
title = "has # and [brackets] and \\" quotes"
text = """
[not.a.table]
key = 1 \\"""
"""
raw = \'\'\'x = [1\'\'\'
[a."b.c".d]   # comment
e.f = 1
list = [
  { x = 1 }, # [
  { x = "]" },
]
[[chain]]
p = "one"
[[chain]]
p = "two"
[chain.inner]
q = 2
'''


def test_places_are_found_through_comments_strings_and_nesting() -> None:
    keys, values = toml_places(TRICKY)
    assert values["title",] == (2, 9)
    assert ("not",) not in keys
    assert values["raw",] == (7, 7)
    assert values["a", "b.c", "d", "e", "f"] == (9, 7)
    assert values["a", "b.c", "d", "list", 1, "x"] == (12, 9)
    assert values["chain", 1, "p"] == (17, 5)
    assert keys["chain", 1, "inner", "q"] == (19, 1)


def test_a_toml_scenario_resolves(images: str, load: Callable[..., Any]) -> None:
    (plan,) = plans(load(images, name="s.toml")).values()
    assert [endpoint.price.per_request for endpoint in plan.endpoints] == [0.04, 0.0]
    assert [endpoint.errors[0].rate for endpoint in plan.endpoints] == [0.03, 0.06]
    assert set(plan.endpoints[0].billing.values()) == {"full"}
    assert plan.policy.rounds == 3


def test_problems_in_toml_have_lines(images: str, problems: Callable[..., list[str]]) -> None:
    text = images.replace('provider = "two"', 'provider = "tow"').replace("rounds = 3", 'rounds = "3"')
    assert problems(text, name="s.toml") == [
        "s.toml:9:10: policy.rounds: expected a whole number such as 3; got '3': write 3",
        "s.toml:26:12: chain[1].provider: unknown provider 'tow'; did you mean 'two'?",
    ]


def test_a_syntax_error_in_toml_has_its_line(images: str, problems: Callable[..., list[str]]) -> None:
    (line,) = problems(images.replace("rounds = 3", "rounds = "), name="s.toml")
    assert line.startswith("s.toml:9:10: TOML: ")


def test_a_duplicate_table_in_toml_is_an_error(images: str, problems: Callable[..., list[str]]) -> None:
    (line,) = problems(images + "\n[policy]\nrounds = 2\n", name="s.toml")
    assert "s.toml:29:" in line


def test_a_toml_timestamp_is_a_start(images: str, load: Callable[..., Any]) -> None:
    loaded = load("start = 2025-01-01T00:00:00Z\n" + images, name="s.toml")
    assert next(iter(plans(loaded).values())).start == "2025-01-01T00:00:00Z"
    assert loaded.resolved()["start"] == "2025-01-01T00:00:00+00:00"
