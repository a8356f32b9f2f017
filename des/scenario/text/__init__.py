"""Strict text: YAML and TOML with places, units, overrides, and messages that name the place."""
