"""Search in recordings by sound: an index of the vectors of all windows, and the windows that are most alike."""

from aurist.search.building import build_index
from aurist.search.index import IndexedRecording, WindowIndex, open_index
from aurist.search.map import SoundMap, sound_map
from aurist.search.on_cluster import index_on_cluster
from aurist.search.query import query_vectors, search
from aurist.search.scoring import score_index
from aurist.search.vectors import Distinct, IndexedVectors

__all__ = [
    "Distinct",
    "IndexedRecording",
    "IndexedVectors",
    "SoundMap",
    "WindowIndex",
    "build_index",
    "index_on_cluster",
    "open_index",
    "query_vectors",
    "score_index",
    "search",
    "sound_map",
]
