"""Data sets with several labels per item, and the encoder that turns items into integers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from typing import Any, Optional, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _native
from ._check import dumps, instance, natural, whole
from ._files import from_bytes, to_bytes
from ._progress import Progress, callback
from .errors import DatasetError

#: More classes of one label are taken for a mistake.
MOST_CLASSES = 65_536

Path = Union[str, "PathLike[str]"]


class Dataset:
    """Grey images ``[N, H, W]`` of dtype uint8 with any number of label columns.

    Parameters
    ----------
    images : array of uint8, shape ``[N, H, W]``
        Pixels 0 to 255; ink bright on dark, as in MNIST.
    labels : mapping of name to labels
        Each value is an array of N class indices from 0, an array of N strings (classes are then the
        sorted distinct strings), or a pair ``(indices, class_names)``.
    about : mapping of str to str, optional
        Free text that travels with the file: source, random seed, licence.

    Raises
    ------
    DatasetError
        Sizes that do not agree, an index without a class, names used twice.
    """

    def __init__(
        self, images: ArrayLike, labels: Mapping[str, Any], about: Optional[Mapping[str, str]] = None
    ) -> None:
        pixels = np.asarray(images)
        if pixels.dtype != np.uint8 or pixels.ndim != 3:
            raise TypeError(
                f"`images` is {pixels.dtype} {list(pixels.shape)}: give uint8 [items, rows, columns], 0 to 255"
            )
        columns = [(name, *_column(name, values)) for name, values in labels.items()]
        self._native = _native.Dataset(np.ascontiguousarray(pixels), columns, dict(about or {}))

    @classmethod
    def _wrap(cls, native: _native.Dataset) -> Dataset:
        data = cls.__new__(cls)
        data._native = native
        return data

    @classmethod
    def load(cls, path: Path) -> Dataset:
        """Reads a data set file (safetensors) and checks its whole content. Raises ``FileError``."""
        return cls._wrap(_native.Dataset.load(fspath(path)))

    def save(self, path: Path) -> None:
        """Writes the data set as safetensors; the file appears whole or not at all. Raises ``FileError``."""
        self._native.save(fspath(path))

    def to_bytes(self) -> bytes:
        """The file of :meth:`save` as bytes."""
        return to_bytes(self.save)

    @classmethod
    def from_bytes(cls, data: bytes) -> Dataset:
        """Reads the result of :meth:`to_bytes`. Raises ``FileError``."""
        return from_bytes(data, cls.load)

    def __reduce__(self) -> Any:
        return Dataset.from_bytes, (self.to_bytes(),)

    def __len__(self) -> int:
        return len(self._native)

    @property
    def images(self) -> NDArray[np.uint8]:
        """The pixels, uint8 ``[N, H, W]`` (a copy)."""
        return self._native.images

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of an image."""
        return self._native.size

    @property
    def names(self) -> list[str]:
        """Names of the label columns."""
        return self._native.names

    @property
    def about(self) -> dict[str, str]:
        """What the data set records about itself: generator, random seed, licence."""
        return self._native.about

    @property
    def schema(self) -> Optional[dict[str, Any]]:
        """How the columns were made from a table, or None."""
        text = self._native.schema
        return None if text is None else json.loads(text)

    @property
    def features(self) -> Optional[list[str]]:
        """Names of the features of a table, or None."""
        return self._native.features

    def labels(self, name: str) -> NDArray[np.int64]:
        """Class indices of label ``name``, int64 ``[N]``. Raises ``DatasetError``."""
        return self._native.labels(name)

    def classes(self, name: str) -> list[str]:
        """Class names of label ``name`` in the order of the indices. Raises ``DatasetError``."""
        return self._native.classes(name)

    def __getitem__(self, items: Union[slice, Sequence[int], NDArray[Any]]) -> Dataset:
        """The items of a slice, a list of indices, or a mask of N booleans, as a data set."""
        return Dataset._wrap(self._native.subset(indices(items, len(self))))

    def split(self, share: float, balance: Sequence[str] = (), seed: int = 0) -> tuple[Dataset, Dataset]:
        """Splits at random: about ``share`` (0 to 1) of every combination of the labels ``balance`` goes to the second.

        Do not split pairs, speakers or subjects this way: their items would land on both sides.
        """
        rest, held = self._native.split(float(share), list(balance), natural(seed, "seed"))
        return Dataset._wrap(rest), Dataset._wrap(held)

    def sheet(self, columns: int = 16, rows: int = 20) -> bytes:
        """A contact sheet as the bytes of a PNG: one row for each combination of the first two labels."""
        return self._native.sheet(columns, rows)

    def _repr_png_(self) -> Optional[bytes]:
        return self.sheet() if len(self) else None

    def __repr__(self) -> str:
        height, width = self.size
        return f"<Dataset of {len(self)} images {height}x{width}, labels {', '.join(self.names) or 'none'}>"


def _column(name: str, values: Any) -> tuple[list[str], NDArray[np.int64]]:
    if isinstance(values, tuple) and len(values) == 2 and not np.isscalar(values[1]):
        given, classes = values
        names = [str(text) for text in classes]
        twice = [text for text, count in Counter(names).items() if count > 1]
        if twice:
            raise DatasetError(f"label `{name}` has two classes named {twice[0]!r}: give each its own name", "Classes")
        return names, whole(given, f"label `{name}`", 1)
    array = np.asarray(values)
    if array.ndim != 1:
        raise TypeError(f"label `{name}` has shape {list(array.shape)}: give one value per item")
    if array.dtype.kind in "iu":
        indices = whole(array, f"label `{name}`")
        count = int(indices.max()) + 1 if indices.size else 0
        if count > MOST_CLASSES:
            raise DatasetError(
                f"label `{name}` has the value {count - 1}: class indices go from 0 to {MOST_CLASSES - 1}; give the values "
                "as strings, or as a pair of indices and class names",
                "Classes",
            )
        return [str(index) for index in range(count)], indices
    absent = missing(array)
    if absent.any():
        raise DatasetError(
            f"label `{name}` has no value at item {int(absent.argmax())}: leave the item out, or make a class of its own", "NaN"
        )
    texts, found = np.unique(array.astype(str), return_inverse=True)
    return [str(text) for text in texts], np.ascontiguousarray(found, dtype=np.int64)


def missing(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Where an array has no value: NaN, NaT, None or pandas' NA."""
    if array.dtype.kind in "fc":
        return np.asarray(np.isnan(array), dtype=bool)
    if array.dtype.kind in "mM":
        return np.asarray(np.isnat(array), dtype=bool)
    if array.dtype.kind != "O":
        return np.zeros(array.shape, dtype=bool)
    # NaN differs from itself, and a comparison with NA is NA.
    absent = [value is None or type(value).__name__ in ("NAType", "NaTType") or value != value for value in array.ravel()]
    return np.array(absent, dtype=bool).reshape(array.shape)


def indices(items: Any, count: int) -> NDArray[np.int64]:
    """Item numbers from a slice, a number, a list or a mask."""
    if isinstance(items, slice):
        return np.arange(count, dtype=np.int64)[items]
    array = np.atleast_1d(np.asarray(items))
    if array.dtype == np.bool_:
        if array.shape != (count,):
            raise IndexError(f"a mask of {array.size} for {count} items: give one boolean per item")
        return np.flatnonzero(array).astype(np.int64)
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"items of type {array.dtype}: give whole numbers, a slice or a mask")
    array = array.astype(np.int64)
    return np.ascontiguousarray(np.where(array < 0, array + count, array))


def draw(
    count: int,
    *,
    seed: int = 1,
    characters: str = "0123456789",
    fonts: Sequence[str] = ("cursive", "serif"),
    pairs: bool = False,
    size: int = 28,
    progress: Progress = None,
    **distortions: Any,
) -> Dataset:
    """Draws characters in several fonts: the paper's two-label data set (labels ``character``, ``font``).

    Parameters
    ----------
    count : int
        Images; with ``pairs``, groups of one image per font that share character and distortion.
    seed : int
        Random seed: equal seeds give equal images on every machine.
    characters : str
        The main classes.
    fonts : sequence of str
        ``"cursive"``, ``"serif"`` (both embedded), or paths of TTF or OTF files.
    size : int
        Rows and columns, 4 to 512.
    **distortions
        ``em`` (pixels), ``em_deviation`` (fraction), ``rotation`` (degrees), ``recentre`` (bool),
        ``elastic_alpha`` and ``elastic_sigma`` (pixels).

    Raises
    ------
    DrawError, OptionError

    Source: Ryffel et al. 2019, section 5; distortions after Simard et al. 2003.
    """
    given = {"characters": list(characters), "height": size, "width": size, **distortions}
    native = _native.draw(natural(count, "count"), natural(seed, "seed"), dumps(given), list(fonts), pairs, callback(progress, "drawing"))
    return Dataset._wrap(native)


def handwriting() -> Dataset:
    """The embedded 1,797 handwritten digits, 8×8 (UCI, Alpaydin and Kaynak 1998)."""
    return Dataset._wrap(_native.handwriting())


def read_idx(images: Path, labels: Path) -> Dataset:
    """Reads IDX files, the format of MNIST, plain or gzipped; the label is ``digit``. Raises ``FileError``."""
    return Dataset._wrap(_native.read_idx(fspath(images), fspath(labels)))


def load(path: Path) -> Dataset:
    """Reads a data set file; the same as ``Dataset.load``."""
    return Dataset.load(path)


class Encoder:
    """The public rule from an image to the integers ``(u, v)`` that an owner encrypts.

    ``z ≈ low + step · level`` with levels 0 to ``2^bits − 1``; ``u = (1, levels)``, and ``v`` carries the same levels
    or some of them. It does not depend on any function and travels with every network.
    """

    def __init__(self, native: _native.Encoder) -> None:
        self._native = native

    @classmethod
    def fit(cls, data: Dataset, **options: Any) -> Encoder:
        """Fits an encoder on public or training images.

        Options: ``bits`` (1 to 16, default 4), ``pooling`` (divides the size), ``low`` and ``high`` (the
        ``z`` of the lowest and highest level) or ``fitted_range=True``, ``drop_dead`` (leave out pixels
        that never change), ``right`` (columns that ``v`` carries), ``per_column`` (standardise columns, for
        tables, instead of images), ``dct=(rows, columns)``, ``pca=components``.
        Raises ``EncodeError``, ``OptionError``.
        """
        return cls(_native.Encoder.fit(instance(data, Dataset, "data")._native, dumps(options)))

    @classmethod
    def pixels(cls, height: int, width: int, bits: int = 8) -> Encoder:
        """``z = pixel / 255`` for every pixel in row order, as in most PyTorch scripts; nothing is fitted."""
        cells = list(range(height * width))
        stored = dict(height=height, width=width, bits=bits, low=0.0, high=1.0, pooling=1)
        return cls.from_json(
            json.dumps({**stored, "dark": False, "per_image": False, "cells": cells, "map": "cells", "right": cells})
        )

    @classmethod
    def from_json(cls, text: str) -> Encoder:
        """Reads the JSON that an authority publishes, and checks all of its rules. Raises ``OptionError``."""
        return cls(_native.Encoder.from_json(text))

    def to_json(self) -> str:
        """The JSON that an authority publishes."""
        return self._native.to_json()

    @property
    def inputs(self) -> tuple[int, int]:
        """Lengths ``(n, m)`` of ``u`` and ``v``, each with its constant 1."""
        return self._native.inputs

    @property
    def grid(self) -> tuple[float, float, int]:
        """``(low, step, highest level)``."""
        return self._native.grid

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the images that it takes."""
        return self._native.size

    @property
    def right(self) -> list[int]:
        """The columns of ``z`` that ``v`` carries."""
        return self._native.right

    def standardise(self, data: Dataset) -> NDArray[np.float32]:
        """``z``, the input of a float network: float32 ``[N, n − 1]``. Raises ``EncodeError``."""
        return self._native.standardise(instance(data, Dataset, "data")._native)

    def encode(self, data: Dataset) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """``(u, v)``, the integers that are encrypted: int64 ``[N, n]`` and ``[N, m]``. Raises ``EncodeError``."""
        return self._native.encode(instance(data, Dataset, "data")._native)

    def __reduce__(self) -> Any:
        return Encoder.from_json, (self.to_json(),)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Encoder) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.to_json())

    def __repr__(self) -> str:
        n, m = self.inputs
        return f"<Encoder of {n} + {m} inputs, levels 0 to {self.grid[2]}>"
