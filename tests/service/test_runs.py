"""Runs: asked for, followed with resumption, read, removed; they survive the service, even where it is killed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

import des
from des.service.bodies import SCENARIO_EXAMPLE
from des.service.bounds import Bounds
from des.service.runner import Runner
from des.service.runs import DONE, FAILED, QUEUED, RUNNING, Run, RunStore, size_of

ROOT = Path(__file__).parents[2]
UNKNOWN = "/runs/0123456789abcdef01234567"


def events_of(text: str) -> list[tuple[int, str, dict[str, Any]]]:
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and not line.startswith(":"))
        if "id" in fields:
            found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return found


@pytest.fixture(scope="module")
def followed(client: TestClient) -> tuple[dict[str, Any], list[tuple[int, str, dict[str, Any]]]]:
    """A run and its events, to the last one."""
    asked = client.post("/runs", json={"scenario": SCENARIO_EXAMPLE, "kind": "run"})
    assert asked.status_code == 202, asked.text
    assert asked.headers["location"] == f"/runs/{asked.json()['id']}"
    assert asked.json()["status"] in (QUEUED, RUNNING)
    told = client.get(asked.json()["links"]["events"])
    assert told.headers["content-type"].startswith("text/event-stream")
    return client.get(asked.headers["location"]).json(), events_of(told.text)


def test_a_run_is_followed_to_its_end(followed: Any) -> None:
    state, events = followed
    assert state["status"] == DONE
    assert state["progress"] == 1.0
    assert state["expires_at"] > state["created_at"]
    assert [number for number, _, _ in events] == list(range(1, len(events) + 1))
    assert [name for _, name, _ in events][:2] == ["status", "status"]
    assert events[-1][1] == DONE
    assert events[-1][2] == state


def test_events_go_on_after_the_last_one_that_was_seen(client: TestClient, followed: Any) -> None:
    state, events = followed
    seen = events[len(events) // 2][0]
    rest = client.get(state["links"]["events"], headers={"Last-Event-ID": str(seen)})
    assert events_of(rest.text) == events[seen:]
    nonsense = client.get(state["links"]["events"], headers={"Last-Event-ID": "x"})
    assert events_of(nonsense.text) == events


def test_a_run_has_what_des_run_writes(client: TestClient, followed: Any, tmp_path: Path) -> None:
    state, _ = followed
    file = tmp_path / "two_providers.yaml"
    file.write_text(SCENARIO_EXAMPLE, encoding="utf-8")
    run = des.run(file, out=tmp_path / "run")
    assert client.get(state["links"]["summary"]).json() == json.loads((run.path / "summary.json").read_text())
    sent = client.get(state["links"]["traces"]["requests"])
    (tmp_path / "requests.parquet").write_bytes(sent.content)
    table = pq.read_table(tmp_path / "requests.parquet")
    assert table.equals(pq.read_table(sorted((run.path / "requests").glob("*.parquet"))[0]))
    assert sorted(state["links"]["traces"]) == ["attempts", "incidents", "requests", "transitions"]


def test_the_report_cannot_drive_the_service(client: TestClient, followed: Any) -> None:
    pytest.importorskip("altair")
    state, _ = followed
    report = client.get(state["links"]["report"])
    assert report.headers["content-type"].startswith("text/html")
    assert "Two providers" in report.text
    policy = report.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy


def test_the_same_request_is_answered_with_the_same_run(client: TestClient, followed: Any) -> None:
    again = client.post("/runs", json={"scenario": SCENARIO_EXAMPLE})
    assert (again.status_code, again.json()) == (200, followed[0])


def test_runs_survive_a_restart_and_old_ones_expire(service: Any, client: TestClient, followed: Any) -> None:
    state, events = followed
    folder = runner_of(client).store.folder.parent
    again = service(state=folder)
    assert again.get(state["links"]["self"]).json() == state
    assert events_of(again.get(state["links"]["events"]).text) == events
    later = service(state=folder, kept_s=1e-3)
    time.sleep(0.01)
    runner_of(later).make_room()
    assert later.get(state["links"]["self"]).status_code == 404
    assert not (folder / "runs" / state["id"]).exists()


def runner_of(client: TestClient) -> Runner:
    runner: Runner = client.app._app.state.service.runner  # type: ignore[attr-defined]
    return runner


def test_the_queue_is_bounded(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Runner, "start", lambda self: None)
    busy = service(queued_runs=2, disk_bytes=10_000_000)
    texts = [SCENARIO_EXAMPLE.replace("seed: 7", f"seed: {seed}") for seed in range(3)]
    first, second, third = (busy.post("/runs", json={"scenario": text}) for text in texts)
    assert (first.status_code, second.status_code, third.status_code) == (202, 202, 429)
    assert third.json()["limit"] == "queued_runs"
    assert int(third.headers["retry-after"]) > 0
    assert busy.get(f"{first.headers['location']}/report").status_code == 409
    assert busy.delete(first.headers["location"]).status_code == 204
    assert busy.get(first.headers["location"]).status_code == 404
    assert busy.post("/runs", json={"scenario": texts[2]}).status_code == 202


def test_a_run_may_be_removed_by_two_at_once(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    run = store.add("0" * 24, {"kind": "run", "scenario": {}}, "one")
    store.remove(run)
    store.remove(run)
    assert not store.runs
    assert not run.directory.exists()


def test_disk_is_bounded(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Runner, "start", lambda self: None)
    full = service(disk_bytes=100)
    assert full.post("/runs", json={"scenario": SCENARIO_EXAMPLE}).status_code == 202
    refused = full.post("/runs", json={"scenario": SCENARIO_EXAMPLE.replace("seed: 7", "seed: 8")})
    assert (refused.status_code, refused.json()["limit"]) == (429, "disk_bytes")


def test_a_run_has_a_size_while_it_renames_its_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_bytes(b"12345")
    scan = os.scandir

    def scandir(path: Any) -> Any:
        if str(path).endswith("gone"):
            raise FileNotFoundError(path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert size_of(tmp_path) == 5


def test_streams_are_bounded(client: TestClient, service: Any) -> None:
    few = service(streams=0)
    asked = few.post("/runs", json={"scenario": SCENARIO_EXAMPLE.replace("horizon: 30d", "horizon: 1h")})
    refused = few.get(asked.json()["links"]["events"])
    assert (refused.status_code, refused.json()["limit"]) == (429, "streams")
    few.delete(asked.headers["location"])


LONG = """\
title: Long enough to be killed in the middle
horizon: 20d
replications: 8
seed: 3
workload: {arrivals: {kind: poisson, rate: 15/h}, tokens: {input: 1000, output: 200}}
providers:
  openai: {models: {gpt-5-mini: {latency: 2s, errors: {server_error: 1%}}}}
chain: [{provider: openai, timeout: 30s, retries: 2}]
"""
SERVES = """
import asyncio, sys
from pathlib import Path
from des.service.bounds import Bounds
from des.service.runner import Runner
from des.service.runs import RunStore

async def main():
    runner = Runner(RunStore(Path(sys.argv[1])), Bounds())
    runner.start()
    run, _ = runner.ask({"kind": "run", "scenario": __import__("yaml").safe_load(sys.argv[2])}, "long")
    async for event in runner.follow(run, 0):
        if event is not None:  # nothing happened for a while
            print(event.name, event.data.get("progress"), flush=True)

asyncio.run(main())
"""


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """The runs of a service that was killed while one was at work."""
    folder = tmp_path / "runs"
    command = [sys.executable, "-c", SERVES, str(folder), LONG]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            words = line.split()
            if words[0] == "progress" and float(words[1]) > 0.3:
                process.send_signal(signal.SIGKILL)
                break
        assert process.wait() == -signal.SIGKILL
    return folder


def test_a_killed_service_goes_on_to_the_same_bytes(killed: Path, tmp_path: Path) -> None:
    file = tmp_path / "long.yaml"
    file.write_text(LONG, encoding="utf-8")
    undisturbed = des.run(file, out=tmp_path / "undisturbed")

    async def go_on() -> Run:
        runner = Runner(RunStore(killed), Bounds())
        (run,) = runner.store.runs.values()
        assert run.status == QUEUED
        kept = list(killed.glob("*/.partial/*/*"))
        assert kept
        runner.start()
        async for _ in runner.follow(run, run.events[-1].number):
            pass
        await runner.stop()
        return run

    run = asyncio.run(go_on())
    assert run.status == DONE
    assert [event.number for event in run.events] == list(range(1, len(run.events) + 1))
    found = des.load(run.result)
    assert found.manifest["traces"] == undisturbed.manifest["traces"]
    assert found.manifest["summary_sha256"] == undisturbed.manifest["summary_sha256"]


ASK: dict[str, Any] = {"kind": "run", "scenario": {}}


@pytest.mark.parametrize("title", ["a\u2028b", "a\x85b", "a\x0cb"])
def test_events_survive_a_restart_whatever_the_title(tmp_path: Path, title: str) -> None:
    run = RunStore(tmp_path).add("key", ASK, title)
    run.tell("status", {"status": QUEUED})
    run.tell(DONE, {"title": title})
    assert RunStore(tmp_path).runs["key"].events == run.events


def test_an_event_that_was_cut_loses_itself_alone(tmp_path: Path) -> None:
    run = RunStore(tmp_path).add("key", ASK, "é")
    run.tell("status", {"status": QUEUED})
    with (tmp_path / "key" / "events.jsonl").open("ab") as file:
        file.write('{"id": 2, "event": "progress", "data": {"step": "é'.encode()[:-1] + b"\n")
    run.tell(DONE, {})
    assert [event.name for event in RunStore(tmp_path).runs["key"].events] == ["status", DONE]


def test_a_number_beyond_the_events_is_of_an_earlier_run(tmp_path: Path) -> None:
    runner = Runner(RunStore(tmp_path), Bounds())
    run, _ = runner.ask(ASK, "")

    async def first() -> Any:
        return await anext(runner.follow(run, 17))

    assert asyncio.run(first()) is run.events[0]


def test_a_fault_of_the_service_fails_its_run_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def simulate(self: Runner, run: Run) -> None:
        if run.title == "bad":
            raise ValueError("a line that is too long")
        self._finish(run, DONE, "")

    monkeypatch.setattr(Runner, "_simulate", simulate)

    async def both() -> list[Run]:
        runner = Runner(RunStore(tmp_path), Bounds())
        runs = [runner.ask({**ASK, "title": title}, title)[0] for title in ("bad", "good")]
        runner.start()
        for run in runs:
            async for _ in runner.follow(run, 0):
                pass
        await runner.stop()
        return runs

    bad, good = asyncio.run(both())
    assert (bad.status, bad.error) == (FAILED, "the service failed; its log says why")
    assert good.status == DONE


class Dying:
    """A process that takes until it is told to end."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.killed = False

    def kill(self) -> None:
        self.killed = True

    async def wait(self) -> None:
        await self.ended.wait()


def test_a_run_that_is_asked_for_while_it_is_removed_stays(tmp_path: Path) -> None:
    async def main() -> None:
        store = RunStore(tmp_path)
        runner = Runner(store, Bounds())
        run, _ = runner.ask(ASK, "")
        process: Any = Dying()
        runner._processes[run.key] = process
        removing = asyncio.create_task(runner.remove(run))
        await asyncio.sleep(0)
        assert process.killed
        again, is_new = runner.ask(ASK, "")
        process.ended.set()
        await removing
        assert is_new
        assert store.runs == {run.key: again}
        assert [each.name for each in tmp_path.iterdir() if each.name != ".partial"] == [run.key]
        assert (again.directory / "asked.json").is_file()

    asyncio.run(main())


def test_what_was_not_removed_to_the_end_is_removed_at_the_next_start(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    left = store.forget(store.add("key", ASK, ""))
    assert left.is_dir()
    assert RunStore(tmp_path).runs == {}
    assert not left.exists()
