"""A scikit-learn transformer from point clouds to persistence diagrams, in the convention of ``gudhi.sklearn``.

Importing this module needs scikit-learn; nothing else here does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.convert import Diagram, to_gudhi_sklearn
from tcs.persistence.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

try:
    from sklearn.base import BaseEstimator, TransformerMixin
    from sklearn.utils.validation import check_is_fitted
except ImportError as error:
    raise ImportError("the transformer needs scikit-learn; pip install 'tcs-harness[peers]'") from error


class RipsPersistence(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Vietoris-Rips persistence diagrams over Z/2 of a list of point clouds.

    Takes the place of ``gudhi.sklearn.RipsPersistence`` in a pipeline, e.g. before ``DiagramSelector`` and
    ``PersistenceImage`` of ``gudhi.representations``. Bars are in no particular order there; here by (birth, death).

    Args:
        threshold: the longest edge, in the units of the points.
        homology_dimensions: an int for one diagram a cloud; a sequence for a list of diagrams a cloud, in its order.
        threads: how many threads work on one cloud; None lets :func:`tcs.persistence.rips` choose.
    """

    def __init__(
        self, threshold: float, homology_dimensions: int | Sequence[int] = (0, 1), threads: int | None = None
    ) -> None:
        self.threshold = threshold
        self.homology_dimensions = homology_dimensions
        self.threads = threads

    def fit(self, X: Any, y: Any = None) -> RipsPersistence:  # noqa: N803 - the name is scikit-learn's
        """Check the parameters; nothing is learnt from the clouds.

        Raises:
            InputError: ``homology_dimensions`` is empty or holds something else than whole numbers from 0.
        """
        wanted = np.atleast_1d(np.asarray(self.homology_dimensions))
        if wanted.ndim != 1 or not wanted.size or wanted.dtype.kind not in "iu" or (wanted < 0).any():
            raise InputError(
                f"homology_dimensions={self.homology_dimensions!r}; give a whole number from 0 or a sequence of them"
            )
        self.dimensions_ = tuple(int(d) for d in wanted)
        self._single = np.ndim(self.homology_dimensions) == 0
        return self

    def transform(self, X: Sequence[Any]) -> list[Diagram] | list[list[Diagram]]:  # noqa: N803 - likewise
        """Diagrams of each cloud, float64 arrays (m, 2) with deaths inf for essential classes.

        Args:
            X: clouds, each (n, d); they may differ in n and in d.

        Returns:
            A list with one array a cloud where ``homology_dimensions`` is an int, else with one list of arrays.

        Raises:
            InputError: as :func:`tcs.persistence.rips`, with the place of the cloud in ``X`` before it.
            sklearn.exceptions.NotFittedError: ``fit`` was not called.
        """
        from tcs.persistence import rips

        check_is_fitted(self, "dimensions_")
        wanted = self.dimensions_[0] if self._single else self.dimensions_
        result: list[Any] = []
        for place, cloud in enumerate(X):
            try:
                barcode = rips(
                    np.asarray(cloud), threshold=self.threshold, max_dimension=max(self.dimensions_),
                    threads=self.threads,
                )  # fmt: skip
            except InputError as error:
                raise InputError(f"X[{place}]: {error}") from error
            result.append(to_gudhi_sklearn(barcode, wanted))
        return result

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """H0, H1, ...: what each diagram of a sample is."""
        check_is_fitted(self, "dimensions_")
        return np.array([f"H{d}" for d in self.dimensions_], dtype=object)
