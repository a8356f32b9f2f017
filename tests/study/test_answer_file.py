"""Answers are read back as they were written, and what is none is refused by name."""

import json
from pathlib import Path
from typing import Any

import pytest

import des
from des.errors import DesError
from des.estimate.estimate import Estimate
from des.study.answer_file import ANSWER, load_answer
from des.study.answered import Answer

MODEL = {"latency": {"kind": "lognormal", "median": "2s", "p99": "9s"}, "price": {"per_request": 0.01}}
SCENARIO: dict[str, Any] = {
    "title": "Two peers",
    "question": "How many nines?",
    "horizon": "40d",
    "seed": 3,
    "workload": {"arrivals": {"kind": "poisson", "rate": "1/h"}},
    "providers": {
        "one": {"availability": "95%", "episodes_per_year": 100, "models": {"m": MODEL}},
        "two": {"availability": "99%", "episodes_per_year": 10, "models": {"m": MODEL}},
    },
    "chain": [{"provider": "one", "retries": 1}, {"provider": "two"}],
    "arms": {"both": {}, "again": {}, "one_only": {"chain": ["one"]}},
    "objective": {"availability": "99%", "per": "10d"},
    "value": {"lost_request": "$5"},
    "expect": {"both.availability": ">= 90%", "one_only.latency_s_p99": "<= 1s", "both.all_down": "<= 1"},
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Answer, Path]:
    out = tmp_path_factory.mktemp("answers") / "here"
    return des.answer(SCENARIO, rounds=1, workers=1, out=out), out


def test_an_answer_is_read_back_as_it_was_written(written: tuple[Answer, Path]) -> None:
    found, out = written
    again = load_answer(out)
    assert again.as_json() == found.as_json()
    assert again.arms["again"] is again.arms["both"]
    assert (again.objective, again.value, again.window) == (found.objective, found.value, "10 days")
    assert again.wall_s == pytest.approx(found.wall_s, abs=1e-3)
    assert load_answer(out / ANSWER).as_json() == found.as_json()


def test_what_the_page_draws_is_read_back_and_is_of_the_same_requests(written: tuple[Answer, Path]) -> None:
    found, out = written
    again = load_answer(out).pictured
    assert again == found.pictured
    assert list(again) == [arm for arm in found.arms if arm not in found.same]
    for arm, of in again.items():
        assert of.latency is not None
        assert of.cost is not None
        assert of.latency.mean == pytest.approx(found.arms[arm].figure("latency_s_mean").mean, rel=2e-3)
        assert of.cost.mean == pytest.approx(found.arms[arm].figure("cost_usd_per_request").mean, rel=2e-3)
    (out / "charts.json").write_text('{"both": {"cost": 5}}')
    with pytest.raises(DesError, match=r"charts\.json: is not what des answer writes: both\.cost"):
        load_answer(out)
    (out / "charts.json").unlink()
    assert load_answer(out).pictured == {}


def test_what_is_read_back_is_typed(written: tuple[Answer, Path]) -> None:
    again = load_answer(written[1])
    one = again.arms["one_only"]
    assert isinstance(one.figure("cost_usd_per_request"), Estimate)
    assert all(isinstance(each, Estimate) for each in one.by_name("lost_by_cause").values())
    assert isinstance(again.steps[0].worth, Estimate)
    assert one.money is not None
    assert one.basis.replications == 2


def test_the_sentence_and_the_expectations_are_in_it(written: tuple[Answer, Path]) -> None:
    found, out = written
    content = json.loads((out / ANSWER).read_text())
    assert content["sentence"] == found.sentence == load_answer(out).sentence
    assert "of the requests are answered" in content["sentence"]
    assert [each["result"] for each in content["expectations"]] == [each.result for each in found.expectations]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "not an object"),
        ("{}", "it has no 'objective'"),
    ],
)
def test_what_is_no_answer_is_refused_by_name(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / ANSWER).write_text(text)
    with pytest.raises(DesError, match=rf"answer\.json: .*{message}"):
        load_answer(tmp_path)


def test_a_fault_in_an_answer_has_its_place(written: tuple[Answer, Path], tmp_path: Path) -> None:
    content = json.loads((written[1] / ANSWER).read_text())
    content["arms"]["both"]["lost"]["mean"] = "little"
    (tmp_path / ANSWER).write_text(json.dumps(content))
    with pytest.raises(DesError, match=r"both\.lost\.mean: .*number"):
        load_answer(tmp_path)


def test_a_missing_answer_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(DesError, match="there is no such file; des answer --out"):
        load_answer(tmp_path / "nowhere")
