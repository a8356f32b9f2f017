"""The page in Chromium without a window: every chart is drawn, nothing complains, and nothing leaves the machine."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from des.traces import Run
from report.page.reading import Page
from tests.patience import PATIENCE_S

PageOf = Callable[[Path], tuple[Path, Page]]
CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
ZOOM: Final = """
<script>
const waiting = setInterval(() => {
  if (document.documentElement.dataset.charts !== "drawn") return;
  clearInterval(waiting);
  const svg = document.querySelector("#c0-chart-outages_0 svg");
  const labels = () => [...svg.querySelectorAll(".role-axis-label text")].map((text) => text.textContent).join("|");
  const before = labels();
  const box = svg.querySelector(".mark-rect.role-mark path, .mark-rect path").getBoundingClientRect();
  const frame = svg.querySelector("path.background").getBoundingClientRect();
  const at = (share) => {
    const clientX = frame.left + share * frame.width, clientY = frame.top + 40;
    return { clientX, clientY, bubbles: true, cancelable: true, view: window, pointerId: 1, pointerType: "mouse" };
  };
  const target = document.elementFromPoint(at(0.6).clientX, at(0.6).clientY) || svg;
  for (const [name, share] of [["down", 0.6], ["move", 0.7], ["move", 0.9], ["up", 0.9]]) {
    for (const kind of ["pointer", "mouse"]) {
      const Event = kind === "pointer" ? PointerEvent : MouseEvent;
      (name === "down" ? target : window).dispatchEvent(new Event(kind + name, at(share)));
      if (name !== "down") svg.dispatchEvent(new Event(kind + name, at(share)));
    }
  }
  setTimeout(() => { document.documentElement.dataset.zoom = before === labels() ? "no" : "yes"; }, 300);
}, 20);
</script>
"""


def with_script(page: Path, script: str) -> str:
    """The page with another script at its end."""
    before, end, after = page.read_text(encoding="utf-8").rpartition("</body>")
    return f"{before}{script}{end}{after}"


def opened(page: Path, folder: Path, *options: str) -> tuple[str, str]:
    """The document after its scripts have run, and what the browser said."""
    assert CHROMIUM is not None
    done = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            f"--user-data-dir={folder / 'profile'}",
            "--enable-logging=stderr",
            "--virtual-time-budget=20000",
            "--dump-dom",
            *options,
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return done.stdout, done.stderr


MEASURE: Final = (
    "<script>setInterval(() => { document.documentElement.dataset.over = [...document.querySelectorAll('.chart')]"
    ".filter((box) => box.querySelector('svg') && box.scrollWidth > box.clientWidth + 1).map((box) => box.id)"
    ".join(' ') || 'none'; document.documentElement.dataset.page = document.documentElement.scrollWidth <= "
    "document.documentElement.clientWidth ? 'fits' : 'too wide'; }, 50);</script>"
)


@pytest.mark.parametrize(
    ("result", "width"), [("ran", 1100), ("ran", 390), ("compared", 1100), ("answered", 1100), ("hostile", 1100)]
)
def test_every_chart_is_drawn_and_fits_nothing_complains_and_nothing_leaves_the_machine(
    page_of: PageOf, request: pytest.FixtureRequest, tmp_path: Path, result: str, width: int
) -> None:
    found = request.getfixturevalue(result)
    file, page = page_of(found if isinstance(found, Path) else found.path)
    measured, log = tmp_path / "measured.html", tmp_path / "net.json"
    measured.write_text(with_script(file, MEASURE), encoding="utf-8")
    dom, said = opened(measured, tmp_path, f"--window-size={width},900", f"--log-net-log={log}")
    assert 'data-charts="drawn"' in dom
    drawn = re.findall(r'<div class="chart[^"]*" id="([^"]+)"[^>]*>(?:(?!</figure>).)*?<svg', dom, flags=re.DOTALL)
    assert sorted(drawn) == sorted(page.charts)
    assert "CONSOLE" not in said, said
    if result == "ran":
        assert 'data-over="none"' in dom
        assert 'data-page="fits"' in dom
    asked = re.findall(r'"url":"((?:https?|wss?)://[^"]+)"', log.read_text(encoding="utf-8", errors="replace"))
    assert [url for url in asked if not _is_the_browsers_own(url)] == []


def _is_the_browsers_own(url: str) -> bool:
    """What Chromium asks for by itself, whatever it shows."""
    return re.match(r"https?://[\w.-]*(google|gstatic|googleapis|gvt1)\.com[/:]", url) is not None


def test_dragging_in_the_whole_run_changes_the_span_below(page_of: PageOf, ran: Run, tmp_path: Path) -> None:
    file, _ = page_of(ran.path)
    zoomed = tmp_path / "zoomed.html"
    zoomed.write_text(with_script(file, ZOOM), encoding="utf-8")
    dom, said = opened(zoomed, tmp_path, "--window-size=1100,6000")
    assert 'data-zoom="yes"' in dom, said
