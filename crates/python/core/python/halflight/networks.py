"""Networks in floats: training and defending."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from os import fspath
from typing import Any, Literal, Optional, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _native
from ._check import dumps, instance
from ._files import from_bytes, to_bytes
from ._progress import Progress, callback
from .data import Dataset, Encoder, Path


class Network:
    """A trained network in floats: encoder, private part, public head, and its training record.

    ``output(x)`` has S numbers; the head reads nothing else.
    """

    def __init__(self, native: _native.Network) -> None:
        self._native = native
        #: Of a network read from elsewhere: the largest difference from it that was found, as a fraction of the largest
        #: number; None for one trained here, or loaded.
        self.difference: Optional[float] = None

    @classmethod
    def load(cls, path: Path) -> Network:
        """Reads a network file and checks it. Raises ``FileError``."""
        return cls(_native.Network.load(fspath(path)))

    def save(self, path: Path) -> None:
        """Writes safetensors that PyTorch opens: ``left.weight`` ``[d, n − 1]`` and so on. Raises ``FileError``."""
        self._native.save(fspath(path))

    @property
    def units(self) -> int:
        """Units d of the private part."""
        return self._native.units

    @property
    def width(self) -> int:
        """Outputs S of the private part."""
        return self._native.width

    @property
    def classes(self) -> list[str]:
        """Class names of the main label."""
        return self._native.classes

    @property
    def encoder(self) -> Encoder:
        """The encoder that came with the training data."""
        return Encoder(self._native.encoder)

    @property
    def record(self) -> dict[str, Any]:
        """The training record: options, data, accuracy in percent."""
        record: dict[str, Any] = json.loads(self._native.record)
        return record

    def outputs(self, data: Dataset) -> NDArray[np.float32]:
        """``output(x)`` of every item, float32 ``[N, S]``: everything that a predictor learns. Raises ``EncodeError``."""
        return self._native.outputs(instance(data, Dataset, "data")._native)

    def head(self, outputs: ArrayLike) -> NDArray[np.float32]:
        """Probabilities ``[N, C]`` for outputs ``[N, S]``. Raises ``EvaluateError``."""
        return self._native.head(np.ascontiguousarray(outputs, dtype=np.float32))

    def predict_proba(self, data: Dataset) -> NDArray[np.float32]:
        """Probabilities of the main classes, float32 ``[N, C]``."""
        return self.head(self.outputs(data))

    def predict(self, data: Dataset) -> NDArray[np.int64]:
        """The most probable main class of every item, int64 ``[N]``."""
        return self._native.predict(instance(data, Dataset, "data")._native)

    def accuracy(self, data: Dataset) -> float:
        """Percent of items whose main label is predicted. Raises ``EvaluateError``."""
        return self._native.accuracy(instance(data, Dataset, "data")._native)

    def to_bytes(self) -> bytes:
        """The file of :meth:`save` as bytes."""
        return to_bytes(self.save)

    @classmethod
    def from_bytes(cls, data: bytes) -> Network:
        """Reads the result of :meth:`to_bytes`. Raises ``FileError``."""
        return from_bytes(data, cls.load)

    def __reduce__(self) -> Any:
        return Network.from_bytes, (self.to_bytes(),)

    def __repr__(self) -> str:
        return f"<Network of {self.units} units, {self.width} outputs, {len(self.classes)} classes>"


def train(
    data: Dataset,
    validation: Optional[Dataset] = None,
    *,
    main: str = "character",
    collateral: Union[str, Sequence[str]] = (),
    defence: Union[Literal["none", "paper", "maxent", "ensemble", "match", "certify"], str] = "none",
    defence_options: Optional[Mapping[str, Any]] = None,
    preset: Literal["quick", "thorough", "paper"] = "quick",
    encoder: Optional[Mapping[str, Any]] = None,
    fresh: bool = False,
    checkpoint: Optional[Path] = None,
    progress: Progress = None,
    **options: Any,
) -> Network:
    """Trains the private part and the public head together, with or without a defence.

    Parameters
    ----------
    data : Dataset
        Training items; "match" needs 60,000 pairs for a good result, "none" 40,000 items.
    validation : Dataset, optional
        For the accuracies of the record. By default one block of 60 items in ten of ``data`` is held out (of 6 if there
        are fewer than 600); with fewer than 20 items, those of training are used.
    main, collateral : str, str or list of str
        The label to predict, and the labels that the outputs must not reveal.
    defence : str
        A name of :func:`defences`: matching distributions within every main class ("match"), the same under the
        owners' noise in narrow classes ("certify", needs ``noise``), or simulated adversaries.
    defence_options : mapping, optional
        For "match": ``weight`` λ (30), ``pairing`` (0.3), ``scales`` (6), ``paired``, ``ramp``; for "certify" also
        ``width`` (0.005), ``sharp`` (0.2), ``tilt`` (0) and ``radius`` (0). For those with adversaries: ``weight`` α
        (1.7), ``adversaries``, ``epochs`` ``(initial, sabotage, recovery)``, ``rate``, ``momentum``, ``restart``.
    preset : {"quick", "thorough", "paper"}
        Default values of all options.
    encoder : mapping, optional
        Options of ``Encoder.fit``.
    fresh : bool
        Keep drawing new training images; only for drawn data.
    checkpoint : path, optional
        State of an unfinished run; a run that finds its own state there resumes.
    progress : None, bool or callable
        ``callback(done, total, message)``; ``None`` shows a bar if one can be displayed.
    **options
        ``units`` d (64), ``outputs`` S (4), ``kind`` ("bilinear", "squares"), ``head`` hidden widths
        ([64, 64]), ``steps``, ``batch``, ``rate``, ``seed``, ``selection`` ({"every", "from", "tolerance"}), …

    Returns
    -------
    Network
        Equal arguments give the same network, whatever the number of threads.

    Raises
    ------
    TrainError, OptionError, DatasetError, EncodeError

    Source: Ryffel et al. 2019, sections 4 and 5 ("paper"); the other defences are this project's.
    """
    instance(data, Dataset, "data")
    if validation is None:
        data, validation = _held_out(data)
    given = {"main": main, "collateral": [collateral] if isinstance(collateral, str) else list(collateral), **options}
    native = _native.train(
        data._native,
        instance(validation, Dataset, "validation")._native,
        preset,
        defence,
        dumps(dict(defence_options or {})),
        dumps(given),
        dumps(dict(encoder or {})),
        fresh,
        None if checkpoint is None else fspath(checkpoint),
        callback(progress, "training"),
    )
    return Network(native)


def _held_out(data: Dataset) -> tuple[Dataset, Dataset]:
    """Nine tenths and one tenth. Blocks keep items together that were drawn together, such as pairs."""
    if len(data) < 20:
        return data, data
    size = 60 if len(data) >= 600 else 6 if len(data) >= 60 else 1
    blocks = np.arange(len(data)) // size % 10
    return data[blocks != 9], data[blocks == 9]


def defences() -> dict[str, str]:
    """Names of the defences that :func:`train` accepts, each with a description."""
    return dict(_native.defences())
