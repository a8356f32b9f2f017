"""From a valid scenario to one plan per arm: files read, prices looked up, intent turned into distributions."""

from dataclasses import replace

from des.errors import Problem, ScenarioError
from des.scenario.checks.consistency import most_attempts
from des.scenario.loading import Arm, Loaded, by_place, problem_in_arm
from des.scenario.plan import Endpoint, Plan, ReplayedArrivals, Workload
from des.scenario.resolution.chain import resolve_chain, resolve_policy
from des.scenario.resolution.client import resolve_client
from des.scenario.resolution.components import resolve_components
from des.scenario.resolution.endpoints import resolve_endpoints, resolve_surges
from des.scenario.resolution.limits import add_budget
from des.scenario.resolution.workload import resolve_workload
from des.scenario.schema.statuses import statuses_of
from des.scenario.text.names import as_written
from des.scenario.text.problems import Finding

_MOST_USD_PER_CALL = 1e6
"""Money is counted in whole picodollars, of which an int64 holds 9.2 million USD."""
_MOST_USD_PER_REQUEST = 9e6


def plans(loaded: Loaded) -> dict[str, Plan]:
    """One plan per arm, in the scenario's order. Raises ScenarioError with the problems of all arms."""
    resolved: dict[str, Plan] = {}
    problems: dict[Problem, list[str]] = {}
    for arm in loaded.arms.values():
        plan, findings = _plan(arm, loaded)
        if plan is not None:
            resolved[arm.name] = plan
        for found in findings:
            finding = replace(found, path=as_written(arm.overlay.content, found.path))
            problems.setdefault(problem_in_arm(loaded.document, arm.overlay, finding), []).append(arm.name)
    if problems:
        named = [_of_arms(problem, arms, len(loaded.arms)) for problem, arms in problems.items()]
        raise ScenarioError(sorted(named, key=by_place))
    return resolved


def _of_arms(problem: Problem, arms: list[str], arm_count: int) -> Problem:
    """The problem, with the names of the arms unless it occurs in all of them."""
    if len(arms) == arm_count or problem.path.startswith("arms."):
        return problem
    message = f"{problem.message} (in {'arm' if len(arms) == 1 else 'arms'} {', '.join(arms)})"
    return Problem(message, problem.path, problem.file, problem.line, problem.column)


def _plan(arm: Arm, loaded: Loaded) -> tuple[Plan | None, list[Finding]]:
    scenario, folder = arm.scenario, loaded.document.folder
    components, findings = resolve_components(scenario, folder)
    if not components:
        return None, findings
    resolved, price_findings = resolve_endpoints(scenario, components)
    endpoints, limits = resolved.endpoints, [*resolved.limits]
    workload, workload_findings = resolve_workload(scenario, folder)
    findings += [*price_findings, *workload_findings]
    if workload is not None:
        findings += _absurd_prices(endpoints, workload, most_attempts(scenario))
    if findings or workload is None:
        return None, findings
    statuses = statuses_of(
        [
            *((error.outcome, error.status) for endpoint in endpoints for error in endpoint.errors),
            *(
                (effect.outcome, effect.status)
                for component in components
                for incidents in component.incidents
                for effect in incidents.every_effect
            ),
        ],
        breaks_streams=any(endpoint.broken_streams is not None for endpoint in endpoints),
    )
    budgets: dict[str, tuple[int, ...]] = {}
    for name, budget in scenario.budgets.items():
        for over, indices in add_budget(name, budget, limits).items():
            budgets[over] = (*budgets.get(over, ()), *indices)
    chain = resolve_chain(scenario, endpoints, budgets)
    return Plan(
        arm=arm.name,
        horizon_s=scenario.horizon,
        start=scenario.start.isoformat().replace("+00:00", "Z") if scenario.start else None,
        seed=scenario.seed,
        start_up=scenario.start_state == "up",
        drain_s=scenario.drain,
        workload=workload,
        components=components,
        endpoints=endpoints,
        limits=tuple(limits),
        chain=chain,
        policy=resolve_policy(scenario.policy),
        shared=scenario.shared,
        surges=resolve_surges(scenario, endpoints),
        capacities=resolved.capacities,
        statuses=statuses,
        client=resolve_client(scenario, chain),
        assumed=loaded.document.remarks,
    ), []


def _absurd_prices(endpoints: tuple[Endpoint, ...], workload: Workload, attempts: int) -> list[Finding]:
    """Findings on calls that cost more than the engine's money can hold, most likely by a wrong unit of price."""
    largest = _sizes(workload, largest=True)
    mean = _sizes(workload, largest=False)
    findings = []
    for endpoint in endpoints:
        reach_usd, mean_usd = _call_usd(endpoint, largest), _call_usd(endpoint, mean)
        path = ("providers", endpoint.provider, "models", endpoint.model, "price")
        if reach_usd > _MOST_USD_PER_CALL:
            findings.append(Finding(path, f"a call may cost {reach_usd:.3g} USD: at most 1e6 are possible"))
        elif mean_usd * attempts > _MOST_USD_PER_REQUEST:
            message = (
                f"a request of {attempts} attempts may cost {mean_usd * attempts:.3g} USD: at most 9e6 are possible"
            )
            findings.append(Finding(path, message))
    return findings


def _sizes(workload: Workload, *, largest: bool) -> tuple[float, float, float]:
    """Input tokens, output tokens and units of a request: near their maximum, or on average."""
    distributions = (workload.input_tokens, workload.output_tokens, workload.units)
    input_tokens, output_tokens, units = (each.rough_maximum() if largest else each.mean for each in distributions)
    if isinstance(workload.arrivals, ReplayedArrivals):
        import numpy as np

        of_recorded = np.max if largest else np.mean
        if workload.arrivals.input_tokens is not None and len(workload.arrivals.input_tokens):
            input_tokens = float(of_recorded(workload.arrivals.input_tokens))
        if workload.arrivals.output_tokens is not None and len(workload.arrivals.output_tokens):
            output_tokens = float(of_recorded(workload.arrivals.output_tokens))
    return input_tokens, output_tokens, units


def _call_usd(endpoint: Endpoint, sizes: tuple[float, float, float]) -> float:
    price = endpoint.price
    input_tokens, output_tokens, units = sizes
    input_price = max(price.input_per_token, price.cached_input_per_token, price.cache_write_per_token)
    return (
        input_tokens * input_price + output_tokens * price.output_per_token + price.per_request + units * price.per_unit
    )
