"""Strict reading of YAML and TOML with places, units, overrides, and messages that name the place."""
