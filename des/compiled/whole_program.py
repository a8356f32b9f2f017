"""Has Numba compile functions as one program: optimised once, with machine code of the outermost functions alone.

Numba by itself optimises each function together with all that it calls, then its callers with all of that once more,
and makes machine code of every one. For hundreds of small functions this takes more than twice as long. It also leaves
the optimiser in doubt whether anybody else calls them.

The classes below are what Numba offers for pipelines of one's own, and what its code libraries do inside. The latter is
not promised from version to version, so `working` tries them out.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numba
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering


class Pipelines(NamedTuple):
    """For `numba.njit(pipeline_class=...)`: of functions that others call, and of those that Python calls."""

    inner: type[CompilerBase]
    outer: type[CompilerBase]


class _Unlinked(JITCodeLibrary):
    """The code of a function, which only notes what it calls."""

    _linking_libraries: list[Any]

    def add_linking_library(self, library: Any) -> None:
        self._linking_libraries.append(library)


class _InnerLibrary(_Unlinked):
    """The code of a function as Numba has made it, without that of the functions that it calls."""

    def _optimize_functions(self, module: Any) -> None:
        module.data_layout = self._codegen._data_layout

    def finalize(self) -> None:
        self._finalized = True


class _WholeProgram(_Unlinked):
    """The code of an outermost function and of all functions that it leads to."""

    def finalize(self) -> None:
        self._own = {function.name for function in _defined(self._final_module)}
        self._linking_libraries = _all_called(self._linking_libraries)
        super().finalize()

    def _optimize_final_module(self) -> None:
        for function in _defined(self._final_module):
            if function.name not in self._own:
                function.linkage = "internal"
        super()._optimize_final_module()


def _defined(module: Any) -> Iterator[Any]:
    return (function for function in module.functions if not function.is_declaration)


def _all_called(libraries: list[Any]) -> list[Any]:
    """These libraries and all that they need, in an order that is always the same."""
    found = dict.fromkeys(libraries)
    waiting = list(found)
    while waiting:
        library = waiting.pop()
        if isinstance(library, _InnerLibrary):
            new = [other for other in library._linking_libraries if other not in found]
            found |= dict.fromkeys(new)
            waiting += new
    return list(found)


def _new_code(state: Any, kind: type[_Unlinked]) -> _Unlinked:
    """What the function's code will be put into."""
    code = state["library"] = kind(state.targetctx.codegen(), state.func_id.func_qualname)
    code.enable_object_caching()
    return code


@register_pass(mutates_CFG=True, analysis_only=False)
class _LowerInner(NativeLowering):
    """Makes the code of a function for `_WholeProgram`, and nothing that could be called from Python."""

    _name = "lower_inner_function"

    def run_pass(self, state: Any) -> bool:
        code = _new_code(state, _InnerLibrary)
        state.flags.no_compile = True
        super().run_pass(state)
        # Numba tells functions apart by their entries, which have to be built in: here, methods of separate lists
        lowered = state["cr"] = state["cr"]._replace(cfunc=[].append)
        state.targetctx.insert_user_function(lowered.cfunc, lowered.fndesc, [code])
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class _LowerOuter(NativeLowering):
    _name = "lower_outermost_function"

    def run_pass(self, state: Any) -> bool:
        _new_code(state, _WholeProgram)
        return bool(super().run_pass(state))


def _pipeline(lowering: type[NativeLowering]) -> type[CompilerBase]:
    class Pipeline(CompilerBase):
        def define_pipelines(self) -> list[Any]:
            passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
            passes.add_pass_after(lowering, NativeLowering)
            passes.passes = [each for each in passes.passes if each[0] is not NativeLowering]
            passes.finalize()
            return [passes]

    return Pipeline


PIPELINES: Final = Pipelines(_pipeline(_LowerInner), _pipeline(_LowerOuter))


def working() -> Pipelines | None:
    """The pipelines; None where they do not work with the Numba that is installed."""
    try:
        inner = numba.njit(pipeline_class=PIPELINES.inner, no_cpython_wrapper=True, no_cfunc_wrapper=True)(_twice)
        works = numba.njit(pipeline_class=PIPELINES.outer, no_cfunc_wrapper=True)(_caller_of(inner))(20) == 42
    except Exception:  # whatever Numba's own code makes of classes that it does not expect
        works = False
    return PIPELINES if works else None


def _twice(number: int) -> int:
    return 2 * number


def _caller_of(inner: Any) -> Any:
    def call(number: int) -> Any:
        return inner(number + 1)

    return call
