"""Charts are valid Vega-Lite, name nothing that a user wrote as a field, and become PNG files without a browser."""

import json
import math
from typing import Any

import pandas as pd
import pytest

from des.errors import DesError
from des.report.charts.data import inline, labels
from des.report.charts.extra import missing, require
from des.report.charts.png import as_png, with_width
from des.report.page.blocks import Figure, Table

needs_the_extra = pytest.mark.skipif(bool(missing()), reason=missing() or "installed")
ODD = 'it\'s "<b>"; datum[0] || 1\u202e'


def specification(chart: Any) -> dict[str, Any]:
    return Figure("name", "title", "summary", lambda: chart, Table("", (), ())).specification()


@needs_the_extra
def test_a_sweep_over_words_keeps_their_order() -> None:
    from des.report.charts.curves import sweep

    frame = pd.DataFrame(
        {"value": ["none", ODD, "full"], "arm": "a", "mean": [1.0, 2.0, 3.0], "low": None, "high": None}
    )
    found = specification(sweep(frame, "policy.backoff", "cost", number=False))
    assert found["layer"][1]["encoding"]["x"]["sort"] is None
    (rows,) = found["datasets"].values()
    assert [row["value"] for row in rows][0::2] == ["none", "full"]
    assert "\u202e" not in json.dumps(found, ensure_ascii=False)


@needs_the_extra
def test_the_front_is_drawn_through_its_candidates() -> None:
    from des.report.charts.curves import pareto

    frame = pd.DataFrame(
        {"name": ["a", "b"], "cost": [1.0, 2.0], "nines": [2.0, 3.0], "front": [True, True], "best": [False, True]}
    )
    found = specification(pareto(frame, "USD"))
    assert [layer["mark"]["type"] for layer in found["layer"]] == ["point", "line", "point", "point", "text"]
    (rows,) = found["datasets"].values()
    assert [row["best"] for row in rows] == [False, True]


@needs_the_extra
def test_a_png_needs_no_browser_and_every_width_is_a_number() -> None:
    from des.report.charts.parts import bars

    found = specification(bars(pd.DataFrame({"name": ["x"], "arm": ["a"], "value": [1.0]}), "requests"))
    assert with_width(found, 300)["width"] == 300
    assert found["width"] == "container"
    picture = as_png(found)
    assert picture.startswith(b"\x89PNG")
    assert int.from_bytes(picture[16:20]) > 2 * 760


def test_numbers_of_a_chart_keep_seven_digits_and_names_are_printable() -> None:
    frame = inline(pd.DataFrame({"name": [ODD], "value": [1.0 / 3.0], "end": [math.nan], "count": [3.0]}))
    assert frame["value"].tolist() == [0.3333333]
    assert frame["end"].tolist() == [None]
    assert frame["count"].tolist() == [3]
    assert "\u202e" not in frame["name"][0]
    assert labels(pd.Series([ODD, "b", ODD])) == [frame["name"][0], "b"]


def test_a_missing_library_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("des.report.charts.extra.find_spec", lambda name: None if name == "vl_convert" else object())
    with pytest.raises(DesError, match=r"a report needs vl-convert: pip install 'des-fallback\[report\]'"):
        require()


@needs_the_extra
def test_a_sweep_over_decades_has_a_logarithmic_axis_and_one_with_none_lost_has_not() -> None:
    from des.report.charts.curves import sweep

    def axis(means: list[float]) -> tuple[str, float]:
        rows = [{"value": n, "arm": "a", "mean": mean, "low": 0.0, "high": mean} for n, mean in enumerate(means)]
        found = specification(sweep(pd.DataFrame(rows), "shared", "lost", number=True))
        (drawn,) = found["datasets"].values()
        assert {row["low"] for row in drawn} == {0.0}  # as the tooltip tells it
        bottom = min(row["bottom"] for row in drawn)
        return found["layer"][0]["encoding"]["y"]["scale"].get("type", "linear"), bottom

    assert axis([1e-4, 1e-6]) == ("log", pytest.approx(1e-7))  # an end at 0 has a place
    assert axis([1e-4, 2e-5]) == ("linear", 0.0)
    assert axis([1e-4, 0.0]) == ("linear", 0.0)


@needs_the_extra
def test_nines_against_cost_use_the_width_that_there_is() -> None:
    from des.report.charts.arms import nines_against_cost

    frame = pd.DataFrame(
        {
            "arm": ["a", "b"],
            "cost": [6.03, 6.05],
            "cost_low": [6.0, 6.02],
            "cost_high": [6.06, 6.08],
            "nines": [3.0, 4.0],
            "nines_low": [2.9, 3.9],
            "nines_high": [3.1, 4.1],
            "best": [False, False],
        }
    )
    found = specification(nines_against_cost(frame))
    domains = [layer["encoding"]["x"]["scale"]["domain"] for layer in found["layer"]]
    assert domains == [pytest.approx([5.992, 6.088])] * len(domains)
    assert found["layer"][-1]["encoding"]["x"]["scale"]["zero"] is False


@needs_the_extra
def test_an_arm_without_a_bar_keeps_the_colours_of_the_others() -> None:
    from des.report.charts.parts import bars
    from des.report.charts.theme import CATEGORIES

    frame = pd.DataFrame({"name": ["cdn", "one"], "arm": ["third", "second"], "value": [2.0, 1.0]})
    colour = specification(bars(frame, "lost", every=["first", "second", "third"]))["encoding"]["color"]
    assert colour["scale"]["domain"] == ["first", "second", "third"]
    assert colour["scale"]["range"] == list(CATEGORIES[:3])
