"""Signals while compiled code is at work: it has its answers and ends, and only then the signal's handler raises."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from study.small_scenario import write_small

from des.compiled import compiling, whole_runs
from des.compiled.kernel.questions import ARRIVALS, OVER, WRONG
from des.compiled.kernel.world import World
from des.compiled.replication import Replication
from tests.command import ENVIRONMENT
from tests.engine.traced import Collected, plan_of, provider
from tests.engine.traced import scenario as small
from tests.patience import PATIENCE_S
from tests.signals import heed_signals

PLAN = plan_of(small({"a": provider()}))


@contextmanager
def _handler(number: int, handler: Any) -> Iterator[None]:
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


class _Kernel:
    """In place of compiled code: a signal comes, and then it needs an answer."""

    def __init__(self, number: int) -> None:
        self.state = Replication(PLAN, 0, Collected())
        self.number = number
        self.returned: list[int] = []

    def __call__(self, world: World) -> int:
        if not self.returned:
            os.kill(os.getpid(), self.number)
        self.state._answer(ARRIVALS, 0, 0, 0)
        self.returned.append(WRONG if self.state.run["wrong"] else OVER)
        return self.returned[-1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_a_handler_raises_does_not_cost_the_kernel_its_answer(number: int) -> None:
    def leave(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    kernel = _Kernel(number)
    with _handler(number, leave), pytest.raises(KeyboardInterrupt):
        kernel.state.play(compiling.interpreted()._replace(play=kernel))
    assert kernel.returned == [WRONG]


def test_a_run_goes_on_after_a_signal_whose_handler_raises_nothing() -> None:
    came: list[int] = []
    kernel = _Kernel(signal.SIGTERM)
    with _handler(signal.SIGTERM, lambda number, frame: came.append(number)):
        kernel.state.play(compiling.interpreted()._replace(play=kernel))
    assert kernel.returned == [WRONG, OVER]
    assert came == [signal.SIGTERM]


def test_rows_are_the_same_after_such_a_signal() -> None:
    undisturbed, disturbed = Collected(), Collected()
    whole_runs.simulate(PLAN, 0, undisturbed, kernel=compiling.interpreted())
    state = Replication(PLAN, 0, disturbed)
    reply, asked = state._reply, []

    def reply_meanwhile(*question: int) -> None:
        asked.append(question)
        os.kill(os.getpid(), signal.SIGTERM)
        reply(*question)

    state._reply = reply_meanwhile  # type: ignore[method-assign]
    with pytest.MonkeyPatch.context() as patch, _handler(signal.SIGTERM, lambda number, frame: None):
        patch.setattr(whole_runs, "Replication", lambda *_: state)
        whole_runs.simulate(PLAN, 0, disturbed, kernel=compiling.interpreted())
    assert asked
    assert _written(disturbed) == _written(undisturbed)


def _written(sink: Collected) -> str:
    return repr(
        {
            table: [{name: column.tolist() for name, column in block.items()} for block in blocks]
            for table, blocks in sink.blocks.items()
        }
    )


def test_the_compiler_goes_on_when_the_wait_for_it_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted, begun = threading.Event(), []

    def play(plan: object) -> None:
        begun.append(plan)
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupted.wait(PATIENCE_S)

    monkeypatch.setattr(whole_runs, "is_loaded", lambda: bool(begun))
    monkeypatch.setattr(whole_runs, "_play_nothing", play)
    with _handler(signal.SIGINT, signal.default_int_handler), pytest.raises(KeyboardInterrupt):
        whole_runs.load(PLAN)
    assert whole_runs.is_loading()
    interrupted.set()
    whole_runs.load(PLAN)
    assert not whole_runs.is_loading()
    assert begun == [PLAN]


_COMPILING = """
import os, signal, time
from des.cli import main
from des.compiled import whole_runs
def play(plan):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(3600)
whole_runs._play_nothing = play
main()
"""


def test_the_command_does_not_wait_for_the_compiler_after_an_interrupt(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    write_small(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", _COMPILING, "run", "small.yaml", "--engine", "compiled"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        preexec_fn=heed_signals,
    )
    assert (done.returncode, done.stderr) == (130, "interrupted: nothing was kept\n")
