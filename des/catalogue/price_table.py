"""The price table of the genai-prices package, without what the package needs to fetch newer tables.

Importing the package takes a tenth of a second. So it is imported when a price is first looked up, and its HTTP client
only if somebody uses it.
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from des.late import late_modules

if TYPE_CHECKING:
    from genai_prices.types import Provider


@cache
def providers() -> "Sequence[Provider]":
    """Every provider of the table that is installed, with its models and their prices."""
    with late_modules("httpx2"):
        from genai_prices.data import providers
    return providers
