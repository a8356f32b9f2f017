"""What the pages show works: fragments of scenarios are valid beside what they leave out, Python runs."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import des
from des.errors import ScenarioError
from des.scenario.loading import from_mapping

ROOT = Path(__file__).parents[2]
MODEL = {"latency": "1s", "price": {"per_request": 0}}
PROVIDER = {"models": {"m": MODEL}, "availability": "99.5%", "episodes_per_year": 10}
REST = {
    "horizon": "1h",
    "workload": {"arrivals": {"kind": "poisson", "rate": "1/min"}},
    "providers": {"anthropic": PROVIDER, "openai": PROVIDER, "azure": PROVIDER},
    "chain": [{"provider": "anthropic"}, {"provider": "openai"}],
}
"""What a fragment leaves out."""


def blocks(language: str, page: Path) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def fragments() -> list[Any]:
    return [
        pytest.param(block, id=f"{page.stem}-{number}")
        for page in sorted((ROOT / "docs").glob("*.md"))
        for number, block in enumerate(blocks("yaml", page))
    ]


def test_there_are_fragments() -> None:
    assert len(fragments()) >= 5


@pytest.mark.parametrize("fragment", fragments())
def test_a_fragment_is_valid_beside_the_rest(fragment: str) -> None:
    from_mapping({**REST, **(yaml.safe_load(fragment) or {})})


def test_a_fragment_with_a_wrong_word_is_not() -> None:
    with pytest.raises(ScenarioError, match="fractoin"):
        from_mapping({**REST, "common_cause": {"members": ["anthropic", "openai"], "fractoin": "10%"}})


def test_the_python_of_the_page_on_python_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rough_estimators: None
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = blocks("python", ROOT / "docs" / "python.md")
    names: dict[str, Any] = {}
    for block in shown:
        exec(compile(block, "docs/python.md", "exec"), names)
    run = names["run"]
    methods = {name for name in vars(type(run)) if not name.startswith("_")} - {"scenario"}
    assert {name for name in methods if f"run.{name}(" not in "".join(shown)} == set()
    assert names["dear"] == (run.requests["cost_usd"] > 0.015).sum() > 10


def test_the_python_of_the_page_on_results_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = blocks("python", ROOT / "results" / "README.md")
    (shown,) = set(re.findall(r"results/two_stage-\w+", block))
    des.run(ROOT / "scenarios" / "two_stage.yaml", out=tmp_path / shown, overrides=["horizon=30d", "replications=1"])
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(block, "results/README.md", "exec"), names)
    assert len(names["requests"]) == len(names["run"].requests) > 100
