"""One rule for all oracles: a mean over replications lies within four standard errors of the exact figure."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

Agree = Callable[[str, Sequence[float], float], None]

LARGEST_SCORE = 4.0
LAST = "test_scores.py"


class Scores:
    """Standardised errors of all comparisons that were made, each with its number of replications."""

    def __init__(self) -> None:
        self.of: dict[str, tuple[float, int]] = {}

    def add(self, claim: str, samples: Sequence[float], exact: float) -> float:
        values = np.asarray(samples, dtype=np.float64)
        count = len(values)
        assert count >= 20, "too few replications for a standard error"
        assert np.isfinite(values).all(), f"{claim}: a replication has no finite figure"
        error = values.std(ddof=1) / np.sqrt(count)
        assert error > 0.0, f"{claim}: no variation over replications, so nothing to judge by"
        score = float((values.mean() - exact) / error)
        self.of[claim] = (score, count)
        return score


@pytest.fixture(scope="session")
def scores() -> Scores:
    return Scores()


@pytest.fixture
def agree(scores: Scores, request: pytest.FixtureRequest) -> Agree:
    """agree(what, values of the replications, exact value)."""

    def judge(what: str, samples: Sequence[float], exact: float) -> None:
        score = scores.add(f"{request.node.nodeid} {what}", samples, exact)
        mean = float(np.mean(samples))
        assert abs(score) <= LARGEST_SCORE, f"{what}: simulated {mean:.8g}, exact {exact:.8g}, z = {score:+.2f}"

    return judge


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The scores are judged as a whole when all of them are in."""
    items.sort(key=lambda item: item.path.name == LAST)
