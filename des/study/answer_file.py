"""Answers on disk: answer.json, which holds every figure, charts.json for its page, and manifest.json.

The manifest says how it was made.

`load_answer` reads one back as the same typed record, for pages and programs that show it without answering again.
"""

import json
import platform
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from des.errors import DesError
from des.scenario import Loaded
from des.scenario.schema.objective import Objective, Value
from des.single_files import json_object
from des.study.answered import Answer, ArmAnswer
from des.study.identity import file_digest, json_text, package_version, source_digest
from des.study.pictured import Pictured, pictured_json, read_pictured
from des.study.value import Cheapest, Step
from des.study.verdicts import Verdict

ANSWER: Final = "answer.json"
MANIFEST: Final = "manifest.json"
CHARTS: Final = "charts.json"
"""What the page draws beyond the figures."""
CHARTS_SHA256: Final = "charts_sha256"
_ARMS: Final = TypeAdapter(dict[str, ArmAnswer])
_STEPS: Final = TypeAdapter(tuple[Step, ...])
_CHEAPEST: Final = TypeAdapter(Cheapest | None)


def write_answer(found: Answer, loaded: Loaded, directory: Path) -> None:
    """answer.json, charts.json, and manifest.json with what may differ between two answers: time, machine, versions."""
    (directory / ANSWER).write_text(json_text(found.as_json()), encoding="utf-8")
    charts = json.dumps(pictured_json(found.pictured), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    (directory / CHARTS).write_text(charts + "\n", encoding="utf-8")
    manifest = {
        "scenario": loaded.resolved(),
        "files": dict(sorted(loaded.files().items())),
        "rounds": found.rounds,
        **({"quick": True} if found.quick else {}),
        "answer_sha256": file_digest(directory / ANSWER),
        CHARTS_SHA256: file_digest(directory / CHARTS),
        "version": package_version(),
        "source_sha256": source_digest(),
        "platform": platform.platform(),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_s": round(found.wall_s, 3),
        "within_s": found.within_s,
        "overran": found.overran,
    }
    (directory / MANIFEST).write_text(json_text(manifest), encoding="utf-8")


def load_answer(path: str | Path) -> Answer:
    """The answer in a directory that `des answer --out` wrote, or in an answer.json by itself.

    `wall_s` is 0 without the manifest. Raises DesError, naming the file, where there is no answer in it.
    """
    path = Path(path)
    file = path / ANSWER if path.is_dir() else path
    found = _read(file)
    manifest = file.with_name(MANIFEST)
    beside = _read(manifest) if file.name == ANSWER and manifest.is_file() else {}
    within_s = beside.get("within_s")
    try:
        answer = _answer(found, float(beside.get("wall_s", 0.0)))
        within_s = None if within_s is None else float(within_s)
        return replace(answer, within_s=within_s, pictured=load_pictured(file.parent))
    except KeyError as missing:
        raise DesError(f"{file}: is no answer of des answer: it has no {missing}") from None
    except (ValidationError, TypeError, ValueError, AttributeError) as error:
        raise DesError(f"{file}: is no answer of des answer: {_first(error)}") from None


def load_pictured(directory: Path) -> Mapping[str, Pictured]:
    """What the page of the answer in the directory draws; nothing where the file is missing."""
    file = directory / CHARTS
    if not file.is_file():
        return {}
    try:
        return read_pictured(json_object(file))
    except ValidationError as error:
        raise DesError(f"{file}: is not what des answer writes: {_first(error)}") from None


def _read(file: Path) -> Mapping[str, Any]:
    try:
        return json_object(file)
    except FileNotFoundError:
        raise DesError(f"{file}: there is no such file; des answer --out DIR writes one") from None


def _answer(found: Mapping[str, Any], wall_s: float) -> Answer:
    objective, value = found["objective"], found["value"]
    arms = _ARMS.validate_python(found["arms"])
    return Answer(
        scenario=found["scenario"],
        title=found["title"],
        question=found["question"],
        seed=found["seed"],
        objective=None if objective is None else Objective.model_validate(objective),
        window=found["window"],
        value=None if value is None else Value.model_validate(value),
        arms={arm: arms[found["same"].get(arm, arm)] for arm in arms},
        same=found["same"],
        steps=_STEPS.validate_python(found["steps"]),
        cheapest=_CHEAPEST.validate_python(found["cheapest"]),
        hypothetical=tuple(found["hypothetical"]),
        rounds=found["rounds"],
        quick=found.get("quick", False),
        precise=found["precise"],
        expectations=tuple(map(_verdict, found["expectations"])),
        remarks=tuple(found["remarks"]),
        wall_s=wall_s,
        sentence=found["sentence"],
    )


def _verdict(found: Mapping[str, Any]) -> Verdict:
    figure = {name: found[name] for name in ("mean", "low", "high")} if "mean" in found else None
    return Verdict(found["arm"], found["metric"], found["expected"], figure, found["result"], found.get("reason", ""))


def _first(error: Exception) -> str:
    """The first fault, with its place."""
    if isinstance(error, ValidationError):
        fault = error.errors()[0]
        return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
    return str(error)
