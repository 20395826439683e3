"""Batches in the frames of engines: each gives what single calls give, and a bad row has its reason."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import halflight as hl
from halflight.errors import BatchError

pa = pytest.importorskip("pyarrow")

from halflight import batch  # noqa: E402 (needs pyarrow)

# The cluster that the book's script about engines starts, too.
sys.path.append(str(Path(__file__).parents[3] / "book" / "reproduce"))

ITEMS = 24
BAD = 7


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory, authority: hl.Authority, compiled: hl.CompiledNetwork
) -> Path:
    folder = tmp_path_factory.mktemp("batch")
    model = folder / "model"
    model.mkdir()
    compiled.save(model / "network.safetensors")
    authority.issue(compiled).save(model / "functional.key")
    authority.parameters.save(folder / "public")
    shutil.copy(folder / "public" / "public.key", model / "public.key")
    return folder


@pytest.fixture(scope="module")
def records(test: hl.Dataset) -> Any:
    items = [bytes(image.ravel()) for image in test.images[:ITEMS]]
    items[BAD] = None
    who = [f"p{row % 3}" for row in range(ITEMS)]
    columns = {"id": list(range(ITEMS)), "who": who, "item": pa.array(items, pa.binary())}
    return pa.table(columns)


@pytest.fixture(scope="module")
def encrypted(folder: Path, records: Any) -> Any:
    return batch.encrypt(records, folder / "public", keep=["id", "who"])


@pytest.fixture(scope="module")
def expected(encrypted: Any, authority: hl.Authority, compiled: hl.CompiledNetwork) -> dict[int, Any]:
    """By single calls: output, probabilities and label of every good row."""
    predictor = hl.Predictor(authority.issue(compiled), compiled)
    found = {}
    for row in encrypted.to_pylist():
        if row["ciphertext"] is not None:
            one = predictor.predict([hl.Ciphertext.from_bytes(row["ciphertext"])])
            found[row["id"]] = (one.outputs[0].tolist(), one.probabilities[0].tolist(), one.labels[0])
    return found


def check(rows: list[dict[str, Any]], expected: dict[int, Any]) -> None:
    rows = sorted(rows, key=lambda row: row["id"])
    assert [row["id"] for row in rows] == list(range(ITEMS)), "every row once"
    for row in rows:
        if row["id"] == BAD:
            assert "no item" in row["error"] and (row["label"] is None or row["label"] != row["label"])
            continue
        found = (list(map(int, row["output"])), [float(p) for p in row["probabilities"]], row["label"])
        assert found == expected[row["id"]]


def test_encrypting_keeps_what_is_named(folder: Path, records: Any, encrypted: Any) -> None:
    assert encrypted.column_names == ["id", "who", "ciphertext", "error"]
    assert batch.encrypt(records, hl.Parameters.load(folder / "public")).column_names == ["ciphertext", "error"]
    everything = batch.encrypt(records, folder / "public", keep=None)
    assert everything.column_names == ["id", "who", "ciphertext", "error"]
    assert encrypted["error"].null_count == ITEMS - 1 and "no item" in encrypted["error"][BAD].as_py()


def test_tables_and_batches(folder: Path, encrypted: Any, expected: dict[int, Any], test: hl.Dataset) -> None:
    scored = batch.score(encrypted, folder / "model")
    check(scored.to_pylist(), expected)
    assert scored.schema.field("output").type == pa.list_(pa.field("item", pa.int64(), False), 3)
    one = encrypted.combine_chunks().to_batches()[0]
    assert batch.score(one, folder / "model").equals(scored.combine_chunks().to_batches()[0])
    # A slice begins in the middle of its buffers.
    part = batch.score(encrypted.slice(5, 4), folder / "model")
    assert part.to_pylist() == scored.slice(5, 4).to_pylist()
    empty = batch.score(encrypted.slice(0, 0), folder / "model")
    assert empty.num_rows == 0 and empty.schema == scored.schema


def test_the_kernel_is_the_network_in_the_clear(
    folder: Path, encrypted: Any, compiled: hl.CompiledNetwork, test: hl.Dataset
) -> None:
    scored = batch.score(encrypted, folder / "model").to_pylist()
    clear = compiled.evaluate(test)[:ITEMS]
    for row in scored:
        if row["id"] != BAD:
            assert np.array_equal(row["output"], clear[row["id"]])


def test_items_are_counted_by_subject(folder: Path, encrypted: Any) -> None:
    scored = batch.score(encrypted, folder / "model", subject="who", most_items=5).to_pylist()
    beyond = [row["id"] for row in scored if row["error"] and "of its subject" in row["error"]]
    assert beyond == list(range(15, ITEMS))
    with pytest.raises(BatchError, match="subject"):
        batch.score(encrypted, folder / "model", most_items=5)


def test_what_concerns_all_rows_is_raised(folder: Path, encrypted: Any, records: Any) -> None:
    with pytest.raises(BatchError, match="ciphertext"):
        batch.score(records, folder / "model")
    with pytest.raises(BatchError, match="nowhere"):
        batch.score(encrypted, folder / "nowhere")
    with pytest.raises(BatchError, match="label"):
        batch.score(encrypted.append_column("label", encrypted["who"]), folder / "model")
    prefixed = batch.score(encrypted.append_column("label", encrypted["who"]), folder / "model", prefix="p_")
    assert "p_label" in prefixed.column_names and "label" in prefixed.column_names
    with pytest.raises(TypeError, match="frame"):
        batch.score([1, 2], folder / "model")


def test_pandas(folder: Path, encrypted: Any, expected: dict[int, Any]) -> None:
    pytest.importorskip("pandas")
    frame = encrypted.to_pandas()
    frame.index = range(100, 100 + ITEMS)
    scored = batch.score(frame, folder / "model")
    assert list(scored.index) == list(frame.index)
    check(scored.to_dict("records"), expected)


def test_polars(folder: Path, encrypted: Any, expected: dict[int, Any]) -> None:
    polars = pytest.importorskip("polars")
    check(batch.score(polars.from_arrow(encrypted), folder / "model").to_dicts(), expected)


def test_ray_with_two_workers(
    folder: Path, encrypted: Any, expected: dict[int, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = pytest.importorskip("ray")
    # Workers that give way to every other program of a busy machine would take minutes.
    monkeypatch.setenv("RAY_worker_niceness", "0")
    ray.init(num_cpus=2, include_dashboard=False, logging_level="error")
    try:
        data = ray.data.from_arrow(encrypted).repartition(4)
        check(batch.score(data, folder / "model").take_all(), expected)
        # One block is divided among the workers.
        monkeypatch.setattr(batch, "_ROWS", 5)
        whole = batch.score(ray.data.from_arrow(encrypted).repartition(1), folder / "model").materialize()
        assert whole.num_blocks() >= 4
        check(whole.take_all(), expected)
        counted = batch.score(data, folder / "model", subject="who", most_items=5).take_all()
        assert len(counted) == ITEMS
        assert sum("of its subject" in (row["error"] or "") for row in counted) == ITEMS - 15
    finally:
        ray.shutdown()


def test_a_worker_killed_in_the_middle_costs_no_row(
    folder: Path, encrypted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = pytest.importorskip("ray")
    monkeypatch.setenv("RAY_worker_niceness", "0")
    times, marks = 50, str(tmp_path)
    whole = pa.concat_tables([encrypted] * times)
    whole = whole.set_column(0, "id", pa.array(range(whole.num_rows), pa.int64()))

    def deadly(table: Any) -> Any:
        """Whoever comes first to one of these rows is killed; Ray runs this and the kernel in one process."""
        for row in (300, 900):
            if row in table["id"].to_pylist():
                try:
                    os.close(os.open(f"{marks}/{row}", os.O_CREAT | os.O_EXCL))
                except FileExistsError:
                    continue
                os.kill(os.getpid(), 9)
        return table

    ray.init(num_cpus=2, include_dashboard=False, logging_level="error")
    try:
        data = ray.data.from_arrow(whole).repartition(24).map_batches(deadly, batch_format="pyarrow")
        scored = sorted(batch.score(data, folder / "model").take_all(), key=lambda row: row["id"])
    finally:
        ray.shutdown()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["300", "900"], "two workers were killed"
    assert [row["id"] for row in scored] == list(range(whole.num_rows)), "every row once"
    alone = batch.score(encrypted, folder / "model").to_pylist()
    for row in scored:
        same = alone[row["id"] % ITEMS]
        # What is missing comes back as another kind of nothing.
        assert row["error"] == same["error"] and (row["error"] or list(row["output"]) == same["output"]), row["id"]


def test_daft(folder: Path, encrypted: Any, expected: dict[int, Any]) -> None:
    daft = pytest.importorskip("daft")
    data = daft.from_arrow(encrypted)
    check(batch.score(data, folder / "model").to_pylist(), expected)
    counted = batch.score(data, folder / "model", subject="who", most_items=5).to_pylist()
    assert sum("of its subject" in (row["error"] or "") for row in counted) == ITEMS - 15


def test_datafusion_evaluates_every_row_once(
    folder: Path, encrypted: Any, expected: dict[int, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datafusion = pytest.importorskip("datafusion")
    import pyarrow.parquet as parquet

    seen = []
    whole = batch._table
    monkeypatch.setattr(batch, "_table", lambda work, table: seen.append(table.num_rows) or whole(work, table))
    context = datafusion.SessionContext()
    scored = batch.score(context.from_arrow(encrypted), folder / "model")
    assert scored.schema().names == batch.score(encrypted, folder / "model").column_names
    seen.clear()
    check(scored.to_arrow_table().to_pylist(), expected)
    assert sum(seen) == ITEMS
    # From files, whatever binary type the engine makes of them, in batches as small as one likes.
    parquet.write_table(encrypted, tmp_path / "part.parquet", row_group_size=5)
    context = datafusion.SessionContext(datafusion.SessionConfig().with_batch_size(5))
    read = context.read_parquet(str(tmp_path))
    check(batch.score(read, folder / "model").to_arrow_table().to_pylist(), expected)
    # The same in SQL.
    context.register_parquet("encrypted", str(tmp_path))
    context.register_udf(batch.scalar_function(folder / "model"))
    seen.clear()
    rows = context.sql("SELECT id, unnest(halflight_score(ciphertext)) FROM encrypted").to_arrow_table()
    assert sum(seen) == ITEMS and len(seen) > 1
    listed = rows.rename_columns([name.rsplit(".", 1)[-1] for name in rows.column_names]).to_pylist()
    # It sees the ciphertexts alone, and not why there is none.
    bad = next(row for row in listed if row["id"] == BAD)
    assert bad["error"] == "it has no ciphertext"
    check([{**row, "error": "no item"} if row is bad else row for row in listed], expected)
    with pytest.raises(BatchError, match="to_arrow_table"):
        batch.score(read, folder / "model", subject="who", most_items=5)
    with pytest.raises(BatchError, match="nowhere"):
        batch.scalar_function(folder / "nowhere")


def test_datafusion_encrypts(folder: Path, records: Any, expected: dict[int, Any]) -> None:
    datafusion = pytest.importorskip("datafusion")
    frame = datafusion.SessionContext().from_arrow(records)
    sealed = batch.encrypt(frame, folder / "public", keep=["id"]).to_arrow_table()
    check(batch.score(sealed, folder / "model").to_pylist(), expected)


@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java")
def test_spark_standalone_with_two_workers_of_which_one_is_killed(
    folder: Path, encrypted: Any, expected: dict[int, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyspark")
    clusters = pytest.importorskip("clusters")
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    mark = str(tmp_path / "killed")

    def deadly(batches: Any) -> Any:
        """The executor that comes to this row first is killed, with what it has done."""
        for one in batches:
            if 5 in one["id"].to_pylist() and not os.path.exists(mark):
                os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
                # This process is forked by a daemon, which the executor started.
                with open(f"/proc/{os.getppid()}/stat") as stat:
                    os.kill(int(stat.read().rsplit(")", 1)[1].split()[1]), 9)
            yield one

    with clusters.spark(workers=2) as session:
        session.conf.set("spark.sql.shuffle.partitions", "2")
        rows = [(row["id"], row["who"], row["ciphertext"], row["error"]) for row in encrypted.to_pylist()]
        columns = "id long, who string, ciphertext binary, error string"
        data = session.createDataFrame(rows, columns).repartition(4)
        scored = batch.score(data.mapInArrow(deadly, columns), folder / "model").collect()
        check([row.asDict() for row in scored], expected)
        assert os.path.exists(mark)
        counted = batch.score(data, folder / "model", subject="who", most_items=5).collect()
        assert sum("of its subject" in (row["error"] or "") for row in counted) == ITEMS - 15
