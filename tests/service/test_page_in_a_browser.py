"""The page in Chromium without a window, against a service of its own: what a visitor does with it."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.patience import PATIENCE_S, wait_until

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
pytest.importorskip("fastapi", reason="the extra serve is not installed")
pytest.importorskip("altair", reason="the extra report is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

SHARED: Final = "#at-shared-0-fraction"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a service with one process for figures."""
    folder = tmp_path_factory.mktemp("service")
    command = [sys.executable, "-m", "des", "serve", "--port", "0", "--workers", "1", "--state", str(folder / "state")]
    said = folder / "said"
    with said.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT) as service:
        try:
            wait_until(lambda: "des serves" in said.read_text(encoding="utf-8") or service.poll() is not None)
            found = re.search(r"des serves (http://\S+)", said.read_text(encoding="utf-8"))
            assert found is not None, said.read_text(encoding="utf-8")
            yield found[1]
        finally:
            service.terminate()
            service.wait(PATIENCE_S)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--disable-gpu"])
        yield found
        found.close()


class Visit:
    """A window on the page, with everything that it complained about. Only with `charts` does it draw them."""

    def __init__(self, browser: Any, address: str, *, charts: bool = False) -> None:
        self.address = address
        self.context = browser.new_context(viewport={"width": 1280, "height": 900})
        self.context.set_default_timeout(1000 * PATIENCE_S)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on(
            "request",
            lambda asked: None if asked.url.startswith(("blob:", address)) else self.elsewhere.append(asked.url),
        )
        if not charts:
            self.page.route("**/simulations/*/charts", lambda route: route.fulfill(json={"charts": []}))

    def open(self, fragment: str = "", state: str = "drawn") -> "Visit":
        """Begin anew at an address, and wait for what it shows."""
        self.page.goto("about:blank")
        self.elsewhere.clear()
        self.page.goto(f"{self.address}/{fragment}")
        self.settle(state)
        return self

    def check(self) -> None:
        """Nothing has been complained about, and nothing asked of anybody else."""
        said, self.said = self.said, []
        assert said == []
        assert self.elsewhere == []

    def settle(self, state: str = "drawn") -> None:
        """Wait until the page shows the answer to what it has been told last."""
        self.page.wait_for_function("state => document.documentElement?.dataset.state === state", arg=state, polling=50)

    def forget_refusals(self) -> None:
        """The browser itself tells of every answer that is an error."""
        self.said = [each for each in self.said if "the server responded with a status of 422" not in each]

    def models(self) -> list[str]:
        return [each.input_value() for each in self.page.locator("#legs .endpoint label:last-of-type select").all()]

    def nines(self) -> float:
        return float(self.page.locator(".numbers > div:nth-child(2) dd").first.inner_text())

    def figures(self) -> str:
        return str(self.page.locator("#said").inner_text() + self.page.locator(".figures").inner_text())

    def focused(self) -> str:
        return str(self.page.evaluate("document.activeElement.id"))


@pytest.fixture(scope="module")
def window(browser: Any, address: str) -> Iterator[Visit]:
    """Tests use one window after another: a window costs more than the page in it."""
    found = Visit(browser, address)
    yield found
    found.context.close()


@pytest.fixture
def visit(window: Visit) -> Iterator[Visit]:
    """The page as it begins, without its charts."""
    yield window.open()
    window.check()


@pytest.fixture(scope="module")
def still(browser: Any, address: str) -> Iterator[Visit]:
    """The page as it begins, with its charts, for tests that only look at it."""
    found = Visit(browser, address, charts=True).open()
    yield found
    found.context.close()
    found.check()


def test_nines_come_with_a_third_leg_go_with_a_shared_cause_and_are_in_the_address(
    visit: Visit, browser: Any, address: str
) -> None:
    page = visit.page
    two = visit.nines()
    page.click("#add-leg")
    visit.settle()
    three = visit.nines()
    assert len(visit.models()) == 3
    assert three > two

    page.focus(SHARED)
    page.keyboard.press("End")
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    visit.settle()
    assert visit.nines() < three

    other = Visit(browser, address).open(page.evaluate("location.hash"))
    assert other.models() == visit.models()
    assert other.figures() == visit.figures()
    assert other.page.input_value(SHARED) == page.input_value(SHARED)
    other.context.close()
    other.check()

    page.go_back()  # the slider is no step of its own, so this takes the third leg away
    visit.settle()
    assert len(visit.models()) == 2
    assert visit.nines() == two


def test_a_leg_is_moved_by_buttons_and_by_dragging(visit: Visit) -> None:
    page, begun = visit.page, visit.models()
    page.focus("#down-0")
    page.keyboard.press("Enter")
    assert visit.models() == begun[::-1]
    assert visit.focused() == "up-1"
    assert "is now leg 2 of 2" in page.locator("#note").inner_text()
    handle, below = page.locator(".handle").first.bounding_box(), page.locator(".leg").last.bounding_box()
    page.mouse.move(handle["x"] + 8, handle["y"] + 8)
    page.mouse.down()
    page.mouse.move(handle["x"] + 8, below["y"] + below["height"], steps=4)
    page.mouse.up()
    assert visit.models() == begun


def test_a_fault_stands_at_its_field_and_goes_with_it(visit: Visit) -> None:
    field, before = visit.page.locator("#at-chain-1-timeout"), visit.figures()
    field.fill("soon")
    visit.settle("problem")
    assert field.get_attribute("aria-invalid") == "true"
    assert "soon" in visit.page.locator(f"#{field.get_attribute('aria-describedby')}").inner_text()
    assert visit.page.locator("#run-in-full").is_disabled()
    field.fill("30")
    visit.settle()
    assert visit.figures() == before
    assert visit.page.locator(".fault").count() == 0
    visit.forget_refusals()


def test_a_run_in_full_ends_with_its_report(visit: Visit) -> None:
    page = visit.page

    def short(route: Any) -> None:
        """The run that the page asks for, with less of it."""
        asked = json.loads(route.request.post_data)
        for whole, part in (("replications: 10", "replications: 1"), ("horizon: 1y", "horizon: 60d")):
            assert whole in asked["scenario"]
            asked["scenario"] = asked["scenario"].replace(whole, part)
        route.continue_(post_data=json.dumps(asked))

    page.route("**/runs", short)
    page.click("#run-in-full")
    page.locator("#run-report").wait_for()
    with visit.context.expect_page() as opened:
        page.click("#run-report")
    opened.value.wait_for_function("() => document.documentElement?.dataset.charts === 'drawn'")

    page.reload()  # the run is in the address
    page.locator("#run-report").wait_for()
    page.click("#run-close")
    assert page.locator(".run").count() == 0


@pytest.mark.parametrize(("scheme", "rules"), [("light", None), ("dark", ["color-contrast"])])
def test_axe_finds_nothing_serious(still: Visit, scheme: str, rules: list[str] | None) -> None:
    page = still.page
    page.emulate_media(color_scheme=scheme)
    for name in ("#legs summary", "[data-chart=nines] summary"):
        page.locator(name).first.evaluate("summary => { summary.parentElement.open = true; }")
    page.wait_for_function("() => document.querySelector('[data-chart=nines] svg')", polling=50)
    found = axe.Axe().run(page, options={"runOnly": rules} if rules else None).response["violations"]
    assert [each for each in found if each["impact"] in ("serious", "critical")] == []


def test_it_fits_a_phone(still: Visit) -> None:
    page = still.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("[data-chart=nines]").scroll_into_view_if_needed()
    page.wait_for_function(
        "() => (document.querySelector('[data-chart=nines] svg')?.clientWidth ?? 390) < 390", polling=50
    )
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    charts = "[...document.querySelectorAll('des-chart')].filter((each) => each.scrollWidth > each.clientWidth).length"
    assert page.evaluate(charts) == 0


def test_a_scenario_is_downloaded_as_it_is_shown(still: Visit, tmp_path: Path) -> None:
    with still.page.expect_download() as started:
        still.page.click("#download")
    file = tmp_path / started.value.suggested_filename
    started.value.save_as(file)
    assert file.suffix == ".yaml"
    assert file.read_text(encoding="utf-8") == still.page.locator("pre").first.text_content()


def test_an_address_that_cannot_be_read_is_refused_in_words(still: Visit) -> None:
    """Whatever is in it, what is read has the shape that the page relies on."""
    read = "async (text) => (await import('/page/address.js')).read(text)"
    assert still.page.evaluate(read, "") is None
    for fragment in ("#nothing", "#v1.bm90IEpTT04", "#v1.eyJjaGFpbiI6W251bGxdfQ", "#v1.%00", "#v1."):
        with pytest.raises(sync_api.Error):
            still.page.evaluate(read, fragment)
    body = {"chain": [{"provider": "ä", "model": "☃"}], "value": {"lost_request": "0.10"}}
    round_trip = "async (body) => { const { read, written } = await import('/page/address.js'); "
    round_trip += "return read('#' + written(body, 'abc')); }"
    assert still.page.evaluate(round_trip, body) == {"body": body, "run": "abc"}


def test_an_address_of_another_page_begins_with_the_usual_chain(window: Visit) -> None:
    window.open("#nothing")
    assert len(window.models()) == 2
    assert "no chain that this page can read" in window.page.locator(".warning").first.inner_text()
    window.check()


def test_names_in_an_address_are_shown_as_text(still: Visit, window: Visit) -> None:
    body = {"chain": [{"provider": "<img src=x onerror=alert(1)>", "model": "'\"><script>alert(2)</script>"}]}
    packed = still.page.evaluate("async (body) => (await import('/page/address.js')).written(body)", body)
    window.open(f"#{packed}", "problem")
    assert window.models() == [body["chain"][0]["model"]]
    assert window.page.locator(".fault").count() >= 1
    window.forget_refusals()
    window.check()
