"""What attackers see: outputs to the last bit, and labels of any kind as class indices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Optional, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._check import describe
from .data import Dataset, missing
from .errors import AuditError

Outputs = Union[NDArray[np.int64], NDArray[np.float32]]
Bins = Union[int, Mapping[str, int], None]


class Column(NamedTuple):
    """One label of both splits, and of the items that the network learned from where they are given."""

    name: str
    classes: list[str]
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    members: Optional[NDArray[np.int64]] = None


def exact(outputs: ArrayLike) -> Outputs:
    """Whole numbers in 64 bits, as keys open them; anything else in 32-bit floats."""
    values = np.asarray(outputs)
    if values.dtype.kind == "O":
        if _all_int(values) and any(not -(2**63) <= value < 2**63 for value in values.flat):
            raise ValueError("an output has more than 64 bits: whole numbers have 63 bits and a sign")
        values = np.asarray(outputs, dtype=np.int64 if _all_int(values) else np.float64)
    if values.dtype.kind not in "iubf":
        raise TypeError(f"outputs are {describe(values)}: give numbers [items, outputs]")
    if values.ndim != 2:
        raise TypeError(f"outputs are {describe(values)}: give two axes, items and outputs")
    if values.dtype.kind == "u" and values.size and int(values.max()) >= 2**63:
        raise ValueError(f"an output is {int(values.max())}: whole numbers have 63 bits and a sign")
    if values.dtype.kind in "iub":
        return np.ascontiguousarray(values, dtype=np.int64)
    if values.size and np.isfinite(values).all() and (np.abs(values) < 2.0**63).all() and (values == np.round(values)).all():
        return np.ascontiguousarray(values, dtype=np.int64)
    if (np.abs(values[np.isfinite(values)]) > np.finfo(np.float32).max).any():
        raise ValueError("an output is beyond the range of 32-bit floats: scale them")
    return np.ascontiguousarray(values, dtype=np.float32)


def _all_int(values: NDArray[Any]) -> bool:
    return all(isinstance(value, (int, np.integer)) for value in values.flat)


def of_data(name: str, train: Dataset, test: Dataset, members: Optional[Dataset] = None) -> Column:
    """A label of data sets; classes in another order are the same classes."""
    learned = None if members is None else _as_in(name, train, members, "members")
    return Column(name, train.classes(name), train.labels(name), _as_in(name, train, test, "test items"), learned)


def _as_in(name: str, train: Dataset, other: Dataset, called: str) -> NDArray[np.int64]:
    """The labels of one data set as classes of another."""
    first, second = train.classes(name), other.classes(name)
    labels = other.labels(name)
    if first != second:
        beyond = [text for text in second if text not in first]
        if beyond or len(second) < len(first):
            side, text = (called, beyond[0]) if beyond else ("training items", next(t for t in first if t not in second))
            raise AuditError(
                f"label `{name}`: only the {side} have a class {text!r}; split one data set, or import both with the same "
                "classes",
                "Mismatch",
            )
        labels = np.array([first.index(text) for text in second], dtype=np.int64)[labels]
    return labels


def of_arrays(name: str, sides: Mapping[str, Any], bins: Bins) -> Column:
    """A label in arrays by their side, ``train`` first: strings, booleans, whole numbers, or floats that ``bins`` cuts."""
    arrays = [_flat(name, side, given) for side, given in sides.items()]
    parts = bins.get(name) if isinstance(bins, Mapping) else bins
    numeric = all(array.dtype.kind in "iuf" for array in arrays)
    if numeric and (isinstance(bins, Mapping) and parts is not None or not _are_whole(*arrays)):
        return _cut(name, arrays, parts)
    # Floats that are whole numbers are classes, and 1.0 is the class 1.
    arrays = [array.astype(np.int64 if numeric else str) for array in arrays]
    values, columns = _indices(arrays)
    return Column(name, [str(value) for value in values], *columns)


def _indices(arrays: list[NDArray[Any]]) -> tuple[NDArray[Any], list[NDArray[np.int64]]]:
    """The values of several arrays, and each array as their indices."""
    values, found = np.unique(np.concatenate(arrays), return_inverse=True)
    ends = np.cumsum([len(array) for array in arrays])[:-1]
    return values, [np.ascontiguousarray(part, dtype=np.int64) for part in np.split(found.ravel(), ends)]


def _flat(name: str, side: str, given: Any) -> NDArray[Any]:
    array = np.asarray(given)
    if array.ndim != 1:
        raise TypeError(f"`{name}` of the {side} items is {describe(array)}: give one value per item")
    absent = missing(array)
    if absent.any():
        row = int(absent.argmax())
        raise AuditError(f"{side}: `{name}` has no value in row {row}: leave the item out, or make a class of its own", "NaN")
    if array.dtype.kind == "O" and all(isinstance(value, (int, float, np.integer, np.floating)) for value in array):
        array = array.astype(np.float64) if any(isinstance(value, (float, np.floating)) for value in array) else array
        array = array if array.dtype.kind == "f" or any(isinstance(value, bool) for value in array) else array.astype(np.int64)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        row = int((~np.isfinite(array)).argmax())
        raise AuditError(f"{side}: `{name}` is {array[row]} in row {row}: give finite values", "NotFinite")
    if array.dtype.kind == "u" and array.size and int(array.max()) >= 2**63:
        raise ValueError(f"{side}: `{name}` is {array.max()} in a row: give whole numbers of 64 bits, or strings")
    return array


def _are_whole(*arrays: NDArray[Any]) -> bool:
    return all(array.dtype.kind in "iu" or bool(((array == np.round(array)) & (np.abs(array) < 2.0**63)).all()) for array in arrays)


def _cut(name: str, arrays: list[NDArray[Any]], parts: Optional[int]) -> Column:
    """Parts with equally many training items, by the training items alone."""
    if parts is None:
        value = next(value for array in arrays for value in array if value != round(value))
        raise AuditError(
            f"`{name}` is measured, not named: it has the value {value}; give classes, or `bins=4` for four parts with equally "
            "many training items",
            "Bins",
        )
    if isinstance(parts, bool) or not isinstance(parts, (int, np.integer)) or not 2 <= parts <= 64:
        raise ValueError(f"`bins` is {parts!r}: choose from 2 to 64 parts")
    train = arrays[0]
    edges = np.unique(np.quantile(train, np.linspace(0, 1, int(parts) + 1)[1:-1])) if len(train) else np.zeros(0)
    sides = [np.searchsorted(edges, array, side="right").astype(np.int64) for array in arrays]
    # Parts that nobody is in, where many items share a value, are none.
    kept, columns = _indices(sides)
    texts = [f"{edge:g}" for edge in edges]
    ends = [(texts[part - 1] if part else None, texts[part] if part < len(texts) else None) for part in kept]
    classes = [f"below {high}" if low is None else f"from {low}" if high is None else f"{low} to {high}" for low, high in ends]
    return Column(name, classes, *columns)


def named(given: Any, asked: list[str], fallback: str) -> dict[str, Any]:
    """Attributes by name: of a mapping or table, of a pandas column, or of one plain array."""
    if isinstance(given, Mapping) or hasattr(given, "columns") and hasattr(given, "items"):
        columns = {str(name): values for name, values in given.items()}
        absent = [name for name in asked if name not in columns]
        if absent:
            raise AuditError(f"there is no attribute `{absent[0]}`: there are {', '.join(columns)}", "NoLabel")
        if not columns:
            raise AuditError("`collateral` names no attribute: give one at least", "NoLabel")
        return {name: columns[name] for name in asked} if asked else columns
    if len(asked) > 1:
        raise TypeError(f"{len(asked)} attributes are named and one array is given: give a mapping of name to labels")
    own = getattr(given, "name", None)
    return {asked[0] if asked else str(own) if own is not None else fallback: given}
