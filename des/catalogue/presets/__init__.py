"""Policies of clients in common use: SDKs, gateways and resilience libraries, by name and version.

A scenario uses one with `policy: {preset: litellm@1.109}` and may override any field. A name without a version means
the newest version listed.
"""

from copy import deepcopy
from dataclasses import replace
from functools import cache

from des.catalogue.presets.gateways import GATEWAYS
from des.catalogue.presets.preset import Preset
from des.catalogue.presets.resilience import RESILIENCE
from des.catalogue.presets.sdks import SDKS
from des.words import nearest

__all__ = ["Preset", "names", "preset", "presets"]


def presets() -> tuple[Preset, ...]:
    """Every preset: SDKs, gateways, then resilience policies. Versions of one name are sorted from old to new."""
    return (*SDKS, *GATEWAYS, *RESILIENCE)


def names() -> tuple[str, ...]:
    """`name@version` of every preset."""
    return tuple(_by_name())


def preset(name: str) -> Preset:
    """The preset `name@version`, or the newest version of `name`. Its policy is a copy that may be changed.

    Raises LookupError, whose message names the nearest preset or the known versions.
    """
    found = _by_name().get(name) or _newest().get(name)
    if found is None:
        raise LookupError(_unknown(name))
    return replace(found, policy=deepcopy(dict(found.policy)))


def _unknown(name: str) -> str:
    bare = name.partition("@")[0]
    if versions := [known.full_name for known in presets() if known.name == bare]:
        return f"unknown version of preset '{name}'; known: {', '.join(versions)}"
    near = nearest(bare, _newest())
    if made := _of_the_same_maker(bare):
        near = nearest(bare, made, least_ratio=0.0)
    hint = f"did you mean '{_newest()[near].full_name}'?" if near else "`des catalogue --presets` lists them"
    return f"unknown preset '{name}'; {hint}"


def _of_the_same_maker(name: str) -> list[str]:
    """Presets whose names begin with the same word, such as `anthropic-sdk` for `anthropic-python`.

    The word after it would be nearer to that of another maker.
    """
    maker = name.casefold().replace("_", "-").partition("-")[0]
    return [each for each in _newest() if nearest(each.partition("-")[0], [maker], least_ratio=0.8)]


@cache
def _by_name() -> dict[str, Preset]:
    return {each.full_name: each for each in presets()}


@cache
def _newest() -> dict[str, Preset]:
    return {each.name: each for each in presets()}
