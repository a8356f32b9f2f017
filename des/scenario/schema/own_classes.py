"""Classes that users write in Python and name in scenarios: `kind: my_package.rules:Fibonacci`.

A field that takes one is marked with `OwnKind`, which imports the class and reads the fields beside `kind` as its own.
Only a scenario that names a class imports it, and `without_own_classes` forbids that.
"""

import hashlib
import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from types import FunctionType
from typing import Any, Final, get_args

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from des.errors import RunError
from des.scenario.schema.setting import Setting, contradiction
from des.words import meant, nearest, unknown

NAME: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
"""A class by its module and its name."""
_SHORT: Final = re.compile(r"[a-z_]\w*")
_PACKAGE: Final = __name__.partition(".")[0]
_REGISTERED: Final[dict[str, "type[OwnClass]"]] = {}
_FORBIDDEN: Final[ContextVar[bool]] = ContextVar("own classes are forbidden", default=False)

CALLED: Final = ("__call__",)
"""What a state needs that is a function."""

IN_JSON_SCHEMA: Final[JsonSchemaValue] = {
    "type": "object",
    "properties": {
        "kind": {"type": "string", "pattern": f"^{NAME.pattern}$", "description": "Its module and its name."}
    },
    "required": ["kind"],
    "description": "A class of your own, by module and name, with its fields beside it.",
}
"""What editors allow in place of a built-in kind."""


class OwnClass(Setting):
    """The base of all classes that scenarios can name. Its fields are written beside `kind`."""

    @classmethod
    def kind_name(cls) -> str:
        """The class as a scenario names it."""
        return f"{cls.__module__}:{cls.__qualname__}"

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in type(self).model_fields)))

    def called(self, method: str, *arguments: Any) -> Any:
        """Calls a method of the user's. Raises RunError with the class and the method for any error in it."""
        return called(self, getattr(self, method), *arguments)


def called(of: OwnClass, function: Callable[..., Any], *arguments: Any) -> Any:
    """Calls what a user has written. Raises RunError with the class for any error in it."""
    try:
        return function(*arguments)
    except RunError:
        raise
    except (Exception, SystemExit) as error:
        name = getattr(function, "__name__", type(function).__name__)
        raise RunError(f"{of.kind_name()}: {name} raised {type(error).__name__}: {error}") from error


def number_from(of: OwnClass, what: str, value: object, *, least: float = 0.0, finite: bool = True) -> float:
    """What a method returned, as a float. Raises RunError unless it is a number of at least `least`."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not number >= least or (finite and number == float("inf")):
        raise RunError(f"{of.kind_name()}: {what} returned {value!r:.100}; expected a number of at least {least:g}")
    return number


def started(of: OwnClass, needed: Sequence[str], *arguments: Any) -> Any:
    """The state that `start` returns. Raises RunError where it lacks one of the methods that are needed."""
    state = of.called("start", *arguments)
    if lacking := [name for name in needed if not callable(getattr(state, name, None))]:
        what = "something to call" if needed == CALLED else f"an object with {' and '.join(lacking)}"
        raise RunError(f"{of.kind_name()}: start returned {state!r:.100}; expected {what}")
    return state


def check_numbers(of: type[OwnClass], *names: str) -> None:
    """Has methods and properties that a class defines raise RunError for all but finite numbers of at least 0."""
    for name in names:
        told = of.__dict__.get(name)
        if isinstance(told, property) and told.fget is not None:
            setattr(of, name, property(_checked(name, told.fget)))
        elif isinstance(told, FunctionType):
            setattr(of, name, _checked(name, told))


def _checked(name: str, told: Callable[..., Any]) -> Callable[..., float]:
    @wraps(told)
    def checked(self: OwnClass, *arguments: Any) -> float:
        return number_from(self, name, called(self, told, self, *arguments))

    return checked


def register(name: str, of: type[OwnClass]) -> None:
    """Gives a class a short name: after `des.register("fibonacci", Fibonacci)` a scenario may say `kind: fibonacci`.

    `of` is a class at the top level of a module and derives from one of `des.extend`. Runs record its module and its
    own name, so that they can be repeated where nothing is registered. A name that is registered again means the new
    class. Raises ValueError for other names and classes.
    """
    if not _SHORT.fullmatch(name):
        raise ValueError(f"{name!r}: a short name has lower-case letters, digits and underscores")
    if name in _built_in(Setting):
        raise ValueError(f"{name!r} is a kind that scenarios have already")
    if not (isinstance(of, type) and issubclass(of, OwnClass)):
        raise ValueError(f"{of!r} derives from no class of des.extend")
    if getattr(sys.modules.get(of.__module__), of.__qualname__, None) is not of:
        raise ValueError(f"{of.kind_name()}: define the class at the top level of a module, so that it can be found")
    _REGISTERED[name] = of


def make_importable(folder: Path) -> None:
    """Lets modules beside a scenario be imported, after all others."""
    place = str(folder.resolve())
    if not _FORBIDDEN.get() and place not in sys.path:
        sys.path.append(place)


@contextmanager
def without_own_classes() -> Iterator[None]:
    """Within it, scenarios that name a class are refused, and none is imported. For programs that serve others."""
    token = _FORBIDDEN.set(True)
    try:
        yield
    finally:
        _FORBIDDEN.reset(token)


def _built_in(model: type[Setting]) -> set[str]:
    """The kinds of all settings."""
    kinds = set(get_args(model.model_fields["kind"].annotation)) if "kind" in model.model_fields else set()
    return kinds.union(*map(_built_in, model.__subclasses__()))


def is_own_kind(kind: object) -> bool:
    """Whether a `kind` names a class of a user, registered or by its module."""
    return isinstance(kind, str) and (kind in _REGISTERED or NAME.fullmatch(kind) is not None)


def full_name(kind: str) -> str:
    """The module and name of a class that may be registered."""
    return _REGISTERED[kind].kind_name() if kind in _REGISTERED else kind


def source_digest(kind: str) -> str:
    """SHA-256 of the source of a class: its package, or its module, and those of what it derives from.

    Raises ValueError where the source cannot be read.
    """
    digest = hashlib.sha256()
    for name, content in _sources(_imported(full_name(kind))):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _sources(of: type[OwnClass]) -> list[tuple[str, bytes]]:
    """(name, content) of what a class is written in, sorted: files, or its own text where a notebook defines it.

    Files of this package are part of every run's key in any case.
    """
    files: set[Path] = set()
    texts: list[tuple[str, bytes]] = []
    for each in (each for each in of.__mro__ if issubclass(each, OwnClass)):
        name = each.__module__
        top = name.partition(".")[0]
        if top == _PACKAGE and name != of.__module__:
            continue
        file = getattr(sys.modules.get(name), "__file__", None)
        package = getattr(sys.modules.get(top), "__file__", None)
        if file is None:
            texts.append((each.kind_name(), _text(each)))
        elif "." in name and package is not None and Path(package).name == "__init__.py":
            files.update(Path(package).parent.rglob("*.py"))
        else:
            files.add(Path(file))
    return [*((path.name, path.read_bytes()) for path in sorted(files)), *texts]


def _text(of: type[OwnClass]) -> bytes:
    """Its fields with their defaults, and the text of its methods, which a notebook keeps."""
    functions = [getattr(each, "fget", each) for each in vars(of).values()]
    try:
        methods = [inspect.getsource(each) for each in functions if inspect.isfunction(each)]
    except (OSError, TypeError):
        methods = []
    if not methods:
        raise ValueError(
            f"{of.kind_name()}: its source is in no file, so a run could not say what it ran: "
            "write the class in a file and import it"
        )
    defaults = [f"{name} = {field.default!r}" for name, field in of.model_fields.items()]
    return "\n".join([*defaults, *methods]).encode()


def _imported(name: str) -> type[OwnClass]:
    """Raises ValueError with the reason where it cannot be found."""
    module_name, _, attribute = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise ValueError(f"importing {module_name} failed: {error}") from error
        raise ValueError(
            f"there is no module {error.name}: install it, put its file beside the scenario, or set PYTHONPATH"
        ) from None
    except (Exception, SystemExit) as error:
        raise ValueError(f"importing {module_name} failed: {type(error).__name__}: {error}") from error
    found = getattr(module, attribute, None)
    if found is None:
        classes = [key for key, each in vars(module).items() if isinstance(each, type) and issubclass(each, OwnClass)]
        raise ValueError(unknown(f"class of {module_name}", attribute, classes))
    if not (isinstance(found, type) and issubclass(found, OwnClass)):
        raise ValueError(f"{name} derives from no class of des.extend")
    if missing := sorted(getattr(found, "__abstractmethods__", ())):
        raise ValueError(f"{name} lacks {' and '.join(missing)}")
    return found


class OwnKind:
    """Marks a field that may name a class of a user: one that derives from `of`.

    `wrap` makes the field's value of the setting that was read; it is the setting itself by default.
    """

    def __init__(self, of: type[OwnClass], wrap: Callable[[Any], Any] | None = None) -> None:
        self._of = of
        self._wrap = wrap

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [handler(schema), IN_JSON_SCHEMA]}

    def _read(self, value: Any, handler: Callable[[Any], Any]) -> Any:
        if isinstance(value, Mapping) and is_own_kind(value.get("kind")):
            read = self._setting(value)
            return read if self._wrap is None else self._wrap(read)
        return handler(value)

    def _setting(self, value: Mapping[str, Any]) -> OwnClass:
        kind = value["kind"]
        if _FORBIDDEN.get():
            raise contradiction(f"'{kind}' is a class of your own, and none may run here", "kind")
        try:
            of = _imported(full_name(kind))
        except ValueError as error:
            raise contradiction(str(error), "kind") from None
        if not issubclass(of, self._of):
            raise contradiction(f"{kind} has to derive from {_public_name(self._of)} to stand here", "kind")
        try:
            return of.model_validate({key: each for key, each in value.items() if key != "kind"})
        except ValidationError as error:
            raise _with_its_own_keys(error, of) from None
        except RunError as error:
            raise contradiction(str(error), "kind") from None
        except (Exception, SystemExit) as error:
            raise contradiction(f"making a {kind} raised {type(error).__name__}: {error}", "kind") from None


def _public_name(of: type[OwnClass]) -> str:
    return f"des.extend.{of.__name__.removeprefix('Own')}"


def _with_its_own_keys(error: ValidationError, of: type[OwnClass]) -> ValidationError:
    """The same errors, where an unknown key names the nearest field of the class, which is then not missing too."""
    known = [of.written(name) for name in of.model_fields]
    faults = error.errors(include_url=False)
    meant_keys = {nearest(str(fault["loc"][0]), known) for fault in faults if fault["type"] == "extra_forbidden"}
    lines: list[InitErrorDetails] = []
    for fault in faults:
        loc, kind = fault["loc"], fault["type"]
        context = fault.get("ctx", {})
        if kind == "missing" and len(loc) == 1 and loc[0] in meant_keys:
            continue
        if kind == "extra_forbidden" and len(loc) == 1:
            message = f"unknown key '{loc[0]}' of {of.kind_name()}{meant(str(loc[0]), known)}"
            lines.append({"type": contradiction(message), "loc": loc, "input": fault["input"]})
        elif kind == "contradiction":
            lines.append({"type": PydanticCustomError(kind, "{message}", context), "loc": loc, "input": fault["input"]})
        else:
            lines.append({"type": kind, "loc": loc, "input": fault["input"], "ctx": context})
    return ValidationError.from_exception_data(of.__name__, lines)


def own_kinds(content: object) -> Iterator[str]:
    """The names of classes of users in a scenario's content, arms and overrides included; none is imported.

    What stands at a key `kind`, or where a bare word is read as one, counts.
    """
    if isinstance(content, Mapping):
        for key, value in content.items():
            if isinstance(value, str):
                if str(key).rpartition(".")[2] in _KEYS_OF_KINDS and is_own_kind(value):
                    yield value
            else:
                yield from own_kinds(value)
    elif isinstance(content, list | tuple):
        for each in content:
            yield from own_kinds(each)


_KEYS_OF_KINDS: Final = ("kind", "routing", "order")


def with_full_names(content: Any) -> Any:
    """The content with the module and name of each registered class, as a run records it."""
    if isinstance(content, dict):
        return {
            key: full_name(value)
            if isinstance(value, str) and str(key).rpartition(".")[2] in _KEYS_OF_KINDS
            else with_full_names(value)
            for key, value in content.items()
        }
    return [with_full_names(each) for each in content] if isinstance(content, list) else content
