"""`python -m tests.documentation.pages` writes `docs/reference/fields.md` and `docs/reference/commands.md`."""

from pathlib import Path
from typing import Final

from tests.documentation.pages.commands import commands_page
from tests.documentation.pages.fields import fields_page

FOLDER: Final = Path(__file__).parents[3] / "docs" / "reference"
PAGES: Final = {"fields.md": fields_page, "commands.md": commands_page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
