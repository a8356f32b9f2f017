"""How much there is in a body, whatever it says."""

from typing import Any

from des.service.bounds import Bounds
from des.service.problems import over


def check_values(content: Any, bounds: Bounds, at: str) -> None:
    """Raises ProblemError where there are more values than are looked at: each may be a fault with words of its own."""
    many, within = 0, [content]
    while within:
        value = within.pop()
        parts = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
        many += len(parts)
        if many > bounds.values:
            raise over("values", bounds.values, f"at most {bounds.values:,} fields and items of lists", at)
        within.extend(parts)


def deepest(content: Any) -> int:
    """How deep lists and objects are nested."""
    found, within = 0, [(content, 1)]
    while within:
        value, depth = within.pop()
        if isinstance(value, dict | list):
            found = max(found, depth)
            within.extend((each, depth + 1) for each in (value.values() if isinstance(value, dict) else value))
    return found
