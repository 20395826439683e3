"""Many records at once, in the frames of the engine that holds them.

    >>> from halflight import batch
    >>> encrypted = batch.encrypt(records, "authority/public", column="pixels", keep=["id"])
    >>> scored = batch.score(encrypted, "models/digits")

Both take what an engine calls a frame and give the same kind back: tables and record batches of pyarrow, data frames
of pandas and polars, datasets of Ray, data frames of Daft, DataFusion and Spark. Engines that divide their work among
processes get the names of folders, not the keys in them: every worker opens the model itself, once, so the folder
must be where the workers are. ``scalar_function`` is the same for SQL in DataFusion.

A row that cannot be used has its reason in the column ``error``; it never stops the work. Errors that concern all rows
raise ``BatchError``: a column is missing, a folder is not a model, a functional key has expired.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial
from os import fspath
from typing import Any, Callable, Optional

from . import _native
from ._check import instance
from .data import Path
from .errors import BatchError
from .keys import Parameters

__all__ = ["encrypt", "scalar_function", "score"]

#: Bytes of a batch, so that memory does not grow with the frame.
_BYTES = 16 << 20
#: Bytes of a ciphertext that nobody knows yet, for frames whose rows are short.
_ROWS = 256

#: From an iterator of record batches to one: what runs in a worker.
Work = Callable[[Iterable[Any]], Iterator[Any]]


def score(
    frame: Any,
    model: Path,
    *,
    ciphertext: str = "ciphertext",
    subject: Optional[str] = None,
    most_items: Optional[int] = None,
    prefix: str = "",
    tables: Optional[Path] = None,
) -> Any:
    """Evaluates a column of ciphertexts and applies the public head.

    Parameters
    ----------
    frame
        Of pyarrow, pandas, polars, Ray, Daft, DataFusion or Spark.
    model : path
        The folder that ``halflight serve predictor`` serves too; the senders, contexts and recipients in its
        ``model.toml`` are enforced here too.
    ciphertext : str
        The column: binary, bare ciphertexts or envelopes.
    subject : str, optional
        The column with the subject of a row. Items of each subject are counted over the frame; engines first bring the
        rows of one subject together.
    most_items : int, optional
        Evaluate at most this many items of one subject; rows beyond that are errors.
    prefix : str
        Prefix of the names of the new columns.
    tables : path, optional
        Folder that keeps the discrete-log table between processes.

    Returns
    -------
    frame of the same kind
        Without the ciphertexts; with ``output`` (the S integers, all that is learned), ``label``, ``probabilities``
        and, for rows without these, the reason in ``error``.

    Raises
    ------
    BatchError
        A column is missing, of another type or in conflict with an output column; the folder is not a model; its key
        has expired.
    """
    if most_items is not None and subject is None:
        raise BatchError("`most_items` counts items of a subject: name the column `subject` too", "Column")
    given = (ciphertext, subject, most_items, prefix, None if tables is None else fspath(tables))
    work = partial(_score, fspath(model), given)
    return _apply(frame, work, rows=_ROWS, together=subject)


def encrypt(
    frame: Any,
    parameters: Any,
    *,
    column: str = "item",
    schema: Optional[Path] = None,
    keep: Optional[Sequence[str]] = (),
    compressed: bool = False,
) -> Any:
    """Encodes and encrypts records.

    Parameters
    ----------
    frame
        Of pyarrow, pandas, polars, Ray, Daft, DataFusion or Spark.
    parameters : path or Parameters
        What the authority published: its folder, or what was loaded from it.
    column : str
        The column of whole items: binary, or lists of numbers from 0 to 255.
    schema : path, optional
        The records are a table instead: its columns are read by the schema of this data set, or by one that
        ``halflight dataset schema`` wrote.
    keep : sequence of str, optional
        The columns to keep next to the ciphertexts, unencrypted; ``None`` keeps all that are not encrypted.
    compressed : bool
        Half the bytes, slower to read.

    Returns
    -------
    frame of the same kind
        The kept columns, ``ciphertext`` and ``error``.

    Raises
    ------
    BatchError
        A column is missing, of another type or in conflict with an output column.
    KeyMismatch, FileError
        The parameters cannot be read.
    """
    data = parameters.to_bytes() if isinstance(parameters, Parameters) else Parameters.load(parameters).to_bytes()
    names = None if keep is None else tuple(keep)
    given = (column, None if schema is None else fspath(schema), names, instance(compressed, bool, "compressed"))
    return _apply(frame, partial(_encrypt, data, given), rows=_ROWS, together=None)


def scalar_function(
    model: Path, *, name: str = "halflight_score", kind: Any = None, tables: Optional[Path] = None
) -> Any:
    """The kernel as a scalar function of DataFusion, for SQL.

        >>> context.register_udf(batch.scalar_function("models/digits"))
        >>> context.sql("SELECT id, unnest(halflight_score(ciphertext)) FROM encrypted")

    ``unnest`` makes columns of its fields and evaluates every row once. Fields that are picked one by one,
    ``halflight_score(ciphertext)['label']``, evaluate every row once *each*.

    Parameters
    ----------
    model : path
        The folder that ``halflight serve predictor`` serves too.
    name : str
        The function's name in SQL.
    kind : pyarrow.DataType, optional
        The type of the ciphertexts; ``pyarrow.binary_view()`` by default, to which DataFusion converts every binary column.
    tables : path, optional
        Folder that keeps the discrete-log table between processes.

    Returns
    -------
    datafusion.ScalarUDF
        From a column of ciphertexts to a struct of ``output``, ``label``, ``probabilities`` and ``error``.

    Raises
    ------
    BatchError
        The folder is not a model, or its key has expired.
    """
    import pyarrow as pa

    work = partial(_score, fspath(model), ("ciphertext", None, None, "", None if tables is None else fspath(tables)))
    given = pa.schema([("ciphertext", pa.binary_view() if kind is None else kind)])
    return _function(work, given, instance(name, str, "name"))


# The code that runs in a worker.


def _score(model: str, given: tuple[Any, ...], batches: Iterable[Any]) -> Iterator[Any]:
    scoring = _native.Scoring(model, *given)
    return (_record_batch(*scoring.score(batch)) for batch in batches)


def _encrypt(parameters: bytes, given: tuple[Any, ...], batches: Iterable[Any]) -> Iterator[Any]:
    encryption = _encryption(parameters, given)
    return (_record_batch(*encryption.encrypt(batch)) for batch in batches)


@lru_cache(maxsize=4)
def _encryption(parameters: bytes, given: tuple[Any, ...]) -> _native.Encryption:
    """With tables that serve the whole process."""
    column, schema, keep, compressed = given
    keep = None if keep is None else list(keep)
    return _native.Encryption(Parameters.from_bytes(parameters)._native, column, schema, keep, compressed)


def _record_batch(schema: Any, array: Any) -> Any:
    import pyarrow as pa

    return pa.RecordBatch._import_from_c_capsule(schema, array)


def _table(work: Work, table: Any) -> Any:
    """A table, batch by batch; one without rows still has its columns."""
    import pyarrow as pa

    rows = max(1, min(4096, _BYTES * max(table.num_rows, 1) // max(table.nbytes, 1)))
    batches = table.to_batches(max_chunksize=rows) if table.num_rows else []
    return pa.Table.from_batches(list(work(batches or [_empty(table.schema)])))


def _empty(schema: Any) -> Any:
    import pyarrow as pa

    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)


# One adapter for each engine.


def _apply(frame: Any, work: Work, rows: int, together: Optional[str]) -> Any:
    bases = [f"{base.__module__}.{base.__qualname__}" for base in type(frame).__mro__]
    for base in bases:
        for (package, name), adapter in _ADAPTERS.items():
            if base.startswith(package + ".") and base.endswith("." + name):
                return adapter(frame, work, rows, together)
    known = ", ".join(sorted({package for package, _ in _ADAPTERS}))
    raise TypeError(f"`frame` is a {bases[0]}: give a frame of one of {known}")


def _arrow_table(frame: Any, work: Work, rows: int, together: Optional[str]) -> Any:
    return _table(work, frame)


def _arrow_batch(frame: Any, work: Work, rows: int, together: Optional[str]) -> Any:
    import pyarrow as pa

    return _table(work, pa.Table.from_batches([frame])).combine_chunks().to_batches()[0] if frame.num_rows else next(
        work([frame])
    )


def _pandas(frame: Any, work: Work, rows: int, together: Optional[str]) -> Any:
    import pyarrow as pa

    out = _table(work, pa.Table.from_pandas(frame, preserve_index=False)).to_pandas()
    out.index = frame.index
    return out


def _polars(frame: Any, work: Work, rows: int, together: Optional[str]) -> Any:
    return importlib.import_module("polars").from_arrow(_table(work, frame.to_arrow()))


def _ray(frame: Any, work: Work, rows: int, together: Optional[str]) -> Any:
    apply = partial(_table, work)
    if together is not None:
        # All rows of a subject in one call, so that its count is complete.
        return frame.groupby(together).map_groups(apply, batch_format="pyarrow")
    # Ray reads files of a few megabytes into one block, and a block is the work of one worker.
    return frame.repartition(target_num_rows_per_block=rows).map_batches(apply, batch_format="pyarrow", batch_size=rows)


def _daft(frame: Any, work: Work, rows: int, together: Optional[str]) -> Any:
    import daft
    import pyarrow as pa

    names = frame.column_names
    empty = frame.limit(0).to_arrow()
    schema = _plain(next(work([_empty(empty.schema)]))).schema
    made = pa.struct(list(schema))

    def columns(*series: Any) -> Any:
        table = pa.table({name: one.to_arrow() for name, one in zip(names, series)})
        out = _table(work, table)
        chunks = [_plain(batch).to_struct_array() for batch in out.to_batches()]
        return pa.concat_arrays(chunks) if chunks else pa.array([], made)

    kind = daft.DataType.from_arrow_type(made)
    if together is None:
        apply = daft.func.batch(return_dtype=kind, unnest=True, batch_size=rows)(columns)
        return frame.select(apply(*(daft.col(name) for name in names)))
    apply = daft.func.batch(return_dtype=kind)(columns)
    groups = frame.groupby(together).map_groups(apply(*(daft.col(name) for name in names)).alias("made"))
    return groups.select(daft.col("made").unnest())


def _datafusion(frame: Any, work: Work, rows: int, together: Optional[str]) -> Any:
    from datafusion import col

    if together is not None:
        raise BatchError(
            "DataFusion runs a frame anew for every question to it, and would count items again: count subjects in "
            "`frame.to_arrow_table()`",
            "Column",
        )

    def quoted(name: str) -> Any:
        return col('"' + name.replace('"', '""') + '"')

    schema = frame.schema()
    function = _function(work, schema, "halflight_batch")
    # Columns of an unnested struct are evaluated once, all together; fields that are picked are evaluated once each.
    made = frame.select(function(*(quoted(name) for name in schema.names)).alias("made")).unnest_columns("made")
    names = [name.removeprefix("made.") for name in made.schema().names]
    return made.select(*(quoted(f"made.{name}").alias(name) for name in names))


def _function(work: Work, schema: Any, name: str) -> Any:
    """What the kernel makes of columns of this schema, as a scalar function from these columns to a struct."""
    import pyarrow as pa
    from datafusion import udf

    made = pa.struct(list(next(work([_empty(schema)])).schema))

    def columns(*arrays: Any) -> Any:
        out = _table(work, pa.Table.from_arrays(list(arrays), schema=schema))
        chunks = [batch.to_struct_array() for batch in out.to_batches()]
        return pa.concat_arrays(chunks) if chunks else pa.array([], made)

    return udf(columns, [field.type for field in schema], made, "volatile", name)


def _spark(frame: Any, work: Work, rows: int, together: Optional[str]) -> Any:
    from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

    schema = from_arrow_schema(_plain(next(work([_empty(to_arrow_schema(frame.schema))]))).schema)
    if together is not None:
        frame = frame.repartition(together)
    return frame.mapInArrow(partial(_spark_partition, work), schema)


def _spark_partition(work: Work, batches: Iterable[Any]) -> Iterator[Any]:
    return map(_plain, work(batches))


def _plain(batch: Any) -> Any:
    """The same with types that all engines have: lists of any length, binary and text of 32-bit offsets."""
    import pyarrow as pa

    def plain(kind: Any) -> Any:
        if pa.types.is_fixed_size_list(kind):
            return pa.list_(pa.field("item", kind.value_type, False))
        return pa.binary() if pa.types.is_large_binary(kind) else kind

    fields = [field.with_type(plain(field.type)) for field in batch.schema]
    arrays = [column.cast(field.type) for column, field in zip(batch.columns, fields)]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


Adapter = Callable[[Any, Work, int, Optional[str]], Any]

_ADAPTERS: dict[tuple[str, str], Adapter] = {
    ("pyarrow", "Table"): _arrow_table,
    ("pyarrow", "RecordBatch"): _arrow_batch,
    ("pandas", "DataFrame"): _pandas,
    ("polars", "DataFrame"): _polars,
    ("ray", "Dataset"): _ray,
    ("daft", "DataFrame"): _daft,
    ("datafusion", "DataFrame"): _datafusion,
    ("pyspark", "DataFrame"): _spark,
}
