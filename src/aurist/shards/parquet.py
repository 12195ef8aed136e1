"""Shards of Parquet as Hugging Face's datasets are shipped: ``audio: {bytes, path}``, ``label`` with its names.

Source: the metadata that the library datasets writes; ``load_dataset("parquet", data_files=...)`` reads the shards.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aurist.clips import Clips
from aurist.shards.example import FACTS, Example

#: Rows, and bytes of sound, of a row group: readers hold one or two groups in memory.
_ROWS, _BYTES = 100, 8 << 20


def write_parquet(path: Path, examples: Iterable[Example], clips: Clips) -> None:
    """Write a shard. With one label a clip, ``label`` is a number; with several, a text such as ``a;b``."""
    import pyarrow.parquet

    parquet: Any = pyarrow.parquet
    schema = _schema(clips)
    # recordings neither repeat nor shrink
    with parquet.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        group: list[dict[str, Any]] = []
        size = 0
        for example in examples:
            group.append(_row(example, clips))
            size += len(example.sound)
            if len(group) == _ROWS or size >= _BYTES:
                _write(writer, group, schema)
                group, size = [], 0
        if group:
            _write(writer, group, schema)


def _write(writer: Any, group: list[dict[str, Any]], schema: Any) -> None:
    import pyarrow as pa

    writer.write_table(pa.Table.from_pylist(group, schema=schema))


def _row(example: Example, clips: Clips) -> dict[str, Any]:
    label: str | int | None = example.facts.get("label")
    if not clips.multilabel:
        # a clip without a label has no number
        label = clips.classes.index(label) if label in clips.classes else None
    return {"audio": {"bytes": example.sound, "path": example.name}, **example.facts, "label": label}


def _schema(clips: Clips) -> Any:
    """Return the schema, without columns that are empty in all clips."""
    import pyarrow as pa

    fields = [pa.field("audio", pa.struct([("bytes", pa.binary()), ("path", pa.string())]))]
    features: dict[str, Any] = {"audio": {"_type": "Audio"}}
    kept = [name for name in FACTS if name not in _empty(clips)]
    for name in kept:
        is_class = name == "label" and not clips.multilabel
        fields.append(pa.field(name, pa.int64() if is_class else pa.string()))
        features[name] = (
            {"names": list(clips.classes), "_type": "ClassLabel"}
            if is_class
            else {"dtype": "string", "_type": "Value"}
        )
    return pa.schema(fields, {"huggingface": json.dumps({"info": {"features": features}})})


def _empty(clips: Clips) -> set[str]:
    without = {name for name in ("group", "fold") if clips.table[name].isna().all()}
    return without if clips.labelled else without | {"label"}
