"""What `print` shows of a result in Python: what its command prints."""

from pathlib import Path

import pytest

import des
from des.digits import nines_of_lost
from tests.study.small_scenario import small


@pytest.mark.usefixtures("rough_estimators")
def test_results_print_as_their_commands_do(tmp_path: Path) -> None:
    answer = des.answer(small(), rounds=1, workers=1)
    assert answer.sentence.split()[0] in str(answer)
    run = des.run(small(), out=tmp_path / "run")
    shown = {
        "lost to, of a million requests": answer,
        "served by (share of ok requests)": run,
        "Each endpoint by itself": des.compare(small(), replications=2, out=tmp_path / "compared"),
        "every leg down at once": des.availability(small(), years=1),
        "processor time, about": des.explain(small()),
        "2 points, seed 7": des.sweep(small(), over=["seed=7,8"], rounds=1, out=tmp_path / "sweep"),
        "everything holds": des.verify(tmp_path / "run"),
    }
    for words, result in shown.items():
        assert words in str(result)
        assert repr(result).startswith("<")
        assert "\n" not in repr(result)


def test_the_table_of_an_answer_has_nines_and_the_money_a_year() -> None:
    answer = des.answer(small(value={"lost_request": "$1"}), rounds=1, workers=1)
    row, of = answer.table.loc["primary_only"], answer.arms["primary_only"]
    assert of.lost is not None
    assert of.money is not None
    assert row["nines"] == pytest.approx(nines_of_lost(of.lost.known))
    assert row["total_usd_per_year"] == of.money.total.mean
    assert row["answers_usd_per_year"] + row["failing_usd_per_year"] == pytest.approx(row["total_usd_per_year"])
    assert "total_usd_per_year" not in des.answer(small(), rounds=1, workers=1).table
