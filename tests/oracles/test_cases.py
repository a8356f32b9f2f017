"""Every case of `des check`, smaller than there: simulated and exact lie within four standard errors of each other."""

import math

import pytest

from des.check.case import Case, Finding, Size
from des.check.suite import CASES, spread

SMALL = Size(0.1)
ENOUGH = 60
Found = dict[str, tuple[Finding, ...]]


@pytest.fixture(scope="module")
def found() -> Found:
    """What the cases of this process found."""
    return {}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_simulation_agrees_with_the_closed_form(case: Case, found: Found) -> None:
    found[case.name] = tuple(case.find(SMALL))
    assert found[case.name]
    assert not [(finding.claim, finding.z, finding) for finding in found[case.name] if not finding.ok]


def scores(found: Found) -> list[Finding]:
    scored = [finding for findings in found.values() for finding in findings if finding.z is not None]
    if len(scored) < ENOUGH:
        pytest.skip(f"only {len(scored)} comparisons were made")
    return scored


def test_squared_scores_average_what_student_t_predicts(found: Found) -> None:
    """Errors are as large as chance makes them, not smaller or larger."""
    whole = spread(scores(found))
    assert whole.ok, f"mean squared score {whole.mean_square} of {whole.scores}, expected {whole.expected}"


def test_scores_lie_on_both_sides_of_zero(found: Found) -> None:
    scored = scores(found)
    mean = math.fsum(finding.z or 0.0 for finding in scored) / len(scored)
    assert abs(mean) <= 4.0 / math.sqrt(len(scored) / 2.0)
