"""Processor time and memory of a report on a long run: python -m benchmarks.report --requests 10000000

The run is made of the traces of a short one: rows drawn from its requests, attempts and transitions, with times spread
over a year. So the page says nothing, but costs what a page of that number of requests costs.
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from des.report.page import write_report
from des.scenario.text.units import YEAR_S
from des.study.run import run
from des.traces import Run
from des.traces.schemas import ROWS_PER_GROUP, TABLES

SCENARIO: Final = Path(__file__).parents[1] / "scenarios" / "rate_limit_cascade.yaml"
ARM: Final = "as_modelled"
TRANSITIONS_PER_REQUEST: Final = 0.3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000_000)
    requests = parser.parse_args().requests
    with tempfile.TemporaryDirectory() as folder:
        short = run(SCENARIO, replications=1, overrides=["arms={}", "expect={}"], out=Path(folder) / "short")
        long = lengthened(short, Path(folder) / "long", requests)
        before_s = time.process_time()
        page = write_report(long, out=Path(folder) / "page.html").page
        assert page is not None
        took_s, peak_kb = time.process_time() - before_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(
            f"{requests:,} requests and as many attempts: {took_s:.1f} s of processor time, at most "
            f"{peak_kb / 1024:.0f} MB, a page of {page.stat().st_size / 1e6:.1f} MB"
        )


def lengthened(short: Run, directory: Path, requests: int) -> Path:
    """A run of a year with this number of requests and of attempts, written a row group at a time."""
    many = {"requests": requests, "attempts": requests, "transitions": int(requests * TRANSITIONS_PER_REQUEST)}
    manifest, summary = dict(short.manifest), short.summary
    manifest["scenario"] = {**manifest["scenario"], "horizon": "1y"}
    manifest["traces"] = {}
    for table in ("requests", "attempts", "transitions", "incidents"):
        (directory / table).mkdir(parents=True)
        name = f"{table}/{ARM}-0000.parquet"
        rows = pq.read_table(short.path / name, schema=TABLES[table])
        _write(rows, directory / name, table, many.get(table, len(rows)))
        manifest["traces"][name] = {"sha256": "", "rows": many.get(table, len(rows))}
    for file, content in (("manifest.json", manifest), ("summary.json", summary)):
        (directory / file).write_text(json.dumps(content), encoding="utf-8")
    return directory


def _write(rows: pa.Table, file: Path, table: str, many: int) -> None:
    random = np.random.default_rng(1)
    spread = {"requests": "arrival_s", "transitions": "time_s"}.get(table)
    with pq.ParquetWriter(file, TABLES[table], compression="zstd", compression_level=1) as writer:
        for done in range(0, many, ROWS_PER_GROUP):
            size = min(ROWS_PER_GROUP, many - done)
            group = rows.take(pa.array(random.integers(0, len(rows), size))) if table != "incidents" else rows
            if spread is not None:
                times_s: Any = np.sort(random.uniform(done, done + size, size)) * (YEAR_S / many)
                place = group.schema.get_field_index(spread)
                group = group.set_column(place, TABLES[table].field(spread), pa.array(times_s))
            writer.write_table(group, row_group_size=ROWS_PER_GROUP)


if __name__ == "__main__":
    main()
