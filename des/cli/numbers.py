"""Whole numbers on the command line, which are refused with the range that is allowed."""

from collections.abc import Callable

import typer

LARGEST = 2**63 - 1
_MOST_DIGITS = 300
"""Python reads no number of thousands of digits; none of these many is in any range."""


def whole(least: int | None = None, most: int = LARGEST) -> Callable[[str | int], int]:
    """The reader of an option that takes a whole number from `least` to `most`.

    Without `least`, whatever takes the number says what is too small.
    """
    asked = "expected a whole number" + ("" if least is None else f" of at least {least:,}")
    limit = "below 2^63" if most == LARGEST else f"of at most {most:,}"

    def read(text: str | int) -> int:
        said = str(text).strip()
        digits = said.lstrip("+-").replace("_", "")
        if not (digits.isascii() and digits.isdigit()):
            raise typer.BadParameter(f"{asked}; got {shortened(said)!r}")
        is_large = len(digits.lstrip("0")) > _MOST_DIGITS
        if not said.startswith("-") and (is_large or int(digits) > most):
            raise typer.BadParameter(f"expected a whole number {limit}; got {shortened(said)}, which is too large")
        if is_large or (least is not None and int(said) < least):
            raise typer.BadParameter(f"{asked if least is not None else f'{asked} above -2^63'}; got {shortened(said)}")
        return int(said)

    read.__name__ = "N"
    return read


def shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
