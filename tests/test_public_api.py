"""What `import des` offers, and that it offers nothing else."""

import ast
import inspect
from pathlib import Path

import pytest

import des

FUNCTIONS = {
    "answer",
    "availability",
    "compare",
    "explain",
    "fit",
    "load",
    "optimise",
    "register",
    "report",
    "results",
    "run",
    "serve",
    "sweep",
    "validate",
    "verify",
}
PUBLIC = {"DesError", "Scenario", "ScenarioError", *FUNCTIONS}
PACKAGE = Path(des.__file__).parent


def test_exactly_these_names_are_public() -> None:
    assert set(des.__all__) == {*PUBLIC, "__version__"}
    assert {name for name in dir(des) if not name.startswith("_")} - {"TYPE_CHECKING", "Any"} >= PUBLIC


def test_what_type_checkers_see_is_what_is_public() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    names = [node.names for block in blocks for node in block.body if isinstance(node, ast.ImportFrom)]
    imported = {alias.asname or alias.name for aliases in names for alias in aliases}
    assert imported == PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_says_what_it_does(name: str) -> None:
    assert len(inspect.getdoc(getattr(des, name)) or "") > 40


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="simulate"):
        des.simulate  # type: ignore[attr-defined]  # noqa: B018
