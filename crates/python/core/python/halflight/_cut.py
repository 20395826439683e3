"""A model in two parts: the private one in integers, and the part after the cut in the clear."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._check import whole
from ._forms import Integers
from ._progress import Progress
from .cipher import Ciphertext, Predictor
from .compiled import CompiledNetwork
from .data import Dataset
from .keys import FunctionalKey


class CutModel:
    """A model in two parts.

    Attributes
    ----------
    compiled : CompiledNetwork
        The private part in integers: for ``hl.setup``, ``issue``, ``encrypt`` and audits.
    worth, shift : float64 ``[S]``
        ``q ≈ worth · output + shift``, the head's input.
    cut : str
        Name of the value at the cut.
    difference : float
        The largest difference between the model and its two parts before rounding, on items of the data, as a fraction of
        the largest number.
    """

    def __init__(self, rounded: Integers, compiled: CompiledNetwork, cut: str, difference: float) -> None:
        self.compiled = compiled
        self.worth = rounded.worth
        self.shift = rounded.shift
        self.cut = cut
        self.difference = difference

    def public(self, q: NDArray[np.float32]) -> NDArray[np.float32]:
        """The part after the cut, for values ``[N, S]`` there."""
        return q

    def head(self, outputs: ArrayLike) -> NDArray[np.float32]:
        """The model's results for integer outputs ``[N, S]``."""
        q = self.worth * whole(outputs, "outputs", 2) + self.shift
        return self.public(q.astype(np.float32))

    def run(self, data: Dataset) -> NDArray[np.float32]:
        """The whole model in the clear, with the private part in integers: ``[N, C]``."""
        return self.head(self.compiled.evaluate(data))

    def predict(
        self, key: FunctionalKey, ciphertexts: Iterable[Ciphertext], *, progress: Progress = None
    ) -> NDArray[np.float32]:
        """The whole model on ciphertexts: equal to :meth:`run` on their items."""
        return self.head(Predictor(key, self.compiled).evaluate(ciphertexts, progress=progress))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} cut at {self.cut!r}: {self.compiled!r}>"
