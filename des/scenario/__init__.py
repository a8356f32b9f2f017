"""The scenario language: what a user writes, checked, and resolved into one plan per arm."""

from des.scenario.json_schema import json_schema
from des.scenario.loading import Loaded, from_mapping, load_scenario
from des.scenario.resolution.plans import plans
from des.scenario.schema.scenario import Scenario

__all__ = ["Loaded", "Scenario", "from_mapping", "json_schema", "load_scenario", "plans"]
