"""The choice of the engine: what is refused, and what is said of it."""

import pytest

from des.compiled import choice, compiling
from des.errors import DesError
from tests.engine.traced import plan_of
from tests.engine.traced import scenario as small


def _plan(**more: object) -> object:
    return plan_of(small({"a": {"models": {"m": {"latency": "1s"}}}}, **more))  # type: ignore[arg-type]


def test_an_engine_of_no_name_is_refused() -> None:
    with pytest.raises(DesError, match="unknown engine 'fast'; there are: auto, simpy, compiled"), choice.using("fast"):
        pass


def test_the_compiled_engine_without_numba_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "is_installed", lambda: False)
    with pytest.raises(DesError, match=r"pip install 'des-fallback\[fast\]'"), choice.using("compiled"):
        pass
