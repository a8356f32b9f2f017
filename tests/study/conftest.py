"""Studies make something of figures, however rough these are."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def _rough(rough_estimators: None) -> None:
    pass
