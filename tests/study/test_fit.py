"""`des fit`: what it prints, what it writes, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from des.errors import DesError, WriteError
from des.faults.calibration import service_histories
from des.report.fit_tables import lines
from des.scenario import from_mapping, plans
from des.study.fit import as_json, fit
from des.study.options import RunOptions
from des.study.run import ensure
from study.small_scenario import small
from tests.command import Done, des


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two services over two years; a third with one incident."""
    rng = np.random.default_rng(4)
    frames = []
    for service, count in (("api", 150), ("chat", 120), ("new", 1)):
        start = np.sort(rng.random(count)) * 2 * 365 * 86_400
        began = pd.Timestamp("2023-01-01", tz="UTC") + pd.to_timedelta(np.round(start), unit="s")
        lasted = pd.to_timedelta(np.round(rng.lognormal(8.0, 1.2, count)), unit="s")
        frames.append(
            pd.DataFrame(
                {
                    "incident_id": [f"{service}{number}" for number in range(count)],
                    "provider": "acme",
                    "service": service,
                    "started_at": began.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "resolved_at": (began + lasted).strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "impact_level": rng.integers(0, 4, count),
                }
            )
        )
    path = tmp_path_factory.mktemp("history") / "history.csv"
    pd.concat(frames).to_csv(path, index=False)
    return path


def _des(*arguments: object) -> Done:
    return des("fit", *arguments)


def test_what_is_printed_fits_80_columns_and_ends_with_the_fragment(history: Path) -> None:
    done = _des(history, "--all")
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    for words in ("acme/api", "start to start", "time to repair", "weibull", "open together", "beware", "severity"):
        assert words in done.stdout
    _, _, pasted = done.stdout.partition("\n# Fitted to ")
    piece = yaml.safe_load("# " + pasted)
    assert list(piece["components"]) == ["acme_api", "acme_chat"]
    assert done.stdout.endswith(fit(history).fragment)


def test_the_first_lines_say_what_the_history_means(history: Path) -> None:
    done = _des(history)
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    block = done.stdout.partition("acme/api\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split("  ")[1] for line in block] == ["how often", "how long", "share", "severity", "together"]
    (service,) = (each for each in fit(history).calibration.services if each.name == "acme/api")
    assert "150 incidents, 2023-01-0" in block[0]
    assert f"one every {service.between.mean_s / 86_400:.2f} days" in block[0]
    assert f"half are over within {service.repair.median_s / 60:.3g} min" in block[1]
    assert f"open {100 * service.share_open:.3g} % of the time" in block[2]
    assert block[4] == "  together   with none of the others more than by chance"
    assert "weibull" not in done.stdout.partition("components:")[0]
    assert "beware" in done.stdout
    assert done.stdout.endswith(fit(history).fragment)


def test_services_that_fail_together_name_each_other(tmp_path: Path) -> None:
    days = [(month, 1 + month, 2) for month in range(1, 13)] + [(month, 13 + month // 2, 5) for month in range(1, 13)]
    rows = [
        f"{name},2024-{month:02}-{day:02}T03:00:00Z,2024-{month:02}-{day:02}T0{3 + hours}:00:00Z"
        for name in ("one", "two")
        for month, day, hours in days
    ]
    path = tmp_path / "twins.csv"
    path.write_text("\n".join(["service,start,end", *rows]))
    printed = _des(path).stdout
    assert "  together   with two: " in printed
    assert "  together   with one: " in printed
    assert "times as long as by chance" in printed


def test_one_incident_is_told_and_left_out(history: Path) -> None:
    found = fit(history)
    assert any(caution.startswith("acme/new: only one incident") for caution in found.cautions)
    assert "# acme/new: left out" in found.fragment


def test_nothing_but_single_incidents_is_an_error(history: Path) -> None:
    done = _des(history, "--service", "new")
    assert (done.returncode, done.stdout) == (2, "")
    assert "only one incident of acme/new: no rate can be estimated" in done.stderr


def test_a_single_incident_has_neither_rate_nor_share_of_time(history: Path) -> None:
    document = as_json(fit(history))
    assert document["services"]["acme/new"]["incidents_per_year"] is None
    assert document["services"]["acme/new"]["share_open"] is None
    found = fit(history)
    block = "\n".join(lines(found.calibration, found.cautions, "h.csv")).partition("acme/new\n")[2].partition("\n\n")[0]
    assert "1 incident, 20" in block
    assert "no rate can be estimated" in block
    assert "a year" not in block
    assert "%" not in block


@pytest.mark.parametrize("count", [2, 3, 9])
def test_few_incidents_give_exponentials_marked_in_the_fragment_that_runs(
    history: Path, tmp_path: Path, count: int
) -> None:
    rows = [line for line in history.read_text().splitlines() if ",api," in line]
    path = tmp_path / "few.csv"
    path.write_text("\n".join([history.read_text().splitlines()[0], *rows[:count]]))
    found = fit(path)
    (service,) = found.calibration.services
    piece = yaml.safe_load(found.fragment)["components"]["acme_api"]["incidents"][0]
    for piece_of, times in ((piece["between"], service.between), (piece["duration"], service.repair)):
        assert piece_of["kind"] == "exponential"
        assert float(piece_of["mean"][:-1]) == pytest.approx(times.mean_s / times.unit_s, rel=1e-3)
    flat = " ".join(found.fragment.replace("#", " ").split())
    few = f"Caution: only {count} times to repair, fewer than the 10 needed to choose a distribution"
    assert f"{few}: the scenario has" in flat
    assert sum("fewer than the 10" in caution for caution in found.cautions) == 2
    assert max(map(len, [*found.fragment.splitlines(), *lines(found.calibration, found.cautions, "few.csv")])) <= 80
    asked = fit(path, repair="lognormal")
    assert "lognormal asked for is almost a guess" in " ".join(asked.fragment.replace("#", " ").split())
    scenario = small(horizon="60d", workload={"arrivals": {"kind": "poisson", "rate": "2/h"}})
    scenario["workload"]["tokens"] = {"input": 10, "output": 10}
    scenario["providers"]["first"]["depends_on"] = ["acme_api"]
    for one in (found, asked):
        plans(from_mapping(scenario | yaml.safe_load(one.fragment)))


def test_json_holds_every_figure_and_no_nan(history: Path) -> None:
    done = _des(history, "--json", "--service", "api", "--service", "new")
    assert done.returncode == 0
    document: dict[str, Any] = json.loads(done.stdout)
    api = document["services"]["acme/api"]
    assert api["incidents"] == 150
    assert set(api["repair_hours"]["laws"]) == {"lognormal", "weibull", "gamma", "exponential"}
    assert api["repair_hours"]["laws"]["lognormal"]["sigma"] == pytest.approx(1.2, abs=0.3)
    assert api["repair_hours"]["best"] == "lognormal"
    assert api["from"].endswith("Z")
    assert document["services"]["acme/new"]["between_days"]["mean"] is None
    assert document["fragment"] == fit(history, services=["api", "new"]).fragment
    assert "NaN" not in done.stdout
    assert document == as_json(fit(history, services=["api", "new"]))


def test_the_fragment_goes_to_a_new_file(history: Path, tmp_path: Path) -> None:
    out = tmp_path / "fitted.yaml"
    done = _des(history, "--out", out)
    assert done.returncode == 0
    assert out.read_text() == fit(history).fragment
    assert "components:" not in done.stdout
    assert str(out) in done.stdout
    with pytest.raises(DesError, match="exists already"):
        fit(history, out=out)
    with pytest.raises(WriteError):
        fit(history, out=tmp_path / "nowhere" / "fitted.yaml")


def test_a_pasted_fragment_runs(history: Path, tmp_path: Path) -> None:
    piece = yaml.safe_load(fit(history).fragment)
    scenario = small(horizon="60d", workload={"arrivals": {"kind": "poisson", "rate": "2/h"}}) | piece
    scenario["workload"]["tokens"] = {"input": 10, "output": 10}
    scenario["providers"]["first"]["depends_on"] = ["acme_api"]
    scenario["providers"]["second"]["depends_on"] = ["acme_chat"]
    run = ensure(scenario, RunOptions(out=tmp_path / "run", traces=False)).run
    for components in run.summary["components"].values():
        for name in ("acme_api", "acme_chat"):
            assert 0.9 < components[name]["availability"]["mean"] < 1.0


def test_columns_called_as_their_roles_need_no_naming(tmp_path: Path) -> None:
    path = tmp_path / "h.csv"
    rows = "".join(f"api,2024-0{month}-03T00:00:00Z,2024-0{month}-03T0{month}:00:00Z\n" for month in range(1, 8))
    path.write_text(f"service,start,end\n{rows}", encoding="utf-8")
    found = fit(path)
    assert [(service.name, len(service.start_s)) for service in service_histories(found.history)] == [("api", 7)]
    assert found.fragment == fit(path, columns=["service=service,start=start,end=end"]).fragment


def test_windows_are_given_by_date(history: Path) -> None:
    found = fit(history, services=["api"], since="2024-01-01", until="2024-06-01T00:00:00Z")
    (service,) = found.calibration.services
    assert 20 < service.incidents < 60
    assert service.years == pytest.approx(152 / 365)
    assert max(map(len, lines(found.calibration, found.cautions, found.history.source))) <= 80


def test_bad_rows_are_told_and_skipped_only_when_asked(history: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(history.read_text() + "x,acme,api,2024-06-01T00:00:00Z,2024-05-01T00:00:00Z,1\n")
    done = _des(path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{path}:273: the end 2024-05-01T00:00:00Z is before the start" in done.stderr
    assert "--skip-bad" in done.stderr
    done = _des(path, "--skip-bad", "--json")
    assert done.returncode == 0
    assert f"skipped: {path}:273" in done.stderr
    assert len(json.loads(done.stdout)["skipped"]) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"since": "soon"}, "--since 'soon'"),
        ({"since": "2024-01-01", "until": "2024-01-01"}, "is not before --until"),
        ({"since": "2030-01-01"}, "no incident starts between"),
        ({"between": "normal"}, "there are: lognormal, weibull, gamma, exponential"),
        ({"permutations": 0}, "at least 1"),
        ({"services": ["apo"]}, "did you mean"),
    ],
)
def test_options_that_make_no_sense_are_refused(history: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(DesError, match=said):
        fit(history, **options)


def test_all_options_that_make_no_sense_are_refused_at_once(history: Path) -> None:
    with pytest.raises(DesError) as refused:
        fit(history, between="webull", permutations=0, since="soon")
    assert [line.partition(":")[0] for line in str(refused.value).splitlines()] == [
        "--between 'webull'",
        "--permutations 0",
        "--since 'soon'",
    ]


def test_history_of_a_run_is_fitted_to_the_distributions_it_was_simulated_by(tmp_path: Path) -> None:
    incident = {
        "kind": "marked_renewal",
        "between": {"kind": "weibull", "shape": 0.8, "scale": "20h"},
        "duration": {"kind": "lognormal", "mu": 0.2, "sigma": 1.2, "unit": "h"},
    }
    scenario = small(horizon="2y", workload={"arrivals": {"kind": "poisson", "rate": "1/d"}}, arms={})
    scenario["workload"]["tokens"] = {"input": 10, "output": 10}
    scenario["providers"]["first"]["incidents"] = [incident]
    ensure(scenario, RunOptions(out=tmp_path / "run"))
    (path,) = (tmp_path / "run" / "incidents").glob("*.parquet")
    found = fit(path)
    assert "Monday" in found.cautions[0]
    (service,) = found.calibration.services
    for times, kind, exact in (
        (service.between, "weibull", (0.8, 20 / 24)),
        (service.repair, "lognormal", (0.2, 1.2)),
    ):
        fitted = times.fitted(kind)
        assert fitted is not None
        for value, error, truth in zip(fitted.parameters, fitted.standard_errors, exact, strict=True):
            assert abs(value - truth) < 4 * error


ISSUES = [
    {
        "number": number,
        "title": "api is down",
        "state": "closed",
        "created_at": f"2024-01-{1 + 2 * number:02}T00:00:00Z",
        "closed_at": f"2024-01-{1 + 2 * number:02}T00:{10 + number}:00Z",
        "updated_at": "2024-02-01T00:00:00Z",
    }
    for number in range(12)
]


def test_closed_issues_of_a_tracker_are_over(tmp_path: Path) -> None:
    path = tmp_path / "issues.json"
    path.write_text(json.dumps(ISSUES))
    (service,) = fit(path).calibration.services
    assert (service.name, service.incidents, service.still_open) == ("api", 12, 0)
    assert service.repair.mean_s == pytest.approx(15.5 * 60)


def test_the_command_takes_flags_values_severities_and_a_format(tmp_path: Path) -> None:
    lines = ["id,start,end,api,chat,region,severity"]
    for day in range(1, 9):
        severity = "maintenance" if day == 8 else "minor"
        region = "us" if day == 7 else "eu"
        lines.append(f"{day},2024-01-{day:02}T00:00Z,2024-01-{day:02}T0{day}:00Z,1,{day % 2},{region},{severity}")
    path = tmp_path / "wide.txt"
    path.write_text("\n".join(lines))
    asked = ("--format", "csv", "--flags", "api,chat", "--where", "region=eu", "--json")
    document = json.loads(_des(path, *asked).stdout)
    assert {name: service["incidents"] for name, service in document["services"].items()} == {"api": 6, "chat": 3}
    assert document["cautions"][0].startswith("left out because they are not failures: 1 of severity 'maintenance'")
    document = json.loads(_des(path, *asked, "--severity", "all").stdout)
    assert document["services"]["api"]["incidents"] == 7
    done = _des(path)
    assert done.returncode == 2
    assert "give it by --format" in done.stderr


def test_recorded_shares_of_failing_calls_are_the_fragments_error_rate(tmp_path: Path) -> None:
    path = tmp_path / "shares.csv"
    rows = [f"2024-0{month}-01T00:00Z,2024-0{month}-01T0{month}:00Z,{month}%" for month in (1, 2, 3)]
    path.write_text("\n".join(["start,end,failing", *rows]))
    found = fit(path, columns=["start=start,end=end,error_rate=failing"])
    (component,) = yaml.safe_load(found.fragment)["components"].values()
    assert component["incidents"][0]["error_rate"] == "2.333%"
    assert "error_rate is assumed" not in found.fragment
    assert as_json(found)["services"]["shares"]["error_rate"] == pytest.approx((1 + 4 + 9) / 600)
    assert any("2.33 % of calls failed meanwhile" in line for line in lines(found.calibration, (), "shares.csv"))
