"""Whole tables, as they stand on a terminal of 80 and of 120 columns.

`python -m tests.report.test_golden_tables` writes them again. Read what has changed before committing it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from rich.console import Console

from des.catalogue.presets import preset
from des.estimate.estimate import as_json
from des.estimate.intervals import mean_of
from des.report.catalogue_tables import print_presets
from des.report.layout import as_text
from des.report.tables import print_run
from des.traces import Run

FOLDER: Final = Path(__file__).parent / "golden"
WIDTHS: Final = (80, 120)


def _arm(levels: list[float], first: float) -> dict[str, Any]:
    """The metrics of an arm with these availabilities, a replication each, and this share served by the first leg."""
    return {
        "requests": mean_of([1_051_200.0 + 10.0 * at for at in range(len(levels))]),
        "availability": mean_of(levels),
        "cost_usd": mean_of([4321.5 + at for at in range(len(levels))]),
        "cost_usd_per_request": mean_of([0.004123 + 1e-6 * at for at in range(len(levels))]),
        "latency_s_mean": mean_of([1.93 + 0.01 * at for at in range(len(levels))]),
        "latency_s_p95": mean_of([4.1 + 0.1 * at for at in range(len(levels))]),
        "attempts_per_request": mean_of([1.02] * len(levels)),
        "served_share": {
            "anthropic/claude-sonnet-4-6": mean_of([first] * len(levels)),
            "openai/gpt-5-mini": mean_of([1.0 - first] * len(levels)),
        },
        "lost_by_cause": {"anthropic": mean_of([12.0] * len(levels)), "timeout": mean_of([0.0] * len(levels))},
    }


def _run(horizon: str, replications: int) -> Run:
    levels = [0.99954, 0.9996, 0.99951][:replications]
    arms = {"as_modelled": _arm(levels, 0.98), "primary_only": _arm([each - 0.01 for each in levels], 1.0)}
    up = {"anthropic": {"availability": mean_of([0.995] * replications), "episodes": mean_of([10.0] * replications)}}
    every_arm = dict.fromkeys(arms, up)
    content = {"arms": arms, "components": every_arm, "endpoints": every_arm, "chain": every_arm}
    manifest = {
        "name": "two_stage",
        "arms": list(arms),
        "replications": replications,
        "seed": 7,
        "wall_s": 12.3,
        "traces": {},
        "scenario": {"title": "Two peers", "question": "How many nines?", "horizon": horizon},
    }
    return Run(Path("results/two_stage-0123456789ab"), manifest, as_json(content))


def _year(console: Console) -> None:
    print_run(_run("1y", 3), (), reused=False, console=console)


def _drill(console: Console) -> None:
    print_run(_run("11min", 1), (), reused=False, console=console)


def _preset(console: Console) -> None:
    print_presets([preset("litellm@1.109"), preset("openai-python@3.54")], console)


SHOWN: Final[dict[str, Callable[[Console], None]]] = {"year": _year, "drill": _drill, "presets": _preset}


def _all() -> Iterator[tuple[str, str, int]]:
    yield from ((f"{name}_{width}.txt", name, width) for name in SHOWN for width in WIDTHS)


def _text(name: str, width: int) -> str:
    return "\n".join(line.rstrip() for line in as_text(SHOWN[name], width).splitlines()) + "\n"


@pytest.mark.parametrize(("file", "name", "width"), list(_all()))
def test_a_table_is_as_it_was(file: str, name: str, width: int) -> None:
    assert _text(name, width) == (FOLDER / file).read_text(encoding="utf-8")


@pytest.mark.parametrize(("file", "name", "width"), list(_all()))
def test_no_line_of_figures_is_wider_than_the_terminal(file: str, name: str, width: int) -> None:
    lines = (FOLDER / file).read_text(encoding="utf-8").splitlines()
    assert max(len(line) for line in lines if line.startswith("  ")) <= width


def test_a_drill_of_minutes_says_nothing_of_thirty_days() -> None:
    assert "30 days" in _text("year", 80)
    assert "30 days" not in _text("drill", 80)


if __name__ == "__main__":
    for written, shown, columns in _all():
        (FOLDER / written).write_text(_text(shown, columns), encoding="utf-8")
