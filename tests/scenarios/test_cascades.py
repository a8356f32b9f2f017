"""The scenarios of cascades: the point of each comes out, in a shortened run too."""

import numpy as np
import pandas as pd
import pytest

from des.traces import Run
from tests.scenarios.shipped import Answer, four_errors, mean, of_arm

SMALLER_STORM = (
    "workload.arrivals.rate=47/s",
    "providers.backend.capacity={concurrent: 50, queue: 100}",
    "arms.half_load={workload.arrivals.rate: 23/s}",
)
OTHER_ROUTINGS = ("least_busy", "least_latency_buffer", "usage_based")


def each(run: Run, metric: str) -> dict[str, float]:
    """The metric of every arm."""
    return {arm: mean(run, arm, metric) for arm in run.manifest["arms"]}


def is_metastable(run: Run, arm: str) -> bool:
    return mean(run, arm, "metastable") == 1.0


def test_a_split_budget_prevents_the_cascade_that_refusals_keep_alive(answer: Answer) -> None:
    run = answer("rate_limit_cascade", "arms.ramp=null")
    served, amplification = each(run, "availability"), each(run, "retry_amplification")
    assert served["as_modelled"] < 0.4 < 0.9 < served["shared_budget"] < served["split_budget"]
    assert amplification["as_modelled"] > 2.0 * amplification["shared_budget"] > 2.0 * amplification["split_budget"]
    assert is_metastable(run, "as_modelled")
    assert not is_metastable(run, "split_budget")
    refusing = run.summary["arms"]["split_budget"]["lost_by_cause"]
    assert [refusing[cause]["mean"] for cause in ("limit openai", "limit azure")] == [0.0, 0.0]


def test_only_less_load_or_another_client_ends_the_storm(answer: Answer) -> None:
    run = answer("retry_storm", "horizon=140s", *SMALLER_STORM)
    calls = of_arm("attempts", run, "as_modelled", ["start_s", "outcome"])
    late = calls[calls["start_s"] > 90.0]
    assert (late["outcome"] == "ok").mean() < 0.1
    for arm in ("half_load", "breaker"):
        requests = of_arm("requests", run, arm, ["arrival_s", "outcome"])
        assert (requests.loc[requests["arrival_s"] > 110.0, "outcome"] == "ok").mean() > 0.9
    amplification = each(run, "retry_amplification")
    assert amplification["as_modelled"] > 1.4
    assert amplification["retry_budget"] < 1.06


def test_cooldowns_lose_what_a_retry_would_have_mended(answer: Answer) -> None:
    run = answer("cooldown_blackout")
    served = each(run, "availability")
    assert served["twenty"] < 0.3 < served["as_modelled"] < 0.75
    assert served["five_without"] > 0.999
    assert served["five_allowed"] > 0.999
    assert served["twenty_without"] == pytest.approx(
        1.0 - 0.2**3, abs=four_errors(0.2**3, int(mean(run, "twenty_without", "requests")))
    )


def test_layers_of_retries_multiply(answer: Answer) -> None:
    run = answer("nested_retries")
    calls = each(run, "retry_amplification")
    assert calls["as_modelled"] == 12.0
    assert calls["in_an_application"] == 48.0
    assert calls["sdk_alone"] == 3.0
    assert 1.1 < calls["budget"] < 1.3
    assert mean(run, "half_as_modelled", "availability") > 0.995
    requests = int(mean(run, "half_sdk_alone", "requests"))
    assert abs(mean(run, "half_sdk_alone", "availability") - 0.875) < 4.0 * np.sqrt(0.875 * 0.125 / requests)


def test_hedges_cut_the_tail_where_there_is_room_and_ruin_what_is_full(answer: Answer) -> None:
    run = answer("hedged")
    tail, bill = each(run, "latency_s_p99"), each(run, "cost_usd_per_request")
    assert tail["at_median"] < tail["at_p95"] < 0.85 * tail["as_modelled"]
    assert bill["not_billed"] == pytest.approx(0.01) == bill["as_modelled"]
    assert 0.01 < bill["at_p95"] < bill["losers_run"] < bill["at_median"]
    assert mean(run, "tight", "availability") > 0.99
    assert mean(run, "tight_at_p95", "latency_s_p99") > 2.0 * mean(run, "tight", "latency_s_p99")
    kinds = of_arm("attempts", run, "at_p95", ["kind"])["kind"]
    assert (kinds == "hedge").mean() == pytest.approx(0.05, abs=0.02)


def test_clients_without_jitter_come_in_step(answer: Answer) -> None:
    run = answer("backoff_zoo")
    drained, calls = each(run, "batch_lateness_s_mean"), each(run, "attempts_per_request")
    assert min(drained.values()) >= 50.0  # sixty clients, a burst of ten, and then one a second
    assert drained["no_jitter"] == max(drained.values()) > 2.0 * drained["as_modelled"]
    assert calls["envoy"] > 10.0 * calls["as_modelled"]
    assert calls["retry_after_spread"] == min(calls.values())
    assert set(each(run, "availability").values()) == {1.0}


def test_routing_by_least_latency_herds(answer: Answer) -> None:
    run = answer("litellm_router", "horizon=6min", *(f"arms.{arm}=null" for arm in OTHER_ROUTINGS))
    arms = run.summary["arms"]
    fastest = {arm: arms[arm]["served_share"]["azure_east/gpt-5-mini"]["mean"] for arm in arms}
    assert fastest["least_latency"] > fastest["as_modelled"] + 0.03
    refused = each(run, "rate_limited_share")
    assert refused["least_latency"] > refused["as_modelled"]
    assert refused["ordered"] > refused["as_modelled"]
    assert arms["least_latency"]["times_out"]["azure_east/gpt-5-mini cooling"]["mean"] >= 5


def test_an_sdk_waits_three_times_ten_minutes_for_a_primary_that_hangs(answer: Answer) -> None:
    run = answer("openai_sdk_hang")
    calls = of_arm("attempts", run, "as_modelled")
    hung = calls.query("provider == 'openai' and outcome == 'timeout'").groupby("request_id")["duration_s"].agg(list)
    thrice = hung[hung.map(len) == 3]
    assert len(thrice) > 50
    assert all(np.allclose(durations, 600.0) for durations in thrice)
    fell_back = calls[calls["request_id"].isin(thrice.index) & (calls["provider"] == "anthropic")]
    first = fell_back.groupby("request_id")["start_s"].min()
    arrived = of_arm("requests", run, "as_modelled").set_index("request_id")["arrival_s"].loc[first.index]
    assert ((first - arrived).between(1800.5, 1802.0)).all()  # two waits of 0.375 to 0.5 and 0.75 to 1 s
    tail = pd.Series(each(run, "latency_s_p95"))
    assert tail["first_token_5s"] < tail["thirty_seconds_once"] < tail["thirty_seconds"] < tail["no_retries"]


def test_a_cold_cache_multiplies_the_price_of_an_hour(answer: Answer) -> None:
    run = answer("prompt_cache_cold_fallback")
    bill = each(run, "cost_usd_per_request")
    assert bill["no_outage"] < bill["cached_there_too"] < 1.1 * bill["no_outage"]
    assert bill["as_modelled"] > 1.7 * bill["no_outage"]
    assert bill["quiet"] > bill["quiet_never_cached"]
    calls = of_arm("attempts", run, "as_modelled").query("outcome == 'ok'")
    hits = calls.groupby("provider", observed=True)[["cached_tokens", "input_tokens"]].sum()
    share = hits["cached_tokens"] / hits["input_tokens"]
    assert share["anthropic"] > 0.95
    assert share["bedrock"] == 0.0


def test_only_patience_outlasts_the_outage(answer: Answer) -> None:
    run = answer("twenty_minute_outage")
    served = each(run, "availability")
    patient = {"long_backoff", "queue"}
    assert all(served[arm] > 0.999 for arm in patient)
    assert all(0.78 < served[arm] < 0.88 for arm in served.keys() - patient)
    calls = each(run, "attempts_per_request")
    assert calls["long_backoff"] < 0.8 * calls["queue"]
