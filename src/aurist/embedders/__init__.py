"""Pretrained networks that turn sound into vectors: wave in, embedding out."""

from aurist.embedders.catalogue import Available, find_embedder, list_embedders
from aurist.embedders.clips import Embedder, embed_clips, embed_waves, load_embedder, share_embedded
from aurist.embedders.licences import accept_licence, check_licence, is_accepted
from aurist.embedders.network import EmbedderError
from aurist.embedders.on_cluster import embed_on_cluster
from aurist.embedders.spec import EmbedderSpec, read_embedder
from aurist.embedders.stored import EmbedderRecord, copy_network, open_stored, store_embedder

__all__ = [
    "Available",
    "Embedder",
    "EmbedderError",
    "EmbedderRecord",
    "EmbedderSpec",
    "accept_licence",
    "check_licence",
    "copy_network",
    "embed_clips",
    "embed_on_cluster",
    "embed_waves",
    "find_embedder",
    "is_accepted",
    "list_embedders",
    "load_embedder",
    "open_stored",
    "read_embedder",
    "share_embedded",
    "store_embedder",
]
