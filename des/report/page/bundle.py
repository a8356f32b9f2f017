"""The scripts that draw charts in the page: Vega, Vega-Lite and Vega-Embed as one text, without a network.

vl-convert makes it from its own copies in some four seconds of processor time, so it is kept in the user's cache.
"""

import os
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

from des.errors import DesError
from des.single_files import write_over

_SNIPPET: Final = "window.vegaEmbed = vegaEmbed;"


@cache
def scripts() -> str:
    """JavaScript that defines `vegaEmbed`, safe inside a `script` element."""
    kept = _place()
    with suppress(OSError, ValueError):
        return kept.read_text(encoding="utf-8")
    import vl_convert

    found: str = vl_convert.javascript_bundle(_SNIPPET).replace("</script", "<\\/script").replace("<!--", "<\\!--")
    with suppress(OSError, DesError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_over(kept, found)
    return found


def _place() -> Path:
    folder = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(folder) / "des" / f"vega-{version('vl-convert-python')}.js"
