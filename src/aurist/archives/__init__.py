"""Recordings inside archives (zip, WebDataset's tar, TFRecord, Hugging Face's Parquet), read one by one, in place."""

from aurist.archives.archive import Archive, ArchiveError
from aurist.archives.members import exists, is_archive, open_archive, read_member, stamp, table_of
from aurist.archives.remote import link, url_of

__all__ = [
    "Archive",
    "ArchiveError",
    "exists",
    "is_archive",
    "link",
    "open_archive",
    "read_member",
    "stamp",
    "table_of",
    "url_of",
]
