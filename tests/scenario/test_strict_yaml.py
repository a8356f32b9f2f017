"""YAML is read strictly: what looks like one thing is not taken for another."""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from des.errors import ScenarioError
from des.scenario.text.document import read_document
from des.scenario.text.places import Place
from des.scenario.text.strict_yaml import YamlError, read_yaml, resolve_plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("1.5E3", 1500.0),
        ("-0.5", -0.5),
        (".5", 0.5),
        ("12", 12),
        ("0x1f", 31),
        ("0o17", 15),
        ("true", True),
        ("null", None),
        ("~", None),
        ("", None),
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("010", "010"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2025-01-01", "2025-01-01"),
        ("2025-01-01T00:00Z", "2025-01-01T00:00Z"),
        ("1e5s", "1e5s"),
        (".inf", float("inf")),
    ],
)
def test_plain_scalars_have_the_core_types_of_yaml_1_2(text: str, value: object) -> None:
    assert resolve_plain(text) == value
    assert type(resolve_plain(text)) is type(value)


@pytest.mark.parametrize("text", ["9" * 5000, "1e400", "-" + "9" * 5000, "-1e400"])
def test_a_number_larger_than_any_float_is_infinite_and_remembers_what_was_written(text: str) -> None:
    number = resolve_plain(text)
    assert number == float("-inf" if text.startswith("-") else "inf")
    for same in (number, copy.deepcopy(number), pickle.loads(pickle.dumps(number))):
        assert str(same) == text


def test_quoted_scalars_are_text() -> None:
    assert read_yaml("{a: \"1\", b: 'true', c: ''}")[0] == {"a": "1", "b": "true", "c": ""}


def test_keys_are_text_even_where_they_look_like_numbers() -> None:
    assert read_yaml("1: a\ntrue: b\n2.5: c\n")[0] == {"1": "a", "true": "b", "2.5": "c"}


def test_every_value_knows_its_line_and_column() -> None:
    _, keys, values = read_yaml("a:\n  - {b: 1, c: [2, 3]}\n  - d\n")
    assert values["a", 0, "c", 1] == (2, 19)
    assert keys["a", 0, "c"] == (2, 12)
    assert values["a", 1] == (3, 5)


def faults(text: str) -> list[tuple[str, int, int]]:
    with pytest.raises(YamlError) as error:
        read_yaml(text)
    return error.value.faults


def test_duplicate_keys_are_errors_all_at_once() -> None:
    found = faults("a: 1\nb: {c: 1, c: 2}\na: 3\n")
    assert [(line, column) for _, line, column in found] == [(2, 11), (3, 1)]
    assert "first at 1:1" in found[1][0]


def test_anchors_aliases_and_merge_keys_work() -> None:
    text = "base: &base {timeout: 3s, retries: 1}\none: *base\ntwo: {<<: *base, retries: 2}\n"
    content = read_yaml(text)[0]
    assert content["one"] == {"timeout": "3s", "retries": 1}
    assert content["two"] == {"timeout": "3s", "retries": 2}


def test_an_alias_within_its_own_anchor_is_an_error() -> None:
    ((message, line, _),) = faults("a: &a\n  b: *a\n")
    assert "never ends" in message
    assert line == 1


def test_aliases_that_multiply_are_stopped() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 7)]
    assert "aliases that multiply" in faults("\n".join(rows))[0][0]


@pytest.mark.parametrize("text", ["a: !!python/object:os.system x", "a: !thing {}", "a: !!binary aGk="])
def test_tags_are_refused(text: str) -> None:
    assert "not supported" in faults(text)[0][0]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: [1\nb: 2\n", 2, "expected ',' or ']'"),
        ("a:\n\tb: 1\n", 2, "tab"),
        ("a: 1\n---\nb: 2\n", 2, "document"),
        ("a: *nowhere\n", 1, "nowhere"),
        ("a: \x07\n", 1, "not allowed"),
        ("? [a]\n: 1\n", 1, "key must be text"),
    ],
)
def test_a_syntax_error_says_where(text: str, line: int, words: str) -> None:
    found = faults(text)
    assert found[0][1] == line
    assert words in found[0][0]
    assert "\n" not in found[0][0]


def message(path: Path) -> str:
    with pytest.raises(ScenarioError) as error:
        read_document(path)
    return str(error.value)


def test_files_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    assert message(tmp_path / "none.yaml").endswith("none.yaml: no such file")
    assert "folder" in message(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"title: caf\xe9\n")
    assert "not UTF-8" in message(tmp_path / "latin.yaml")
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert "is empty" in message(tmp_path / "empty.yaml")
    (tmp_path / "list.yaml").write_text("- 1\n")
    assert "the file holds a list: a scenario is a mapping with horizon" in message(tmp_path / "list.yaml")


def test_a_byte_order_mark_is_no_matter(tmp_path: Path) -> None:
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbftitle: x\n")
    document = read_document(tmp_path / "bom.yaml")
    assert document.content == {"title": "x"}
    assert document.place(("title",)) == Place(str(tmp_path / "bom.yaml"), 1, 8)


def test_only_true_and_false_are_truth_values(two_providers: str, problems: Callable[..., list[str]]) -> None:
    text = two_providers.replace("rate: 1.2/y,", "rate: 1.2/y, kills_in_flight: yes,")
    (line,) = problems(text)
    assert line == ("s.yaml:13:55: components.cdn.incidents[0].kills_in_flight: expected true or false; got 'yes'")


def test_a_name_with_nothing_below_it_has_nothing_special(two_providers: str, load: Callable[..., Any]) -> None:
    text = two_providers.replace("  cdn:\n", "  idle:\n  cdn:\n")
    assert load(text).scenario.components["idle"].incidents == ()


def test_merges_that_multiply_are_stopped() -> None:
    rows = ["a0: &a0 {x: 1}"]
    rows += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 10)]
    assert "aliases that multiply" in faults("\n".join(rows))[0][0]


def test_files_of_data_are_refused_by_their_size(tmp_path: Path) -> None:
    (tmp_path / "big.yaml").write_text("title: x\n" + "# data\n" * 600_000)
    assert "over 4 MB, too large for a scenario: put data in files that it names" in message(tmp_path / "big.yaml")


@pytest.mark.parametrize(("text", "column"), [('{a: "\\ud800"}', 5), ('{"\\udfff": 1}', 2)])
def test_half_a_character_is_no_text(text: str, column: int) -> None:
    assert [(line, at) for _, line, at in faults(text)] == [(1, column)]


def test_numbers_of_thousands_of_digits_are_refused_in_toml_too(tmp_path: Path) -> None:
    (tmp_path / "long.toml").write_text(f"title = 'x'\nseed = {'9' * 5000}\n")
    assert "long.toml:2" in message(tmp_path / "long.toml")
