"""A map of the windows of an index: groups of similar sounds, and their places in a plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aurist.errors import DataError
from aurist.search.index import WindowIndex
from aurist.search.vectors import mean_vector

Float = npt.NDArray[np.float32]
#: Dimensions that are kept before windows are laid out.
_DIMENSIONS = 50
#: A map of fewer windows shows nothing.
LEAST_WINDOWS = 10


@dataclass(frozen=True)
class SoundMap:
    """A map of windows.

    Parameters
    ----------
    rows
        (n,): the windows of the index, drawn at random.
    places
        (n, 2): their places, from 0 to 1.
    cluster
        (n,): their groups, the largest first.
    examples
        By group, positions in ``rows`` of windows near its middle, the nearest first.
    """

    rows: npt.NDArray[np.intp]
    places: Float
    cluster: npt.NDArray[np.int64]
    examples: list[list[int]]


def sound_map(index: WindowIndex, *, clusters: int = 12, most: int = 3000, seed: int = 0) -> SoundMap:
    """Lay out windows so that similar ones are near each other, and group them.

    Source: L. van der Maaten, G. Hinton, "Visualizing data using t-SNE", 2008, on principal components; k-means for the
    groups.

    Parameters
    ----------
    index
        The index.
    clusters
        The number of groups.
    most
        Windows to draw at random.
    seed
        Of the draw, the groups and the map.

    Raises
    ------
    DataError
        If there are fewer than `LEAST_WINDOWS` windows.
    """
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    if len(index) < LEAST_WINDOWS:
        raise DataError(
            f"{index.folder} holds {len(index)} windows, and a map needs at least {LEAST_WINDOWS}."
        )
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(len(index))[: min(most, len(index))])
    vectors = index.rows(rows) - mean_vector(index)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    reduced = PCA(min(_DIMENSIONS, *vectors.shape), random_state=seed).fit_transform(vectors)
    groups = KMeans(min(clusters, len(rows)), n_init=4, random_state=seed).fit(reduced)
    places = TSNE(perplexity=min(30.0, (len(rows) - 1) / 3), random_state=seed, init="pca").fit_transform(
        reduced
    )
    places = (places - places.min(axis=0)) / np.maximum(np.ptp(places, axis=0), 1e-12)
    by_size = np.argsort(-np.bincount(groups.labels_, minlength=groups.n_clusters), kind="stable")
    cluster = np.argsort(by_size)[groups.labels_]
    distance = np.linalg.norm(reduced - groups.cluster_centers_[groups.labels_], axis=1)
    examples = [
        members[np.argsort(distance[members], kind="stable")].tolist()
        for members in (np.flatnonzero(cluster == number) for number in range(groups.n_clusters))
    ]
    return SoundMap(rows, places.astype(np.float32), cluster.astype(np.int64), examples)
