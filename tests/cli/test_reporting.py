"""`des report`: the files it writes, what it says, and what it refuses."""

import json
from pathlib import Path

import pytest

from des.report.charts.extra import missing
from tests.command import Done, des, is_a_clear_error

needs_the_extra = pytest.mark.skipif(bool(missing()), reason=missing() or "installed")


def run_of(ran: tuple[Path, Done]) -> Path:
    (found,) = (ran[0] / "results").glob("small-*")
    return found


@needs_the_extra
def test_it_writes_a_page_of_a_run_named_as_des_results_names_it(ran: tuple[Path, Done], tmp_path: Path) -> None:
    done = des("report", run_of(ran).name, "--out", tmp_path / "page.html", folder=ran[0])
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"report: {tmp_path / 'page.html'} (")
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert html.startswith("<!DOCTYPE html>")
    assert "Two small peers" in html
    is_a_clear_error(des("report", run_of(ran).name, "--out", tmp_path / "page.html", folder=ran[0]), 2)


@needs_the_extra
def test_png_writes_a_file_for_each_chart_and_no_page(ran: tuple[Path, Done], tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("manifest.json", "summary.json"):
        content = json.loads((run_of(ran) / name).read_text(encoding="utf-8"))
        content.pop("traces", None)
        (bare / name).write_text(json.dumps(content), encoding="utf-8")
    done = des("report", bare, "--png", "charts", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    files = sorted((tmp_path / "charts").iterdir())
    assert [file.name for file in files] == ["nines_against_cost.png"]
    assert files[0].read_bytes().startswith(b"\x89PNG")
    assert done.stdout == "charts: 1 PNG files in charts\n"
    assert not list(tmp_path.glob("*.html"))


def test_what_is_no_result_is_refused(tmp_path: Path) -> None:
    is_a_clear_error(des("report", "nothing", folder=tmp_path), 2)
    is_a_clear_error(des("report", folder=tmp_path), 2)


def test_without_the_libraries_it_says_what_to_install(
    ran: tuple[Path, Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("des.report.charts.extra.find_spec", lambda name: None)
    done = des("report", run_of(ran), "--out", tmp_path / "page.html")
    is_a_clear_error(done, 2)
    assert "pip install 'des-fallback[report]'" in done.stderr
    assert not list(tmp_path.iterdir())


@needs_the_extra
def test_an_answer_has_its_page_beside_it(tmp_path: Path) -> None:
    from study.small_scenario import write_small

    write_small(tmp_path, horizon="1h")
    done = des("answer", "small.yaml", "--rounds", 1, "--workers", 1, "--out", "here", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Two small peers" in (tmp_path / "here" / "report.html").read_text(encoding="utf-8")
    removed = des("results", "--in", ".", "--remove", "here", "--yes", folder=tmp_path)
    assert removed.returncode == 0, removed.stderr
    assert not (tmp_path / "here").exists()


def test_an_answer_without_the_libraries_is_whole_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from study.small_scenario import write_small

    monkeypatch.setattr("des.report.charts.extra.find_spec", lambda name: None)
    write_small(tmp_path, horizon="1h")
    done = des("answer", "small.yaml", "--rounds", 1, "--workers", 1, "--out", "here", folder=tmp_path)
    assert done.returncode == 0
    assert "here has no report.html: a report needs" in done.stderr
    kept = sorted(path.name for path in (tmp_path / "here").iterdir())
    assert kept == ["answer.json", "charts.json", "manifest.json"]
