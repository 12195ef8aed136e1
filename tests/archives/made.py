"""The same small data set in every form: a folder and its table, zip, WebDataset, TFRecord, Hugging Face's Parquet."""

from __future__ import annotations

import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

RATE = 8000


def dataset(folder: Path, n: int = 12) -> pd.DataFrame:
    """Write a folder of recordings with labels.csv: tones and noises, three of each group."""
    (folder / "audio").mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows = []
    for i in range(n):
        t = np.arange(RATE // 2) / RATE
        label = ("tone", "noise")[i % 2]
        y = np.sin(2 * np.pi * rng.uniform(300, 900) * t) if label == "tone" else rng.normal(0, 0.3, len(t))
        name = f"audio/clip_{i:02}.{'flac' if i % 3 else 'wav'}"
        soundfile.write(folder / name, 0.5 * np.clip(y, -1, 1), RATE)
        rows.append({"path": name, "label": label, "group": f"g{i // 3}", "fold": i // 3 % 2})
    table = pd.DataFrame(rows)
    table.to_csv(folder / "labels.csv", index=False)
    return table


def to_zip(folder: Path, table: pd.DataFrame, out: Path) -> Path:
    with zipfile.ZipFile(out / "data.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.write(folder / "labels.csv", "set/labels.csv")
        file.writestr("__MACOSX/set/._labels.csv", b"junk")
        for path in table["path"]:
            file.write(folder / path, f"set/{path}")
    return out / "data.zip"


def to_tars(folder: Path, table: pd.DataFrame, out: Path) -> Path:
    """Two shards of WebDataset."""
    out.mkdir(exist_ok=True)
    for shard, rows in enumerate(np.array_split(np.arange(len(table)), 2)):
        with tarfile.open(out / f"shard-{shard:03}.tar", "w") as file:
            for row in table.iloc[rows].itertuples():
                key = Path(row.path).stem
                meta = json.dumps({"label": row.label, "group": row.group, "fold": int(row.fold)}).encode()
                for name, data in (
                    (Path(row.path).name, (folder / row.path).read_bytes()),
                    (f"{key}.json", meta),
                ):
                    info = tarfile.TarInfo(name)
                    info.size = len(data)
                    file.addfile(info, io.BytesIO(data))
    return out


def to_tfrecord(folder: Path, table: pd.DataFrame, out: Path) -> Path:
    data = b"".join(
        record(
            {
                "recording_id": Path(row.path).name.encode(),
                "audio_wav": (folder / row.path).read_bytes(),
                "label": row.label.encode(),
                "group": row.group.encode(),
                "fold": int(row.fold),
                "weights": [0.5, 0.25],
            }
        )
        for row in table.itertuples()
    )
    (out / "data.tfrec").write_bytes(data)
    return out / "data.tfrec"


def record(fields: dict[str, object]) -> bytes:
    """Encode a record of a tf.train.Example by the definition of its protobuf messages."""
    features = b""
    for name, value in fields.items():
        if isinstance(value, bytes):
            feature = message(1, message(1, value))
        elif isinstance(value, int):
            feature = message(3, message(1, varint(value)))
        else:
            feature = message(2, message(1, struct.pack(f"<{len(value)}f", *value)))  # type: ignore[arg-type]
        features += message(1, message(1, name.encode()) + message(2, feature))
    example = message(1, features)
    return struct.pack("<Q", len(example)) + b"\0" * 4 + example + b"\0" * 4


def message(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def to_parquet(folder: Path, table: pd.DataFrame, out: Path) -> Path:
    """As datasets.Dataset.to_parquet writes it: classes are numbers, whose names are in the metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = sorted(table["label"].unique())
    features = {"audio": {"_type": "Audio"}, "label": {"names": names, "_type": "ClassLabel"}}
    arrow = pa.table(
        {
            "audio": [
                {"bytes": (folder / path).read_bytes(), "path": Path(path).name} for path in table["path"]
            ],
            "label": [names.index(label) for label in table["label"]],
            "group": table["group"].tolist(),
            "fold": table["fold"].tolist(),
        }
    ).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(arrow, out / "train-00000-of-00001.parquet", row_group_size=5)
    return out / "train-00000-of-00001.parquet"


FORMS: dict[str, Callable[[Path, pd.DataFrame, Path], Path]] = {
    "zip": to_zip,
    "webdataset": to_tars,
    "tfrecord": to_tfrecord,
    "parquet": to_parquet,
}
