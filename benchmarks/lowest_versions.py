"""Print the lowest versions that pyproject.toml allows, as constraints for pip: `make test-lowest` tests with them."""

import re
import tomllib
from pathlib import Path


def constraints() -> list[str]:
    """`numpy==2.0` for `numpy>=2.0`, of what the package itself depends on."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [re.sub(r">=([^,]+).*", r"==\1", each) for each in project["dependencies"]]


if __name__ == "__main__":
    print("\n".join(constraints()))
