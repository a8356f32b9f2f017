"""A component's states as they are traced, against its incidents."""

from typing import Any

from engine.traced import Traced, poisson, provider, run, scenario, window


def states(traced: Traced, entity: str) -> list[tuple[float, str, str]]:
    own = traced.transitions[traced.transitions.entity == entity]
    return list(zip(own.time_s, own["from"], own.to, strict=True))


def of_incidents(traced: Traced, component: str) -> list[tuple[float, str, str]]:
    """Transitions recomputed from the incidents that start by the last traced one."""
    own = traced.incidents[traced.incidents.component == component]
    times = sorted({max(0.0, t) for t in (*own.start_s, *own.end_s)})
    turns, state = [], "up"
    for time_s in times:
        rates = own.error_rate[(own.start_s <= time_s) & (time_s < own.end_s)]
        now = "up" if rates.empty else ("down" if (rates >= 1.0).any() else "degraded")
        if now != state:
            turns.append((time_s, state, now))
        state = now
    return turns


def test_an_outage_takes_its_component_down_and_up_again() -> None:
    traced = run(scenario({"a": provider(incidents=[window("20s", "40s")])}))
    assert states(traced, "a") == [(20.0, "up", "down"), (40.0, "down", "up")]
    assert set(traced.transitions.kind) == {"provider"}


def test_a_brownout_degrades() -> None:
    traced = run(scenario({"a": provider(incidents=[window("20s", "40s", error_rate=0.99)])}))
    assert states(traced, "a") == [(20.0, "up", "degraded"), (40.0, "degraded", "up")]


def test_an_outage_within_a_brownout() -> None:
    incidents = [window("10s", "50s", error_rate=0.5), window("20s", "40s")]
    traced = run(scenario({"a": provider(incidents=incidents)}))
    assert states(traced, "a") == [
        (10.0, "up", "degraded"),
        (20.0, "degraded", "down"),
        (40.0, "down", "degraded"),
        (50.0, "degraded", "up"),
    ]


def test_touching_incidents_are_one_episode() -> None:
    windows = [{"start": "10s", "end": "20s"}, {"start": "20s", "end": "30s"}, {"start": "31s", "end": "33s"}]
    traced = run(scenario({"a": provider(incidents=[{"kind": "schedule", "windows": windows}])}))
    assert [time_s for time_s, _, _ in states(traced, "a")] == [10.0, 30.0, 31.0, 33.0]
    assert traced.outcomes(2) == ["server_error"]


def test_touching_incidents_of_two_classes_are_one_episode() -> None:
    traced = run(scenario({"a": provider(incidents=[window("20s", "30s"), window("10s", "20s")])}))
    assert [time_s for time_s, _, _ in states(traced, "a")] == [10.0, 30.0]


def test_overlapping_outages_are_one_episode() -> None:
    traced = run(scenario({"a": provider(incidents=[window("10s", "30s"), window("20s", "50s")])}))
    assert [time_s for time_s, _, _ in states(traced, "a")] == [10.0, 50.0]


def test_a_component_changes_state_only_by_its_own_incidents() -> None:
    components = {"cdn": {"incidents": [window("20s", "40s")]}}
    traced = run(scenario({"a": provider(depends_on=["cdn"])}, components=components))
    assert set(zip(traced.transitions.entity, traced.transitions.kind, strict=True)) == {("cdn", "component")}


def test_models_have_transitions_of_their_own() -> None:
    model: dict[str, Any] = {"incidents": [window("20s", "40s")]}
    traced = run(scenario({"a": provider(model=model)}))
    assert set(zip(traced.transitions.entity, traced.transitions.kind, strict=True)) == {("a/m", "model")}


def test_traced_transitions_are_those_of_the_traced_incidents() -> None:
    def often(rate: float, mean: str) -> dict[str, Any]:
        duration = {"kind": "exponential", "mean": mean}
        return {"kind": "poisson", "rate": "20/h", "duration": duration, "error_rate": rate}

    renewing = {"kind": "renewal", "up": "300s", "down": "100s"}
    components = {"cdn": {"incidents": [often(1.0, "90s"), often(0.5, "200s")]}, "cloud": {"incidents": [renewing]}}
    providers = {"a": provider(depends_on=["cdn", {"cloud": 0.5}], incidents=[often(1.0, "60s"), renewing])}
    traced = run(scenario(providers, arrivals=poisson("1/min"), horizon="20h", components=components))
    last_s = traced.transitions.time_s.max()
    for component in ("cdn", "cloud", "a"):
        expected = [turn for turn in of_incidents(traced, component) if turn[0] <= last_s]
        assert len(expected) > 100
        assert states(traced, component) == expected
    assert traced.transitions.time_s.is_monotonic_increasing


def test_a_component_that_is_down_at_the_start_goes_down_at_zero() -> None:
    always = {"kind": "poisson", "rate": "600/h", "duration": {"kind": "exponential", "mean": "10min"}}
    traced = run(scenario({"a": provider(incidents=[always])}))
    assert states(traced, "a")[0] == (0.0, "up", "down")
