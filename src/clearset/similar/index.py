"""An index of descriptors, by an optional library (USearch)."""

from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt

from clearset.similar.cosines import Places
from clearset.store.errors import ClearsetError

LINKS = 16  # of each descriptor to others
BUILDING, LOOKING = 64, 64  # candidates that are kept while one is put in, and looked up
LARGEST = 127  # of eight bits

Codes = npt.NDArray[np.int8]


class Index:
    """Descriptors by number, found again by what is similar to them."""

    def __init__(self, length: int) -> None:
        self._index = _library().Index(
            ndim=length,
            metric="cos",
            dtype="i8",
            connectivity=LINKS,
            expansion_add=BUILDING,
            expansion_search=LOOKING,
        )

    def __len__(self) -> int:
        """Return how many descriptors it holds."""
        return len(self._index)

    @staticmethod
    def method() -> str:
        """Return what engine.json calls it."""
        return f"USearch {version('usearch')}: {LINKS} links, {BUILDING} and {LOOKING} kept"

    def add(self, numbers: Places, vectors: Codes) -> None:
        """Put descriptors in, by one thread: which links are made hangs on their order."""
        if len(numbers):
            self._index.add(numbers.astype(np.uint64), vectors, threads=1)

    def search(self, vectors: Codes, count: int) -> Places:
        """Return the numbers of the `count` most similar ones, (vectors, count); -1 for none."""
        result = np.full((len(vectors), count), -1, np.intp)
        if len(vectors) and len(self):
            matches = self._index.search(vectors, min(count, len(self)))
            keys = np.atleast_2d(np.asarray(matches.keys)).astype(np.intp)
            result[:, : keys.shape[1]] = keys
        return result


def codes(vectors: npt.NDArray[Any]) -> Codes:
    """Return vectors in whole numbers of eight bits, their largest one 127."""
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    scaled = vectors * (LARGEST / np.maximum(largest, np.finfo(np.float64).tiny))
    return np.rint(scaled).astype(np.int8)


def _library() -> Any:
    try:
        import usearch.index  # noqa: PLC0415
    except ImportError:
        raise ClearsetError(
            "to compare so many images an index is needed, which is not installed: pip install "
            "'clearset[scale]', or compare each with each, at the square of the time: "
            "analyze.exact_images=10000000"
        ) from None
    return usearch.index
