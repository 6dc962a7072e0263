"""Exact search of a gallery: faiss, and the product of matrices that needs no library but numpy."""

from functools import lru_cache

import numpy as np

K = 10


def unit_rows(count: int, length: int, seed: int) -> np.ndarray:
    """Random unit vectors, `(count, length)`, float32."""
    rows = np.random.default_rng(seed).standard_normal((count, length), np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


class Search:
    """What was found: scores `(queries, K)` and rows of the gallery."""

    scores: np.ndarray
    rows: np.ndarray

    def before(self) -> None:
        pass

    def outputs(self) -> list[np.ndarray]:
        return [self.scores, self.rows]


@lru_cache
def default_threshold() -> int:
    """From how many queries on faiss multiplies matrices, as it comes; asked before it is changed."""
    import faiss

    return int(faiss.cvar.distance_compute_blas_threshold)


class Faiss(Search):
    """IndexFlatIP, one thread, as it comes: so few queries are compared by dot products, one after the other."""

    always_products = False

    def __init__(self, gallery: np.ndarray, queries: np.ndarray) -> None:
        import faiss

        faiss.omp_set_num_threads(1)
        self.index = faiss.IndexFlatIP(gallery.shape[1])
        self.index.add(gallery)
        self.queries, self.settings = queries, faiss.cvar
        default = default_threshold()
        self.products_from = 1 if self.always_products else default

    def before(self) -> None:
        # One setting for the whole process.
        self.settings.distance_compute_blas_threshold = self.products_from

    def run(self) -> None:
        self.scores, self.rows = self.index.search(self.queries, K)


class FaissProducts(Faiss):
    """The same, told to multiply matrices always."""

    always_products = True


class Numpy(Search):
    """One product, then the greatest of each row of scores."""

    def __init__(self, gallery: np.ndarray, queries: np.ndarray) -> None:
        self.gallery, self.queries = gallery.T, queries

    def run(self) -> None:
        scores = self.queries @ self.gallery
        some = np.argpartition(scores, -K, axis=1)[:, -K:]
        order = np.argsort(-np.take_along_axis(scores, some, 1), axis=1)
        self.rows = np.take_along_axis(some, order, 1)
        self.scores = np.take_along_axis(scores, self.rows, 1)


SEARCHES = {"faiss IndexFlatIP": Faiss, "faiss IndexFlatIP, BLAS": FaissProducts, "numpy": Numpy}
