"""Plans with nothing but components, and the comparison of simulated with exact figures."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from des.distributions import Constant, Distribution
from des.faults import Timeline, draw_timeline
from des.scenario.plan import (
    Component,
    Dependency,
    Effect,
    Endpoint,
    IncidentClass,
    Latency,
    MarkedRenewalIncidents,
    Plan,
    PoissonArrivals,
    PoissonIncidents,
    Policy,
    Profile,
    RenewalIncidents,
    Workload,
)

OUTAGE = Effect()
BROWNOUT = Effect(error_rate=0.3)


def shocks(
    rate_per_s: float, duration: Distribution, profile: Profile | None = None, effect: Effect = OUTAGE
) -> PoissonIncidents:
    return PoissonIncidents(rate_per_s=rate_per_s, duration=duration, effect=effect, profile=profile)


def up_down(up: Distribution, down: Distribution) -> RenewalIncidents:
    return RenewalIncidents(up=up, down=down, effect=OUTAGE)


def start_to_start(between: Distribution, duration: Distribution) -> MarkedRenewalIncidents:
    return MarkedRenewalIncidents(between=between, duration=duration, effect=OUTAGE)


def plan_of(
    incidents: Mapping[str, Sequence[IncidentClass]],
    edges: Mapping[str, Mapping[str, float]] | None = None,
    endpoints: Sequence[str] = (),
    *,
    seed: int = 1,
    start_up: bool = False,
    shared: float = 1.0,
    horizon_s: float = 1.0,
) -> Plan:
    """Components in the order of `incidents`; an endpoint `provider/model` is the component of that name."""
    edges = edges or {}
    names = list(incidents)
    components = tuple(
        Component(
            index=index,
            name=name,
            kind="model" if name in endpoints else "component",
            incidents=tuple(incidents[name]),
            depends_on=tuple(
                Dependency(component=names.index(other), share=share) for other, share in edges.get(name, {}).items()
            ),
        )
        for index, name in enumerate(names)
    )
    return Plan(
        arm="as_modelled",
        horizon_s=horizon_s,
        start=None,
        seed=seed,
        start_up=start_up,
        drain_s=None,
        workload=Workload(arrivals=PoissonArrivals(rate_per_s=1.0)),
        components=components,
        endpoints=tuple(
            Endpoint(
                index=index,
                provider=name.split("/")[0],
                model=name.split("/")[1],
                component=names.index(name),
                latency=Latency(whole=Constant(1.0)),
                billing={},
            )
            for index, name in enumerate(endpoints)
        ),
        limits=(),
        chain=(),
        policy=Policy(),
        shared=shared,
    )


def one_endpoint(*incidents: IncidentClass, seed: int = 1, start_up: bool = False) -> Plan:
    return plan_of({"p/m": incidents}, endpoints=["p/m"], seed=seed, start_up=start_up)


def timelines(plan: Plan, replications: int, until_s: float) -> Iterable[Timeline]:
    for replication in range(replications):
        yield draw_timeline(plan, replication, until_s)


def z_score(values: Sequence[float], exact: float) -> float:
    """How many standard errors the mean over replications lies from the exact figure."""
    drawn = np.asarray(values, dtype=np.float64)
    assert len(drawn) >= 20
    difference = drawn.mean() - exact
    error = drawn.std(ddof=1) / np.sqrt(len(drawn))
    if error == 0.0:
        return 0.0 if abs(difference) <= 1e-9 * max(1.0, abs(exact)) else float(np.inf)
    return float(difference / error)


def assert_agrees(values: Sequence[float], exact: float) -> None:
    z = z_score(values, exact)
    assert abs(z) <= 4.0, f"mean {np.mean(values):.6g}, exact {exact:.6g}, z {z:.2f}"


def rows(timeline: Timeline, component: int) -> list[tuple[float, float, int]]:
    own = timeline.component == component
    return list(
        zip(timeline.start_s[own].tolist(), timeline.end_s[own].tolist(), timeline.kind[own].tolist(), strict=True)
    )
