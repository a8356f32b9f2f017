"""Verdicts on expectations as JUnit XML, which CI systems show as tests.

The elements are those that Jenkins, GitLab and GitHub's reporters have in common: `testsuites`, `testsuite`,
`testcase`, `failure`, `skipped`, `system-out`. An expectation is a test case. It is skipped where it is neither met nor
missed.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from des.estimate.estimate import INCONCLUSIVE, MET, MISSED
from des.report.lines import written
from des.report.tables import verdicts
from des.single_files import check_writable_file, write_over
from des.study.verdicts import NOT_JUDGED, Verdict
from des.traces import Run
from des.words import printable

_NO_XML: Final = re.compile("[\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Suite:
    """The verdicts on one scenario, or on one point of a sweep. `wall_s` is the time it took, if known."""

    name: str
    verdicts: Sequence[Verdict]
    properties: Mapping[str, str]
    wall_s: float = 0.0


def suite_of(run: Run, point: str = "") -> Suite:
    """The verdicts on a run, or on a run at one point of a sweep."""
    manifest = run.manifest
    properties = {"seed": str(manifest["seed"]), "replications": str(manifest["replications"]), "run": str(run.path)}
    name = f"{manifest['name']} [{point}]" if point else str(manifest["name"])
    return Suite(name, verdicts(run), properties, float(manifest["wall_s"]))


def check_junit(out: Path | None) -> None:
    """Raises OutputError before any work is done where the file could not be written anyway."""
    if out is not None:
        check_writable_file(out)


def write_junit(out: Path, suites: Sequence[Suite]) -> None:
    """Write the file whole or not at all, in place of an earlier one. Raises WriteError."""
    write_over(out, junit_text(suites))


def junit_text(suites: Sequence[Suite]) -> str:
    """The document, indented, with its declaration."""
    root = ET.Element("testsuites", name="des")
    total: dict[str, int] = {}
    for suite in suites:
        element = ET.SubElement(root, "testsuite", name=_text(suite.name))
        counts = _counts(suite.verdicts)
        for key, count in counts.items():
            element.set(key, str(count))
            total[key] = total.get(key, 0) + count
        element.set("time", f"{suite.wall_s:.3f}")
        if suite.properties:
            properties = ET.SubElement(element, "properties")
            for name, value in suite.properties.items():
                ET.SubElement(properties, "property", name=_text(name), value=_text(value))
        for verdict in suite.verdicts:
            _add_case(element, suite.name, verdict)
    for key, count in (total or _counts(())).items():
        root.set(key, str(count))
    root.set("time", f"{sum(suite.wall_s for suite in suites):.3f}")
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _counts(verdicts: Sequence[Verdict]) -> dict[str, int]:
    results = [verdict.result for verdict in verdicts]
    return {
        "tests": len(results),
        "failures": results.count(MISSED),
        "errors": 0,
        "skipped": results.count(INCONCLUSIVE) + results.count(NOT_JUDGED),
    }


def _add_case(suite: ET.Element, scenario: str, verdict: Verdict) -> None:
    name = f"{verdict.arm}.{verdict.metric} {verdict.expected}"
    case = ET.SubElement(suite, "testcase", classname=_text(f"{scenario}.{verdict.arm}"), name=_text(name), time="0")
    found = "nothing" if verdict.figure is None else written(verdict.metric, verdict.figure)
    message = f"expected {verdict.expected}, found {found}"
    if verdict.result == MET:
        ET.SubElement(case, "system-out").text = _text(message)
    elif verdict.result == MISSED:
        failure = ET.SubElement(case, "failure", type=MISSED, message=_text(message))
        failure.text = _text(f"{verdict.arm}.{verdict.metric}: {message}")
    else:
        said = verdict.reason if verdict.result == NOT_JUDGED else message
        because = f" ({verdict.reason})" if verdict.reason and said is message else ""
        ET.SubElement(case, "skipped", message=_text(f"{verdict.result}: {said}{because}"))


def _text(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return _NO_XML.sub("?", printable(text))
