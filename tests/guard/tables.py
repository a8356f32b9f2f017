"""Digests of what a run leaves: of its files as they are, and of the rows in them whatever stands around these."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

LETTERS = 6
"""Hexadecimal digits kept of each column, which tell where a difference is."""
DIGITS = 9
"""Significant digits of figures that are the same on every processor; sums and products in NumPy differ in the last."""


def digests_of_run(directory: Path, summary: Any) -> dict[str, Any]:
    """By arm and table, and the figures of the summary under its own name; remarks are no figures."""
    found: dict[str, Any] = {}
    for path in sorted(directory.glob("*/*.parquet")):
        arm = path.stem.removesuffix("-0000")
        found.setdefault(arm, {})[path.parent.name] = digests_of_file(path)
    figures = {key: value for key, value in summary.items() if key != "remarks"}
    found["summary.json"] = {"summary": {"exact": _digest_of(figures), "rounded": _digest_of(_rounded(figures))}}
    return found


def _digest_of(figures: Any) -> str:
    text = json.dumps(figures, sort_keys=True)  # floats as their shortest repr
    return hashlib.sha256(text.encode()).hexdigest()


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(below) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(below) for below in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def digests_of_file(path: Path) -> dict[str, Any]:
    """`bytes` of the file; `content` of names, types and values of its columns; `columns` a few digits of each."""
    table = pq.ParquetFile(path).read()
    columns = {name: _digest_of_column(name, table.column(name)) for name in table.column_names}
    content = hashlib.sha256("\n".join([str(table.num_rows), *columns.values()]).encode()).hexdigest()
    return {
        "rows": table.num_rows,
        "bytes": hashlib.sha256(path.read_bytes()).hexdigest(),
        "content": content,
        "columns": " ".join(f"{name}:{digest[:LETTERS]}" for name, digest in columns.items()),
    }


def _digest_of_column(name: str, column: pa.ChunkedArray) -> str:
    """Of the name, the type with dictionaries decoded, the nulls, and the values where there are any."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    digest = hashlib.sha256(f"{name}\0{_type_name(kind)}\0{len(column)}\0".encode())
    if pa.types.is_dictionary(column.type):
        column = column.cast(kind)
    digest.update(np.packbits(column.is_null().to_numpy()).tobytes())
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        values = column.drop_null().to_numpy()
        digest.update(np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes())
    elif pa.types.is_boolean(kind):
        digest.update(np.packbits(column.drop_null().to_numpy()).tobytes())
    else:
        digest.update(json.dumps(column.to_pylist(), ensure_ascii=False).encode())
    return digest.hexdigest()


def _type_name(kind: pa.DataType) -> str:
    return f"list of {kind.value_type}" if pa.types.is_list(kind) else str(kind)
