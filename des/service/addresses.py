"""The address of a result: a hash of what was asked for and of the version that answers."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from des.service.bodies import SimulateBody
from des.study.identity import canonical_json, package_version, source_digest

PATTERN: Final = r"[0-9a-f]{24}"
_DIGITS: Final = 24


def address(kind: str, content: Mapping[str, Any]) -> str:
    """24 hex digits."""
    asked = {"kind": kind, "content": content, "version": package_version(), "source": source_digest()}
    return hashlib.sha256(canonical_json(asked).encode()).hexdigest()[:_DIGITS]


def address_of(body: SimulateBody) -> str:
    """The same for bodies that say the same, however they write it."""
    return address("simulate", body.model_dump(mode="json"))
