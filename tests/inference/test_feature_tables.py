"""A table of features that is written part by part is that which is written at once."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from aurist.clips.read import ReadOptions
from aurist.errors import DataError
from aurist.inference import feature_tables
from aurist.inference.feature_tables import feature_file

from ..archives.made import dataset


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_parts_are_written_as_one_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    table = dataset(tmp_path / "set")
    # a column that is empty in the first parts, and a recording that cannot be read
    table.loc[:8, "group"] = None
    table.to_csv(tmp_path / "set" / "labels.csv", index=False)
    (tmp_path / "set" / table["path"][5]).write_bytes(b"no sound")
    options = ReadOptions(group="group")
    whole, parts = tmp_path / f"whole{suffix}", tmp_path / f"parts{suffix}"
    written = feature_file(tmp_path / "set", whole, options, cache_dir=tmp_path / "cache")
    monkeypatch.setattr(feature_tables, "PART", 5)
    assert feature_file(tmp_path / "set", parts, options, cache_dir=tmp_path / "cache") == written
    assert (written.rows, list(written.failures)) == (12, ["audio/clip_05.flac"])
    if suffix == ".csv":
        assert parts.read_bytes() == whole.read_bytes()
        return
    parquet = pytest.importorskip("pyarrow.parquet")
    assert parquet.read_schema(parts).equals(parquet.read_schema(whole), check_metadata=True)
    assert parquet.ParquetFile(parts).num_row_groups == 3
    pd.testing.assert_frame_equal(pd.read_parquet(parts), pd.read_parquet(whole))
    assert pd.read_parquet(parts)["group"].tolist() == [None] * 9 + ["g3"] * 3


def test_a_table_without_any_features_is_not_written(tmp_path: Path) -> None:
    table = dataset(tmp_path / "set", 2)
    for path in table["path"]:
        (tmp_path / "set" / path).write_bytes(b"no sound")
    with pytest.raises(DataError, match="None of 2 clips can be read"):
        feature_file(tmp_path / "set", tmp_path / "out.csv", ReadOptions(), cache_dir=tmp_path / "cache")
    assert not list(tmp_path.glob("*out*"))
