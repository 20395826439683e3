"""Checks of arguments, before the native half sees them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Optional, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

T = TypeVar("T")


def instance(value: object, kind: type[T], name: str) -> T:
    """The value, if it is of this class."""
    if not isinstance(value, kind):
        article = "an" if kind.__name__[0] in "AEIO" else "a"
        raise TypeError(f"`{name}` is {describe(value)}: give {article} {kind.__name__}")
    return value


def one_of(value: str, choices: tuple[str, ...], name: str) -> str:
    """The value, if it is one of the choices."""
    if value not in choices:
        raise ValueError(f"`{name}` is {value!r}: choose one of {', '.join(map(repr, choices))}")
    return value


def describe(value: object) -> str:
    """A value's type, for a message."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} {list(value.shape)}"
    return f"{value!r}" if isinstance(value, (str, int, float, type(None))) else f"of type {type(value).__name__}"


def whole(values: ArrayLike, name: str, axes: Optional[int] = None) -> NDArray[np.int64]:
    """Whole numbers of 64 bits as int64; floats pass only if nothing is lost."""
    array = np.asarray(values)
    if array.size and (array.dtype.kind not in "iufb" or array.dtype == np.bool_):
        raise TypeError(f"`{name}` is {describe(array)}: give whole numbers")
    if axes is not None and array.ndim != axes:
        raise TypeError(f"`{name}` is {describe(array)}: give {axes} {'axis' if axes == 1 else 'axes'}")
    if array.dtype.kind == "f":
        bad = ~((array == np.floor(array)) & (np.abs(array) < 2.0**63))
        if bad.any():
            raise ValueError(f"`{name}` holds {array[bad].flat[0]}: give whole numbers of 64 bits; nothing is rounded for you")
    if array.dtype.kind == "u" and array.size and int(array.max()) >= 2**63:
        raise ValueError(f"`{name}` holds {array.max()}: give whole numbers of 64 bits")
    return np.ascontiguousarray(array, dtype=np.int64)


def natural(value: object, name: str, most: int = 2**63 - 1) -> int:
    """A whole number from 0 to the maximum."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"`{name}` is {describe(value)}: give a whole number")
    if not 0 <= value <= most:
        raise ValueError(f"`{name}` is {value}: choose from 0 to {most}")
    return int(value)


def naturals(values: Iterable[object], name: str, most: int = 2**63 - 1) -> list[int]:
    """Whole numbers from 0 to the maximum."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise TypeError(f"`{name}` is {describe(values)}: give a list of whole numbers")
    return [natural(value, name, most) for value in values]


def dumps(options: Any) -> str:
    """Options as JSON; numpy's numbers and arrays become numbers and lists."""
    return json.dumps(options, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, (set, frozenset, range)):
        return list(value)
    raise TypeError(f"an option is {describe(value)}: give numbers, strings, lists or mappings")
