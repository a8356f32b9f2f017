"""The scenario language: what a user writes, checked, and resolved into one plan per arm."""

from des.scenario.authored import Scenario
from des.scenario.json_schema import json_schema
from des.scenario.loading import Loaded, changed, from_mapping, load_scenario
from des.scenario.resolution.plans import plans

__all__ = ["Loaded", "Scenario", "changed", "from_mapping", "json_schema", "load_scenario", "plans"]
