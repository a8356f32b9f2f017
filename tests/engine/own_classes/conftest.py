import shutil
from pathlib import Path

import pytest

from tests.documentation.test_how_to import write_files

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "my-own-rule.md"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page's modules and scenarios, and further rules; one, as a process imports a module once."""
    made = tmp_path_factory.mktemp("own")
    write_files(PAGE, made)
    shutil.copy(Path(__file__).with_name("more_rules.py"), made)
    return made
