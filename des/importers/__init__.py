"""Configurations of other programs as scenarios."""

from des.importers.litellm import Imported, import_litellm

__all__ = ["Imported", "import_litellm"]
