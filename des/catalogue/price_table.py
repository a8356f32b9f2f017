"""The price table of the genai-prices package, without what the package needs to fetch newer tables.

Importing the package takes a tenth of a second. So it is imported when a price is first looked up, and its HTTP client
and asyncio, half of that time, only if somebody uses them.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from genai_prices.types import Provider

_FETCH_WITH: Final = ("httpx2", "asyncio")


@cache
def providers() -> "Sequence[Provider]":
    """Every provider of the table that is installed, with its models and their prices."""
    with _late(_FETCH_WITH):
        from genai_prices.data import providers
    return providers


class _Late(ModuleType):
    """Stands for a module in those that import it, and imports the module when they first use something of it."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


@contextmanager
def _late(names: Sequence[str]) -> Iterator[None]:
    """What is imported within it gets stand-ins for these modules. What is imported afterwards gets the modules."""
    stand_ins = [_Late(name) for name in names if name not in sys.modules]
    sys.modules.update({each.__name__: each for each in stand_ins})
    try:
        yield
    finally:
        for each in stand_ins:
            if sys.modules.get(each.__name__) is each:
                del sys.modules[each.__name__]
