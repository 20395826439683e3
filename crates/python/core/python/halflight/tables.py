"""Tables: files and frames by the library's own rules, and arrays with a stored scaler."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from typing import Any, Literal, NamedTuple, Optional, Union

import numpy as np
from numpy.typing import NDArray

from . import _native
from ._check import dumps, instance
from ._progress import Progress, callback
from .data import Dataset, missing
from .errors import DatasetError, FileError

#: More values in one column are taken for numbers or names that tell items apart.
MOST_CATEGORIES = 64


class TableScaler:
    """Turns columns into bytes 0 to 255: numbers by their range over the items it was fitted on, categories one byte each.

    Accepts numpy arrays, pandas and Arrow tables, lists of rows. Numbers beyond the range are clamped. A category that
    was not seen when fitting sets none of the known ones. Missing values are refused.

    Attributes
    ----------
    columns_ : list of dict
        For every column its ``name``, and ``low`` and ``high`` or ``categories``.
    """

    def fit(self, X: Any) -> TableScaler:
        """Learns the columns."""
        named = _columns(X)
        self.columns_: list[dict[str, Any]] = []
        for name, values in named:
            _complete(name, values)
            if values.dtype.kind in "biuf":
                numbers = values.astype(np.float64)
                self.columns_.append({"name": name, "low": float(numbers.min()), "high": float(numbers.max())})
                continue
            found = sorted({str(value) for value in values})
            if len(found) > MOST_CATEGORIES:
                raise DatasetError(
                    f"column `{name}` has {len(found)} values, more than {MOST_CATEGORIES} categories: make numbers of it or leave "
                    "it out",
                    "Categories",
                )
            self.columns_.append({"name": name, "categories": found})
        return self

    def transform(self, X: Any) -> NDArray[np.uint8]:
        """Pictures uint8 ``[N, 1, features]``."""
        named = _columns(X)
        if len(named) != len(self.columns_):
            raise ValueError(f"X has {len(named)} features, but the scaler is expecting {len(self.columns_)} features as input")
        parts: list[NDArray[np.uint8]] = []
        for column, (name, values) in zip(self.columns_, named):
            if not name.isdigit() and not column["name"].isdigit() and name != column["name"]:
                raise ValueError(f"column `{name}` is where `{column['name']}` was when fitting: give the columns in the same order")
            _complete(name, values)
            if "categories" in column:
                texts = values.astype(str)
                parts += [np.where(texts == category, 255, 0).astype(np.uint8) for category in column["categories"]]
                continue
            if values.dtype.kind not in "biuf":
                raise ValueError(f"column `{name}` holds {values.dtype}, but it was fitted on numbers")
            span = column["high"] - column["low"]
            # Halve both first: the span of two large numbers may be infinite.
            with np.errstate(over="ignore", invalid="ignore"):
                share = (values.astype(np.float64) - column["low"]) / (span if span > 0 else 1.0)
            parts.append(np.round(255 * np.nan_to_num(np.clip(share, 0.0, 1.0))).astype(np.uint8))
        rows = len(named[0][1]) if named else 0
        return np.stack(parts, axis=1).reshape(rows, 1, len(parts))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Names of the features: the column, with the category after an underscore."""
        names: list[str] = []
        for column in self.columns_:
            categories = column.get("categories")
            names += [column["name"]] if categories is None else [f"{column['name']}_{category}" for category in categories]
        return np.array(names, dtype=object)

    def to_json(self) -> str:
        """The columns as JSON, for owners."""
        return json.dumps({"columns": self.columns_})

    @classmethod
    def from_json(cls, text: str) -> TableScaler:
        """Reads the result of :meth:`to_json`."""
        scaler = cls()
        scaler.columns_ = json.loads(text)["columns"]
        return scaler

    def __repr__(self) -> str:
        fitted: Optional[list[Any]] = getattr(self, "columns_", None)
        return f"<TableScaler of {'no' if fitted is None else len(fitted)} columns>"


def _columns(X: Any) -> list[tuple[str, NDArray[Any]]]:
    if hasattr(X, "to_pandas"):
        X = X.to_pandas()
    if hasattr(X, "iloc") and hasattr(X, "columns"):
        return [(str(name), np.asarray(X.iloc[:, place])) for place, name in enumerate(X.columns)]
    array = np.asarray(X)
    if array.ndim != 2:
        raise ValueError(f"Expected 2D array, got {array.ndim}D array instead: reshape your data with X.reshape(-1, 1)")
    if array.dtype.kind == "O":
        return [(str(place), _narrowed(array[:, place])) for place in range(array.shape[1])]
    return [(str(place), array[:, place]) for place in range(array.shape[1])]


def _narrowed(column: NDArray[Any]) -> NDArray[Any]:
    """Numbers in a column of objects as numbers."""
    if all(isinstance(value, (int, float, np.number)) and not isinstance(value, bool) for value in column):
        return column.astype(np.float64)
    return column


def _complete(name: str, values: NDArray[Any]) -> None:
    absent = missing(values)
    if absent.any():
        raise ValueError(f"column `{name}` contains NaN or nothing at row {int(absent.argmax())}: fill it in or leave the row out")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError(f"column `{name}` contains infinity: give finite numbers")
    if not len(values):
        raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")


class Table(NamedTuple):
    """The result of :func:`read_table`."""

    data: Dataset
    #: Rows that were left out as bad, with place and reason.
    skipped: list[dict[str, str]]
    #: How many sound rows a rule left out, by reason.
    filtered: dict[str, int]
    #: Values that did not fit, and the rule that stood for them.
    handled: list[dict[str, Any]]
    #: Columns that are neither features nor labels.
    ignored: list[str]


def read_table(
    source: Any,
    labels: Union[str, Sequence[str]] = (),
    *,
    like: Optional[Dataset] = None,
    features: Sequence[str] = (),
    texts: Sequence[str] = (),
    dates: Optional[Mapping[str, str]] = None,
    ordinals: Optional[Mapping[str, Sequence[str]]] = None,
    hashed: Sequence[str] = (),
    quantile: Sequence[str] = (),
    categories: int = 64,
    missing: Optional[Literal["refuse", "drop", "median", "category"]] = None,
    unknown: Optional[Literal["refuse", "drop", "ignore", "other"]] = None,
    outside: Optional[Literal["clamp", "drop", "refuse"]] = None,
    unlabelled: bool = False,
    items: str = "",
    skip_bad: bool = False,
    progress: Progress = None,
) -> Table:
    """Reads a table like ``halflight dataset import table``; a second one is read by the first one's schema.

    Parameters
    ----------
    source : path, DataFrame or Arrow table
        A ``.csv``, ``.tsv``, ``.txt`` or ``.npz`` file, or a frame of pandas or Arrow.
    labels : str or list of str
        The columns that are labels; all others, or ``features``, are features.
    like : Dataset, optional
        Read by the schema of this data set: same columns, categories and scales.
    texts, dates, ordinals, hashed, quantile
        Columns to treat as texts; dates with a format (empty for ISO 8601); ordered texts; texts whose words are
        hashed; numbers scaled by rank.
    missing, unknown, outside
        How to treat missing values, categories unknown to the schema, and numbers beyond the scale; by default the
        schema's rule, else "refuse", "refuse", "clamp".
    unlabelled : bool
        With ``like``: skip labels that the table does not have.
    items : str
        For ``.npz``: the array of items.

    Raises ``FileError``, ``OptionError``. Train on tables with ``encoder={"per_column": True, "fitted_range": True}``.
    """
    rules = {"missing": missing, "unknown": unknown, "outside": outside, "unlabelled": unlabelled}
    given = {
        "labels": [labels] if isinstance(labels, str) else list(labels),
        "features": list(features),
        "texts": list(texts),
        "dates": [list(date) for date in (dates or {}).items()],
        "ordinals": [[name, list(values)] for name, values in (ordinals or {}).items()],
        "hashed": list(hashed),
        "quantile": list(quantile),
        "categories": categories,
        "rules": {name: value for name, value in rules.items() if value is not None},
    }
    schema = None if like is None else instance(like, Dataset, "like")._native
    told = callback(progress, "reading rows")
    if isinstance(source, (str, PathLike)):
        path = fspath(source)
        kind = os.path.splitext(path)[1].lower().lstrip(".")
        if kind not in ("csv", "tsv", "txt", "npz"):
            raise FileError(f"{path}: its extension is not that of a table: use .csv, .tsv, .txt or .npz", "Kind")
        native, text = _native.read_table(path, kind, dumps(given), items, schema, skip_bad, told)
    else:
        frame = source.to_pandas() if hasattr(source, "to_pandas") else source
        if not hasattr(frame, "to_csv"):
            raise TypeError(f"`source` is of type {type(source).__name__}: give a path, or a frame of pandas or Arrow")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "table.csv")
            frame.to_csv(path, index=False)
            try:
                native, text = _native.read_table(path, "csv", dumps(given), items, schema, skip_bad, told)
            except FileError as error:
                raise FileError(str(error).replace(path, "the table"), error.kind) from None
            text = text.replace(json.dumps(path)[1:-1], "the table")
    values = json.loads(text)
    return Table(Dataset._wrap(native), values["skipped"], values["filtered"], values["handled"], values["ignored"])
