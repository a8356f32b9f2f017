"""How a scenario writes numbers: exactly, and as people would."""

from des.scenario.text.units import DAY_S


def number_text(value: float) -> str:
    """All digits, without an exponent where people would not write one."""
    text = repr(float(value))
    if "e" in text:
        return f"{value:.17f}".rstrip("0").rstrip(".") if 1e-9 < value < 1.0 else text
    return text.removesuffix(".0")


def plain_number(value: float) -> int | float:
    return int(value) if float(value).is_integer() else float(value)


def time_text(seconds: float) -> str:
    """In seconds, or in milliseconds where that is a whole number below a second."""
    thousandths = seconds * 1000.0
    if seconds < 1.0 and thousandths.is_integer():
        return f"{int(thousandths)}ms"
    return f"{number_text(seconds)}s"


def share_text(share: float) -> str:
    """Per cent where that is exact in a few digits."""
    text = f"{100.0 * share:.10f}".rstrip("0").rstrip(".")
    return f"{text}%" if float(text) / 100.0 == share else number_text(share)


def rate_text(per_s: float) -> str:
    """Per second, minute, hour or day: the first in which it is a number of a few digits."""
    for unit, length_s in (("s", 1.0), ("min", 60.0), ("h", 3600.0), ("d", DAY_S)):
        value = per_s * length_s
        text = f"{value:.6g}"
        if value >= 1.0 and float(text) / length_s == per_s:
            return f"{number_text(float(text))}/{unit}"
    return f"{number_text(per_s)}/s"
