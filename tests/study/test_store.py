"""What is in a directory of results is listed as it is, and nothing else is removed."""

import json
import os
import shutil
from pathlib import Path

import pytest

import des
from des.errors import DesError, OutputError
from des.study import replication
from des.study.store import Stored, chosen
from study.small_scenario import small, write_small


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, a sweep with its points, an answer and an unfinished run, of 1 h each."""
    folder = tmp_path_factory.mktemp("filled")
    path = write_small(folder, horizon="1h")
    results = folder / "results"
    des.run(path, out=results / "one", replications=2)
    des.sweep(path, ["policy.rounds=1,2"], out=results / "two", estimator="request level")
    (results / "answer").mkdir()
    (results / "answer" / "answer.json").write_text('{"arms": {"as_modelled": {}}}')
    digest = des.study.identity.file_digest(results / "answer" / "answer.json")  # type: ignore[attr-defined]
    (results / "answer" / "manifest.json").write_text(
        json.dumps(
            {"answer_sha256": digest, "scenario": {"title": "Answered"}, "created_at": "2025-01-02T03:04:05+00:00"}
        )
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replication, "simulate", _stop_at(3))
        with pytest.raises(KeyboardInterrupt):
            des.run(path, out=results / "half", replications=2)
    (results / "notes").mkdir()
    (results / "notes" / "manifest.json").write_text("mine")
    (results / "README.md").write_text("mine")
    return results


def _stop_at(number: int) -> object:
    simulate, left = replication.simulate, [number]

    def stopping(*arguments: object) -> int:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return simulate(*arguments)  # type: ignore[arg-type]

    return stopping


@pytest.fixture
def results(filled: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(filled, tmp_path / "results", symlinks=True))


def _by_name(directory: Path, *, verify: bool = False) -> dict[str, Stored]:
    return {one.name: one for one in des.results(directory, verify=verify)}


def test_everything_of_des_is_listed_and_nothing_else(filled: Path) -> None:
    found = _by_name(filled)
    assert {name: (one.kind, one.state) for name, one in found.items()} == {
        "answer": ("answer", "whole"),
        "half": ("run", "unfinished"),
        "one": ("run", "whole"),
        "two": ("sweep", "whole"),
    }
    assert (found["half"].done, found["half"].parts, found["half"].replications) == (3, 4, 2)
    assert (found["two"].points, found["two"].title) == (2, "Two small peers")
    one = found["one"]
    assert (one.title, one.arms, one.replications) == ("Two small peers", ("as_modelled", "primary_only"), 2)
    assert one.bytes == sum(path.stat().st_size for path in (filled / "one").rglob("*") if path.is_file())
    assert found["answer"].created_at == "2025-01-02T03:04:05+00:00"
    assert json.loads(json.dumps([each.as_json() for each in found.values()]))


@pytest.mark.parametrize(
    ("name", "file", "why"),
    [
        ("one", "summary.json", "summary.json: not valid JSON"),
        ("one", "manifest.json", "manifest.json: not valid JSON"),
        ("one", "requests/as_modelled-0000.parquet", "requests/as_modelled-0000.parquet has been changed"),
        ("two", "points/0001/summary.json", "1 of 2 points: summary.json: not valid JSON"),
        ("two", "sweep.json", "sweep.json cannot be read"),
        ("answer", "answer.json", "answer.json is not what manifest.json says"),
    ],
)
def test_what_is_damaged_is_told(results: Path, name: str, file: str, why: str) -> None:
    path = results / name / file
    path.write_bytes(b"{}" + path.read_bytes())
    one = _by_name(results)[name]
    assert one.state == "damaged"
    assert one.why.startswith(why)


def test_a_summary_that_is_another_is_damage(results: Path) -> None:
    path = results / "one" / "summary.json"
    path.write_text(path.read_text() + " ")
    assert _by_name(results)["one"].why == "summary.json has been changed"


def test_a_missing_trace_is_damage(results: Path) -> None:
    (results / "one" / "attempts" / "as_modelled-0001.parquet").unlink()
    assert _by_name(results)["one"].why == "attempts/as_modelled-0001.parquet is missing"


def test_a_changed_byte_is_found_by_comparing_checksums(results: Path) -> None:
    path = results / "one" / "requests" / "as_modelled-0000.parquet"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(bytes(content))
    assert _by_name(results)["one"].state == "whole"
    assert _by_name(results, verify=True)["one"].state == "damaged"


@pytest.mark.parametrize("name", ["one", "two", "answer", "half"])
def test_what_is_named_is_removed_and_all_else_stays(results: Path, name: str) -> None:
    before = _by_name(results)
    before[name].remove()
    after = _by_name(results)
    assert before.keys() - after.keys() == {name}
    assert not before[name].path.exists()
    assert (results / "notes" / "manifest.json").read_text() == "mine"
    assert (results / ".partial").exists() == (name != "half")


@pytest.mark.parametrize("name", ["one", "two", "answer", "half"])
@pytest.mark.parametrize("file", ["notes.txt", "deep/notes.txt"])
def test_what_holds_a_file_of_somebody_else_is_not_removed(results: Path, name: str, file: str) -> None:
    one = _by_name(results)[name]
    (one.path / file).parent.mkdir(exist_ok=True)
    (one.path / file).write_text("mine")
    with pytest.raises(OutputError, match=file.partition("/")[0]):
        one.remove()
    assert (one.path / file).read_text() == "mine"


def test_a_file_among_the_traces_is_not_removed(results: Path) -> None:
    (results / "one" / "requests" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"requests/notes\.txt"):
        _by_name(results)["one"].remove()


def test_of_a_link_the_link_alone_is_removed(results: Path, tmp_path: Path) -> None:
    (results / "one").rename(tmp_path / "elsewhere")
    (results / "one").symlink_to(tmp_path / "elsewhere")
    _by_name(results)["one"].remove()
    assert not os.path.lexists(results / "one")
    assert (tmp_path / "elsewhere" / "summary.json").exists()


def test_what_a_process_is_at_work_on_is_not_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states: list[str] = []

    def look(share: float, what: str) -> None:
        if what == "writing":
            (one,) = des.results(tmp_path)
            states.append(one.state)
            with pytest.raises(OutputError, match="at work"):
                one.remove()

    des.run(small(horizon="1h"), out=tmp_path / "run", progress=look)
    assert states == ["under way"]
    assert [one.state for one in des.results(tmp_path)] == ["whole"]


def test_what_a_killed_process_left_without_a_replication_is_left_over(tmp_path: Path) -> None:
    (tmp_path / ".partial" / "run-123-abcdef" / "requests").mkdir(parents=True)
    (tmp_path / ".partial" / "empty-123-abcdef").mkdir()
    (tmp_path / ".partial" / "mine").mkdir()
    (one,) = des.results(tmp_path)
    assert (one.name, one.state) == ("run", "left over")
    one.remove()
    assert sorted(path.name for path in (tmp_path / ".partial").iterdir()) == ["empty-123-abcdef", "mine"]


def test_an_unknown_name_is_told_with_the_nearest(filled: Path) -> None:
    stored = des.results(filled)
    assert [one.name for one in chosen(stored, ["one", "results/two"])] == ["one", "two"]
    with pytest.raises(DesError, match=r"hafl: .* did you mean 'half'"):
        chosen(stored, ["one", "hafl"])


def test_a_directory_that_is_not_there_is_refused_but_results(
    tmp_path: Path, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert des.results() == ()
    with pytest.raises(DesError, match="no such directory"):
        des.results("nowhere")
    with pytest.raises(DesError, match="is itself a result"):
        des.results(filled / "one")
