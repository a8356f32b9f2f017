"""How figures are written in sentences about faults foretold."""

_MINUTE_S = 60.0
_HOUR_S = 3600.0
_DAY_S = 86_400.0


def share(value: float) -> str:
    """`4.1 %` with two significant digits, three from 10 %; in words where it is all, or nearly, or hardly any."""
    percent = 100.0 * value
    if percent >= 99.995 or percent < 1e-4:
        return "all" if value >= 1.0 else "nearly all" if percent > 1.0 else "hardly any"
    if percent >= 99.95:
        return f"{percent:.4g} %"
    return f"{percent:.3g} %" if percent >= 10.0 else f"{percent:.2g} %"


def duration(value_s: float) -> str:
    """`200 ms`, `30 s`, `10 min`, `2.5 h`, `8.1 d`."""
    if value_s < 1.0:
        return f"{1000.0 * value_s:.3g} ms"
    if value_s < 2.0 * _MINUTE_S:
        return f"{value_s:.3g} s"
    if value_s < 2.0 * _HOUR_S:
        return f"{value_s / _MINUTE_S:.3g} min"
    return f"{value_s / _HOUR_S:.3g} h" if value_s < 4.0 * _DAY_S else f"{value_s / _DAY_S:.3g} d"


def written(value_s: float) -> str:
    """A duration as a scenario writes it: `45s`, `10min`."""
    return duration(value_s).replace(" ", "")


def rate(per_s: float, unit: str) -> str:
    """`120 requests a minute`, or a second where there are many."""
    if per_s >= 100.0:
        return f"{number(per_s)} {unit} a second"
    return (
        f"{number(_MINUTE_S * per_s)} {unit} a minute"
        if per_s * _MINUTE_S >= 0.1
        else f"{per_s * _HOUR_S:.2g} {unit} an hour"
    )


def number(value: float) -> str:
    """Three significant digits, in full."""
    if value >= 1000.0:
        digits = len(f"{value:.0f}") - 3
        return f"{round(value / 10**digits) * 10**digits:,d}"
    return f"{value:.3g}"


def times(value: float, of: str) -> str:
    """`3 attempts`, `1 attempt`."""
    return f"{number(value)} {of}" + ("" if value == 1 else "s")


def down(names: list[str]) -> str:
    """`a is down`, `a and b are down`."""
    return f"{listed(names)} {'is' if len(names) == 1 else 'are'} down"


def listed(names: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`; of many, the first two and their number."""
    if len(names) > 3:
        return f"{', '.join(names[:2])} and {len(names) - 2} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
