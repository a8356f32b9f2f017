"""`python -m benchmarks.mutants`: which small faults in the rules and the walk the tests would not notice.

Each mutant differs from the code in one place: a comparison, a sum, a condition, a constant or a statement. It exists
in the memory of a forked process only, which runs tests until one fails. Survivors are printed with their place: each
is either the same program written otherwise, or lacks a test.
"""

import argparse
import ast
import contextlib
import importlib.abc
import importlib.util
import os
import random
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Final

ROOT: Final = Path(__file__).parents[1]
ENGINE: Final = ("walk", "way", "layers", "retries", "guards", "limiters", "admission")
TARGETS: Final = (
    *sorted(path for path in (ROOT / "des" / "rules").glob("*.py") if path.stem != "__init__"),
    *(ROOT / "des" / "engine" / f"{name}.py" for name in ENGINE),
)
SLOW: Final = ("drawn_clients", "determinism", "capacity", "workloads")
"""Tests of the engine that are left out; the drawn scenarios of the guard see whatever they would."""
CLOSEST: Final = {
    "walk": ("walk", "layers", "queues", "cache"),
    "way": ("layers", "walk", "deadlines", "routing", "queues"),
    "layers": ("layers", "walk", "deadlines"),
    "retries": ("layers", "walk", "deadlines"),
    "guards": ("guards", "cooldowns", "routing"),
    "limiters": ("limits", "corrections"),
    "admission": ("limits", "budgets", "corrections", "capacity"),
    "limits": ("limits", "capacity"),
}
"""Words in the names of the tests of the engine that come first for a file's mutants."""
PRELOADED: Final = ("des.scenario", "des.traces", "des.faults", "des.vocabulary")
MOST_CPU_S: Final = 120
"""A mutant that takes longer is taken for one that never ends, and so for noticed."""

_COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.Mod: ast.Mult,
    ast.FloorDiv: ast.Mult,
}
_CALLS: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """The `version`-th change of the `node`-th node of a file."""

    path: Path
    node: int
    version: int
    line: int
    what: str

    @property
    def module(self) -> str:
        return ".".join(self.path.relative_to(ROOT).with_suffix("").parts)

    def tree(self) -> ast.Module:
        """The changed file."""
        tree = ast.parse(self.path.read_text(encoding="utf-8"))
        place = _nodes(tree)[self.node]
        _Replaced(place, list(_changes(place))[self.version]).visit(tree)
        return ast.fix_missing_locations(tree)

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.what}"


def mutants(path: Path) -> Iterator[Mutant]:
    """All of a file, in the order of its nodes; only what functions do is changed, not what they assert."""
    for number, node in enumerate(_nodes(ast.parse(path.read_text(encoding="utf-8")))):
        for version, new in enumerate(_changes(node)):
            before, after = (ast.unparse(ast.fix_missing_locations(each)).split("\n", 1)[0] for each in (node, new))
            yield Mutant(path, number, version, node.lineno, f"{before}  ->  {after}")


def _nodes(tree: ast.Module) -> list[ast.expr | ast.stmt]:
    """What functions compute, without annotations, docstrings, assertions and messages."""
    found: list[ast.expr | ast.stmt] = []

    def visit(node: ast.AST, *, inside: bool) -> None:
        if isinstance(node, ast.Assert | ast.Raise | ast.arguments | ast.JoinedStr):
            return
        if isinstance(node, ast.FunctionDef):
            for statement in node.body:
                visit(statement, inside=True)
            return
        if inside and isinstance(node, ast.expr | ast.stmt):
            found.append(node)
        for field, child in ast.iter_fields(node):
            if field != "annotation":
                for each in child if isinstance(child, list) else [child]:
                    if isinstance(each, ast.AST):
                        visit(each, inside=inside)

    visit(tree, inside=False)
    return found


def _changes(node: ast.expr | ast.stmt) -> Iterator[ast.expr | ast.stmt]:
    """What may stand in the place of a node."""
    match node:
        case ast.Compare(left, [operator], comparators):
            yield ast.Compare(left, [_COMPARISONS[type(operator)]()], comparators)
        case ast.BinOp(left, operator, right) if type(operator) in _OPERATORS:
            yield ast.BinOp(left, _OPERATORS[type(operator)](), right)
        case ast.BoolOp(operator, values):
            yield ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            yield operand
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value) | float(value)):
            yield ast.Constant(value + 1)
        case ast.Call(ast.Name(name), arguments, keywords) if name in _CALLS:
            yield ast.Call(ast.Name(_CALLS[name], ast.Load()), arguments, keywords)
        case ast.IfExp(test, body, otherwise):
            yield ast.IfExp(test, otherwise, body)
        case ast.If(test, body, otherwise):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, otherwise)
        case ast.AugAssign(target, operator, value):
            yield ast.Pass()
            yield ast.AugAssign(target, _OPERATORS[type(operator)](), value)
        case ast.Expr(ast.Call()) | ast.Assign([ast.Attribute() | ast.Subscript()]) | ast.Delete():
            yield ast.Pass()
        case ast.Continue():
            yield ast.Break()


class _Replaced(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.expr | ast.stmt) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self._old:
            return ast.copy_location(self._new, node)
        found: ast.AST = self.generic_visit(node)
        return found


class _Mutated(SourceFileLoader):
    """Loads the mutant instead of its file."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__(mutant.module, str(mutant.path))
        self._tree = mutant.tree()

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._tree, self.path, "exec")


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        if fullname != self._mutant.module:
            return None
        return importlib.util.spec_from_file_location(fullname, self._mutant.path, loader=_Mutated(self._mutant))


def _tests(path: Path) -> list[list[str]]:
    """Runs of tests of a file's mutants, the closest first; the last is tried on what survives the others."""
    words = CLOSEST.get(path.stem, ())
    engine = [
        test
        for test in sorted((ROOT / "tests" / "engine").glob("test_*.py"), key=lambda test: test.stat().st_size)
        if test.stem.removeprefix("test_") not in SLOW
    ]
    close = [test for test in engine if any(word in test.stem for word in words)]
    others = [test for test in engine if test not in close]
    guard = f"{ROOT}/tests/guard/test_digests.py::test_drawn_scenarios_leave_the_same_traces"
    drawn = [f"{guard}[drawn {number:03d}]" for number in range(0, 200, 10)]
    return [[f"{ROOT}/tests/rules"], *([str(test) for test in tests] for tests in (close, others) if tests), drawn]


def outcome(mutant: Mutant | None, runs: Sequence[Sequence[str]]) -> str:
    """Which run of tests notices a mutant, by its number; "survived" where none does. None is the code as it is."""
    for number, tests in enumerate(runs):
        child = os.fork()
        if child == 0:
            _run(mutant, tests)
        _, status = os.waitpid(child, 0)
        if status != 0:
            return "noticed by the guard alone" if number == len(runs) - 1 else "noticed by tests"
    return "survived"


def _run(mutant: Mutant | None, tests: Sequence[str]) -> None:
    """In the forked process: never returns."""
    import pytest

    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    if mutant is not None:
        sys.meta_path.insert(0, _Finder(mutant))
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        code = 1
        with contextlib.suppress(BaseException):
            code = int(pytest.main([*tests, "-x", "-q", "--tb=no", "-p", "no:cacheprovider"]))
        os._exit(code)


def _load_what_never_changes() -> None:
    """So that forked processes need not: libraries, and rooms of the package that know nothing of what is changed."""
    for name in ("numpy", "pandas", "pyarrow.parquet", "scipy.stats", "simpy", "hypothesis", "pytest", *PRELOADED):
        importlib.import_module(name)
    assert not any(name.startswith(("des.rules", "des.engine")) for name in sys.modules)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=200, metavar="N", help="mutants, of all there are")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", metavar="TEXT", help="mutants whose place and change have this in them")
    parser.add_argument("--list", action="store_true", help="name them, and run nothing")
    given = parser.parse_args()
    every = [mutant for path in TARGETS for mutant in mutants(path) if given.only in str(mutant)]
    chosen = random.Random(given.seed).sample(every, min(given.sample, len(every)))
    print(f"{len(chosen)} of {len(every)} mutants")
    if given.list:
        print(*chosen, sep="\n")
        return 0
    _load_what_never_changes()
    os.chdir(ROOT)
    if outcome(None, _tests(ROOT)[:-1]) != "survived":
        print("the tests fail without any mutant: nothing can be said")
        return 1
    began_s, counted = time.monotonic(), Counter[str]()
    for number, mutant in enumerate(chosen, 1):
        found = outcome(mutant, _tests(mutant.path))
        counted[found] += 1
        if found != "noticed by tests" or number % 10 == 0:
            print(f"{number}: {found}: {mutant}", flush=True)
    print(*(f"{count} {what}" for what, count in counted.most_common()), sep=", ")
    print(f"{time.monotonic() - began_s:.0f} s")
    return 1 if counted["survived"] else 0


if __name__ == "__main__":
    sys.exit(main())
