"""Numbers on the command line, which are refused with the range that is allowed or with an example."""

import re
from collections.abc import Callable

import typer

LARGEST = 2**63 - 1
_PLAIN = re.compile(r"[0-9]+(\.[0-9]+)?")
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
            meant = _meant(said)
            written = f": write {meant}" if meant.isdigit() else ""
            raise typer.BadParameter(f"{asked}; got {shortened(said)!r}{written}")
        is_large = len(digits.lstrip("0")) > _MOST_DIGITS
        if not said.startswith("-") and (is_large or int(digits) > most):
            raise typer.BadParameter(f"expected a whole number {limit}; got {shortened(said)}, which is too large")
        if is_large or (least is not None and int(said) < least):
            raise typer.BadParameter(f"{asked if least is not None else f'{asked} above -2^63'}; got {shortened(said)}")
        return int(said)

    read.__name__ = "N"
    return read


def number(what: str, unit: str = "") -> Callable[[str | float], float]:
    """The reader of an option that takes any number; whatever takes it says what is out of range.

    `what` is what is expected, with an example, and `unit` one that is said although the number has none.
    """

    def read(text: str | float) -> float:
        try:
            return float(text)
        except ValueError:
            meant = _meant(str(text)).removesuffix(unit).strip()
            written = f": write {meant}" if _PLAIN.fullmatch(meant) else ""
            raise typer.BadParameter(f"expected {what}; got {shortened(str(text))!r}{written}") from None

    read.__name__ = "N"
    return read


def _meant(text: str) -> str:
    from des.scenario.text.other_units import in_our_units

    return in_our_units(text) if text.isascii() else ""


def shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
