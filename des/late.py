"""Modules that are imported when something of them is first used.

Reading a scenario needs no NumPy, and looking up a price no HTTP client, but what does imports both.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


class _Late(ModuleType):
    """Stands for a module in those that import it."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        value = getattr(import_module(self.__name__), name)
        setattr(self, name, value)
        return value


def late_module(name: str) -> ModuleType:
    """The module of this name if it has been imported, or else a stand-in that imports it."""
    return sys.modules.get(name) or _Late(name)


@contextmanager
def late_modules(*names: str) -> Iterator[None]:
    """What is imported within it gets stand-ins for these modules. What is imported afterwards gets the modules."""
    stand_ins = {name: _Late(name) for name in names if name not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, each in stand_ins.items():
            if sys.modules.get(name) is each:
                del sys.modules[name]
