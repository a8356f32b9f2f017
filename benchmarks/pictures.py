"""The pictures of the documentation, made anew: python -m benchmarks.pictures

Each is of a page in Chromium without a window: the report of a shipped scenario, with some of its sections and charts,
or the page of the service. Needs the extras `report` and `serve`, Playwright, and Chromium. `--results DIR` keeps the
results there and takes those that it holds already; `--only NAME` makes one picture.
"""

import argparse
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import des
from benchmarks.service_process import served
from benchmarks.small_png import write_small
from des.report.charts.theme import CATEGORIES

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "docs" / "pictures"
WIDTH: Final = 960
SERVICE: Final = "service"
SERVICE_WIDTH: Final = 1280
SERVICE_HEIGHT: Final = 850
_TIMEOUT_MS: Final = 120_000.0
_KEEP_ONLY: Final = """
([charts, tables]) => {
  const kept = (block) => block.matches("p.lead")
    || charts.some((name) => block.querySelector(`[id$="-chart-${name}"]`))
    || (block.matches(".wide") && tables.includes(block.querySelector("caption > span").textContent));
  for (const section of document.querySelectorAll("section")) {
    const blocks = [...section.children].filter((block) => !block.matches("h2"));
    for (const block of blocks) block.hidden = !kept(block);
    section.hidden = blocks.every((block) => block.hidden);
  }
}
"""


@dataclass(frozen=True, slots=True)
class Report:
    """A picture of a report: how its result is made, and which charts and tables are shown below its sentence."""

    name: str
    make: Callable[[Path, Path], object]
    charts: Sequence[str]
    tables: Sequence[str] = ()

    @property
    def file(self) -> Path:
        return FOLDER / f"report_{self.name}.png"


def _compared(scenario: Path, out: Path) -> object:
    return des.compare(scenario, out=out)


def _ran(scenario: Path, out: Path) -> object:
    return des.run(scenario, out=out)


def _answered(scenario: Path, out: Path) -> object:
    return des.answer(scenario, rounds=1, out=out)


REPORTS: Final = (
    Report("shared_cdn", _compared, ("all_down", "waterfall", "outages_0")),
    Report("rate_limit_cascade", _ran, ("outages_0", "outages_1", "outages_2")),
    Report(
        "research_pipeline",
        _answered,
        ("nines_against_cost", "waterfall", "outages_0", "cost_histogram"),
        ("USD a year",),
    ),
)
NAMES: Final = (*(report.name for report in REPORTS), SERVICE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--only", choices=NAMES)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _browser() as browser:
        results = told.results or Path(folder)
        for report in REPORTS:
            if told.only in (None, report.name):
                take_report(report, results, Path(folder), browser)
                print(f"{report.file.relative_to(ROOT)}: {report.file.stat().st_size / 1e3:.0f} kB")
        if told.only in (None, SERVICE):
            file = take_service(browser)
            print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1e3:.0f} kB")


@contextmanager
def _browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=["--disable-gpu"])
        yield found
        found.close()


def take_report(report: Report, results: Path, folder: Path, browser: Any) -> None:
    """Make the result unless it is there, its page, and the picture."""
    result = results / report.name
    if not result.exists():
        report.make(ROOT / "scenarios" / f"{report.name}.yaml", result)
    page = folder / f"{report.name}.html"
    des.report([result], out=page)
    shown = browser.new_page(viewport={"width": WIDTH, "height": 900})
    shown.goto(page.as_uri())
    _wait(shown, "() => document.documentElement.dataset.charts === 'drawn'")
    missing = [name for name in report.charts if not shown.locator(f'[id$="-chart-{name}"]').count()]
    if missing:
        raise SystemExit(f"{report.name}: its report has no chart {', '.join(missing)}")
    shown.evaluate(_KEEP_ONLY, [list(report.charts), list(report.tables)])
    write_small(shown, shown.screenshot(full_page=True), report.file, CATEGORIES)
    shown.close()


def take_service(browser: Any) -> Path:
    """The page of the service as it begins, once it is answered and drawn."""
    file = FOLDER / f"{SERVICE}.png"
    with served("--workers", "1") as service:
        shown = browser.new_page(viewport={"width": SERVICE_WIDTH, "height": SERVICE_HEIGHT})
        shown.goto(service.address)
        _wait(shown, "() => document.documentElement.dataset.state === 'drawn'")
        _wait(shown, "() => document.querySelector('des-chart svg') !== null")
        write_small(shown, shown.screenshot(), file, CATEGORIES)
        shown.close()
    return file


def _wait(shown: Any, until: str) -> None:
    shown.wait_for_function(until, timeout=_TIMEOUT_MS)


if __name__ == "__main__":
    main()
