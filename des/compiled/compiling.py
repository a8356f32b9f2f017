"""Compiles the kernel with Numba, once per machine and version of the sources."""

import getpass
import hashlib
import importlib
import importlib.metadata
import importlib.util
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Final, NamedTuple

from des import vocabulary
from des.compiled.kernel import (
    call,
    ending,
    layers,
    limits,
    memory,
    play,
    questions,
    queue,
    rows,
    sorting,
    tallies,
    walk,
    way,
)
from des.compiled.kernel.world import World
from des.engine import priorities
from des.rules.limits import bucket_refilled
from des.scratch import scratch_until_exit


class Kernel(NamedTuple):
    """What Python calls: the loop over events, and passes over the rows that it leaves."""

    play: Callable[[World], int]
    sort: Callable[..., int]
    attempt_columns: Callable[..., None]
    request_columns: Callable[..., None]
    tally_attempts: Callable[..., bool]
    tally_requests: Callable[..., bool]
    minutes_of_attempts: Callable[..., None]
    minutes_of_requests: Callable[..., None]


_KERNEL: Final = "des.compiled.kernel"
_RULES: Final = "des.rules"
_OPTIONS: Final[dict[str, Any]] = {"error_model": "python", "fastmath": False, "nogil": True}
_ENTRIES: Final = Kernel(
    play.play,
    sorting.sort,
    sorting.attempt_columns,
    sorting.request_columns,
    tallies.attempts,
    tallies.requests,
    tallies.minutes_of_attempts,
    tallies.minutes_of_requests,
)
_INLINED: Final[frozenset[Callable[..., Any]]] = frozenset(
    {
        way.visit,
        layers.open_chain,
        layers.open_retries,
        layers.bound_attempt,
        way.make_call,
        call.dispatch,
        limits.refusal,
        limits._has_room,
        bucket_refilled,
        call._response,
        questions.drawn,
        ending.ended,
        ending._answered,
        ending._failed,
        ending._bill,
        rows.attempt_row,
        way.follow,
        way.close_all,
        layers.after_entry,
        walk.wait,
        queue.push,
        walk._end,
        walk.finish,
        rows.request_row,
        walk.close_request,
    }
)
"""What most calls pass through, in that order. LLVM takes some of them for too large to be put into their callers. That
saves a fifth of the time."""


def is_installed() -> bool:
    """Whether Numba is there. It is not imported."""
    return importlib.util.find_spec("numba") is not None


def interpreted() -> Kernel:
    """The kernel as plain Python: for debugging, and where coverage is measured."""
    return _ENTRIES


def is_loaded() -> bool:
    """Whether `compiled` has been called in this process or one that it was forked from."""
    return compiled.cache_info().currsize > 0


def is_cached() -> bool:
    """Whether the kernel of this path has been compiled on this machine, by these versions.

    Numba keeps those of different paths apart: where another checkout has compiled its own, this one is not compiled.
    """
    return any((_cache_directory(_modules()) / _folder_of_this_path()).glob("play.play-*.nbc"))


def _folder_of_this_path() -> str:
    """The name that Numba gives it."""
    folder = Path(play.play.__code__.co_filename).absolute().parent
    return f"{folder.name}_{hashlib.sha1(str(folder).encode(), usedforsecurity=False).hexdigest()}"


@cache
def compiled() -> Kernel:
    """The kernel in machine code: compiled at its first call, or loaded where it has been compiled before.

    Raises ImportError without Numba.
    """
    from numba.core import config

    from des.compiled.intrinsics import INTRINSICS

    modules = _modules()
    functions = {
        (name, function.__name__): function
        for name, module in modules.items()
        for function in vars(module).values()
        if isinstance(function, FunctionType) and function.__module__ == name
    }
    inner, outer = _decorators(_pipelines())
    compiled_ones: dict[int, Any] = {}
    namespaces = {name: dict(vars(module)) for name, module in modules.items()}
    for (name, called), function in functions.items():
        if name == memory.__name__:
            compiled_ones[id(function)] = INTRINSICS.get(called)
            continue
        copy = _copied(function, namespaces[name])
        if function not in _ENTRIES:
            compiled_ones[id(function)] = inner(copy, function in _INLINED)
            continue
        before, config.CACHE_DIR = config.CACHE_DIR, str(_cache_directory(modules))
        try:
            compiled_ones[id(function)] = outer(copy)
        finally:
            config.CACHE_DIR = before
    for namespace in namespaces.values():
        for key, value in namespace.items():
            if id(value) in compiled_ones:
                namespace[key] = compiled_ones[id(value)]
    return Kernel(*(compiled_ones[id(entry)] for entry in _ENTRIES))


def _pipelines() -> Any:
    """`whole_program.PIPELINES`; None where Numba's insides are not those that they are made for."""
    try:
        from des.compiled import whole_program
    except (ImportError, AttributeError, TypeError):
        return None
    return whole_program.PIPELINES if is_cached() else whole_program.working()


def _decorators(pipelines: Any) -> tuple[Callable[[FunctionType, bool], Any], Callable[[FunctionType], Any]]:
    """What compiles an inner function, inlined or not, and an entry. Without pipelines of ours, Numba decides alone."""
    import numba

    options = {"no_cfunc_wrapper": True, **_OPTIONS}
    if pipelines is None:
        inner = numba.njit(no_cpython_wrapper=True, **options)
        return (lambda function, inlined: inner(function)), numba.njit(cache=True, **options)
    in_program = {"no_cpython_wrapper": True, "pipeline_class": pipelines.inner, **options}
    return (
        lambda function, inlined: _for_any_number(numba.njit(forceinline=inlined, **in_program)(function)),
        numba.njit(cache=True, pipeline_class=pipelines.outer, **options),
    )


def _for_any_number(dispatcher: Any) -> Any:
    """Compiled once for all integers, where Numba would compile it for each one that is written out in a call."""
    from numba import types

    def any_of(kind: Any) -> Any:
        return types.unliteral(kind) if isinstance(kind, (types.IntegerLiteral, types.BooleanLiteral)) else kind

    template = dispatcher.get_call_template
    dispatcher.get_call_template = lambda given, named: template(
        tuple(map(any_of, given)), {name: any_of(kind) for name, kind in named.items()}
    )
    return dispatcher


def _copied(function: FunctionType, namespace: dict[str, Any]) -> FunctionType:
    """The function in another namespace. Its keyword-only arguments are like the others, as Numba knows no such."""
    code = function.__code__
    keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    known = function.__kwdefaults__ or {}
    defaults = (*(function.__defaults__ or ()), *(known[name] for name in keywords if name in known))
    code = code.replace(co_argcount=code.co_argcount + code.co_kwonlyargcount, co_kwonlyargcount=0)
    copy = FunctionType(code, namespace, function.__name__, defaults or None)
    copy.__module__, copy.__qualname__ = function.__module__, function.__qualname__
    return copy


def _modules() -> dict[str, ModuleType]:
    """The modules of the kernel and of the rules."""
    found = {}
    for package in (_KERNEL, _RULES):
        folder = Path(str(importlib.import_module(package).__file__)).parent
        for file in sorted(folder.glob("*.py")):
            name = package if file.stem == "__init__" else f"{package}.{file.stem}"
            found[name] = importlib.import_module(name)
    return found


def _cache_directory(modules: dict[str, ModuleType]) -> Path:
    """Named by what it was compiled from, since Numba's cache looks at the file of the outermost function alone."""
    versions = [importlib.metadata.version(name) for name in ("numba", "llvmlite", "numpy")]
    versions += [os.environ.get(name, "") for name in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_OPT")]
    digest = hashlib.sha256(" ".join([sys.version, *versions]).encode())
    own = [Path(__file__).with_name(name) for name in ("compiling.py", "intrinsics.py", "whole_program.py")]
    files = [Path(str(module.__file__)) for module in (*modules.values(), vocabulary, priorities)]
    for file in (*files, *own):
        digest.update(file.read_bytes())
    return _folder(f"compiled-{digest.hexdigest()[:16]}")


def _folder(name: str) -> Path:
    """Below the user's cache, or else below a folder for temporary files where nobody else can put machine code."""
    try:
        home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        wanted = Path(home) / "des-fallback" / name
        wanted.mkdir(parents=True, exist_ok=True)
        if os.access(wanted, os.W_OK):
            return wanted
    except (OSError, RuntimeError):  # a user without a home
        pass
    user = getattr(os, "getuid", getpass.getuser)()
    shared = Path(tempfile.gettempdir()) / f"des-fallback-{user}"
    with suppress(OSError):
        shared.mkdir(mode=0o700, exist_ok=True)
        found = shared.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid in (user, 0) and not found.st_mode & 0o022:
            return shared / name
    return _of_this_process() / name


@cache
def _of_this_process() -> Path:
    return scratch_until_exit()


def forget_cached() -> bool:
    """Removes what was compiled before, as where a file of it is damaged, and what is loaded; whether there was any."""
    directory = _cache_directory(_modules())
    there = is_cached()
    shutil.rmtree(directory, ignore_errors=True)
    compiled.cache_clear()
    return there
