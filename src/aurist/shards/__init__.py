"""Clips as a few large files: WebDataset, TFRecord, or Parquet of Hugging Face's datasets."""

from aurist.shards.write import FORMATS, write_shards

__all__ = ["FORMATS", "write_shards"]
