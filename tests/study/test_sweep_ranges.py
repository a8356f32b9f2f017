"""What `--over` means: lists, ranges with their end, logarithmic ranges, paths that change together."""

import pytest

from des.errors import DesError
from des.study.sweep_ranges import grid


def _values(text: str) -> list[str]:
    return [value for point in grid([text]) for value in point.values()]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0:1:0.1", ["0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1"]),
        ("1:0:-0.25", ["1", "0.75", "0.5", "0.25", "0"]),
        ("0:1:0.3", ["0", "0.3", "0.6", "0.9"]),
        ("-1:1:1", ["-1", "0", "1"]),
        ("10s:30s:10s", ["10s", "20s", "30s"]),
        ("0:10s:5s", ["0s", "5s", "10s"]),
        ("0%:100%:50%", ["0%", "50%", "100%"]),
        ("$1:$2:$0.5", ["$1", "$1.5", "$2"]),
        ("1/20min:3/20min:1/20min", ["1/20min", "2/20min", "3/20min"]),
        ("5,1:2:0.5,2", ["5", "1", "1.5", "2"]),
        ("log:1:1000:4", ["1", "10", "100", "1000"]),
        (
            "log:1/min:1000/min:7",
            ["1/min", "3.16228/min", "10/min", "31.6228/min", "100/min", "316.228/min", "1000/min"],
        ),
        ("log:1:1.000001:3", ["1", "1.0000005", "1.000001"]),
        ("'0:1:2'", ["'0:1:2'"]),
        ("2025-01-01T00:00:00Z", ["2025-01-01T00:00:00Z"]),
        ("[1:2:3],{a: 1}", ["[1:2:3]", "{a: 1}"]),
    ],
)
def test_values_are_exact_and_keep_their_units(text: str, values: list[str]) -> None:
    assert _values(f"a.b={text}") == values


def test_a_sum_of_steps_has_no_rounding_error() -> None:
    assert _values("a=0:1000:0.1")[-3:] == ["999.8", "999.9", "1000"]


def test_a_million_points_are_counted_without_being_listed() -> None:
    points = grid(["a=0:999999:1", "b=1,2"])
    assert len(points) == 2_000_000
    assert points.at(1_999_999) == {"a": "999999", "b": "2"}
    assert points.at(3) == {"a": "1", "b": "2"}


def test_paths_change_together() -> None:
    expected = [{"a": "1", "b": "3", "c": "5"}, {"a": "2", "b": "4", "c": "5"}]
    assert list(grid(["a=1,2; b=3,4", "c=5"])) == expected
    assert list(grid({("a", "b"): [(1, 3), (2, 4)], "c": [5]})) == expected


def test_values_of_paths_that_change_together_may_repeat() -> None:
    assert [point["a"] for point in grid(["a=1,1,2; b=3,4,5"])] == ["1", "1", "2"]
    assert _values("a=1,1,2") == ["1", "2"]


def test_a_mapping_may_have_a_range() -> None:
    assert [point["a"] for point in grid({"a": "0:1:0.5"})] == ["0", "0.5", "1"]
    assert [point["a"] for point in grid({"a": [True, None, 2.5, "x"]})] == ["true", "null", "2.5", "x"]


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ("a=1:0:0.1", "an empty range; write 1:0:-0.1 or 0:1:0.1"),
        ("a=10s:5s:1s", "an empty range; write 10s:5s:-1s or 5s:10s:1s"),
        ("a=0:1:0", "the step is 0"),
        ("a=0:1", "a range needs its step, such as 0:1:0.1"),
        ("a=1/s:5/s", "a range needs its step, such as 1/s:5/s:0.1/s"),
        ("a=1-3", "a range is written 1:3:1, where the last is the step"),
        ("a=1..3", "a range is written 1:3:1, where the last is the step"),
        ("a=10 to 60s", "a range is written 10s:60s:1s, where the last is the step"),
        ("a=30s:2min:30s", "'30s' and '2min' differ in their units; write all in one, such as 10s"),
        ("a=1:10s:1s", "differ in their units"),
        ("a=0:1:x", "'x' is not a number with a unit or none"),
        ("a=1h30min:3h:1h", "'1h30min' is not a number"),
        ("a=0:1:1e-9", "more than 10,000,000 values"),
        ("a=0:1e400:1e-400", "more than 10,000,000 values"),
        ("a=0:9999:1,5:1000000:1", "more than 100,000 values"),
        ("a=log:1:10", "its first and last value and their number"),
        ("a=log:0:10:3", "above 0"),
        ("a=log:1:10:1", "'1' is not a number of values from 2"),
        ("a=log:1:10:2.5", "'2.5' is not a number of values"),
        ("a=log:1/min:10/s:3", "differ in their units"),
        ("a=log:0/min:10:3", "above 0|differ"),
        ("a=log:2:2:3", "an empty range"),
        ("a=1,2; b=1", "as many values each; a has 2, b has 1"),
        ("a=1,2; b", "expected path=value,value"),
        ("a=1; a=2", "given twice"),
    ],
)
def test_what_is_no_range_is_told_with_what_to_write(over: str, words: str) -> None:
    with pytest.raises(DesError, match=words):
        grid([over])


def test_tuples_that_do_not_fit_their_paths_are_refused() -> None:
    with pytest.raises(DesError, match="a tuple of 2"):
        grid({("a", "b"): [(1, 2, 3)]})
    with pytest.raises(DesError, match="expected values"):
        grid({("a", "b"): []})
