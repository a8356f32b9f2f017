"""What is said before a run comes true."""

import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from des.compiled import compiling, whole_runs
from des.errors import DesError
from des.estimate import rare, timeline
from des.estimate.availability import availability
from des.report.availability_tables import figure, print_availability
from des.report.explanation_tables import print_explanation
from des.scenario import Loaded, from_mapping, load_scenario, plans
from des.scenario.plan import Plan
from des.study.arms import available
from des.study.explanation import NOT_COMPILED_YET, episodes_needed, explain, explain_all


def _plans(**changes: Any) -> dict[str, Plan]:
    return dict(plans(_loaded(**changes)))


def _loaded(**changes: Any) -> Loaded:
    outages = {"kind": "poisson", "rate": "20/y", "duration": "5h"}
    content = {
        "title": "explained",
        "horizon": "90d",
        "workload": {"arrivals": {"kind": "poisson", "rate": "2/h"}},
        "components": {"cdn": {"incidents": [{"kind": "poisson", "rate": "1/y", "duration": "2h"}]}},
        "providers": {
            name: {
                "depends_on": ["cdn"],
                "latency": "1s",
                "incidents": [outages],
                "models": {"model": {"price": {"per_request": 0}}},
            }
            for name in ("a", "b")
        },
        "chain": [{"provider": "a", "retries": 1}, {"provider": "b"}],
        "arms": {"as_modelled": {}, "single": {"chain": ["b"]}},
        **changes,
    }
    return from_mapping(content)


def test_size_and_precision_are_computed_beforehand() -> None:
    one = explain(_plans()["as_modelled"], 3)
    assert one.requests == pytest.approx(2 * 24 * 90)
    assert one.incidents == pytest.approx({"cdn": 90 / 365, "a": 1800 / 365, "b": 1800 / 365})
    assert one.choice.exact is not None
    assert one.years_needed == pytest.approx(episodes_needed(0.1) / one.choice.exact.all_down_episodes_per_year)
    assert one.run_s > 0.0


@pytest.mark.parametrize(
    ("arrivals", "expected"),
    [
        ({"kind": "batch", "every": "4h", "size": 10, "first": "1h"}, 10.0 * 540),
        ({"kind": "bursty", "rate": "1/h", "cv": 2}, 24.0 * 90),
        ({"kind": "closed", "users": 4, "think": "1h"}, None),
    ],
)
def test_requests_are_counted_for_every_kind_of_arrivals(arrivals: dict[str, Any], expected: float | None) -> None:
    plan = _plans(workload={"arrivals": arrivals})["as_modelled"]
    assert plan.workload.arrivals.expected_requests(plan.horizon_s) == expected
    if expected is None:
        assert explain(plan, 1).requests == pytest.approx(4 * 24 * 90, rel=0.2)


def test_tables_name_every_arm_and_estimator() -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=120, highlight=False)
    arms = _plans()
    print_availability("explained", {arm: availability(plan, 50.0) for arm, plan in arms.items()}, console)
    print_explanation("explained", explain_all(_loaded()), console)
    text = stream.getvalue()
    for word in ("as_modelled", "single", "exact", "k_eff", "every leg down at once", "years to know it to 10 %"):
        assert word in text
    assert max(map(len, text.splitlines())) <= 120


def test_explanations_are_plain_data() -> None:
    json.dumps(explain(_plans()["single"], 1).as_json(), allow_nan=False)


def test_small_probabilities_are_written_so_that_zeros_need_no_counting() -> None:
    assert [figure(value) for value in (0.0, 2.744e-9, 0.0123456, 12.0)] == ["0", "2.74e-09", "0.0123", "12.0"]


def test_every_command_is_given_a_time_and_compare_its_twin_too() -> None:
    explained = explain_all(_loaded(), 0.05)
    assert set(explained.seconds) == {"run", "availability", "compare"}
    assert all(seconds > 0.0 for seconds in explained.seconds.values())
    assert explained.seconds["compare"] > explained.seconds["run"]
    assert set(explained.compared) == {"as_modelled", "independent", "single"}
    assert list(explained.arms) == ["as_modelled", "single"]
    json.dumps(explained.as_json(), allow_nan=False)


def test_half_the_error_takes_four_times_the_years() -> None:
    assert episodes_needed(0.05) == pytest.approx(4 * episodes_needed(0.1))


@pytest.mark.parametrize("precision", [0.0, -0.1, 1.0, math.nan, math.inf])
def test_a_precision_that_is_no_share_is_refused(precision: float) -> None:
    with pytest.raises(DesError, match="--precision"):
        explain_all(_loaded(), precision)


def test_availability_has_the_arms_of_a_comparison_and_says_which_it_cannot_draw() -> None:
    with_twin = available(_loaded(), 50.0)
    assert list(with_twin.answers) == ["as_modelled", "independent", "single"]
    assert with_twin.left_out == {}
    together, apart = (with_twin.answers[arm].all_down for arm in ("as_modelled", "independent"))
    assert together is not None
    assert apart is not None
    assert together.known > apart.known > 0.0


def test_a_twin_that_cannot_be_drawn_is_left_out_with_the_reason() -> None:
    recorded = {"incidents": [{"kind": "schedule", "windows": [{"start": "1d", "end": "1.2d"}]}]}
    short = _loaded(horizon="6d", components={"cdn": recorded})
    found = available(short, 1.0)
    assert list(found.answers) == ["as_modelled", "single"]
    assert "whole weeks" in found.left_out["independent"]
    explained = explain_all(short)
    assert explained.left_out == found.left_out
    assert set(explained.seconds) == {"run", "availability"}
    stream = io.StringIO()
    print_availability(
        "short", found.answers, Console(file=stream, width=120, highlight=False), left_out=found.left_out
    )
    assert "independent is left out" in stream.getvalue()
    json.dumps(found.as_json(), allow_nan=False)


def test_parts_of_an_estimator_are_equal_shares_of_it() -> None:
    plan = _plans()["as_modelled"]
    for one_part, most in ((timeline.one_part(plan, 100.0), 40), (rare.one_part(plan), 40)):
        work, parts = one_part
        work()
        assert parts == most


def test_times_are_said_to_be_of_undisturbed_calls_where_a_cascade_may_set_in() -> None:
    limited = {"arms": {"as_modelled": {}, "limited": {"providers.a.limits": {"requests": "60/min"}}}}
    explained = explain_all(_loaded(**limited))
    assert {arm: one.undisturbed for arm, one in explained.arms.items()} == {"as_modelled": False, "limited": True}
    stream = io.StringIO()
    print_explanation("T", explained, Console(file=stream, width=300))
    assert (
        "may take several times as long if a cascade starts (limited): only calls outside incidents"
        in stream.getvalue()
    )


def test_a_twin_of_recorded_incidents_is_timed_though_few_requests_take_less_than_two_weeks() -> None:
    windows = [{"start": "2d", "end": "3d"}]
    loaded = _loaded(
        horizon="4w",
        components={"cdn": {"incidents": [{"kind": "schedule", "windows": windows}]}},
        workload={"arrivals": {"kind": "poisson", "rate": "1/min"}},
        arms={"as_modelled": {}, "independent": {"shared": 0}},
    )
    twin = explain(dict(plans(loaded))["independent"], 2)
    assert twin.run_s > 0.0


def test_a_fault_foreseen_stands_where_its_field_is_set(tmp_path: Path) -> None:
    file = tmp_path / "slow.yaml"
    file.write_text(
        "title: Slow\n"
        "horizon: 1h\n"
        "workload: {arrivals: {kind: poisson, rate: 1/s}}\n"
        "providers:\n"
        "  a: {latency: {kind: exponential, mean: 1s}, models: {m: {price: {per_request: 0}}}}\n"
        "chain: [{provider: a}]\n"
        "policy:\n"
        "  preset: openai-python@3.54\n"
        "arms:\n"
        "  as_modelled: {}\n"
        "  hasty:\n"
        "    policy.timeout: 2s\n"
        "  cut:\n"
        "    policy: {deadline: 2s}\n"
    )
    foreseen = explain_all(load_scenario(file)).foreseen
    assert foreseen["as_modelled"] == ()
    (hasty,), (cut,) = foreseen["hasty"], foreseen["cut"]
    assert hasty.place == f"{file}:12: arms.hasty.policy.timeout"
    assert hasty.figures["timed_out_share"] == pytest.approx(math.exp(-2.0))
    assert (cut.code, cut.line) == ("answers_past_deadline", 14)
    json.dumps([one.as_json() for one in (hasty, cut)], allow_nan=False)


def test_a_field_of_a_preset_stands_at_the_preset() -> None:
    hangs = [{"kind": "schedule", "windows": [{"start": "0s", "end": "1h"}], "hang": 1.0}]
    providers = {
        "a": {"latency": "1s", "incidents": hangs, "models": {"model": {"price": {"per_request": 0}}}},
        "b": {"latency": "1s", "models": {"model": {"price": {"per_request": 0}}}},
    }
    loaded = _loaded(
        components={}, providers=providers, policy={"preset": "openai-python@3.54"}, arms={"as_modelled": {}}
    )
    (late,) = explain_all(loaded).foreseen["as_modelled"]
    assert (late.code, late.path) == ("late_fallback", "policy.preset (policy.timeout)")


def test_the_engine_that_is_timed_is_the_one_that_a_run_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DES_ENGINE", "simpy")
    by_simpy = explain_all(_loaded()).arms["as_modelled"]
    assert (by_simpy.engine, by_simpy.engine_reason) == ("simpy", "as asked")
    monkeypatch.setenv("DES_ENGINE", "compiled")
    compiled = explain_all(_loaded())
    assert {one.engine for one in compiled.arms.values()} == {"compiled"}
    stream = io.StringIO()
    print_explanation("explained", compiled, Console(file=stream, width=120, highlight=False))
    rows = [line.split() for line in stream.getvalue().splitlines()]
    assert ["engine", "of", "des", "run", "compiled", "compiled"] in rows


@pytest.fixture
def never_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with Numba and an empty cache, where the compiled engine would pay."""
    monkeypatch.setenv("DES_ENGINE", "auto")
    monkeypatch.setattr("des.compiled.choice.COMPILED_FOR", 1_000)
    monkeypatch.setattr(compiling, "is_loaded", lambda: False)
    monkeypatch.setattr(compiling, "is_installed", lambda: True)
    monkeypatch.setattr(compiling, "is_cached", lambda: False)
    monkeypatch.setattr(whole_runs, "load", lambda _: pytest.fail("the engine was compiled"))


@pytest.mark.usefixtures("never_compiled")
def test_it_compiles_nothing_and_says_that_the_run_will() -> None:
    explained = explain_all(_loaded())
    one = explained.arms["as_modelled"]
    assert (one.engine, one.engine_reason) == ("compiled", NOT_COMPILED_YET)
    assert explained.seconds["run"] > 30.0 > explained.seconds["availability"]
    stream = io.StringIO()
    print_explanation("explained", explained, Console(file=stream, width=120, highlight=False))
    assert "the run compiles it first, about half a minute once on this machine" in " ".join(stream.getvalue().split())


@pytest.mark.usefixtures("never_compiled")
def test_few_requests_are_left_to_simpy_whatever_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("des.compiled.choice.COMPILED_FOR", 1e9)
    explained = explain_all(_loaded())
    assert explained.arms["as_modelled"].engine == "simpy"
    assert explained.seconds["run"] < 70.0


def test_the_time_of_an_answer_is_told_with_the_others() -> None:
    stream = io.StringIO()
    print_explanation("explained", explain_all(_loaded()), Console(file=stream, width=120, highlight=False))
    printed = " ".join(stream.getvalue().split())
    assert "des answer, of all arms 60 s (--within)" in printed
    assert "on this machine: des answer 60 s, des run" in printed


def test_it_loads_the_engine_for_as_many_requests_as_a_run_has(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    monkeypatch.setattr("des.study.explanation.compiling.is_loaded", lambda: False)
    monkeypatch.setattr("des.study.explanation.prepare", lambda of, requests: asked.append(requests))
    explain_all(_loaded(replications=3))
    assert asked == [pytest.approx(3 * 2 * (2 * 24 * 90))]


def test_traces_are_sized_by_the_level_of_the_scenario() -> None:
    full, requests, none = (
        explain_all(_loaded(traces=level)).arms["as_modelled"].run_bytes for level in ("full", "requests", "none")
    )
    assert full > requests > none == 0.0


def test_an_own_arm_that_is_the_scenario_as_written_is_not_repeated_as_a_built_in_one() -> None:
    loaded = _loaded(arms={"whole": {}, "single": {"chain": ["a"]}})
    found, explained = available(loaded, 50.0), explain_all(loaded)
    assert found.same == explained.same == {"as_modelled": "whole"}
    assert found.table["same_as"].to_dict()["as_modelled"] == "whole"
    assert found.answers["as_modelled"].lost == found.answers["whole"].lost
    stream = io.StringIO()
    console = Console(file=stream, width=120, highlight=False)
    print_availability("repeated", found.answers, console, same=found.same)
    header = next(line for line in stream.getvalue().splitlines() if "single" in line)
    assert header.split() == ["independent", "whole", "single"]
    assert "the scenario as written is arm whole" in stream.getvalue()
    print_explanation("repeated", explained, console)
    assert "des availability and des compare also have independent" in stream.getvalue()
    assert stream.getvalue().count("the scenario as written is arm whole") == 2
