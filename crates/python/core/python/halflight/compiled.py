"""The integer network: compiling, importing integers, evaluation in the clear."""

from __future__ import annotations

import json
from collections.abc import Sequence
from os import fspath
from typing import Any, Literal, Optional

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _native
from ._check import dumps, instance, whole
from ._files import from_bytes, to_bytes
from ._progress import Progress, callback
from .data import Dataset, Encoder, Path
from .errors import ImportFailed
from .networks import Network


class CompiledNetwork:
    """The integer network: the quadratic map that a functional key opens, and the public head that reads it.

    ``output_j(u, v) = Σ_k D[j][k] · (P[k]·u) · (R[k]·v)``, j = 1..S, k = 1..d, all integers. Evaluation here is in the
    clear and exact; encrypted evaluation equals it.
    """

    def __init__(self, native: _native.CompiledNetwork) -> None:
        self._native = native

    @classmethod
    def load(cls, path: Path) -> CompiledNetwork:
        """Reads a compiled network, computes its bounds anew and compares its hash. Raises ``FileError``."""
        return cls(_native.CompiledNetwork.load(fspath(path)))

    @classmethod
    def from_integers(
        cls,
        P: ArrayLike,
        R: Optional[ArrayLike],
        D: ArrayLike,
        *,
        encoder: Encoder,
        low: int = 0,
        classes: Optional[Sequence[str]] = None,
        main: str = "digit",
    ) -> CompiledNetwork:
        """A network of given integers, without a head: the largest output gives the class.

        Parameters
        ----------
        P, R, D : integer arrays ``[d, n]``, ``[d, m]`` or None for squares, ``[S, d]``
            Column 0 of P and R multiplies the constant 1. Values fit 32 bits.
        encoder : Encoder
            Makes ``u`` and ``v``.
        low : int
            The integer that the network reads for level 0 of the encoder; folded into the biases.
        classes : sequence of S str, optional
            By default the numbers from 0.

        Raises ``ImportFailed``.
        """
        left, combine = _whole("P", P), _whole("D", D)
        right = None if R is None else _whole("R", R)
        native = instance(encoder, Encoder, "encoder")._native
        names = None if classes is None else [str(name) for name in classes]
        return cls(_native.CompiledNetwork.from_integers(left, right, combine, native, low, names, main))

    def save(self, path: Path) -> None:
        """Writes safetensors of integers with bounds and hash. Raises ``FileError``."""
        self._native.save(fspath(path))

    @property
    def hash(self) -> str:
        """SHA-256 of everything that determines an output or a prediction, 64 hexadecimal digits."""
        return self._native.hash

    @property
    def encoder(self) -> Encoder:
        """The encoder that owners use."""
        return Encoder(self._native.encoder)

    @property
    def inputs(self) -> tuple[int, int]:
        """Lengths ``(n, m)`` of the encrypted vectors."""
        return self._native.inputs

    @property
    def units(self) -> int:
        """Units d: two pairings each under encryption."""
        return self._native.units

    @property
    def width(self) -> int:
        """Outputs S: one discrete logarithm each."""
        return self._native.width

    @property
    def main(self) -> str:
        """The label that it predicts."""
        return self._native.main

    @property
    def classes(self) -> list[str]:
        """Class names of the main label."""
        return self._native.classes

    @property
    def bounds(self) -> list[tuple[int, int]]:
        """The declared inclusive range of every output, which a discrete logarithm covers."""
        return self._native.bounds

    @property
    def exact_bounds(self) -> list[tuple[int, int]]:
        """The range of every output that no encoded input can leave."""
        return self._native.exact_bounds

    @property
    def report(self) -> Optional[dict[str, Any]]:
        """The compilation report: accuracies in percent, ranges, zeros; None for an imported network."""
        text = self._native.report
        return None if text is None else json.loads(text)

    @property
    def P(self) -> NDArray[np.int32]:
        """int32 ``[d, n]``; column 0 is the bias."""
        return self._native.matrices()[0]

    @property
    def R(self) -> NDArray[np.int32]:
        """int32 ``[d, m]``; column 0 is the bias. Equal to P for squares."""
        return self._native.matrices()[1]

    @property
    def D(self) -> NDArray[np.int32]:
        """int32 ``[S, d]``."""
        return self._native.matrices()[2]

    def evaluate(self, data: Dataset) -> NDArray[np.int64]:
        """``output(x)`` of every item in the clear, int64 ``[N, S]``, exact. Raises ``EvaluateError``."""
        return self._native.evaluate(instance(data, Dataset, "data")._native)

    def evaluate_encoded(self, u: ArrayLike, v: ArrayLike) -> NDArray[np.int64]:
        """``output`` of one pair of encoded vectors, int64 ``[S]``. Raises ``EvaluateError``."""
        return self._native.evaluate_encoded(whole(u, "u", 1), whole(v, "v", 1))

    def head(self, outputs: ArrayLike) -> NDArray[np.float32]:
        """Probabilities ``[N, C]`` for integer outputs ``[N, S]``. Raises ``EvaluateError``."""
        return self._native.head(whole(outputs, "outputs", 2))

    def predict_proba(self, data: Dataset) -> NDArray[np.float32]:
        """Probabilities of the main classes, float32 ``[N, C]``, in the clear."""
        return self.head(self.evaluate(data))

    def predict(self, data: Dataset) -> NDArray[np.int64]:
        """The most probable main class of every item, int64 ``[N]``, in the clear."""
        chosen: NDArray[np.int64] = self.predict_proba(data).argmax(axis=1).astype(np.int64)
        return chosen

    def accuracy(self, data: Dataset) -> float:
        """Percent of items whose main label is predicted. Raises ``EvaluateError``."""
        return self._native.accuracy(instance(data, Dataset, "data")._native)

    def to_bytes(self) -> bytes:
        """The file of :meth:`save` as bytes."""
        return to_bytes(self.save)

    @classmethod
    def from_bytes(cls, data: bytes) -> CompiledNetwork:
        """Reads the result of :meth:`to_bytes`. Raises ``FileError``."""
        return from_bytes(data, cls.load)

    def __reduce__(self) -> Any:
        return CompiledNetwork.from_bytes, (self.to_bytes(),)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CompiledNetwork) and self.hash == other.hash

    def __hash__(self) -> int:
        return hash(self.hash)

    def __repr__(self) -> str:
        n, m = self.inputs
        return f"<CompiledNetwork {self.hash[:16]}: {n} + {m} inputs, {self.units} units, {self.width} outputs>"


def _whole(name: str, values: ArrayLike) -> NDArray[np.int32]:
    array = np.asarray(values)
    with np.errstate(invalid="ignore"):
        integers = array.astype(np.int32)
    if array.ndim != 2 or not np.array_equal(integers, array):
        raise ImportFailed(f"`{name}` is {array.dtype} {list(array.shape)}: give a matrix of whole numbers of 32 bits")
    return np.ascontiguousarray(integers)


def compile(
    network: Network,
    data: Dataset,
    *,
    preset: Literal["quick", "thorough"] = "quick",
    progress: Progress = None,
    **options: Any,
) -> CompiledNetwork:
    """Compiles a network to integers: rounds, fine-tunes through the rounding, computes exact bounds.

    Parameters
    ----------
    network : Network
    data : Dataset
        Labelled items like the training data; nine tenths fine-tune, the last tenth measures.
    preset : {"quick", "thorough"}
    **options
        ``precision`` ({"left", "right", "combine": 2 to 16 bits, "input": 1 to 16 or None}), ``columns`` (keep
        this many inputs), ``drop_dead`` (bool), ``steps`` (0 rounds only), ``batch``, ``rate``, ``settle``
        (fraction of the steps, at the end, in which only biases move), ``discriminant`` (weight of the advantage of
        linear attackers on random features), ``noise`` (that owners add, a fraction of each output's
        deviation), ``learned_noise`` (that fine-tuning learns with), ``defence``
        ("astrained", "none", {"match": {…}}), ``range`` ("exact" or {"empirical": {"margin_bits": b}}),
        ``log_bits`` (1 to 63, default 40), ``seed``.

    Returns
    -------
    CompiledNetwork
        With ``.report``: accuracies before and after, ranges of every output.

    Raises
    ------
    CompileError
        Too few items, other classes, an output beyond ``2^log_bits`` values.
    """
    native = _native.compile(
        instance(network, Network, "network")._native,
        instance(data, Dataset, "data")._native,
        preset,
        dumps(options),
        callback(progress, "compiling"),
    )
    return CompiledNetwork(native)
