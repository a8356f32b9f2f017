"""The printed summary can be read on any terminal and in a pipe."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from des.estimate.estimate import Estimate, as_json
from des.estimate.intervals import mean_of
from des.estimate.summary import Observed, Pool, summary
from des.estimate.sums import LogHistogram
from des.estimate.totals import Losses, Totals
from des.report.figures import without_intervals
from des.report.layout import Line, fitted
from des.report.lines import lines, others
from des.report.tables import print_run, verdicts
from des.traces import Run

LEGS = ("anthropic/claude-sonnet-4-6", "openai/gpt-5-mini", "google/gemini-2.5-flash")


def _metrics(availability: float, *, legs: tuple[str, ...] = LEGS) -> dict[str, Any]:
    nothing = Totals({"requests": {"lost_to": ()}}, legs).metrics()
    return nothing | {
        "requests": 1_051_200,
        "availability": availability,
        "cost_usd": 4321.5,
        "cost_usd_per_request": 0.004123,
        "latency_s_mean": 1.93,
        "served_share": {leg: 0.5**number for number, leg in enumerate(legs)},
        "lost_by_cause": {"anthropic": 12, "limit openai": 0, "timeout": 40},
    }


def _spells(*names: str) -> dict[str, Any]:
    return {name: {"availability": mean_of([0.995, 0.994]), "episodes": mean_of([10.0, 12.0])} for name in names}


def _pool(replications: list[dict[str, Any]]) -> Pool:
    pool = Pool()
    for metrics in replications:
        pool.add(Observed(metrics, Losses(), LogHistogram()))
    return pool


def _run(arms: tuple[str, ...] = ("as_modelled", "primary_only"), replications: int = 1, **changes: Any) -> Run:
    levels = [0.99954, 0.9996, 0.99951][:replications]
    content = summary({arm: _pool([_metrics(level, **changes) for level in levels]) for arm in arms})
    content |= {
        "components": {arm: _spells("cdn", "anthropic") for arm in arms},
        "endpoints": {arm: _spells("anthropic/claude-sonnet-4-6") for arm in arms},
        "chain": {arm: _spells("every leg") for arm in arms},
    }
    manifest = {
        "name": "two_stage",
        "arms": list(arms),
        "replications": replications,
        "seed": 7,
        "wall_s": 12.3,
        "traces": {},
        "scenario": {"title": "Two [peers]", "question": "How many nines?", "horizon": "1y"},
    }
    return Run(Path("results/two_stage-0123456789ab"), manifest, as_json(content))


def _printed(run: Run, width: int = 120, *, reused: bool = False) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, highlight=False)
    print_run(run, verdicts(run), reused=reused, console=console)
    return stream.getvalue()


def _line(text: str, label: str) -> str:
    return next(line for line in text.splitlines() if line.strip().startswith(label))


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("replications", [1, 3])
@pytest.mark.parametrize("arms", [1, 3, 7])
def test_nothing_is_cut_off_or_wider_than_the_terminal(width: int, replications: int, arms: int) -> None:
    text = _printed(_run(tuple(f"arm_with_a_name_{number}" for number in range(arms)), replications), width)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    for number in range(arms):
        assert f"arm_with_a_name_{number}" in text
    figure = "99.9540 %" if replications == 1 else "99.955 % ±"
    assert sum(row.count(figure) for row in text.splitlines() if row.startswith("availability")) == arms
    assert "\x1b" not in text


@pytest.mark.parametrize("width", range(60, 132))
def test_every_figure_is_whole_at_any_width(width: int) -> None:
    run = _run(("as_modelled", "primary_only", "reversed"), replications=3)
    printed = _printed(run, width)
    for line in lines(run.summary, list(run.summary["arms"])):
        assert not line.cells or any(line.label in row for row in printed.splitlines())
        for cell in line.cells:
            assert any(cell in row for row in printed.splitlines()), cell
    figures = [row for row in printed.splitlines() if row.startswith("availability")]
    assert sum(row.count("99.955") for row in figures) == 3


def test_columns_line_up_below_their_titles() -> None:
    rows = _printed(_run()).splitlines()
    ends = {len(row) for row in rows if row.startswith(("requests  ", "  openai/gpt-5-mini", "  cdn", "  p99"))}
    assert len(ends) == 1


def test_labels_wider_than_the_terminal_stand_above_their_figures() -> None:
    printed = _printed(_run(legs=("a-provider-with-a-long-name/" + "m" * 50,)), 80)
    assert "m" * 50 in printed
    assert "99.9540 %" in printed
    assert "…" not in printed


def test_one_replication_says_that_it_has_no_interval() -> None:
    assert "one replication: no interval" in _printed(_run())
    several = _printed(_run(replications=3))
    assert "no interval" not in several
    assert "intervals: 95 %, over 3 replications" in several
    assert "±" in _line(several, "availability") or "[" in _line(several, "availability")


def test_it_says_who_served_what_was_lost_to_what_and_what_was_up() -> None:
    text = _printed(_run())
    assert "50" in _line(text, "openai/gpt-5-mini")
    assert _line(text, "timeout").split() == ["timeout", "38", "38"]
    assert "limit openai" not in text
    assert "99.45 % ±" in _line(text, "cdn")
    assert "(11)" in _line(text, "any leg")
    assert text.index("timeout ") < text.index("anthropic ", text.index("lost to, of a million requests"))


def test_an_endpoint_that_fares_as_its_provider_is_not_repeated() -> None:
    text = _printed(_run())
    assert text.count("anthropic/claude-sonnet-4-6") == 1


def test_of_forty_legs_the_largest_are_named_and_the_rest_added_up() -> None:
    legs = tuple(f"provider_{number}/m" for number in range(40))
    text = _printed(_run(legs=legs))
    assert "provider_10/m" in text
    assert "provider_11/m" not in text
    assert "29 others" in text


def test_what_a_scenario_says_is_printed_as_it_stands() -> None:
    assert "Two [peers]" in _printed(_run())


def test_expectations_are_shown_with_what_was_found() -> None:
    run = _run()
    run.manifest["scenario"]["expect"] = {  # type: ignore[index]
        "availability": ">= 99.95%",
        "primary_only.latency_s_mean": ["< 1.5s", "> 1s"],
    }
    text = _printed(run, 80)
    assert _line(text, "as_modelled.availability").split() == [
        "as_modelled.availability",
        ">=",
        "99.95%",
        "99.9540",
        "%",
        "yes",
    ]
    assert [line.split()[-1] for line in text.splitlines() if "primary_only.latency_s_mean" in line] == ["no", "yes"]


def test_a_bound_inside_the_interval_is_inconclusive() -> None:
    run = _run(replications=3)
    run.manifest["scenario"]["expect"] = {"availability": ">= 99.955%"}  # type: ignore[index]
    assert [verdict.result for verdict in verdicts(run)] == ["inconclusive"]


def test_a_reused_run_says_so() -> None:
    assert "not simulated again" in _printed(_run(), reused=True)
    assert "not simulated again" not in _printed(_run())


def test_lower_rows_lose_their_intervals_before_arms_are_torn_apart() -> None:
    label = "l" * 82
    wide = [Line(label, ("1 ± 0.5", "1 ± 0.5")), Line("b", ("2", "2.0 [1.0, 3.0]")), Line("c", ("-", "-"))]
    narrow = [Line(label, ("1", "1")), Line("b", ("2", "2.0")), Line("c", ("-", "-"))]
    assert fitted(wide, narrow, ["x", "y"], 107) == (wide, False)
    assert fitted(wide, narrow, ["x", "y"], 106) == ([wide[0], narrow[1], wide[2]], True)
    assert fitted(wide, narrow, ["x" * 8, "y" * 9], 100) == (wide, False)
    assert fitted(wide, narrow, ["x" * 8, "y" * 4], 100) == ([*narrow[:2], wide[2]], True)
    assert fitted(wide, narrow, ["x", "y"], 99) == (wide, False)


def test_points_alone_keep_every_other_entry() -> None:
    found = {"a": {"mean": 1.0, "low": 0.5, "high": 1.5, "n": 2}, "b": {"low": 1.0}, "c": [1]}
    assert without_intervals(found) == {
        "a": {"mean": 1.0, "low": None, "high": None, "n": 2},
        "b": {"low": 1.0},
        "c": [1],
    }


def _with_unseen(run: Run, *arms: str, long_run: float | None = None, met: int = 0) -> Run:
    known = None if long_run is None else as_json(Estimate(long_run, estimator="exact"))
    told = {
        "words": f"{met} of 0.002 expected outages of cloudflare met",
        "incidents": [{"component": "cloudflare", "class": 0, "outages": True, "expected": 0.002, "met": met}],
        "long_run": known,
        "long_run_reason": "" if known else "limit anthropic: requests share its tokens",
        "ends": {},
    }
    return replace(run, summary={**run.summary, "unseen": dict.fromkeys(arms, told)})


@pytest.mark.parametrize("width", [80, 120])
def test_incidents_that_were_not_met_stand_beside_the_availability(width: int) -> None:
    text = _printed(_with_unseen(_run(), "as_modelled", long_run=0.9995625), width)
    assert max(map(len, text.splitlines())) <= width
    assert _line(text, "incidents met").split()[2:] == ["0", "of", "0.002", "expected", "-"]
    assert "99.9562 %" in _line(text, "in the long run")
    sentence = "as_modelled: 0 of 0.002 expected outages of cloudflare met: this is availability between outages"
    assert f"{sentence}; in the long run it is 99.9562 % (exact)" in " ".join(text.split())


def test_arms_of_which_the_same_is_said_share_a_sentence_that_names_the_command_which_knows() -> None:
    text = " ".join(_printed(_with_unseen(_run(), "as_modelled", "primary_only")).split())
    assert text.count("this is availability between outages") == 1
    assert "as_modelled, primary_only: 0 of 0.002" in text
    assert "des answer SCENARIO" in text
    assert "limit anthropic" in text


def test_a_few_incidents_met_are_said_to_be_too_few() -> None:
    text = " ".join(_printed(_with_unseen(_run(("one",)), "one", met=3)).split())
    assert "3 of 0.002 expected outages of cloudflare met: too few to tell the availability" in text


def test_nothing_is_said_of_incidents_where_all_were_met() -> None:
    assert "incidents met" not in _printed(_run())


def test_what_is_not_judged_is_neither_met_nor_missed_and_says_why() -> None:
    run = _run()
    run.manifest["scenario"]["expect"] = {"all_down": "< 1%"}  # type: ignore[index]
    text = _printed(run)
    assert _line(text, "as_modelled.all_down").split()[-2:] == ["not", "judged"]
    assert "as_modelled.all_down: not judged: des run has no long-run figure" in text


def test_one_other_is_no_others() -> None:
    assert [others(many) for many in (1, 2, 1_200)] == ["1 other", "2 others", "1,200 others"]
