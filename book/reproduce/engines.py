"""The same ciphertexts on every engine with two workers: are the results the same to the last byte, and how long does it take?

    HALFLIGHT=target/debug/halflight python book/reproduce/engines.py FOLDER [ROWS] [ENGINE …]

Needs the Python package with pyarrow, and whichever of ray, daft, datafusion and pyspark (with Java) are to take part; an
engine that is not installed is left out and said so. Handwritten digits of 8 × 8 pixels, 1,500 ciphertexts in 12 files.
Every worker has one core: two threads of one process, or two processes of one thread.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from common import halflight, once, row

ENGINES = {"halflight score": None, "ray": "ray", "daft on ray": "daft", "datafusion": "datafusion", "spark": "pyspark"}
COLUMNS = ["id", "output", "label", "probabilities", "error"]
FILES = 12
# Ray gives way to other programs unless it is told not to; the others do not.
EVEN = {"RAY_worker_niceness": "0"}


def prepare(folder, rows):
    """A model and its ciphertexts; what is there already stays."""
    os.environ.setdefault("HALFLIGHT_PASSPHRASE", "of a key that opens these digits alone")
    folder.mkdir(parents=True, exist_ok=True)
    once(folder, "digits.safetensors", "dataset", "import", "handwriting")
    once(folder, "network.safetensors", "train", "--data", "digits.safetensors", "--main", "digit", "--collateral", "ink",
         "--outputs", "4", "--pooling", "1", "--steps", "200")
    once(folder, "compiled.safetensors", "compile", "network.safetensors", "--data", "digits.safetensors", "--steps", "50")
    if not (folder / "authority").exists():
        halflight(folder, "authority", "init", "--network", "compiled.safetensors", "--folder", "authority")
    once(folder, "functional.key", "authority", "issue", "--folder", "authority", "--network", "compiled.safetensors")
    model = folder / "model"
    model.mkdir(exist_ok=True)
    for source, name in [("compiled.safetensors", "network.safetensors"), ("functional.key", "functional.key"),
                         ("authority/public/public.key", "public.key")]:
        shutil.copy(folder / source, model / name)
    halflight(folder, "encrypt", "--parameters", "authority/public", "--data", "digits.safetensors", "--items", f"0..{rows}",
              "--rows", -(-rows // FILES), "--parquet", f"sealed-{rows}")
    # The table of logarithms is made once, for all.
    halflight(folder, "score", "--input", f"sealed-{rows}/part-00000.parquet", "--output", "warm", "--model", "model",
              "--tables", "tables")
    shutil.rmtree(folder / "warm")


def embedded(source, out, model, tables):
    halflight(out.parent, "score", "--input", source, "--output", out, "--model", model, "--tables", tables, "--threads", "2")


def ray(source, out, model, tables):
    import ray as engine
    from halflight import batch

    begin = time.perf_counter()
    engine.init(num_cpus=2, include_dashboard=False, logging_level="error")
    started = time.perf_counter() - begin
    batch.score(engine.data.read_parquet(str(source)), model, tables=tables).write_parquet(str(out))
    return started


def daft(source, out, model, tables):
    import daft as engine
    import ray as cluster
    from halflight import batch

    begin = time.perf_counter()
    cluster.init(num_cpus=2, include_dashboard=False, logging_level="error")
    engine.set_runner_ray()
    started = time.perf_counter() - begin
    batch.score(engine.read_parquet(f"{source}/*.parquet"), model, tables=tables).write_parquet(str(out))
    return started


def datafusion(source, out, model, tables):
    from datafusion import SessionConfig, SessionContext
    from halflight import batch

    context = SessionContext(SessionConfig().with_target_partitions(2).with_batch_size(64))
    batch.score(context.read_parquet(str(source)), model, tables=tables).write_parquet(str(out))


def spark(source, out, model, tables):
    from pyspark.sql import SparkSession
    from halflight import batch

    begin = time.perf_counter()
    # A master and two workers of Spark standalone, each a process of its own.
    builder = SparkSession.builder.master("local-cluster[2,1,2048]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.executor.memory", "1g").config("spark.executorEnv.RAYON_NUM_THREADS", "1")
    builder = builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", "64")
    # The compiled Snappy is not for every C library.
    for who in ("driver", "executor"):
        builder = builder.config(f"spark.{who}.extraJavaOptions", "-Dorg.xerial.snappy.purejava=true")
    # A file is about four megabytes: one partition for each.
    session = builder.config("spark.sql.files.maxPartitionBytes", str(8 << 20)).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    started = time.perf_counter() - begin
    batch.score(session.read.parquet(f"{source}/*.parquet"), model, tables=tables).write.parquet(f"file://{out}")
    return started


RUN = dict(zip(ENGINES, [embedded, ray, daft, datafusion, spark]))


def digest(out):
    """Hash of all rows in the order of their numbers, in one form of Arrow's file format."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    # Each file by itself: folders of engines may hold files that say nothing.
    tables = [parquet.read_table(path) for path in sorted(out.rglob("*.parquet"))]
    types = [pa.int64(), pa.list_(pa.int64()), pa.string(), pa.list_(pa.float32()), pa.string()]
    plain = pa.schema(list(zip(COLUMNS, types)))
    table = pa.concat_tables([table.select(COLUMNS).cast(plain) for table in tables if table.num_rows])
    table = table.sort_by("id").combine_chunks()
    # Offsets and buffers may begin elsewhere: built anew, equal rows are equal bytes.
    table = pa.Table.from_pylist(table.to_pylist(), schema=plain)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, plain) as file:
        file.write_table(table)
    return table.num_rows, hashlib.sha256(sink.getvalue()).hexdigest()


def one(folder, rows, engine):
    out = folder / f"scored-{engine.replace(' ', '-')}"
    shutil.rmtree(out, ignore_errors=True)
    begin = time.perf_counter()
    started = RUN[engine](folder / f"sealed-{rows}", out, str(folder / "model"), str(folder / "tables")) or 0.0
    whole = time.perf_counter() - begin
    count, found = digest(out)
    print(json.dumps({"rows": count, "digest": found, "started": started, "seconds": whole - started}))


def main():
    folder = Path(sys.argv[1]).resolve()
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 1500
    if sys.argv[3:4] == ["--one"]:
        return one(folder, rows, sys.argv[4])
    prepare(folder, rows)
    wanted = sys.argv[3:] or list(ENGINES)
    row("engine, two workers", "rows", "seconds", "rows a second", "starting, seconds", "digest of the rows")
    row("---", "---", "---", "---", "---", "---")
    digests = set()
    for engine in wanted:
        needed = ENGINES[engine]
        if needed is not None and importlib.util.find_spec(needed) is None:
            print(f"left out: {engine} is not installed", file=sys.stderr)
            continue
        # Each in a process of its own, whose workers have one thread each where they are processes.
        threads = "2" if engine in ("halflight score", "datafusion") else "1"
        environment = {**os.environ, "RAYON_NUM_THREADS": threads, "PYSPARK_PYTHON": sys.executable, **EVEN}
        command = [sys.executable, __file__, str(folder), str(rows), "--one", engine]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{engine}:\n{done.stderr[-4000:]}")
        found = json.loads(done.stdout.splitlines()[-1])
        digests.add((found["rows"], found["digest"]))
        rate = found["rows"] / found["seconds"]
        row(engine, found["rows"], f"{found['seconds']:.1f}", f"{rate:.0f}", f"{found['started']:.1f}", found["digest"][:16])
    if digests and digests != {(rows, next(iter(digests))[1])}:
        raise SystemExit("the results differ")


main()
