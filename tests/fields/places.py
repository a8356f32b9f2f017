"""Entries for single places, and fields that no trace shows."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from fields.client_cases import RETRY_SETTINGS
from fields.entries import Refused, Remarked, case
from fields.service_cases import EFFECT_CASES
from fields.worlds import HARSH, INSTANCES, OTHERS_TOO


def at(place: str, cases: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{name} @ {place}": one for name, one in cases.items()}


SEVERAL: Final = "it is about legs of a group of several"
SCOPE: Final = "it is written for one leg"
RETRY_BUDGETS: Final = tuple(f"{kind}Budget" for kind in ("Active", "Ratio", "Quota", "Throttle", "Bucket"))
BREAKERS: Final = ("ConsecutiveBreaker", "CountWindowBreaker", "TimeWindowBreaker")
MEMBER: Final = "chain[]<Group>.legs[]<Leg>"
ALONE: Final = "chain[]<Leg>"

PLACES: dict[str, Any] = {
    **at(MEMBER, {f"Leg.{name}": Refused("belongs to the group", one.second) for name, one in RETRY_SETTINGS.items()}),
    **at(f"{MEMBER}.retry_backoff", {"*": Refused("belongs to the group")}),
    **at(f"{MEMBER}.retry_after", {"*": Refused("belongs to the group")}),
    **at(f"{ALONE}.ejection", {"*": Refused("a leg is ejected from its group")}),
    **at(
        ALONE,
        {
            "Leg.ejection": Refused("a leg is ejected from its group", INSTANCES["Ejection"]),
            "Leg.tier": Refused("tier ranks legs of a group", 2),
            "Leg.wait_with_healthy_peer": Remarked(SEVERAL, False),
            "Cooldown.on": Remarked(SEVERAL, [429]),
            "Cooldown.share": Remarked(SEVERAL, 0.2, {"all_failed": 2, "allowed_fails": None}),
            "Cooldown.minimum": Remarked(SEVERAL, 5, {"share": 0.2, "all_failed": 2, "allowed_fails": None}),
        },
    ),
    **at(
        "chain[]<Group>",
        {
            "Cooldown.spares_fallbacks": Remarked("it is about legs outside of groups", True),
            "Cooldown.one_of_several": Remarked("one of several already", True),
        },
    ),
    **at(
        "policy",
        {
            "Cooldown.spares_fallbacks": Remarked(
                "it is about allowed_fails", True, {"allowed_fails": None, "all_failed": 2}
            )
        },
    ),
    **at(MEMBER, {f"{kind}.scope": Remarked(SCOPE, "leg") for kind in (*RETRY_BUDGETS, "Shaping")}),
    **at(ALONE, {f"{kind}.scope": Remarked(SCOPE, "leg") for kind in (*RETRY_BUDGETS, "Shaping")}),
    **at(
        MEMBER,
        {
            f"{kind}.all_open": case("refuse", "bypass", **OTHERS_TOO[field])
            for kind, field in (
                *((kind, "breaker") for kind in BREAKERS),
                ("Ejection", "ejection"),
                ("Cooldown", "cooldown"),
            )
        },
    ),
    **at(
        "chain[]<Group>",
        {f"{kind}.all_open": case("refuse", "bypass", **HARSH) for kind in (*BREAKERS, "Ejection", "Cooldown")},
    ),
    **at(
        MEMBER,
        {
            "Ejection.window": case("2s", "30s", {"share": 0.3, "minimum": 6, "consecutive": None}, **HARSH),
            "Ejection.most": case(0.5, 1, **OTHERS_TOO["ejection"]),
            "Ejection.panic": case(
                0, 0.9, **{**OTHERS_TOO["ejection"], "policy.ejection": {"consecutive": 2, "for": "9s", "panic": 0.9}}
            ),
        },
    ),
    **at("policy.order", {"Routing.once": Remarked("each entry is tried once a round in any case", True)}),
    **at("policy.round_backoff.throttled", {"*": Refused("throttled belongs to retry_backoff")}),
    **at("policy.round_backoff", {"Backoff.throttled": Refused("throttled belongs to retry_backoff", {"base": "1s"})}),
    **at("policy.application.backoff.throttled", {"*": Refused("throttled belongs to retry_backoff")}),
    **at(
        "policy.application.backoff",
        {"Backoff.throttled": Refused("throttled belongs to retry_backoff", {"base": "1s"})},
    ),
    **at(
        "effects*<Effect>",
        {
            f"Effect.{name}": replace(
                one, above={"IncidentFile": {**INSTANCES["IncidentFile"], "effects": {"minor": {}}}}
            )
            for name, one in EFFECT_CASES.items()
        },
    ),
    **at(
        "errors.connection_error",
        {
            "RandomError.status": Refused("connection_error has no status", 500),
            "RandomError.retry_after": Refused("carries no Retry-After", "1s"),
        },
    ),
    **at("errors.rate_limited", {"RandomError.status": Refused("is not a status of rate_limited", 500)}),
    **at("errors.overloaded", {"RandomError.status": case(503, 529)}),
    **at("errors.client_error", {"RandomError.status": case(400, 404)}),
}
"""Entries of `CASES` for one place, `definition.field @ place`, and of whole places, `* @ place`."""

DESCRIBED: dict[str, str] = {
    "Scenario.title": "what people read",
    "Scenario.question": "what people read",
    "Scenario.description": "what people read",
    "Scenario.replications": "how many runs; tests/study/test_run.py",
    "Scenario.traces": "which rows are kept; tests/study/test_trace_levels.py",
    "Scenario.arms": "variants; tests/scenario/test_comparison_arms.py",
    "Scenario.expect": "read after a run; tests/scenarios/test_expectations.py",
    "Scenario.objective": "read by answers; tests/study/test_answer.py",
    "Scenario.value": "read by answers; tests/study/test_value.py",
    "Scenario.optimise": "read by searches; tests/study/test_optimise.py",
    "Optimise.minimise": "read by searches; tests/study/test_optimise.py",
    "Optimise.maximise": "read by searches; tests/study/test_optimise.py",
    "Optimise.subject_to": "read by searches; tests/study/test_optimise.py",
    "Optimise.legs": "read by searches; tests/study/test_optimise.py",
    "Optimise.over": "read by searches; tests/study/test_optimise.py",
    "Optimise.indifference": "read by searches; tests/study/test_optimise.py",
    "Optimise.tolerance": "read by searches; tests/study/test_optimise.py",
    "LegChoice.among": "read by searches; tests/study/test_optimise.py",
    "LegChoice.least": "read by searches; tests/study/test_optimise.py",
    "LegChoice.most": "read by searches; tests/study/test_optimise.py",
    "Objective.availability": "read by answers; tests/study/test_answer.py",
    "Objective.per": "read by answers; tests/study/test_answer.py",
    "Value.lost_request": "read by answers; tests/study/test_value.py",
    "Value.downtime": "read by answers; tests/study/test_value.py",
    "Provider.catalogue": "where prices are looked up; tests/scenario/test_resolution.py",
    "ArrivalFile.format": "how a file is read; tests/files/test_formats.py",
    "IncidentFile.format": "how a file is read; tests/files/test_formats.py",
}
"""Fields that no trace shows, with what they are for."""
