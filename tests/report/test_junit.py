"""JUnit files are XML that CI systems read: a suite a scenario, a case an expectation."""

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from des.errors import OutputError, WriteError
from des.report.junit import Suite, check_junit, junit_text, write_junit
from des.study.verdicts import Verdict

FOUND: dict[str, Any] = {"mean": 0.9985, "low": 0.998, "high": 0.999, "n": 3, "estimator": "request level"}


def verdict(result: str, **changes: Any) -> Verdict:
    of = {"arm": "as_modelled", "metric": "availability", "expected": ">= 99.95%", "figure": FOUND, "result": result}
    return Verdict(**of | changes)


def parsed(*suites: Suite) -> ET.Element:
    return ET.fromstring(junit_text(suites))


FOUR = (
    verdict("met"),
    verdict("missed", arm="primary_only"),
    verdict("inconclusive", reason="0 of 0.002 expected outages of cdn met"),
    verdict("not judged", metric="cost_usd", figure=None, reason="des availability simulates no requests"),
)


def test_suites_count_their_cases_and_the_root_counts_all() -> None:
    root = parsed(Suite("two_stage", FOUR, {"seed": "7"}, 12.5), Suite("other", (verdict("met"),), {}))
    assert root.tag == "testsuites"
    counts = {key: root.get(key) for key in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "5", "failures": "1", "errors": "0", "skipped": "2"}
    first, second = root.findall("testsuite")
    assert (first.get("name"), first.get("tests"), first.get("time")) == ("two_stage", "4", "12.500")
    assert (second.get("name"), second.get("tests"), second.get("failures")) == ("other", "1", "0")
    assert [(each.get("name"), each.get("value")) for each in first.iter("property")] == [("seed", "7")]


def test_a_case_has_its_arm_its_metric_and_what_became_of_it() -> None:
    met, missed, inconclusive, left_out = parsed(Suite("two_stage", FOUR, {})).iter("testcase")
    assert met.get("classname") == "two_stage.as_modelled"
    assert met.get("name") == "as_modelled.availability >= 99.95%"
    assert [child.tag for child in met] == ["system-out"]
    (failure,) = missed
    assert failure.tag == "failure"
    assert failure.get("message") == "expected >= 99.95%, found 99.850 % ± 0.050"
    assert "primary_only.availability" in (failure.text or "")
    (skipped,) = inconclusive
    assert skipped.tag == "skipped"
    assert "99.850 % ± 0.050" in (skipped.get("message") or "")
    assert "expected outages of cdn" in (skipped.get("message") or "")
    (untold,) = left_out
    assert untold.get("message") == "not judged: des availability simulates no requests"


def test_a_scenario_that_expects_nothing_is_an_empty_suite() -> None:
    root = parsed(Suite("s", (), {}))
    assert root.get("tests") == "0"
    assert parsed().get("tests") == "0"


def test_names_that_xml_cannot_hold_are_escaped() -> None:
    name = 'a<&"\x00\x1b\ud800\uffff'
    root = parsed(Suite(name, (verdict("missed", reason=name, expected=f"< 1 {name}"),), {name: name}))
    (suite,) = root
    assert suite.get("name") == 'a<&"\\u0000\\u001b\\ud800?'


def test_a_file_replaces_the_one_before_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    out = tmp_path / "verdicts.xml"
    out.write_text("old")
    write_junit(out, [Suite("s", FOUR, {})])
    assert ET.parse(out).getroot().get("tests") == "4"
    assert out.read_text().startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    assert list(tmp_path.iterdir()) == [out]


def test_what_cannot_be_written_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a directory"):
        check_junit(tmp_path)
    with pytest.raises(OutputError, match="no folder"):
        check_junit(tmp_path / "missing" / "verdicts.xml")
    check_junit(tmp_path / "verdicts.xml")
    check_junit(None)


def test_a_file_that_fails_on_the_way_leaves_the_old_one(tmp_path: Path) -> None:
    out = tmp_path / "verdicts.xml"
    out.mkdir()
    with pytest.raises(WriteError, match=r"verdicts\.xml"):
        write_junit(out, [])
    assert list(tmp_path.iterdir()) == [out]
