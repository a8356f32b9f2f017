"""The self-test: every closed form against a simulation or calculation that does not use it.

The package is also the public function: `des.check()` is `des.check.suite.check`.
"""

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from des.check.suite import Checked


class _Callable(ModuleType):
    def __call__(self, only: "Sequence[str]" = (), *, workers: int = 1) -> "tuple[Checked, ...]":
        """As `des.check.suite.check`: a finding for each claim, of the cases named, or of all."""
        from des.check.suite import check

        return check(only, workers=workers)


sys.modules[__name__].__class__ = _Callable
