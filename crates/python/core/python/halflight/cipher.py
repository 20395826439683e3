"""The owner encrypts, the predictor evaluates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import fspath
from typing import Any, NamedTuple, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _native
from ._check import instance
from ._files import read_bytes, write_bytes
from ._progress import Progress, callback
from .compiled import CompiledNetwork
from .data import Dataset, Path, indices
from .keys import FunctionalKey, Parameters


class Ciphertext:
    """One encrypted item: ``1 + 2n`` points of G1 and ``2m`` of G2."""

    def __init__(self, native: _native.Ciphertext) -> None:
        self._native = native

    @classmethod
    def from_bytes(cls, data: bytes) -> Ciphertext:
        """Reads a ciphertext from anyone: sizes, checksum, canonical points, subgroups. Raises ``WireError``."""
        return cls(_native.Ciphertext.from_bytes(data))

    def to_bytes(self, compressed: bool = False) -> bytes:
        """The wire form; compressed points take half the bytes, but longer to read."""
        return self._native.to_bytes(compressed)

    @classmethod
    def from_bytes_batch(cls, data: Iterable[bytes]) -> list[Ciphertext]:
        """Reads many on all cores, with one check over the points of all. Raises ``WireError``, which names the item."""
        return [cls(native) for native in _native.Ciphertext.from_bytes_batch(list(data))]

    @classmethod
    def load(cls, path: Path) -> Ciphertext:
        """Reads a ``.ct`` file. Raises ``WireError``, ``OSError``."""
        return cls.from_bytes(read_bytes(fspath(path)))

    def save(self, path: Path, compressed: bool = False) -> None:
        """Writes the file that ``halflight predict`` reads too."""
        write_bytes(fspath(path), self.to_bytes(compressed))

    @property
    def inputs(self) -> tuple[int, int]:
        """Lengths ``(n, m)`` of the encrypted vectors."""
        return self._native.inputs

    @property
    def public_key(self) -> str:
        """Identity of the public key that it was made with."""
        return self._native.public_key

    def __reduce__(self) -> Any:
        return Ciphertext.from_bytes, (self.to_bytes(),)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ciphertext) and self._native.equals(other._native)

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    def __repr__(self) -> str:
        return f"<Ciphertext of {self.inputs[0]} + {self.inputs[1]} inputs under {self.public_key[:16]}>"


def encrypt(
    parameters: Parameters,
    data: Union[Dataset, ArrayLike],
    items: Any = None,
    *,
    constant_time: bool = False,
    progress: Progress = None,
) -> list[Ciphertext]:
    """Encodes and encrypts items: the owner's work, on the owner's machine.

    Parameters
    ----------
    parameters : Parameters
        From the authority. The first call builds tables of the public key's points and keeps them.
    data : Dataset or array
        Images uint8 ``[N, H, W]`` of the encoder's size.
    items : slice, list of int or mask, optional
        Which of them; by default all.
    constant_time : bool
        Use the same memory accesses and the same time whatever the input: slower, for hosts that others can observe.

    Returns
    -------
    list of Ciphertext
        One per item, fresh randomness each: equal items give different ciphertexts.

    Raises
    ------
    EncodeError
        Images of another size.
    IndexError
        An item that does not exist.

    Source: Ryffel et al. 2019, figure 1 (Encrypt). Security: adaptive IND-CPA in the generic bilinear group
    model; ciphertexts are malleable, so authenticate who sent them.
    """
    instance(parameters, Parameters, "parameters")
    data = data if isinstance(data, Dataset) else Dataset(data, {})
    chosen = indices(slice(None) if items is None else items, len(data))
    made = _native.encrypt(
        parameters._native, data._native, chosen, constant_time, callback(progress, "encrypting")
    )
    return [Ciphertext(ciphertext) for ciphertext in made]


class Predictions(NamedTuple):
    """The results of evaluating N ciphertexts."""

    #: int64 ``[N, S]``: all that is learned of the items.
    outputs: NDArray[np.int64]
    #: float32 ``[N, C]``, by the public head.
    probabilities: NDArray[np.float32]
    #: The most probable class of each item, by name.
    labels: list[str]


class Predictor:
    """A functional key, prepared for many ciphertexts.

    Raises ``KeyMismatch`` if the key opens another function than the network.
    """

    def __init__(self, key: FunctionalKey, network: CompiledNetwork) -> None:
        instance(key, FunctionalKey, "key")
        instance(network, CompiledNetwork, "network")
        self._native = _native.Predictor(key._native, network._native)
        self._network = network

    def evaluate(self, ciphertexts: Iterable[Ciphertext], *, progress: Progress = None) -> NDArray[np.int64]:
        """``output(x)`` of every ciphertext, int64 ``[N, S]``: equal to ``network.evaluate`` in the clear.

        Raises ``PredictError`` for a ciphertext of another public key, or an output outside its bounds.
        """
        if isinstance(ciphertexts, Ciphertext):
            ciphertexts = [ciphertexts]
        natives = [instance(ciphertext, Ciphertext, "ciphertexts")._native for ciphertext in ciphertexts]
        return self._native.evaluate(natives, callback(progress, "predicting"))

    def predict(self, ciphertexts: Iterable[Ciphertext], *, progress: Progress = None) -> Predictions:
        """Outputs, and the predictions of the public head. Raises as :meth:`evaluate`."""
        outputs = self.evaluate(ciphertexts, progress=progress)
        probabilities = self._network.head(outputs)
        classes = self._network.classes
        return Predictions(outputs, probabilities, [classes[best] for best in probabilities.argmax(axis=1)])


def predict(
    key: FunctionalKey,
    network: CompiledNetwork,
    ciphertexts: Sequence[Ciphertext],
    *,
    progress: Progress = None,
) -> Predictions:
    """Evaluates ciphertexts with a functional key, then applies the public head.

    Keep a :class:`Predictor` for more than one batch. Returns outputs int64 ``[N, S]``, probabilities float32
    ``[N, C]`` and labels. Raises ``KeyMismatch``, ``PredictError``. Source: Ryffel et al. 2019, figure 1 (Dec).
    """
    return Predictor(key, network).predict(ciphertexts, progress=progress)
