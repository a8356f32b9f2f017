"""What `import des` offers, and that it offers nothing else."""

import ast
import inspect
from pathlib import Path

import pytest
import typer

import des
from des.check.suite import CASES
from des.cli import app

FUNCTIONS = {
    "answer",
    "availability",
    "catalogue",
    "check",
    "compare",
    "examples",
    "explain",
    "fit",
    "import_litellm",
    "load",
    "new",
    "optimise",
    "register",
    "report",
    "results",
    "run",
    "schema",
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


def test_every_command_is_a_function() -> None:
    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    assert (commands - {"import"}) | {"import_litellm"} <= set(des.__all__)


def test_what_starts_a_scenario_is_had_from_python(tmp_path: Path) -> None:
    text = des.new(["claude-sonnet-4-6", "gpt-5-mini"], question="cost", out=tmp_path / "mine.yaml")
    assert (tmp_path / "mine.yaml").read_text(encoding="utf-8") == text
    assert des.validate(tmp_path / "mine.yaml") == ()
    assert "two_stage" in {example.name for example in des.examples()}
    assert des.schema()["properties"]["chain"]
    assert {"claude-sonnet-4-6", "gpt-5-mini"} <= {model.model for model in des.catalogue()}


def test_a_new_scenario_takes_figures_from_python() -> None:
    figures = {"rate": "10/h", "limit": "4000/min", "shared": 0.1, "objective": 0.999, "lost_request": 0.25}
    text = des.new(["claude-sonnet-4-6", "gpt-5-mini"], **figures)  # type: ignore[arg-type]
    assert text.count("limits: {requests: 4000/min}") == 2
    for line in (
        "rate: 10/h}",
        "availability: 0.999, per: month}",
        "value: {lost_request: 0.25}",
        "depends_on: [shared_cause]",
    ):
        assert line in text
    assert des.new(limit=["openai=500/min"]).count("limits: {requests: 500/min}") == 1
    with pytest.raises(des.DesError, match="--shared expected a share"):
        des.new(shared=10)


def test_closed_forms_are_checked_from_python() -> None:
    (checked,) = des.check([CASES[0].name])
    assert checked.case == CASES[0].name
    assert checked.findings
