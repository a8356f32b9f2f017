"""The libraries of the extra `report`, imported only when a chart is drawn."""

from importlib.util import find_spec
from typing import Final

from des.errors import DesError

_LIBRARIES: Final = {"altair": "Altair", "vl_convert": "vl-convert", "jinja2": "Jinja2"}


def missing() -> str:
    """What to install, empty where nothing is missing."""
    absent = [name for module, name in _LIBRARIES.items() if find_spec(module) is None]
    if not absent:
        return ""
    return f"a report needs {' and '.join(absent)}: pip install 'des-fallback[report]'"


def require() -> None:
    """Raises DesError, which says what to install, where a library is missing."""
    if words := missing():
        raise DesError(words)
